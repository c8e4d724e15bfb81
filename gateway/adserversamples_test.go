package gateway_test

import (
	"strings"

	"esagate/internal/operations"
	"esagate/upstream/upstreamtest"
)

// sample is a request of an operation on an ad server that goes well, with what the sales agent says to it.
type sample struct {
	query, body string
	// says are the sales agent's answers, one a call: a document, behind a status that is not 200. In the
	// objects that are declared, § stands for members that are not.
	says   []string
	status int
}

// The documents of the sales agent.
const (
	gamAdvertisersDoc = `{§"advertisers":[{§"id":"5512998877","name":"Alpine Outfitters","currency_code":"CHF","status":"active"},
		{§"id":"5512998878","name":"Brook & Sons","currency_code":null,"status":"inactive"}],"next_cursor":"eyJvZmZzZXQiOiAyfQ==","synced_at":"2026-03-09T08:00:00.25+01:00"}`
	tenantDoc = `{§"tenant_id":"tnt_meadow","name":"Meadow Daily","contact_email":"CANARY@meadow.example","is_active":true,
		"ad_server":"google_ad_manager","default_gam_advertiser_id":"5512998877","created_at":"2026-01-02T08:00:00Z"}`
	mappingDoc = `{§"id":"7","operator_domain":"alpine.example","brand_house":"outdoor.example","brand_id":null,"principal_id":null,
		"gam_advertiser_id":"5512998877","created_at":"2026-03-01T08:00:00Z","updated_at":"2026-03-01T08:00:00.123456+01:00"}`
	formatIDDoc = `{§"agent_url":"https://formats.example","id":"display_300x250","width":300,"height":250,"duration_ms":null}`
	formatsDoc  = `{§"creative_formats":[{§"format_id":` + formatIDDoc + `,"name":"Medium rectangle","dimensions":"300x250","asset_types":["image"],
		"requirements":{"max_kb":150,"deep":{"keyId":1}},"raw":{"token":"CANARY-raw"}}],"count":1,
		"errors":[{§"code":"AGENT_TIMEOUT","message":"api_key=CANARY-key did not answer","field":"params[token=CANARY-field]","recovery":"transient","retry_after":1.5,
			"suggestion":"password: CANARY-pw","details":{"url":"CANARY"},"issues":[{"message":"CANARY"}],"sdk_id":"CANARY","source":"sdk"}]}`
	inventoryDoc = `{§"adapter":"google_ad_manager","selector_types":[{§"selector_type":"ad_unit","label":"Ad unit","description":null,
		"supports_search":true,"supports_parent_filter":true,"option_schema":{"type":"object"}}],
		"creative_binding_schemas":[{§"selector_type":"ad_unit","schema":{"type":"object"}}],
		"targeting_capabilities":{"geo_regions":true},"pricing_capabilities":{"models":["cpm"]},"optimization_capabilities":{}}`
	propertiesDoc = `{§"domains":["CANARY.example"],"properties":[{§"property_id":"meadow_web","publisher_domain":"meadow.example","property_type":"website",
		"name":"Meadow Daily","identifiers":[{"type":"domain","value":"meadow.example"}],"tags":["news"],"verification_status":"verified"}],
		"allowed_selectors":[{§"publisher_domain":"meadow.example","selection_type":"all","property_ids":null,"property_tags":null,"label":"All of it"}]}`
	selectorsDoc = `{§"selectors":[{§"selector_type":"ad_unit","external_id":"21775700001","name":"Front page","path":["Meadow","Front"],"parent_id":"21775700000",
		"status":"ACTIVE","metadata":{"ad_unit_code":"front","description":"client_secret=CANARY-meta","vendor_row":"CANARY","sizes":["300x250"]}}],"count":1,"next_cursor":"50"}`
	productDoc = `{§"wholesale_product_id":"meadow_mpu","product_id":"meadow_mpu","name":"Meadow MPU","description":null,"status":"active",
		"delivery_type":"non_guaranteed","channels":["display"],"inventory":{§"publisher_properties":[{§"publisher_domain":"meadow.example",
		"selection_type":"all","property_ids":null,"property_tags":null}],"creative_formats":[{§"format_id":` + formatIDDoc + `,"slot_requirements":[]}],
		"execution":{§"adapter":"google_ad_manager","selectors":[{§"selector_type":"ad_unit","external_id":"21775700001","name":"Front page",
		"options":{"include_descendants":true}}],"format_bindings":[{§"format_id":` + formatIDDoc + `,"adapter_config":{"keyId":"x","key_id":"y"}}]}},
		"targeting_capabilities":{"geoRules":{"max_areas":5}},"optimization_capabilities":{},"allowed_actions":null,"format_options":null,
		"video_placement_types":null,"vendor_metric_optimization":null,"allowed_principal_ids":["agent_1"],"forecast":null,
		"pricing_options":[{§"pricing_option_id":"cpm_auction","pricing_model":"cpm","currency":"EUR","is_fixed":false,"rate":null,
		"price_guidance":{"floor":0.0},"parameters":null,"min_spend_per_package":"12.50"}],"inventory_profile_id":null,"created_at":null,"updated_at":null}`
	checkedDoc = `{§"valid":false,"issues":[{§"code":"unknown_thing","field":"inventory.execution.selectors.0.external_id",
		"message":"token=CANARY-issue","severity":"error"},{§"code":"doubtful","field":null,"message":"secret: CANARY-issue","severity":"warning"}]}`
	buyersDoc = `{§"buyers":[{§"operator_domain":"alpine.example","brand_house":null,"brand_id":null,"last_seen_at":"2026-03-08T10:00:00Z","request_count":77,
		"resolved_via":"default","resolved_gam_advertiser_id":"5512998877"}],"count":1}`
	accountDoc = `{§"account_id":"acc_9","name":"Sandbox","status":"active","operator":"tests.example","brand":{"domain":"tests.example"},"billing":"operator",
		"sandbox":true,"buyer_agent_principal_id":null,"gam_advertiser_id":"5512998879","gam_advertiser_name":"Tests","advertiser_mapped":true}`
	signalDoc = `{§"signal_id":"kv_weather","name":"Weather","description":null,"value_type":"numeric","categories":[],"tags":["context"],
		"range":{§"min":"-5.000000","max":"40.000000"},"adapter_config":{"type":"passthrough","kind":"custom_key_value","key_id":"1","keyId":"2"},
		"data_provider":null,"targeting_dimension":"context","etag":"77aa","created_at":"2026-03-01T08:00:00Z","updated_at":"2026-03-02T08:00:00+02:00"}`
	signalsAbleDoc = `{§"adapter":"google_ad_manager","supports_signal_mapping_authoring":true,"supported_candidate_types":["custom_targeting_key"],
		"default_candidate_type":"custom_targeting_key","candidate_types":[{§"candidate_type":"custom_targeting_key","label":"Keys","description":null,
		"mapping_kind":null,"parent_candidate_type":null,"child_candidate_types":["custom_targeting_value"],"browse_only":true,"directly_mappable":false,
		"supports_pagination":true,"supports_parent_filter":false,"supports_search":true}],"mapping_kinds":[{§"mapping_kind":"custom_key_value",
		"label":"Key and value","description":null,"candidate_type":"custom_targeting_value","adapter_config_schema":{"type":"object"},
		"supports_parent_filter":true,"supports_search":true}],"value_types":["binary"],"targeting_semantics":{§"buyer_targeting_fields":["signals"],
		"composition_models":["all"],"supported_modes":["include"],"supports_composed":true,"mapping_kinds":[{§"mapping_kind":"custom_key_value",
		"notes":"as it is"}]}}`
	candidatesDoc = `{§"candidates":[{§"candidate_type":"custom_targeting_key","external_id":"14090001","name":"weather","parent_id":null,"path":["weather"],
		"mapping_kind":null,"adapter_config_template":{"key_id":"14090001"},"default_signal":{§"signal_id":"kv_weather","name":"Weather","value_type":"binary",
		"targeting_dimension":null,"adapter_config":{"key_id":"1"}},"metadata":{"display_name":"Weather","row":"CANARY"}}],"count":1,"next_cursor":null}`
	buyDoc = `§"media_buy_id":"mb_17","buyer_ref":null,"principal_id":"agent_1","principal_name":"Agent One","status":"active","flight_start_date":"2026-03-01",
		"flight_end_date":"2026-03-31","total_budget":"1500.00","currency":"EUR","delivered_impressions":null,"delivered_spend":null,"pacing":null,
		"created_at":"2026-02-27T09:30:00+01:00"`
)

