options {"CacheFor":-1}
> GET /tenants/tnt_a/buyer-advertiser-mappings
< 200 {"mappings":[],"count":0}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"ferrous.example","brand_house":"kettle.example","gam_advertiser_id":"2454089401"}
< 201 {"id":"rule_1bf0e915222c4157","operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":null,"principal_id":null,"gam_advertiser_id":"2454089401","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T10:00:00.250000Z"}
at 1h
> PATCH /tenants/tnt_a/buyer-advertiser-mappings/$id {"brand_id":"kettle_green","brand_house":null,"principal_id":"prin_1","gam_advertiser_id":"anything"}
< 200 {"id":"rule_1bf0e915222c4157","operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":"kettle_green","principal_id":"prin_1","gam_advertiser_id":"anything","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> PATCH /tenants/tnt_a/buyer-advertiser-mappings/$id {}
< 200 {"id":"rule_1bf0e915222c4157","operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":"kettle_green","principal_id":"prin_1","gam_advertiser_id":"anything","created_at":"2026-07-04T10:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":"kettle_green","gam_advertiser_id":"2454089401"}
< 409 {"error":"routing_rule_duplicate","message":"There is a rule for this buyer already: rule_1bf0e915222c4157."}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"pelican.example","gam_advertiser_id":"2454089402"}
< 201 {"id":"rule_1bf7a9152231f345","operator_domain":"pelican.example","brand_house":null,"brand_id":null,"principal_id":null,"gam_advertiser_id":"2454089402","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> PATCH /tenants/tnt_a/buyer-advertiser-mappings/$id {"brand_id":"x"}
< 400 {"error":"brand_house_required","message":"A brand_id needs the brand_house that it belongs to."}
> GET /tenants/tnt_a/buyer-advertiser-mappings?operator_domain=pelican.example
< 200 {"mappings":[{"id":"rule_1bf7a9152231f345","operator_domain":"pelican.example","brand_house":null,"brand_id":null,"principal_id":null,"gam_advertiser_id":"2454089402","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}],"count":1}
> GET /tenants/tnt_a/buyer-advertiser-mappings?operator_domain=pelican
< 200 {"mappings":[],"count":0}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"pelican.example","brand_id":"x","gam_advertiser_id":"2454089402"}
< 400 {"error":"brand_house_required","message":"A brand_id needs the brand_house that it belongs to."}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"marble.example","gam_advertiser_id":"12"}
< 400 {"error":"invalid_advertiser_id","message":"No advertiser of the last sync has the id 12."}
> POST /tenants/tnt_a/buyer-advertiser-mappings {"operator_domain":"","brand_house":7,"advertiser":"12"}
< 422 [{"type":"string_too_short","loc":["operator_domain"],"msg":"String should have at least 1 characters","input":""},{"type":"string_type","loc":["brand_house"],"msg":"Input should be a valid string","input":7},{"type":"missing","loc":["gam_advertiser_id"],"msg":"Field required","input":{"operator_domain":"","brand_house":7,"advertiser":"12"}},{"type":"extra_forbidden","loc":["advertiser"],"msg":"Extra inputs are not permitted","input":"12"}]
# Where no advertisers are known, any will do.
tenant tnt_b never-run
> POST /tenants/tnt_b/buyer-advertiser-mappings {"operator_domain":"marble.example","gam_advertiser_id":"12"}
< 201 {"id":"rule_1be3411522209983","operator_domain":"marble.example","brand_house":null,"brand_id":null,"principal_id":null,"gam_advertiser_id":"12","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> POST /tenants/tnt_b/buyer-advertiser-mappings {"operator_domain":"marble.example","brand_house":"m.example","gam_advertiser_id":"12"}
< 201 {"id":"rule_1be6a71522237cac","operator_domain":"marble.example","brand_house":"m.example","brand_id":null,"principal_id":null,"gam_advertiser_id":"12","created_at":"2026-07-04T11:00:00.250000Z","updated_at":"2026-07-04T11:00:00.250000Z"}
> PATCH /tenants/tnt_b/buyer-advertiser-mappings/$id {"brand_house":""}
< 409 {"error":"routing_rule_duplicate","message":"There is a rule for this buyer already: rule_1be3411522209983."}
> DELETE /tenants/tnt_b/buyer-advertiser-mappings/$id
< 204
> DELETE /tenants/tnt_b/buyer-advertiser-mappings/$id
< 404 {"error":"routing_rule_not_found","message":"There is no rule 'rule_1be6a71522237cac'."}
> PATCH /tenants/tnt_b/buyer-advertiser-mappings/$id {"principal_id":"p"}
< 404 {"error":"routing_rule_not_found","message":"There is no rule 'rule_1be6a71522237cac'."}
# What is said of a tenant that is not known does not tell it.
> DELETE /tenants/tnt_x/buyer-advertiser-mappings/rule_1
< 404 {"error":"routing_rule_not_found","message":"There is no rule 'rule_1'."}
> PATCH /tenants/tnt_x/buyer-advertiser-mappings/rule_1 {}
< 404 {"error":"routing_rule_not_found","message":"There is no rule 'rule_1'."}
> GET /tenants/tnt_x/buyer-advertiser-mappings
< 404 {"error":"tenant_not_found","message":"There is no tenant 'tnt_x'."}
stocked tnt_s google_ad_manager
> GET /tenants/tnt_s/buyer-advertiser-mappings
< 200 {"mappings":[{"id":"rule_e37e7de5b7869043","operator_domain":"ferrous.example","brand_house":null,"brand_id":null,"principal_id":"prin_ferrous","gam_advertiser_id":"2156947403","created_at":"2026-06-14T11:00:00.250000Z","updated_at":"2026-06-25T11:00:00.250000Z"},{"id":"rule_e37b1be5b783b3e6","operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":null,"principal_id":null,"gam_advertiser_id":"2156947407","created_at":"2026-06-15T11:00:00.250000Z","updated_at":"2026-06-26T11:00:00.250000Z"},{"id":"rule_e3855de5b78c7891","operator_domain":"ferrous.example","brand_house":"kettle.example","brand_id":"kettle_green","principal_id":null,"gam_advertiser_id":"2156947408","created_at":"2026-06-16T11:00:00.250000Z","updated_at":"2026-06-27T11:00:00.250000Z"},{"id":"rule_e381e3e5b789736c","operator_domain":"pelican.example","brand_house":null,"brand_id":null,"principal_id":null,"gam_advertiser_id":"2156947412","created_at":"2026-06-17T11:00:00.250000Z","updated_at":"2026-06-28T11:00:00.250000Z"}],"count":4}
