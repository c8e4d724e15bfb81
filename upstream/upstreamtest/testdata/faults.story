options {}
# The usual shapes of errors. A fault stands before the key check.
key other
fault tnt_a {"Status":500}
> GET /tenants/tnt_a/status
< 500 {"error":"internal_server_error","error_id":"7e02283ac828d1df"}
key test-key
fault tnt_a {"Status":503}
> GET /tenants/tnt_a/status
< 503 {"error":"service_unavailable"}
fault tnt_a {"Status":422}
> GET /tenants/tnt_a/status
< 422 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]
fault tnt_a {"Status":502}
> GET /tenants/tnt_a/status
< 502 [Content-Type: text/html; charset=utf-8] <!doctype html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1><hr><address>edge-proxy</address></body></html>
fault tnt_a {"Status":599}
> GET /tenants/tnt_a/status
< 599 {"error":"status_599","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
# Other ones.
fault tnt_a {"Status":403,"Code":"managed_tenant_write_blocked","Message":"No."}
> GET /tenants/tnt_a/status
< 403 {"error":"managed_tenant_write_blocked","message":"No.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
fault tnt_a {"Status":503,"Shape":1}
> GET /tenants/tnt_a/status
< 503 {"error":"service_unavailable","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
fault tnt_a {"Status":500,"Shape":4}
> GET /tenants/tnt_a/status
< 500 [Content-Type: text/html; charset=utf-8] <!doctype html>\n<html><head><title>500 Internal Server Error</title></head>\n<body><h1>500 Internal Server Error</h1><hr><address>edge-proxy</address></body></html>
fault tnt_a {"Status":500,"Shape":1}
> GET /tenants/tnt_a/status
< 500 {"error":"internal_server_error","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
fault tnt_a {"Status":500,"Shape":3}
> GET /tenants/tnt_a/status
< 500 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]
fault tnt_a {"Status":400,"Shape":3}
> GET /tenants/tnt_a/status
< 400 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]
fault tnt_a {"Status":429,"RetryAfter":"7"}
> GET /tenants/tnt_a/status
< 429 [Retry-After: 7] {"error":"too_many_requests","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
fault tnt_a {"Body":"null"}
> GET /tenants/tnt_a/status
< 200 null
fault tnt_a {"Body":"gone","Status":410,"ContentType":"text/plain"}
> GET /tenants/tnt_a/status
< 410 [Content-Type: text/plain] gone
fault tnt_a {"ContentType":"text/html","FetchedAt":"2099-01-01T00:00:00Z"}
> GET /tenants/tnt_a/status
< 200 [Content-Type: text/html] {"adapter":{"type":"google_ad_manager","connected":true,"last_tested_at":"2026-07-04T04:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T09:50:38Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:51:00Z","issue":null,"item_count":83,"error":null},"custom_targeting":{"last_run_at":"2026-07-04T09:49:19Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:50:00Z","issue":null,"item_count":274,"error":null},"inventory":{"last_run_at":"2026-07-04T09:46:32Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:49:00Z","issue":null,"item_count":2316,"error":null},"pricing_availability":{"last_run_at":"2026-07-04T09:11:54Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:13:00Z","issue":null,"item_count":45,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":"2026-07-04T09:07:25Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:08:00Z","issue":null,"item_count":19,"error":null}},"workflows":{"open_count":7,"oldest_opened_at":"2026-07-03T16:37:00Z","by_kind":{"creative_review":5,"media_buy_approval":2}},"media_buys":{"active_count":9,"pending_approval_count":2},"packages":{"active_count":21,"paused_count":4},"products":{"active_count":27,"draft_count":6,"archived_count":3},"inventory_profiles":{"total_count":40,"complete_count":33,"incomplete_count":7,"wholesale_owned_count":27},"creatives":{"active_count":164,"pending_review_count":5,"rejected_last_24h_count":2},"webhooks":null,"setup_tasks":{"blocker_count":0,"warning_count":1,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"The ad server accepts our account.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"info","scope":"publisher","description":"Ad units and placements have been read.","is_complete":true,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"info","scope":"publisher","description":"Buyers can discover at least one product.","is_complete":true,"configure_path":"/products"},{"id":"principals_created","name":"Buyers","severity":"info","scope":"publisher","description":"At least one buyer has an account here.","is_complete":true,"configure_path":"/settings#advertisers"},{"id":"currency_limits","name":"Currencies","severity":"info","scope":"publisher","description":"EUR can be spent.","is_complete":true,"configure_path":"/settings#business-rules"},{"id":"creative_approval_guidelines","name":"Rules for creatives","severity":"warning","scope":"publisher","description":"Say what reviewers should look for in a creative.","is_complete":false,"configure_path":null},{"id":"gam_default_advertiser","name":"Advertiser for new buyers","severity":"info","scope":"publisher","description":"Orders of unmapped buyers go to one advertiser.","is_complete":true,"configure_path":"/buyer-routing"},{"id":"slack_integration","name":"Alerts in Slack","severity":"info","scope":"publisher","description":"Name a channel to be told of approvals.","is_complete":false,"configure_path":null}]},"fetched_at":"2099-01-01T00:00:00Z"}
fault tnt_a {"Status":204}
> GET /tenants/tnt_a/status
< 204
fault tnt_a {"Redirect":"https://elsewhere.example/"}
> GET /tenants/tnt_a/status
< 302 [Content-Type: text/html; charset=utf-8] [Location: https://elsewhere.example/] <p>Moved.</p>
# Cleared: the date did not reach the cache.
fault tnt_a {}
> GET /tenants/tnt_a/status
< 200 {"adapter":{"type":"google_ad_manager","connected":true,"last_tested_at":"2026-07-04T04:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T09:50:38Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:51:00Z","issue":null,"item_count":83,"error":null},"custom_targeting":{"last_run_at":"2026-07-04T09:49:19Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:50:00Z","issue":null,"item_count":274,"error":null},"inventory":{"last_run_at":"2026-07-04T09:46:32Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:49:00Z","issue":null,"item_count":2316,"error":null},"pricing_availability":{"last_run_at":"2026-07-04T09:11:54Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:13:00Z","issue":null,"item_count":45,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":"2026-07-04T09:07:25Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:08:00Z","issue":null,"item_count":19,"error":null}},"workflows":{"open_count":7,"oldest_opened_at":"2026-07-03T16:37:00Z","by_kind":{"creative_review":5,"media_buy_approval":2}},"media_buys":{"active_count":9,"pending_approval_count":2},"packages":{"active_count":21,"paused_count":4},"products":{"active_count":27,"draft_count":6,"archived_count":3},"inventory_profiles":{"total_count":40,"complete_count":33,"incomplete_count":7,"wholesale_owned_count":27},"creatives":{"active_count":164,"pending_review_count":5,"rejected_last_24h_count":2},"webhooks":null,"setup_tasks":{"blocker_count":0,"warning_count":1,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"The ad server accepts our account.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"info","scope":"publisher","description":"Ad units and placements have been read.","is_complete":true,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"info","scope":"publisher","description":"Buyers can discover at least one product.","is_complete":true,"configure_path":"/products"},{"id":"principals_created","name":"Buyers","severity":"info","scope":"publisher","description":"At least one buyer has an account here.","is_complete":true,"configure_path":"/settings#advertisers"},{"id":"currency_limits","name":"Currencies","severity":"info","scope":"publisher","description":"EUR can be spent.","is_complete":true,"configure_path":"/settings#business-rules"},{"id":"creative_approval_guidelines","name":"Rules for creatives","severity":"warning","scope":"publisher","description":"Say what reviewers should look for in a creative.","is_complete":false,"configure_path":null},{"id":"gam_default_advertiser","name":"Advertiser for new buyers","severity":"info","scope":"publisher","description":"Orders of unmapped buyers go to one advertiser.","is_complete":true,"configure_path":"/buyer-routing"},{"id":"slack_integration","name":"Alerts in Slack","severity":"info","scope":"publisher","description":"Name a channel to be told of approvals.","is_complete":false,"configure_path":null}]},"fetched_at":"2026-07-04T10:00:00.250000Z"}
# A problem and a list can repeat the credentials that were sent.
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> PUT /tenants/tnt_a/adapter-config {"type":"broadstreet","api_key":"hunter2"}
< 400 {"error":"adapter_invalid_credentials","message":"There is no login with hunter2 here.","details":{"adapter_type":"broadstreet","error":"There is no login with hunter2 here.","remediation":"hunter2","vendor_fault":{"vendor":"hunter2","phase":"hunter2","endpoint":"hunter2","vendor_message":"There is no login with hunter2 here."},"debug_token":"CANARY-debug-token"}}
> PUT /tenants/tnt_a/adapter-config {"type":"broadstreet","api_key":"hunter2"}
< 422 [{"type":"value_error","loc":["broadstreet","api_key"],"msg":"Value error, no login with hunter2","input":{"type":"broadstreet","api_key":"hunter2"}},{"type":"extra_forbidden","loc":["broadstreet","hunter2"],"msg":"Extra inputs are not permitted","input":{"type":"broadstreet","api_key":"hunter2"}}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> PUT /tenants/tnt_a/adapter-config {"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}
< 400 {"error":"adapter_invalid_credentials","message":"There is no login with keel or lantern here.","details":{"adapter_type":"google_ad_manager","error":"There is no login with keel or lantern here.","remediation":"keel_lantern","vendor_fault":{"vendor":"keel_lantern","phase":"keel_lantern","endpoint":"keel_lantern","vendor_message":"There is no login with keel or lantern here."},"debug_token":"CANARY-debug-token"}}
> PUT /tenants/tnt_a/adapter-config {"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}
< 422 [{"type":"value_error","loc":["google_ad_manager","service_account_key_json"],"msg":"Value error, no login with keel","input":{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}},{"type":"extra_forbidden","loc":["google_ad_manager","keel"],"msg":"Extra inputs are not permitted","input":{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}},{"type":"value_error","loc":["google_ad_manager","service_account_key_json"],"msg":"Value error, no login with lantern","input":{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}},{"type":"extra_forbidden","loc":["google_ad_manager","lantern"],"msg":"Extra inputs are not permitted","input":{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> POST /tenants/provision {"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}
< 400 {"error":"adapter_invalid_credentials","message":"There is no login with hunter2 or staple here.","details":{"adapter_type":"freewheel","error":"There is no login with hunter2 or staple here.","remediation":"hunter2_staple","vendor_fault":{"vendor":"hunter2_staple","phase":"hunter2_staple","endpoint":"hunter2_staple","vendor_message":"There is no login with hunter2 or staple here."},"debug_token":"CANARY-debug-token"}}
> POST /tenants/provision {"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}
< 422 [{"type":"value_error","loc":["freewheel","password"],"msg":"Value error, no login with hunter2","input":{"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}},{"type":"extra_forbidden","loc":["freewheel","hunter2"],"msg":"Extra inputs are not permitted","input":{"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}},{"type":"value_error","loc":["freewheel","api_token"],"msg":"Value error, no login with staple","input":{"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}},{"type":"extra_forbidden","loc":["freewheel","staple"],"msg":"Extra inputs are not permitted","input":{"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> PUT /tenants/tnt_a/adapter-config {"service_account_key_json":"lantern"}
< 400 {"error":"adapter_invalid_credentials","message":"There is no login with lantern here.","details":{"adapter_type":"","error":"There is no login with lantern here.","remediation":"lantern","vendor_fault":{"vendor":"lantern","phase":"lantern","endpoint":"lantern","vendor_message":"There is no login with lantern here."},"debug_token":"CANARY-debug-token"}}
> PUT /tenants/tnt_a/adapter-config {"service_account_key_json":"lantern"}
< 422 [{"type":"value_error","loc":["","service_account_key_json"],"msg":"Value error, no login with lantern","input":{"service_account_key_json":"lantern"}},{"type":"extra_forbidden","loc":["","lantern"],"msg":"Extra inputs are not permitted","input":{"service_account_key_json":"lantern"}}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> POST /tenants/tnt_a/webhooks {"url":"u","secret":"anchor"}
< 400 {"error":"adapter_invalid_credentials","message":"There is no login with anchor here.","details":{"adapter_type":"","error":"There is no login with anchor here.","remediation":"anchor","vendor_fault":{"vendor":"anchor","phase":"anchor","endpoint":"anchor","vendor_message":"There is no login with anchor here."},"debug_token":"CANARY-debug-token"}}
> POST /tenants/tnt_a/webhooks {"url":"u","secret":"anchor"}
< 422 [{"type":"value_error","loc":["","secret"],"msg":"Value error, no login with anchor","input":{"url":"u","secret":"anchor"}},{"type":"extra_forbidden","loc":["","anchor"],"msg":"Extra inputs are not permitted","input":{"url":"u","secret":"anchor"}}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> PUT /tenants/tnt_a/adapter-config {"type":"mock"}
< 400 {"error":"adapter_invalid_credentials","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> PUT /tenants/tnt_a/adapter-config {"type":"mock"}
< 422 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> PUT /tenants/tnt_a/adapter-config <
< 400 {"error":"adapter_invalid_credentials","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> PUT /tenants/tnt_a/adapter-config <
< 422 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]
script * {"Status":400,"Code":"adapter_invalid_credentials","Echo":true}, {"Status":422,"Echo":true}
> POST /tenants/tnt_a/refresh {"note":"hunter2"}
< 400 {"error":"adapter_invalid_credentials","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> POST /tenants/tnt_a/refresh {"note":"hunter2"}
< 422 [{"type":"value_error","loc":["springserve","email"],"msg":"Value error, The agent was told to answer this.","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"ctx":{"error":"The agent was told to answer this."}},{"type":"missing","loc":["springserve","rate_currency"],"msg":"Field required","input":{"type":"springserve","email":"desk@publisher.example","password":"CANARY-password"},"url":"https://errors.pydantic.dev/2.11/v/missing"}]

# The order is: a tenant's script, its standing fault, the script of all tenants, their standing fault.
tenant tnt_b healthy
fault * {"Status":591}
script * {"Status":581}, {"Status":582}
fault tnt_a {"Only":"status","Status":571}
script tnt_a {"Only":"tenant","Status":561}, {"Status":562}, {}
# The first of the script waits for a tenant request.
> GET /tenants/tnt_a/status
< 562 {"error":"status_562","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants/tnt_b/status
< 581 {"error":"status_581","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
# Scripted to go well.
> GET /tenants/tnt_a/status
< 200 {"adapter":{"type":"google_ad_manager","connected":true,"last_tested_at":"2026-07-04T04:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T09:50:38Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:51:00Z","issue":null,"item_count":83,"error":null},"custom_targeting":{"last_run_at":"2026-07-04T09:49:19Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:50:00Z","issue":null,"item_count":274,"error":null},"inventory":{"last_run_at":"2026-07-04T09:46:32Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:49:00Z","issue":null,"item_count":2316,"error":null},"pricing_availability":{"last_run_at":"2026-07-04T09:11:54Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:13:00Z","issue":null,"item_count":45,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":"2026-07-04T09:07:25Z","status":"success","severity":"ok","last_success_at":"2026-07-04T09:08:00Z","issue":null,"item_count":19,"error":null}},"workflows":{"open_count":7,"oldest_opened_at":"2026-07-03T16:37:00Z","by_kind":{"creative_review":5,"media_buy_approval":2}},"media_buys":{"active_count":9,"pending_approval_count":2},"packages":{"active_count":21,"paused_count":4},"products":{"active_count":27,"draft_count":6,"archived_count":3},"inventory_profiles":{"total_count":40,"complete_count":33,"incomplete_count":7,"wholesale_owned_count":27},"creatives":{"active_count":164,"pending_review_count":5,"rejected_last_24h_count":2},"webhooks":null,"setup_tasks":{"blocker_count":0,"warning_count":1,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"The ad server accepts our account.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"info","scope":"publisher","description":"Ad units and placements have been read.","is_complete":true,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"info","scope":"publisher","description":"Buyers can discover at least one product.","is_complete":true,"configure_path":"/products"},{"id":"principals_created","name":"Buyers","severity":"info","scope":"publisher","description":"At least one buyer has an account here.","is_complete":true,"configure_path":"/settings#advertisers"},{"id":"currency_limits","name":"Currencies","severity":"info","scope":"publisher","description":"EUR can be spent.","is_complete":true,"configure_path":"/settings#business-rules"},{"id":"creative_approval_guidelines","name":"Rules for creatives","severity":"warning","scope":"publisher","description":"Say what reviewers should look for in a creative.","is_complete":false,"configure_path":null},{"id":"gam_default_advertiser","name":"Advertiser for new buyers","severity":"info","scope":"publisher","description":"Orders of unmapped buyers go to one advertiser.","is_complete":true,"configure_path":"/buyer-routing"},{"id":"slack_integration","name":"Alerts in Slack","severity":"info","scope":"publisher","description":"Name a channel to be told of approvals.","is_complete":false,"configure_path":null}]},"fetched_at":"2026-07-04T10:00:00.250000Z"}
> GET /tenants/tnt_a/status
< 571 {"error":"status_571","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants/tnt_a
< 561 {"error":"status_561","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
# None of its own is left for this kind.
> GET /tenants/tnt_a
< 582 {"error":"status_582","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants/tnt_a
< 591 {"error":"status_591","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants/tnt_b/status
< 591 {"error":"status_591","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants
< 591 {"error":"status_591","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
# A script replaces the one before.
script tnt_b {"Status":551}, {"Status":552}
script tnt_b {"Status":553}
fault * {}
> GET /tenants/tnt_b/status
< 553 {"error":"status_553","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
> GET /tenants/tnt_b/adapter-config
< 200 {"type":"google_ad_manager","configured":true,"network_code":"777","service_account_email":"sa@agent.example","service_account_key_json":"<encrypted>","refresh_token":null}
# Network policy and a blocked write share a status.
options {}
script tnt_a {"Status":403,"Shape":2,"Code":"This network is not allowed"}, {"Status":403,"Code":"managed_tenant_write_blocked"}
> POST /tenants/tnt_a/deactivate
< 403 {"error":"This network is not allowed"}
> POST /tenants/tnt_a/deactivate
< 403 {"error":"managed_tenant_write_blocked","message":"The agent was told to answer this.","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}
# Errors are plain text for those who take no JSON.
accept text/html, text/*;q=0.8
> GET /tenants/tnt_x/status
< 404 [Content-Type: text/plain; charset=utf-8] Not Found
> GET /tenants/tnt_a/nothing
< 404 [Content-Type: text/html; charset=utf-8] <!doctype html>\n<html><head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1><hr><address>edge-proxy</address></body></html>
fault tnt_a {"Status":500}
> GET /tenants/tnt_a/status
< 500 [Content-Type: text/plain; charset=utf-8] Internal Server Error
fault tnt_a {"Status":500,"Body":"{}"}
> GET /tenants/tnt_a/status
< 500 {}
fault tnt_a {}
> GET /tenants/tnt_a/webhooks
< 200 {"webhooks":[],"count":0}
accept text/html, */*;q=0.1
> GET /tenants/tnt_x/status
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_x'."}