// The bodies of callers.
const (
	productBody = `{"name":"Meadow MPU","inventory":{"publisher_properties":[{"publisher_domain":"meadow.example","selection_type":"all"}],
		"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"21775700001"}]}}}`
	signalBody = `{"signalId":"kv_weather","name":"Weather","valueType":"numeric","range":{"min":-5,"max":"40"},"tags":["context"],
		"adapterConfig":{"type":"passthrough","kind":"custom_key_value","key_id":"1","keyId":"2"}}`
	mappingBody = `{"operatorDomain":"alpine.example","brandHouse":"outdoor.example","gamAdvertiserId":"5512998877"}`
)

// samples are by the operations' ids, all of them.
var samples = map[string]sample{
	"listEsaAdapterAdvertisers":          {query: "limit=2", says: []string{gamAdvertisersDoc}, status: 200},
	"setEsaDefaultAdvertiser":            {body: `{"advertiserId":"5512998877"}`, says: []string{tenantDoc}, status: 200},
	"listEsaGamAdvertisers":              {query: "query=al", says: []string{gamAdvertisersDoc}, status: 200},
	"ensureEsaGamAdvertiser":             {body: `{"name":"Alpine Outfitters"}`, says: []string{`201 {§"advertiser":{§"id":"5512998877","name":"Alpine Outfitters","status":"active"},"created":true,"dry_run":false}`}, status: 200},
	"setEsaDefaultGamAdvertiser":         {body: `{"gamAdvertiserId":"5512998877"}`, says: []string{tenantDoc}, status: 200},
	"configureEsaAxeKeys":                {body: `{"axeIncludeKey":"axei","axeExcludeKey":"axex","axeMacroKey":"axem"}`, status: 409},
	"listEsaRecentBuyers":                {query: "days=7", says: []string{buyersDoc}, status: 200},
	"getEsaSandboxAccountStatus":         {says: []string{`{§"accounts":[` + accountDoc + `],"count":1}`}, status: 200},
	"listEsaCreativeFormats":             {query: "assetType=image&assetType=video", says: []string{formatsDoc}, status: 200},
	"listEsaPublisherProperties":         {says: []string{propertiesDoc}, status: 200},
	"searchEsaAdServerSelectors":         {query: "selectorType=ad_unit&q=front", says: []string{selectorsDoc}, status: 200},
	"listEsaProducts":                    {says: []string{`{§"wholesale_products":[` + productDoc + `],"count":1}`}, status: 200},
	"createEsaProduct":                   {body: productBody, says: []string{"201 " + productDoc}, status: 201},
	"validateEsaProduct":                 {body: productBody, says: []string{checkedDoc}, status: 200},
	"getEsaProduct":                      {says: []string{productDoc}, status: 200},
	"updateEsaProduct":                   {body: productBody, says: []string{productDoc}, status: 200},
	"patchEsaProduct":                    {body: `{"status":"draft"}`, says: []string{productDoc, productDoc}, status: 200},
	"deleteEsaProduct":                   {says: []string{`{"success":true,"message":"CANARY"}`}, status: 204},
	"listEsaSignalCandidates":            {query: "candidateType=custom_targeting_key", says: []string{candidatesDoc}, status: 200},
	"listEsaSignals":                     {says: []string{`{§"signals":[` + signalDoc + `],"count":1}`}, status: 200},
	"createEsaSignal":                    {body: signalBody, says: []string{"201 " + signalDoc}, status: 201},
	"getEsaSignal":                       {says: []string{signalDoc}, status: 200},
	"updateEsaSignal":                    {body: signalBody, says: []string{signalDoc}, status: 200},
	"deleteEsaSignal":                    {says: []string{`{"success":true,"message":"CANARY"}`}, status: 204},
	"listEsaMediaBuys":                   {query: "status=active&fromDate=2026-03-01", says: []string{`{§"media_buys":[{` + buyDoc + `}],"count":1,"next_cursor":"eyJwIjogMn0="}`}, status: 200},
	"listEsaBuyerAdvertiserMappings":     {query: "operator_domain=alpine.example", says: []string{`{§"mappings":[` + mappingDoc + `],"count":1}`}, status: 200},
	"createEsaBuyerAdvertiserMapping":    {body: mappingBody, says: []string{"201 " + mappingDoc}, status: 201},
	"updateEsaBuyerAdvertiserMapping":    {body: `{"gamAdvertiserId":"5512998877"}`, says: []string{mappingDoc}, status: 200},
	"deleteEsaBuyerAdvertiserMapping":    {says: []string{"204"}, status: 204},
	"ensureEsaGamCustomTargetingKeys":    {body: `{"keys":[{"name":"weather","displayName":"Weather"}]}`, says: []string{candidatesDoc}, status: 200},
	"ensureEsaSandboxAccount":            {says: []string{`{§"accounts":[` + accountDoc + `],"count":1}`}, status: 200},
	"getEsaInventoryAdapterCapabilities": {says: []string{inventoryDoc}, status: 200},
	"getEsaSignalAdapterCapabilities":    {says: []string{signalsAbleDoc}, status: 200},
	"getEsaMediaBuy": {says: []string{`{` + buyDoc + `,"products":["meadow_mpu"],"creatives":[],"targeting":{"geo_countries":["DE"],"keyId":1},
		"status_history":[{§"status":"approved","occurred_at":"2026-02-28T09:00:00Z","note":"password=CANARY-note"}]}`}, status: 200},
}

// undeclared are members that nobody has declared.
const undeclared = `"undeclared":"CANARY-member","api_key":"CANARY-key","nested":{"deep":["CANARY-list",{"CANARY-name":1}]},`

// faults are a sample's answers of the sales agent, with some members in place of §.
func (s sample) faults(members string) (all []upstreamtest.Fault) {
	for _, says := range s.says {
		f := upstreamtest.Fault{Status: 200, Body: strings.ReplaceAll(says, "§", members)}
		if status, document, _ := strings.Cut(says, " "); status == "201" || status == "204" {
			f.Status, f.Body = int(status[2]-'0')+200, strings.ReplaceAll(document, "§", members)
		}
		all = append(all, f)
	}
	return all
}

// path is where an operation is done on the world's source.
func (s sample) path(o *operations.Operation) string {
	if s.query == "" {
		return adServerPath(o)
	}
	return adServerPath(o) + "?" + s.query
}

// operate sends a sample's request, to which the sales agent says what the sample has.
func (w *world) operate(o *operations.Operation, members string, pairs ...string) answer {
	w.Helper()
	s := samples[o.ID]
	w.agent.Script(tenant, s.faults(members)...)
	return w.write(o.Method, s.path(o), s.body, pairs...)
}
