package operations_test

import (
	"testing"

	"esagate/internal/operations"
)

// TestRowsWithoutCode goes through each row that is a translation alone: what the sales agent is asked, and what becomes
// of its answer.
func TestRowsWithoutCode(t *testing.T) {
	const (
		signal        = `{"signal_id":"kv_tide","name":"High tide","value_type":"binary","tags":["sea"],"adapter_config":{"key_id":"77","keyId":7.10},"created_at":"2026-09-01T04:00:00+02:00"}`
		signalOut     = `{"signalId":"kv_tide","name":"High tide","valueType":"binary","tags":["sea"],"adapterConfig":{"key_id":"77","keyId":7.10},"createdAt":"2026-09-01T02:00:00Z"}`
		mapping       = `{"id":"map_3","operator_domain":"brightbuy.example","brand_house":null,"gam_advertiser_id":"990017","created_at":"2026-09-01T04:00:00","updated_at":"2026-09-02T04:00:00Z"}`
		mappingOut    = `{"id":"map_3","operatorDomain":"brightbuy.example","brandHouse":null,"gamAdvertiserId":"990017","createdAt":"2026-09-01T04:00:00Z","updatedAt":"2026-09-02T04:00:00Z"}`
		productIn     = `{"name":"Coast leaderboard","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"4471"}]}}}`
		product       = `{"wholesale_product_id":"coast_lb","product_id":"coast_lb","name":"Coast leaderboard","status":"draft","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[]}},"targeting_capabilities":{"geoRules":{"max_areas":3}}}`
		productOut    = `{"wholesaleProductId":"coast_lb","productId":"coast_lb","name":"Coast leaderboard","status":"draft","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[]}},"targetingCapabilities":{"geoRules":{"max_areas":3}}}`
		advertiser    = `{"id":"990017","name":"Nordlicht","currency_code":"EUR","status":"active"}`
		advertiserOut = `{"id":"990017","name":"Nordlicht","currencyCode":"EUR","status":"active"}`
		buy           = `{"media_buy_id":"mb_9","principal_id":"p1","principal_name":"Bright","status":"active","flight_start_date":"2026-09-01","flight_end_date":"2026-09-30","total_budget":"1200.50","currency":"EUR","delivered_impressions":9007199254740993,"created_at":"2026-08-01T00:00:00Z"`
		buyOut        = `{"mediaBuyId":"mb_9","principalId":"p1","principalName":"Bright","status":"active","flightStartDate":"2026-09-01","flightEndDate":"2026-09-30","totalBudget":"1200.50","currency":"EUR",`
		offset        = "eyJvZmZzZXQiOiAyfQ=="
	)
	for _, c := range []struct {
		operation, query, body string
		vars                   []string
		asked                  string
		code                   int // of the sales agent
		document               string
		want                   int
		answer                 string
	}{
		{operation: "listEsaBuyerAdvertiserMappings", query: "operatorDomain=brightbuy.example", asked: "GET /buyer-advertiser-mappings?operator_domain=brightbuy.example",
			code: 200, document: `{"mappings":[` + mapping + `],"count":1}`, want: 200, answer: `{"mappings":[` + mappingOut + `]}`},
		{operation: "createEsaBuyerAdvertiserMapping", body: `{"operatorDomain":"brightbuy.example","gamAdvertiserId":"990017"}`,
			asked: `POST /buyer-advertiser-mappings {"operator_domain":"brightbuy.example","gam_advertiser_id":"990017"}`, code: 201, document: mapping, want: 201, answer: mappingOut},
		{operation: "deleteEsaBuyerAdvertiserMapping", vars: []string{"mappingId", "map%203"}, asked: "DELETE /buyer-advertiser-mappings/map%203", code: 204, want: 204},
		{operation: "getEsaInventoryAdapterCapabilities", asked: "GET /inventory/adapter-capabilities", code: 200,
			document: `{"adapter":"google_ad_manager","selector_types":[{"selector_type":"ad_unit","label":"Ad unit","option_schema":{"a_b":1}}]}`, want: 200,
			answer: `{"adapter":"google_ad_manager","selectorTypes":[{"selectorType":"ad_unit","label":"Ad unit","optionSchema":{"a_b":1}}]}`},
		{operation: "listEsaPublisherProperties", asked: "GET /inventory/publisher-properties", code: 200,
			document: `{"domains":["coast.example"],"properties":[],"allowed_selectors":[{"publisher_domain":"coast.example","selection_type":"all","property_ids":null,"label":"All"}]}`, want: 200,
			answer: `{"properties":[],"allowedSelectors":[{"publisherDomain":"coast.example","selectionType":"all","label":"All"}]}`},
		{operation: "getEsaMediaBuy", vars: []string{"mediaBuyId", "mb_9"}, asked: "GET /media-buys/mb_9", code: 200,
			document: buy + `,"targeting":{"geo_country":["DE"]},"status_history":[]}`, want: 200,
			answer: buyOut + `"deliveredImpressions":null,"createdAt":"2026-08-01T00:00:00Z","targeting":{"geo_country":["DE"]},"statusHistory":[],"products":[],"creatives":[]}`},
		{operation: "listEsaRecentBuyers", query: "days=7", asked: "GET /recent-buyers?days=7&limit=100", code: 200,
			document: `{"buyers":[{"operator_domain":"brightbuy.example","request_count":4,"last_seen_at":null}]}`, want: 200, answer: `{"buyers":[{"operatorDomain":"brightbuy.example","lastSeenAt":null}]}`},
		{operation: "listEsaSignals", asked: "GET /signals", code: 200, document: `{"signals":[` + signal + `],"count":1}`, want: 200, answer: `{"signals":[` + signalOut + `]}`},
		{operation: "getEsaSignalAdapterCapabilities", asked: "GET /signals/adapter-capabilities", code: 200, want: 200,
			document: `{"adapter":"google_ad_manager","supports_signal_mapping_authoring":true,"default_candidate_type":null}`,
			answer:   `{"adapter":"google_ad_manager","supportsSignalMappingAuthoring":true,"defaultCandidateType":null}`},
		{operation: "getEsaSignal", vars: []string{"signalId", "kv_tide"}, asked: "GET /signals/kv_tide", code: 200, document: signal, want: 200, answer: signalOut},
		{operation: "listEsaCreativeFormats", query: "assetType=image&assetType=html", asked: "GET /creative-formats?asset_type=image&asset_type=html", code: 200,
			document: `{"creative_formats":[{"format_id":{"agent_url":"https://forms.example","id":"lb"},"name":"LB","raw":{"secret":1}}],"count":1}`, want: 200,
			answer: `{"creativeFormats":[{"formatId":{"agentUrl":"https://forms.example","id":"lb"},"name":"LB"}],"count":1}`},
		{operation: "listEsaGamAdvertisers", query: "query=nord&cursor=" + offset, asked: "GET /gam/advertisers?cursor=eyJvZmZzZXQiOiAyfQ%3D%3D&limit=50&q=nord", code: 200,
			document: `{"advertisers":[` + advertiser + `],"next_cursor":null,"synced_at":null}`, want: 200, answer: `{"advertisers":[` + advertiserOut + `],"nextCursor":null,"syncedAt":null}`},
		{operation: "ensureEsaGamAdvertiser", body: `{"name":"Nordlicht"}`, asked: `POST /gam/advertisers:ensure {"name":"Nordlicht"}`, code: 201,
			document: `{"advertiser":` + advertiser + `,"created":true}`, want: 200, answer: `{"advertiser":` + advertiserOut + `,"created":true}`},
		{operation: "setEsaDefaultGamAdvertiser", body: `{"gamAdvertiserId":"990017"}`, asked: `PATCH / {"default_gam_advertiser_id":"990017"}`, code: 200,
			document: `{"tenant_id":"tnt_coast","contact_email":"CANARY","default_gam_advertiser_id":"990017"}`, want: 200, answer: `{"defaultGamAdvertiserId":"990017"}`},
		{operation: "searchEsaAdServerSelectors", query: "selector_type=ad_unit&cursor=100&q=", asked: "GET /inventory/selectors?cursor=100&limit=50&selector_type=ad_unit", code: 200,
			document: `{"selectors":[{"selector_type":"ad_unit","external_id":"4471","metadata":{"size":"728x90","password":"CANARY"}}],"count":1}`, want: 200,
			answer: `{"selectors":[{"selectorType":"ad_unit","externalId":"4471","metadata":{"size":"728x90"}}],"count":1}`},
		{operation: "listEsaMediaBuys", query: "fromDate=2026-09-01T23:00:00-05:00&toDate=2026-09-01&status=active", asked: "GET /media-buys?from_date=2026-09-01&limit=50&status=active&to_date=2026-09-01",
			code: 200, document: `{"media_buys":[` + buy + `}],"count":1,"next_cursor":"bmV4dA"}`, want: 200,
			answer: `{"mediaBuys":[` + buyOut + `"deliveredImpressions":null,"createdAt":"2026-08-01T00:00:00Z"}],"count":1,"nextCursor":"bmV4dA"}`},
		{operation: "listEsaProducts", asked: "GET /wholesale-products", code: 200, document: `{"wholesale_products":[` + product + `],"count":1}`, want: 200, answer: `{"products":[` + productOut + `]}`},
		{operation: "createEsaProduct", body: productIn, asked: "POST /wholesale-products " + productIn, code: 201, document: product, want: 201, answer: productOut},
		{operation: "deleteEsaProduct", vars: []string{"productId", "coast_lb"}, asked: "DELETE /wholesale-products/coast_lb", code: 200, document: `{"deleted":true}`, want: 204},
		{operation: "updateEsaProduct", vars: []string{"productId", "coast_lb"}, body: productIn, asked: "PUT /wholesale-products/coast_lb " + productIn, code: 200, document: product, want: 200, answer: productOut},
		{operation: "listEsaSignalCandidates", query: "candidateType=custom_targeting_key", asked: "GET /signals/candidates?candidate_type=custom_targeting_key&limit=50", code: 200,
			document: `{"candidates":[{"candidate_type":"custom_targeting_key","external_id":"77"}],"count":1,"next_cursor":null}`, want: 200,
			answer: `{"candidates":[{"candidateType":"custom_targeting_key","externalId":"77"}],"count":1,"nextCursor":null}`},
		{operation: "deleteEsaSignal", vars: []string{"signalId", "kv_tide"}, asked: "DELETE /signals/kv_tide", code: 200, document: `{"status":"deleted"}`, want: 204},
	} {
		for _, envelope := range []bool{false, true} {
			inWorldWith(t, operations.Config{Envelope: envelope}, func(w *world) {
				w.answers(c.code, c.document)
				code, got, err := w.do(c.operation, w.request("coast", c.query, c.body, c.vars...))
				if err != nil {
					t.Errorf("%s: %v", c.operation, err)
				}
				want := c.answer
				if envelope && code == 200 && find(t, c.operation).Method == "GET" {
					want = `{"data":` + want + `,"error":null}`
				}
				if code != c.want || got != want {
					t.Errorf("%s: %d\n%s, want\n%s", c.operation, code, got, want)
				}
				if calls := w.calls(); len(calls) != 1 || calls[0] != c.asked {
					t.Errorf("%s asked %q, want %q", c.operation, calls, c.asked)
				}
			})
		}
	}
}
