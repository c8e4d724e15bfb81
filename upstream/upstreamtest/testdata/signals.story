options {"CacheFor":-1}
> GET /tenants/tnt_a/signals
< 200 {"signals":[],"count":0}
> POST /tenants/tnt_a/signals {"signal_id":"section_sport","name":"Section: sport","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2","keyId":1.50}}
< 201 {"signal_id":"section_sport","name":"Section: sport","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2","keyId":1.50},"data_provider":null,"targeting_dimension":null,"etag":"80d14b0ce79773e7","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"}
> POST /tenants/tnt_a/signals {"signal_id":"section_sport","name":"Again","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2"}}
< 409 {"error":"signal_mapping_exists","message":"There is a signal mapping 'section_sport' already."}
# Bounds come back with six decimals, whatever they were.
> POST /tenants/tnt_a/signals {"signal_id":"age","name":"Age","value_type":"numeric","range":{"min":"10","max":99.25},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]}}
< 201 {"signal_id":"age","name":"Age","description":null,"value_type":"numeric","categories":[],"tags":[],"range":{"min":"10.000000","max":"99.250000"},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]},"data_provider":null,"targeting_dimension":null,"etag":"d0e6adb7ffd92cf7","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"}
> GET /tenants/tnt_a/signals/age
< 200 {"signal_id":"age","name":"Age","description":null,"value_type":"numeric","categories":[],"tags":[],"range":{"min":"10.000000","max":"99.250000"},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]},"data_provider":null,"targeting_dimension":null,"etag":"d0e6adb7ffd92cf7","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"}
> GET /tenants/tnt_a/signals
< 200 {"signals":[{"signal_id":"section_sport","name":"Section: sport","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2","keyId":1.50},"data_provider":null,"targeting_dimension":null,"etag":"80d14b0ce79773e7","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"},{"signal_id":"age","name":"Age","description":null,"value_type":"numeric","categories":[],"tags":[],"range":{"min":"10.000000","max":"99.250000"},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]},"data_provider":null,"targeting_dimension":null,"etag":"d0e6adb7ffd92cf7","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"}],"count":2}
at 1h
> PUT /tenants/tnt_a/signals/age {"signal_id":"age","name":"Age now","value_type":"numeric","range":{"min":-1.5,"max":"+7."},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]}}
< 200 {"signal_id":"age","name":"Age now","description":null,"value_type":"numeric","categories":[],"tags":[],"range":{"min":"-1.500000","max":"7.000000"},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]},"data_provider":null,"targeting_dimension":null,"etag":"bb28e47d7ee07467","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> PUT /tenants/tnt_a/signals/age {"signal_id":"size","name":"Size","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2"}}
< 400 {"error":"signal_id_mismatch","message":"The signal_id of the body is not that of the path."}
# It is looked for after it was checked.
> PUT /tenants/tnt_a/signals/size {"signal_id":"size","name":"Size","value_type":"binary"}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"missing_signal_mapping_kind","message":"A signal mapping needs a kind.","field":"adapter_config.kind","severity":"error"}]}}
> PUT /tenants/tnt_a/signals/size {"signal_id":"size","name":"Size","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2"}}
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'size'."}
> GET /tenants/tnt_a/signals/size
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'size'."}
> DELETE /tenants/tnt_a/signals/size
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'size'."}
> DELETE /tenants/tnt_a/signals/age
< 200 {"success":true,"message":"The signal mapping was deleted."}
> GET /tenants/tnt_a/signals/age
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'age'."}
# What is checked by the schema, and what by rules.
> POST /tenants/tnt_a/signals {"signal_id":"a b","value_type":"odd","range":{"min":"ten"},"tags":["a",1],"colour":"red"}
< 422 [{"type":"string_pattern_mismatch","loc":["signal_id"],"msg":"String should match pattern '^[A-Za-z0-9_-]{1,200}$'","input":"a b"},{"type":"missing","loc":["name"],"msg":"Field required","input":{"signal_id":"a b","value_type":"odd","range":{"min":"ten"},"tags":["a",1],"colour":"red"}},{"type":"literal_error","loc":["value_type"],"msg":"Input should be 'binary' or 'categorical' or 'numeric'","input":"odd"},{"type":"string_type","loc":["tags","1"],"msg":"Input should be a valid string","input":1},{"type":"decimal_parsing","loc":["range","min"],"msg":"Input should be a valid decimal","input":"ten"},{"type":"extra_forbidden","loc":["colour"],"msg":"Extra inputs are not permitted","input":"red"}]
> POST /tenants/tnt_a/signals {"signal_id":"mood","name":"Mood","value_type":"categorical","adapter_config":{"type":"composed","criteria":[{"kind":"custom_key_value","key_id":"1","value_id":"2","mode":"only"},{"kind":"custom_key_value","key_id":"1"},{"kind":"smell"},{}]}}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"missing_categories","message":"A signal with value_type='categorical' needs categories.","field":"categories","severity":"error"},{"code":"unsupported_signal_mapping_mode","message":"Signal mapping kind 'custom_key_value' supports mode(s): exclude, include.","field":"adapter_config.criteria.0.mode","severity":"error"},{"code":"missing_signal_mapping_field","message":"Signal mapping kind 'custom_key_value' requires value_id.","field":"adapter_config.criteria.1.value_id","severity":"error"},{"code":"unsupported_signal_mapping_kind","message":"This ad server has no signal mapping kind 'smell'.","field":"adapter_config.criteria.2.kind","severity":"error"},{"code":"missing_signal_mapping_kind","message":"A signal mapping needs a kind.","field":"adapter_config.criteria.3.kind","severity":"error"}]}}
> POST /tenants/tnt_a/signals {"signal_id":"age","name":"Age","value_type":"numeric","range":{"min":"9","max":"8.5"},"adapter_config":{"type":"folded"}}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"invalid_range","message":"The lower bound of a range is above the upper one.","field":"range.min","severity":"error"},{"code":"unsupported_signal_mapping_type","message":"A signal mapping is passthrough or composed.","field":"adapter_config.type","severity":"error"}]}}
> POST /tenants/tnt_a/signals {"signal_id":"age","name":"Age","value_type":"numeric","adapter_config":{"type":"composed"}}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"missing_range","message":"A signal with value_type='numeric' needs a range.","field":"range","severity":"error"},{"code":"missing_signal_mapping_field","message":"A composed signal mapping needs criteria.","field":"adapter_config.criteria","severity":"error"}]}}
> POST /tenants/tnt_a/signals {"signal_id":"age","name":"Age","value_type":"numeric","range":{"max":1},"adapter_config":{"kind":"audience_segment","segment_id":""}}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"missing_range_bound","message":"A range needs both bounds.","field":"range.min","severity":"error"},{"code":"missing_signal_mapping_field","message":"Signal mapping kind 'audience_segment' requires segment_id.","field":"adapter_config.segment_id","severity":"error"}]}}
# A trial looks at no other signal, and keeps none.
> POST /tenants/tnt_a/signals:validate {"signal_id":"section_sport","name":"Sport","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 200 {"valid":true,"issues":[]}
> POST /tenants/tnt_a/signals:validate {"signal_id":"new","name":"New","value_type":"binary"}
< 200 {"valid":false,"issues":[{"code":"missing_signal_mapping_kind","message":"A signal mapping needs a kind.","field":"adapter_config.kind","severity":"error"}]}
> GET /tenants/tnt_a/signals/new
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'new'."}
# What can't be parsed, or is not called JSON, is {}.
> POST /tenants/tnt_a/signals {"signal_id":
< 422 [{"type":"missing","loc":["signal_id"],"msg":"Field required","input":{}},{"type":"missing","loc":["name"],"msg":"Field required","input":{}},{"type":"missing","loc":["value_type"],"msg":"Field required","input":{}}]
type text/plain
> POST /tenants/tnt_a/signals {"signal_id":"plain","name":"Plain","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 422 [{"type":"missing","loc":["signal_id"],"msg":"Field required","input":{}},{"type":"missing","loc":["name"],"msg":"Field required","input":{}},{"type":"missing","loc":["value_type"],"msg":"Field required","input":{}}]
type application/json
# What columns can't hold is a crash.
> POST /tenants/tnt_a/signals {"signal_id":"wide","name":"Wide","value_type":"numeric","range":{"min":0,"max":100000000000000},"adapter_config":{"kind":"gam_targeting_groups","groups":[{}]}}
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
> POST /tenants/tnt_a/signals {"signal_id":"wide","name":"Wide","value_type":"binary","targeting_dimension":"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
> POST /tenants/tnt_a/signals {"signal_id":"zero","name":"Zero\u0000","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
> GET /tenants/tnt_a/signals/%00
< 500 {"error":"internal_error","error_id":"c72c5896294224e9"}
# A backslash and u0000 is no U+0000.
> POST /tenants/tnt_a/signals {"signal_id":"slash","name":"\\u0000","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 201 {"signal_id":"slash","name":"\\u0000","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"kind":"audience_segment","segment_id":"4"},"data_provider":null,"targeting_dimension":null,"etag":"92e2da24dfa58770","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> GET /tenants/tnt_x/signals
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_x'."}
> POST /tenants/tnt_x/signals {}
< 422 [{"type":"missing","loc":["signal_id"],"msg":"Field required","input":{}},{"type":"missing","loc":["name"],"msg":"Field required","input":{}},{"type":"missing","loc":["value_type"],"msg":"Field required","input":{}}]
# One that active media buys name is in use.
stocked tnt_s google_ad_manager
> GET /tenants/tnt_s/signals
< 200 {"signals":[{"signal_id":"section_travel","name":"Section: travel","description":null,"value_type":"binary","categories":[],"tags":["context"],"range":null,"adapter_config":{"type":"passthrough","kind":"custom_key_value","key_id":"2156947050","value_id":"2156947064"},"data_provider":null,"targeting_dimension":"content","etag":"51375811d643fed5","created_at":"2026-05-05T11:00:00.250000Z","updated_at":"2026-06-04T11:00:00.250000Z"},{"signal_id":"section_news","name":"Section: news","description":null,"value_type":"binary","categories":[],"tags":["context"],"range":null,"adapter_config":{"type":"passthrough","kind":"custom_key_value","key_id":"2156947050","value_id":"2156947065","mode":"include"},"data_provider":null,"targeting_dimension":"content","etag":"bae6276f1fbcc228","created_at":"2026-05-06T11:00:00.250000Z","updated_at":"2026-06-05T11:00:00.250000Z"},{"signal_id":"not_politics","name":"Anything but politics","description":null,"value_type":"binary","categories":[],"tags":["safety"],"range":null,"adapter_config":{"type":"passthrough","kind":"custom_key_value","key_id":"2156947050","value_id":"2156947066","mode":"exclude"},"data_provider":null,"targeting_dimension":null,"etag":"0f9a39c0dd90f2b2","created_at":"2026-05-07T11:00:00.250000Z","updated_at":"2026-06-06T11:00:00.250000Z"},{"signal_id":"reader_age","name":"Reader's age","description":"As told when they signed up.","value_type":"numeric","categories":[],"tags":[],"range":{"min":"18.000000","max":"99.000000"},"adapter_config":{"type":"passthrough","kind":"gam_targeting_groups","groups":[{"criteria":[{"keyId":"2156947051","values":["18-24","25-99"],"exclude":false}]}]},"data_provider":"own","targeting_dimension":"demographic","etag":"3b02de10234df170","created_at":"2026-05-08T11:00:00.250000Z","updated_at":"2026-06-07T11:00:00.250000Z"},{"signal_id":"weather_now","name":"Weather at the reader's place","description":null,"value_type":"categorical","categories":["rain","sun","snow"],"tags":[],"range":null,"adapter_config":{"type":"passthrough","kind":"custom_key_value","key_id":"2156947052","value_id":"2156947063"},"data_provider":null,"targeting_dimension":"weather","etag":"4dd7627e084a6f02","created_at":"2026-05-09T11:00:00.250000Z","updated_at":"2026-06-08T11:00:00.250000Z"},{"signal_id":"subscribers","name":"Subscribers","description":null,"value_type":"binary","categories":[],"tags":["audience","own"],"range":null,"adapter_config":{"type":"passthrough","kind":"audience_segment","segment_id":"2156947072"},"data_provider":"own","targeting_dimension":"audience","etag":"5f67c5795e0240ae","created_at":"2026-05-10T11:00:00.250000Z","updated_at":"2026-06-09T11:00:00.250000Z"},{"signal_id":"households","name":"Households with children","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"type":"passthrough","kind":"audience_segment","segment_id":"2156947073"},"data_provider":"Compass Data","targeting_dimension":"audience","etag":"716dce3048d7c9b3","created_at":"2026-05-11T11:00:00.250000Z","updated_at":"2026-06-10T11:00:00.250000Z"},{"signal_id":"sport_and_rain","name":"Sport on a rainy day","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"type":"composed","criteria":[{"kind":"custom_key_value","key_id":"2156947050","value_id":"2156947060"},{"kind":"custom_key_value","key_id":"2156947052","value_id":"2156947063","mode":"include"}]},"data_provider":null,"targeting_dimension":"content","etag":"87175bfe95c779ec","created_at":"2026-05-12T11:00:00.250000Z","updated_at":"2026-06-11T11:00:00.250000Z"}],"count":8}
> DELETE /tenants/tnt_s/signals/section_travel
< 409 {"error":"signal_mapping_in_use","message":"Signal mapping 'section_travel' is referenced by 2 active media buy(s).","details":{"active_references":2}}
> DELETE /tenants/tnt_s/signals/section_travel?confirm_referenced=true
< 200 {"success":true,"message":"The signal mapping was deleted."}
> DELETE /tenants/tnt_s/signals/not_politics
< 200 {"success":true,"message":"The signal mapping was deleted."}
# Another ad server has other kinds; one of another type has none.
stocked tnt_f freewheel
> POST /tenants/tnt_f/signals:validate {"signal_id":"jazz","name":"Jazz","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"1"}}
< 200 {"valid":false,"issues":[{"code":"unsupported_signal_mapping_kind","message":"This ad server has no signal mapping kind 'custom_key_value'.","field":"adapter_config.kind","severity":"error"}]}
> GET /tenants/tnt_f/signals/genre_jazz
< 200 {"signal_id":"genre_jazz","name":"Genre: jazz","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"type":"passthrough","kind":"key_value","key":"genre","value":"jazz"},"data_provider":null,"targeting_dimension":"content","etag":"cc41f24a36289d46","created_at":"2026-05-05T11:00:00.250000Z","updated_at":"2026-06-04T11:00:00.250000Z"}
stocked tnt_o broadstreet
> POST /tenants/tnt_o/signals {"signal_id":"jazz","name":"Jazz","value_type":"binary","adapter_config":{"kind":"key_value","key":"a","value":"b"}}
< 400 {"error":"invalid_signal_mapping","message":"The signal mapping is not valid.","details":{"issues":[{"code":"unsupported_signal_mapping_kind","message":"This ad server has no signal mapping kind 'key_value'.","field":"adapter_config.kind","severity":"error"}]}}
# A newer build says more.
tenant tnt_n newer
> POST /tenants/tnt_n/signals {"signal_id":"section_sport","name":"Section: sport","value_type":"numeric","range":{"min":1,"max":2},"adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2"}}
< 201 {"signal_id":"section_sport","name":"Section: sport","description":null,"value_type":"numeric","categories":[],"tags":[],"range":{"min":"1.000000","max":"2.000000","internal_note":"CANARY-note"},"adapter_config":{"kind":"custom_key_value","key_id":"1","value_id":"2"},"data_provider":null,"targeting_dimension":null,"etag":"ba40049c35e4a89f","created_at":"2026-07-04T11:00:00.250000+00:00","updated_at":"2026-07-04T11:00:00.250000+00:00","internal_note":"CANARY-note"}
# A write that is done and then fails.
script tnt_a {"Only":"create-signal","After":true,"Status":500},{"Only":"create-signal","Status":500}
> POST /tenants/tnt_a/signals {"signal_id":"done","name":"Done","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 500 {"error":"internal_server_error","error_id":"7e02283ac828d1df"}
> POST /tenants/tnt_a/signals {"signal_id":"undone","name":"Undone","value_type":"binary","adapter_config":{"kind":"audience_segment","segment_id":"4"}}
< 500 {"error":"internal_server_error","error_id":"7e02283ac828d1df"}
> GET /tenants/tnt_a/signals/done
< 200 {"signal_id":"done","name":"Done","description":null,"value_type":"binary","categories":[],"tags":[],"range":null,"adapter_config":{"kind":"audience_segment","segment_id":"4"},"data_provider":null,"targeting_dimension":null,"etag":"5519d2595d3bb626","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> GET /tenants/tnt_a/signals/undone
< 404 {"error":"signal_mapping_not_found","message":"There is no signal mapping 'undone'."}
