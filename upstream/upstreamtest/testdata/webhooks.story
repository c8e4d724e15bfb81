options {}
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/a","event_types":["sync_run.failed"],"description":"desk","extra_headers":{"X-Desk":"4"},"secret":"quay-secret-0123456789-0123456789-ab"}
< 201 {"webhook_id":"wh_1bf0e915222c4157","url":"https://hook.example/a","event_types":["sync_run.failed"],"description":"desk","extra_headers":{"X-Desk":"4"},"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0,"secret":"quay-secret-0123456789-0123456789-ab"}
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/b"}
< 201 {"webhook_id":"wh_1bf43f15222f0950","url":"https://hook.example/b","event_types":[],"description":null,"extra_headers":null,"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0,"secret":"CANARY-made-by-the-agent-1bf7a9152231f3451bdfdf15221dbd26"}
> GET /tenants/tnt_a/webhooks
< 200 {"webhooks":[{"webhook_id":"wh_1bf0e915222c4157","url":"https://hook.example/a","event_types":["sync_run.failed"],"description":"desk","extra_headers":{"X-Desk":"4"},"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0},{"webhook_id":"wh_1bf43f15222f0950","url":"https://hook.example/b","event_types":[],"description":null,"extra_headers":null,"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0}],"count":2}
> DELETE /tenants/tnt_a/webhooks/$id
< 204
> DELETE /tenants/tnt_a/webhooks/$id
< 404 {"error":"webhook_not_found","message":"There is no webhook 'wh_1bf0e915222c4157'."}
> GET /tenants/tnt_a/webhooks
< 200 {"webhooks":[{"webhook_id":"wh_1bf43f15222f0950","url":"https://hook.example/b","event_types":[],"description":null,"extra_headers":null,"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0}],"count":1}
subscriptions tnt_a
= https://hook.example/a active false secret ""
= https://hook.example/b active true secret "CANARY-made-by-the-agent-1bf7a9152231f3451bdfdf15221dbd26"
> POST /tenants/tnt_gone/webhooks {"url":"https://hook.example/"}
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_gone'."}
# What is refused.
> POST /tenants/tnt_a/webhooks {"url":"http://hook.example/"}
< 400 {"error":"webhook_url_not_https","message":"The address http://hook.example/ can't be delivered to"}
> POST /tenants/tnt_a/webhooks {"url":"hook"}
< 400 {"error":"webhook_url_invalid","message":"The address hook can't be delivered to"}
> POST /tenants/tnt_a/webhooks {"url":"https://localhost/"}
< 400 {"error":"webhook_url_blocked","message":"The address https://localhost/ can't be delivered to"}
> POST /tenants/tnt_a/webhooks {"url":"https://10.1.2.3/"}
< 400 {"error":"webhook_url_blocked","message":"The address https://10.1.2.3/ can't be delivered to"}
> POST /tenants/tnt_a/webhooks {"url":"https://[::1]/"}
< 400 {"error":"webhook_url_blocked","message":"The address https://[::1]/ can't be delivered to"}
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/","event_types":["tide.turned"]}
< 400 {"error":"webhook_event_types_unknown","message":"There is no event of the type tide.turned"}
> POST /tenants/tnt_a/webhooks {}
< 422 [{"type":"missing","loc":["url"],"msg":"Field required","input":{}}]
> POST /tenants/tnt_a/webhooks {"url":""}
< 422 [{"type":"string_too_short","loc":["url"],"msg":"String should have at least 1 characters","input":""}]
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/","secret":"CANARY-short"}
< 422 [{"type":"string_too_short","loc":["secret"],"msg":"String should have at least 32 characters","input":"CANARY-short"}]
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/","event_types":"all"}
< 422 [{"type":"list_type","loc":["event_types"],"msg":"Input should be a valid list","input":"all"}]
> POST /tenants/tnt_a/webhooks {"url":"https://hook.example/","extra_headers":{"a":1}}
< 422 [{"type":"dict_type","loc":["extra_headers"],"msg":"Input should be a valid dictionary","input":{"a":1}}]
options {"AnyWebhook":true}
> POST /tenants/tnt_a/webhooks {"url":"http://127.0.0.1:8080/hook"}
< 201 {"webhook_id":"wh_1bf0e915222c4157","url":"http://127.0.0.1:8080/hook","event_types":[],"description":null,"extra_headers":null,"is_active":true,"created_at":"2026-07-04T10:00:00.250000Z","last_delivery_at":null,"last_delivery_status":null,"consecutive_failures":0,"secret":"CANARY-made-by-the-agent-1bf43f15222f09501bf7a9152231f345"}
> POST /tenants/tnt_a/webhooks {"url":"ftp://hook.example/"}
< 400 {"error":"webhook_url_not_https","message":"The address ftp://hook.example/ can't be delivered to"}
