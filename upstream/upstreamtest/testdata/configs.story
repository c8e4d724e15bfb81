options {"CacheFor":-1}
> POST /tenants/provision {"name":"Quay News","external_org_id":"1","external_source":"pier","contact_email":"ops@quay.example","adapter":{"type":"springserve","rate_currency":"EUR","demand_class":"tag","email":"ops@ads.example","password":"pw-CANARY-3"}}
< 201 {"tenant_id":"tenant_1bf0e915222c4157","name":"Quay News","external_org_id":"1","external_source":"pier","is_embedded":true,"managed_externally":true,"mcp_url":"https://sales-agent.example/mcp/","a2a_url":"https://sales-agent.example/a2a","admin_url_path":"/tenant/tenant_1bf0e915222c4157","adapter":{"type":"springserve","configured":true,"connection_test_passed":true,"connection_test_error":null},"initial_principal":null,"created_at":"2026-07-04T10:00:00.250000Z"}
> GET /tenants/$id/adapters/springserve/config
< 200 {"type":"springserve","default_demand_partner_id":null,"demand_class":"tag","enable_key_value_targeting":false,"rate_currency":"EUR"}
# A new config resets the settings that it does not name, and dates the last test.
at 1h
> PUT /tenants/$id/adapter-config {"type":"springserve","email":"ops@ads.example","password":"pw-CANARY-3","default_demand_partner_id":71}
< 200 {"type":"springserve","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
> GET /tenants/$id/adapters/springserve/config
< 200 {"type":"springserve","default_demand_partner_id":71,"demand_class":"line_item","enable_key_value_targeting":false,"rate_currency":"USD"}
> GET /tenants/$id/status
< 200 {"adapter":{"type":"springserve","connected":true,"last_tested_at":"2026-07-04T11:00:00Z","last_test_error":null},"syncs":{"advertisers":{"last_run_at":"2026-07-04T10:00:00.250000Z","status":"failed","severity":"critical","last_success_at":null,"issue":{"code":"sync_failed","category":"permanent","message":"The run failed.","retryable":false,"action":"contact_support"},"item_count":null,"error":"GAM not configured"},"custom_targeting":{"last_run_at":"2026-07-04T10:00:00.250000Z","status":"running","severity":"ok","last_success_at":null,"issue":null,"item_count":null,"error":null},"inventory":{"last_run_at":"2026-07-04T10:00:00.250000Z","status":"failed","severity":"critical","last_success_at":null,"issue":{"code":"sync_failed","category":"permanent","message":"The run failed.","retryable":false,"action":"contact_support"},"item_count":null,"error":"GAM not configured"},"pricing_availability":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"reporting":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null},"signal_coverage":{"last_run_at":null,"status":"success","severity":"ok","last_success_at":null,"issue":null,"item_count":0,"error":null}},"workflows":{"open_count":0,"oldest_opened_at":null,"by_kind":{}},"media_buys":{"active_count":0,"pending_approval_count":0},"packages":{"active_count":0,"paused_count":0},"products":{"active_count":0,"draft_count":0,"archived_count":0},"inventory_profiles":{"total_count":0,"complete_count":0,"incomplete_count":0,"wholesale_owned_count":0},"creatives":{"active_count":0,"pending_review_count":0,"rejected_last_24h_count":0},"webhooks":null,"setup_tasks":{"blocker_count":2,"warning_count":0,"items":[{"id":"ad_server_connected","name":"Ad server","severity":"info","scope":"publisher","description":"Name the ad server and let us in.","is_complete":true,"configure_path":"/settings#adserver"},{"id":"inventory_synced","name":"First inventory sync","severity":"blocker","scope":"publisher","description":"No inventory has been read so far.","is_complete":false,"configure_path":"/inventory"},{"id":"products_created","name":"Products on sale","severity":"blocker","scope":"publisher","description":"There is nothing to buy yet.","is_complete":false,"configure_path":"/products"}]},"fetched_at":"2026-07-04T11:00:00.250000Z"}
# A refused one changes nothing.
> PUT /tenants/$id/adapter-config {"type":"springserve","email":"404@ads.example","password":"p"}
< 400 {"error":"adapter_network_not_found","message":"The probe of adapter 'springserve' failed: The ad server knows no such account (status=404)","details":{"adapter_type":"springserve","error":"The ad server knows no such account (status=404)","vendor_fault":{"vendor":"springserve","phase":"authenticate","endpoint":"/oauth/token","vendor_status":404,"vendor_message":"The ad server knows no such account (status=404)","request_token":"CANARY-vendor-request-token"},"debug_token":"CANARY-probe-token"}}
> PUT /tenants/$id/adapter-config {"type":"springserve"}
< 422 [{"type":"value_error","loc":["springserve"],"msg":"Value error, a springserve config needs a user with a password, or an api_token","input":{"type":"springserve"},"ctx":{"error":"a springserve config needs a user with a password, or an api_token"}}]
config $id
= springserve {"default_demand_partner_id":71,"demand_class":"line_item","email":"ops@ads.example","enable_key_value_targeting":false,"environment":"production","password":"pw-CANARY-3","rate_currency":"USD"}; 3 probes
# The tenant's own type stays.
> PUT /tenants/$id/adapter-config {"type":"freewheel","username":"ops@ads.example","password":"pw-CANARY-2"}
< 200 {"type":"freewheel","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
> GET /tenants/$id
< 200 {"tenant_id":"tenant_1bf0e915222c4157","name":"Quay News","subdomain":"1-222c4157","external_org_id":"1","external_source":"pier","is_embedded":true,"managed_externally":true,"is_active":true,"billing_plan":"standard","ad_server":"springserve","adapter_configured":true,"created_at":"2026-07-04T10:00:00.250000Z","contact_email":"ops@quay.example","default_currency":"USD","public_agent_url":"https://interchange.io","default_gam_advertiser_id":null,"embed_breadcrumb_root":null}
> GET /tenants/$id/adapters/springserve/config
< 404 {"error":"adapter_config_not_found","message":"Tenant 'tenant_1bf0e915222c4157' has no config of the type 'springserve'."}
# A config is probed before the tenant is looked for.
> PUT /tenants/tnt_gone/adapter-config {"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1"}
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_gone'."}
config $id
= freewheel {"environment":"production","password":"pw-CANARY-2","username":"ops@ads.example"}; 6 probes
# Settings: what is left out is reset.
> PUT /tenants/tnt_a/adapters/google_ad_manager/config {"type":"google_ad_manager","order_name_template":"{campaign_name}","line_item_name_template":null,"auto_naming_enabled":false,"manual_approval_required":true}
< 200 {"type":"google_ad_manager","order_name_template":"{campaign_name}","line_item_name_template":null,"auto_naming_enabled":false,"manual_approval_required":true}
> GET /tenants/tnt_a/adapters/gam/config
< 200 {"type":"google_ad_manager","order_name_template":"{campaign_name}","line_item_name_template":null,"auto_naming_enabled":false,"manual_approval_required":true}
> PUT /tenants/tnt_a/adapters/gam/config {}
< 200 {"type":"google_ad_manager","order_name_template":null,"line_item_name_template":null,"auto_naming_enabled":true,"manual_approval_required":false}
> PUT /tenants/tnt_a/adapters/gam/config {"colour":"red"}
< 422 [{"type":"extra_forbidden","loc":["colour"],"msg":"Extra inputs are not permitted","input":"red"}]
> PUT /tenants/tnt_a/adapters/gam/config {"type":"freewheel"}
< 422 [{"type":"literal_error","loc":["type"],"msg":"Input should be 'google_ad_manager'","input":"freewheel"}]
> PUT /tenants/tnt_a/adapters/gam/config {"auto_naming_enabled":"no"}
< 422 [{"type":"bool_type","loc":["auto_naming_enabled"],"msg":"Input should be a valid boolean","input":"no"}]
> PUT /tenants/tnt_a/adapters/gam/config {"order_name_template":7}
< 422 [{"type":"string_type","loc":["order_name_template"],"msg":"Input should be a valid string","input":7}]
> GET /tenants/tnt_a/adapters/freewheel/config
< 404 {"error":"adapter_config_not_found","message":"Tenant 'tnt_a' has no config of the type 'freewheel'."}
> PUT /tenants/tnt_a/adapters/freewheel/config {}
< 404 {"error":"adapter_config_not_found","message":"Tenant 'tnt_a' has no config of the type 'freewheel'."}
> GET /tenants/tnt_a/adapters/mock/config
< 404 [Content-Type: text/html; charset=utf-8] <!doctype html>\n<html><head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1><hr><address>edge-proxy</address></body></html>
> GET /tenants/tnt_a/adapters/nothing/config
< 404 [Content-Type: text/html; charset=utf-8] <!doctype html>\n<html><head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1><hr><address>edge-proxy</address></body></html>
# What a config shows, by type and build.
> GET /tenants/tnt_a/adapter-config
< 200 {"type":"google_ad_manager","configured":true,"network_code":"777","service_account_email":"sa@agent.example","service_account_key_json":"<encrypted>","refresh_token":null}
tenant tnt_a newer
> GET /tenants/tnt_a/adapter-config
< 200 {"type":"google_ad_manager","configured":true,"network_code":"777","service_account_email":"sa@agent.example","service_account_key_json":"<encrypted>","refresh_token":null,"client_secret":"CANARY-client-secret"}
bare tnt_bare
> GET /tenants/tnt_bare/adapter-config
< 200 {"type":"none","configured":false,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
> GET /tenants/tnt_bare/adapters/gam/config
< 404 {"error":"adapter_config_not_found","message":"Tenant 'tnt_bare' has no config of the type 'gam'."}
> GET /tenants/$id/adapter-config
< 200 {"type":"freewheel","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
# Tests of the saved config.
> POST /tenants/tnt_a/adapter-config/test-connection
< 200 {"success":true,"error":null,"error_code":null,"remediation":null,"details":null,"capability_checks":[{"capability":"read_inventory","status":"passed","message":null,"error_code":null,"remediation":null,"details":null},{"capability":"create_orders","status":"not_checked","message":"Nothing is written by way of a test.","error_code":null,"remediation":null,"details":null}],"tested_at":"2026-07-04T11:00:00.250000Z"}
adserver 777 permission_denied
> POST /tenants/tnt_a/adapter-config/test-connection
< 200 {"success":false,"error":"The ad server knows the account and does not let it in","error_code":"permission_denied","remediation":"vendor_enables_role","details":{"adapter_type":"google_ad_manager","remediation":"vendor_enables_role","vendor_fault":{"vendor":"google_ad_manager","phase":"api_call","endpoint":"NetworkService.getCurrentNetwork","vendor_message":"[PermissionError.PERMISSION_DENIED @ ]","gam":{"service":"NetworkService","reason":"PERMISSION_DENIED","trigger":null},"request_token":"CANARY-vendor-request-token"},"session_key":"CANARY-session-key"},"capability_checks":[{"capability":"read_inventory","status":"failed","message":"The ad server knows the account and does not let it in","error_code":"permission_denied","remediation":"vendor_enables_role","details":{"adapter_type":"google_ad_manager","remediation":"vendor_enables_role","vendor_fault":{"vendor":"google_ad_manager","phase":"api_call","endpoint":"NetworkService.getCurrentNetwork","vendor_message":"[PermissionError.PERMISSION_DENIED @ ]","gam":{"service":"NetworkService","reason":"PERMISSION_DENIED","trigger":null},"request_token":"CANARY-vendor-request-token"},"session_key":"CANARY-session-key"}},{"capability":"create_orders","status":"not_checked","message":"Nothing is written by way of a test.","error_code":null,"remediation":null,"details":null}],"tested_at":"2026-07-04T11:00:00.250000Z"}
adserver 777
> POST /tenants/tnt_a/adapter-config/test-connection
< 200 {"success":true,"error":null,"error_code":null,"remediation":null,"details":null,"capability_checks":[{"capability":"read_inventory","status":"passed","message":null,"error_code":null,"remediation":null,"details":null},{"capability":"create_orders","status":"not_checked","message":"Nothing is written by way of a test.","error_code":null,"remediation":null,"details":null}],"tested_at":"2026-07-04T11:00:00.250000Z"}
> POST /tenants/tnt_bare/adapter-config/test-connection
< 200 {"success":false,"error":"No ad server is configured","error_code":null,"remediation":null,"details":null,"capability_checks":[],"tested_at":"2026-07-04T11:00:00.250000Z"}
> POST /tenants/tnt_gone/adapter-config/test-connection
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_gone'."}
# A new config resets what it does not name: also what no endpoint shows.
options {}
settings tnt_a {"order_name_template":"{brand_name}","trafficker_id":"71","custom_targeting_keys":{"pos":"9"},"axe_include_key":"axe","network_currency":"EUR"}
config tnt_a
= google_ad_manager {"auto_naming_enabled":true,"axe_include_key":"axe","custom_targeting_keys":{"pos":"9"},"manual_approval_required":false,"network_code":"777","network_currency":"EUR","order_name_template":"{brand_name}","service_account_email":"sa@agent.example","trafficker_id":"71"}; 0 probes
> PUT /tenants/tnt_a/adapter-config {"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1"}
< 200 {"type":"google_ad_manager","configured":true,"network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"<encrypted>","refresh_token":null}
config tnt_a
= google_ad_manager {"auto_naming_enabled":true,"manual_approval_required":false,"network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1"}; 1 probes
> PUT /tenants/tnt_a/adapter-config {"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1","refresh_token":"CANARY-t"}
< 200 {"type":"google_ad_manager","configured":true,"network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"<encrypted>","refresh_token":"<redacted>"}
> PUT /tenants/tnt_a/adapter-config {"type":"freewheel","environment":"staging","default_advertiser_id":"4","api_token":"t"}
< 200 {"type":"freewheel","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
config tnt_a
= freewheel {"api_token":"t","default_advertiser_id":"4","environment":"staging"}; 4 probes
> PUT /tenants/tnt_a/adapter-config {"type":"freewheel","api_token":"t"}
< 200 {"type":"freewheel","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
config tnt_a
= freewheel {"api_token":"t","environment":"production"}; 6 probes
# In production fields that are not known are dropped.
options {"Production":true}
> PUT /tenants/tnt_a/adapter-config {"type":"freewheel","api_token":"t","client_id":"c","executionCurrency":"EUR"}
< 200 {"type":"freewheel","configured":true,"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}
config tnt_a
= freewheel {"api_token":"t","environment":"production"}; 2 probes
> PUT /tenants/tnt_a/adapters/freewheel/config {"colour":"red"}
< 200 {"type":"freewheel","default_advertiser_id":null}
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/a","colour":"red","secret":"quay-secret-0123456789-0123456789-ab"}
< 201 {"webhook_id":"wh_1bf0e915222c4157","url":"https://hook.example/a","event_types":[],"description":null,"extra_headers":null,"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0,"secret":"quay-secret-0123456789-0123456789-ab"}
> POST /tenants/provision {"name":"Quay News","external_org_id":"1","external_source":"pier","contact_email":"ops@quay.example","colour":"red","adapter":{"type":"mock","colour":"red"}}
< 201 {"tenant_id":"tenant_1bf43f15222f0950","name":"Quay News","external_org_id":"1","external_source":"pier","is_embedded":true,"managed_externally":true,"mcp_url":"https://sales-agent.example/mcp/","a2a_url":"https://sales-agent.example/a2a","admin_url_path":"/tenant/tenant_1bf43f15222f0950","adapter":{"type":"mock","configured":true,"connection_test_passed":true,"connection_test_error":null},"initial_principal":null,"created_at":"2026-07-04T10:00:00.250000Z"}
> PUT /tenants/tnt_a/adapter-config {"type":"freewheel","environment":"sandbox","client_id":"c"}
< 422 [{"type":"literal_error","loc":["freewheel","environment"],"msg":"Input should be 'production' or 'staging'","input":"sandbox"}]
