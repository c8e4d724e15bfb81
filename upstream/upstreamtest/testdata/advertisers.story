options {"CacheFor":-1}
# Pages; what can't be read of a query is the usual, and cursors that can't be read are page one.
> GET /tenants/tnt_a/gam/advertisers?limit=2
< 200 {"advertisers":[{"id":"2454089478","name":"Amberley Outdoor","currency_code":"EUR","status":"active"},{"id":"2454089422","name":"Amberley Tea","currency_code":"EUR","status":"active"}],"next_cursor":"eyJvZmZzZXQiOiAyfQ==","synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?limit=2&cursor=$cursor
< 200 {"advertisers":[{"id":"2454089450","name":"Amberley Travel","currency_code":"EUR","status":"active"},{"id":"2454089458","name":"Blueridge Bicycles","currency_code":"EUR","status":"active"}],"next_cursor":"eyJvZmZzZXQiOiA0fQ==","synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?limit=1&cursor=nonsense
< 200 {"advertisers":[{"id":"2454089478","name":"Amberley Outdoor","currency_code":"EUR","status":"active"}],"next_cursor":"eyJvZmZzZXQiOiAxfQ==","synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?limit=-4&cursor=eyJvZmZzZXQiOiAiYSJ9
< 200 {"advertisers":[{"id":"2454089478","name":"Amberley Outdoor","currency_code":"EUR","status":"active"}],"next_cursor":"eyJvZmZzZXQiOiAxfQ==","synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?cursor=eyJvZmZzZXQiOiA4Mn0=
< 200 {"advertisers":[{"id":"2454089454","name":"Élan Optics","currency_code":"EUR","status":"active"}],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
# A list, and more than the database can count to, are a crash.
> GET /tenants/tnt_a/gam/advertisers?cursor=WzFd
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
> GET /tenants/tnt_a/gam/advertisers?cursor=eyJvZmZzZXQiOiA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5fQ==
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
> GET /tenants/tnt_a/gam/advertisers?q=NorthG
< 200 {"advertisers":[{"id":"2454089456","name":"Northgate Outdoor","currency_code":"EUR","status":"active"},{"id":"2454089400","name":"Northgate Tea","currency_code":"EUR","status":"active"},{"id":"2454089428","name":"Northgate Travel","currency_code":"EUR","status":"active"}],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?q=n&limit=1
< 200 {"advertisers":[{"id":"2454089478","name":"Amberley Outdoor","currency_code":"EUR","status":"active"}],"next_cursor":"eyJvZmZzZXQiOiAxfQ==","synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?q=2454089400
< 200 {"advertisers":[{"id":"2454089400","name":"Northgate Tea","currency_code":"EUR","status":"active"}],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?q=24540894
< 200 {"advertisers":[],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> GET /tenants/tnt_a/gam/advertisers?q=%00
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
# One is made; a trial makes none.
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"Interchange – everybody else","dry_run":true}
< 200 {"advertiser":{"id":"dryrun_3000090","name":"Interchange – everybody else","currency_code":null,"status":"active"},"created":false,"dry_run":true}
> GET /tenants/tnt_a/gam/advertisers?q=everybody
< 200 {"advertisers":[],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"Interchange – everybody else"}
< 201 {"advertiser":{"id":"2454089600","name":"Interchange – everybody else","currency_code":"EUR","status":"active"},"created":true,"dry_run":false}
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":" interchange – everybody else ","dry_run":true}
< 200 {"advertiser":{"id":"2454089600","name":"Interchange – everybody else","currency_code":"EUR","status":"active"},"created":false,"dry_run":false}
> GET /tenants/tnt_a/gam/advertisers?q=everybody
< 200 {"advertisers":[{"id":"2454089600","name":"Interchange – everybody else","currency_code":"EUR","status":"active"}],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"  "}
< 400 {"error":"invalid_advertiser_name","message":"The name of an advertiser is not blank."}
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"","dry_run":"no"}
< 422 [{"type":"string_too_short","loc":["name"],"msg":"String should have at least 1 characters","input":""},{"type":"bool_type","loc":["dry_run"],"msg":"Input should be a valid boolean","input":"no"}]
# The ad server knows us and lets us make none, or is away.
adserver 777 permission_denied
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"Another"}
< 403 {"error":"adapter_permission_denied","message":"The advertiser could not be ensured.","details":{"adapter_type":"google_ad_manager","error":"The ad server knows the account and does not let it in","remediation":"vendor_enables_role","vendor_fault":{"vendor":"google_ad_manager","phase":"create_advertiser","endpoint":"CompanyService.createCompanies","vendor_message":"[PermissionError.PERMISSION_DENIED @ ]","gam":{"service":"NetworkService","reason":"PERMISSION_DENIED","trigger":null},"request_token":"CANARY-vendor-request-token"},"debug_token":"CANARY-ensure-token"}}
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"Another","dry_run":true}
< 200 {"advertiser":{"id":"dryrun_700121","name":"Another","currency_code":null,"status":"active"},"created":false,"dry_run":true}
adserver 777 upstream_unavailable
> POST /tenants/tnt_a/gam/advertisers:ensure {"name":"Another"}
< 400 {"error":"adapter_upstream_unavailable","message":"The advertiser could not be ensured.","details":{"adapter_type":"google_ad_manager","error":"The ad server is away","vendor_fault":{"vendor":"google_ad_manager","phase":"create_advertiser","endpoint":"CompanyService.createCompanies","vendor_message":"[ServerError.SERVER_BUSY @ ]","gam":{"service":"NetworkService","reason":"SERVER_BUSY","trigger":null},"request_token":"CANARY-vendor-request-token"},"debug_token":"CANARY-ensure-token"}}
# Where none were read yet, and on another ad server, there are none.
tenant tnt_b never-run
> GET /tenants/tnt_b/gam/advertisers
< 200 {"advertisers":[],"next_cursor":null,"synced_at":null}
stocked tnt_f freewheel
> GET /tenants/tnt_f/gam/advertisers
< 200 {"advertisers":[],"next_cursor":null,"synced_at":"2026-07-04T09:51:00Z"}
> POST /tenants/tnt_f/gam/advertisers:ensure {"name":"Another"}
< 400 {"error":"adapter_not_configured","message":"This tenant has no Google Ad Manager."}
> GET /tenants/tnt_x/gam/advertisers
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_x'."}
# The default advertiser may be any, and completes its task; all of the tenant is answered.
task tnt_d gam_default_advertiser
> GET /tenants/tnt_d/status
< 200 {"adapter":{"type":"google_ad_manager","connected":true,"last_tested_at":"2026-07-04T04:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T09:50:38Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:51:00Z","issue":null,"item_count":83,"error":null},"custom_targeting":{"last_run_at":"2026-07-04T09:49:19Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:50:00Z","issue":null,"item_count":274,"error":null},"inventory":{"last_run_at":"2026-07-04T09:46:32Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:49:00Z","issue":null,"item_count":2316,"error":null},"pricing_availability":{"last_run_at":"2026-07-04T09:11:54Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:13:00Z","issue":null,"item_count":45,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":"2026-07-04T09:07:25Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:08:00Z","issue":null,"item_count":19,"error":null}},"workflows":{"open_count":7,"oldest_opened_at":"2026-07-03T16:37:00Z","by_kind":{"creative_review":5,"media_buy_approval":2}},"media_buys":{"active_count":9,"pending_approval_count":2},"packages":{"active_count":21,"paused_count":4},"products":{"active_count":27,"draft_count":6,"archived_count":3},"inventory_profiles":{"total_count":40,"complete_count":33,"incomplete_count":7,"wholesale_owned_count":27},"creatives":{"active_count":164,"pending_review_count":5,"rejected_last_24h_count":2},"webhooks":null,"setup_tasks":{"blocker_count":0,"warning_count":1,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"The ad server accepts our account.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"info","scope":"publisher","description":"Ad units and placements have been read.","is_complete":true,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"info","scope":"publisher","description":"Buyers can discover at least one product.","is_complete":true,"configure_path":"/products"},{"id":"principals_created","name":"Buyers","severity":"info","scope":"publisher","description":"At least one buyer has an account here.","is_complete":true,"configure_path":"/settings#advertisers"},{"id":"currency_limits","name":"Currencies","severity":"info","scope":"publisher","description":"EUR can be spent.","is_complete":true,"configure_path":"/settings#business-rules"},{"id":"creative_approval_guidelines","name":"Rules for creatives","severity":"info","scope":"publisher","description":"Say what reviewers should look for in a creative.","is_complete":true,"configure_path":null},{"id":"gam_default_advertiser","name":"Advertiser for new buyers","severity":"warning","scope":"publisher","description":"Orders of unmapped buyers go to one advertiser.","is_complete":false,"configure_path":"/buyer-routing"},{"id":"slack_integration","name":"Alerts in Slack","severity":"info","scope":"publisher","description":"Name a channel to be told of approvals.","is_complete":true,"configure_path":null}]},"fetched_at":"2026-07-04T10:00:00.250000Z"}
> PATCH /tenants/tnt_d {"default_gam_advertiser_id":"dryrun_7"}
< 200 {"tenant_id":"tnt_d","name":"Name of tnt_d","subdomain":null,"external_org_id":"org-tnt_d","external_source":"storefront","is_embedded":true,"managed_externally":true,"is_active":true,"billing_plan":"standard","ad_server":"google_ad_manager","adapter_configured":true,"created_at":"2026-05-25T10:00:00.250000Z","contact_email":null,"default_currency":"EUR","public_agent_url":null,"default_gam_advertiser_id":"dryrun_7","embed_breadcrumb_root":null}
> GET /tenants/tnt_d
< 200 {"tenant_id":"tnt_d","name":"Name of tnt_d","subdomain":null,"external_org_id":"org-tnt_d","external_source":"storefront","is_embedded":true,"managed_externally":true,"is_active":true,"billing_plan":"standard","ad_server":"google_ad_manager","adapter_configured":true,"created_at":"2026-05-25T10:00:00.250000Z","contact_email":null,"default_currency":"EUR","public_agent_url":null,"default_gam_advertiser_id":"dryrun_7","embed_breadcrumb_root":null}
> GET /tenants/tnt_d/status
< 200 {"adapter":{"type":"google_ad_manager","connected":true,"last_tested_at":"2026-07-04T04:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T09:50:38Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:51:00Z","issue":null,"item_count":83,"error":null},"custom_targeting":{"last_run_at":"2026-07-04T09:49:19Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:50:00Z","issue":null,"item_count":274,"error":null},"inventory":{"last_run_at":"2026-07-04T09:46:32Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:49:00Z","issue":null,"item_count":2316,"error":null},"pricing_availability":{"last_run_at":"2026-07-04T09:11:54Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:13:00Z","issue":null,"item_count":45,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":"2026-07-04T09:07:25Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:08:00Z","issue":null,"item_count":19,"error":null}},"workflows":{"open_count":7,"oldest_opened_at":"2026-07-03T16:37:00Z","by_kind":{"creative_review":5,"media_buy_approval":2}},"media_buys":{"active_count":9,"pending_approval_count":2},"packages":{"active_count":21,"paused_count":4},"products":{"active_count":27,"draft_count":6,"archived_count":3},"inventory_profiles":{"total_count":40,"complete_count":33,"incomplete_count":7,"wholesale_owned_count":27},"creatives":{"active_count":164,"pending_review_count":5,"rejected_last_24h_count":2},"webhooks":null,"setup_tasks":{"blocker_count":0,"warning_count":0,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"The ad server accepts our account.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"info","scope":"publisher","description":"Ad units and placements have been read.","is_complete":true,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"info","scope":"publisher","description":"Buyers can discover at least one product.","is_complete":true,"configure_path":"/products"},{"id":"principals_created","name":"Buyers","severity":"info","scope":"publisher","description":"At least one buyer has an account here.","is_complete":true,"configure_path":"/settings#advertisers"},{"id":"currency_limits","name":"Currencies","severity":"info","scope":"publisher","description":"EUR can be spent.","is_complete":true,"configure_path":"/settings#business-rules"},{"id":"creative_approval_guidelines","name":"Rules for creatives","severity":"info","scope":"publisher","description":"Say what reviewers should look for in a creative.","is_complete":true,"configure_path":null},{"id":"gam_default_advertiser","name":"Advertiser for new buyers","severity":"info","scope":"publisher","description":"Orders of unmapped buyers go to one advertiser.","is_complete":true,"configure_path":"/buyer-routing"},{"id":"slack_integration","name":"Alerts in Slack","severity":"info","scope":"publisher","description":"Name a channel to be told of approvals.","is_complete":true,"configure_path":null}]},"fetched_at":"2026-07-04T10:00:00.250000Z"}
> PATCH /tenants/tnt_d {"default_gam_advertiser_id":null}
< 200 {"tenant_id":"tnt_d","name":"Name of tnt_d","subdomain":null,"external_org_id":"org-tnt_d","external_source":"storefront","is_embedded":true,"managed_externally":true,"is_active":true,"billing_plan":"standard","ad_server":"google_ad_manager","adapter_configured":true,"created_at":"2026-05-25T10:00:00.250000Z","contact_email":null,"default_currency":"EUR","public_agent_url":null,"default_gam_advertiser_id":"dryrun_7","embed_breadcrumb_root":null}
> PATCH /tenants/tnt_d {"default_gam_advertiser_id":"","colour":1}
< 422 [{"type":"string_too_short","loc":["default_gam_advertiser_id"],"msg":"String should have at least 1 characters","input":""},{"type":"extra_forbidden","loc":["colour"],"msg":"Extra inputs are not permitted","input":1}]
> PATCH /tenants/tnt_x {"default_gam_advertiser_id":"1"}
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_x'."}
# A body that can't be parsed changes nothing, and says so with a 200.
> PATCH /tenants/tnt_d {"default_gam_adv
< 200 {"tenant_id":"tnt_d","name":"Name of tnt_d","subdomain":null,"external_org_id":"org-tnt_d","external_source":"storefront","is_embedded":true,"managed_externally":true,"is_active":true,"billing_plan":"standard","ad_server":"google_ad_manager","adapter_configured":true,"created_at":"2026-05-25T10:00:00.250000Z","contact_email":null,"default_currency":"EUR","public_agent_url":null,"default_gam_advertiser_id":"dryrun_7","embed_breadcrumb_root":null}
