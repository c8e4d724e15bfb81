package adserver_test

import (
	"strings"
	"testing"

	"esagate/internal/adserver"
	"esagate/registry"
	"esagate/upstream/wire"
)

// What upstream keeps of each type. The token is no setting that could be shown.
var (
	keptFreeWheel   = put(`{"type":"freewheel", "default_advertiser_id":"adv-7"}`)
	keptToken       = put(`{"default_advertiser_id":"c4n4ryc4n4ryc4n4ryc4n4ryc4n4ry"}`)
	keptSpringServe = put(`{"type":"springserve","default_demand_partner_id":null,"demand_class":"tag","rate_currency":"NOK",` +
		`"enable_key_value_targeting":false}`)
	keptBroadstreet = put(`{"campaign_name_template":"{po_number}","default_advertiser_id":"b1"}`)
	keptGAM         = put(`{"order_name_template":"{brand_name}","auto_naming_enabled":true}`)
)

func put(raw string) *wire.Settings { return &wire.Settings{Raw: []byte(raw)} }

var golden = []struct {
	name, body     string
	current        *registry.AdServer
	kept           *wire.Settings
	label, slug    string
	view, request  string
	settings       string
	needsNoAccount bool
}{
	{
		name: "google_ad_manager", body: `{"type":"google_ad_manager","networkCode":"0076543","connectionContract":{"id":"gam_v2","version":2,"authenticationMethod":"platform_service_account"}}`,
		kept: keptGAM, current: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "1", ExecutionCurrency: "EUR"},
		label: "Google Ad Manager 0076543", slug: "google-ad-manager-0076543",
		view:     `{"type":"google_ad_manager","networkCode":"0076543"}`,
		request:  `{"type":"google_ad_manager","network_code":"0076543","service_account_email":"gate@ops.example","service_account_key_json":"{\"private_key\":\"CANARY\"}"}`,
		settings: `{"order_name_template":"{brand_name}","auto_naming_enabled":true}`,
	},
	{
		name: "freewheel with a password, all named", body: `{"type":"freewheel","username":"quay@ads.example","password":"CANARY pw","environment":"staging","defaultAdvertiserId":"é9","executionCurrency":"SEK"}`,
		kept: keptFreeWheel, current: &registry.AdServer{Type: "freewheel", ExecutionCurrency: "EUR"},
		label: "FreeWheel quay@ads.example", slug: "freewheel-quay-ads-example",
		view:     `{"type":"freewheel","username":"quay@ads.example","environment":"staging","defaultAdvertiserId":"é9","executionCurrency":"SEK"}`,
		request:  `{"type":"freewheel","username":"quay@ads.example","password":"CANARY pw","environment":"staging","default_advertiser_id":"é9"}`,
		settings: `{"type":"freewheel","default_advertiser_id":"é9"}`, needsNoAccount: true,
	},
	{
		name: "freewheel with a token, carried over", body: `{"type":"freewheel","apiToken":"CANARY"}`,
		kept: keptFreeWheel, current: &registry.AdServer{Type: "freewheel", Username: "gone", Environment: "staging", ExecutionCurrency: "EUR"},
		label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"staging","defaultAdvertiserId":"adv-7","executionCurrency":"EUR"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"staging","default_advertiser_id":"adv-7"}`,
		settings: `{"type":"freewheel","default_advertiser_id":"adv-7"}`, needsNoAccount: true,
	},
	{
		name: "freewheel, another environment", body: `{"type":"freewheel","apiToken":"CANARY","environment":"production"}`,
		kept: put(`{"environment":"staging"}`), current: &registry.AdServer{Type: "freewheel", Environment: "staging"},
		label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"production"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"production"}`,
		settings: `{"environment":"production"}`, needsNoAccount: true,
	},
	{
		name: "freewheel, an environment among the settings", body: `{"type":"freewheel","apiToken":"CANARY"}`,
		kept: put(`{"environment":"staging"}`), label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"staging"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"staging"}`,
		settings: `{"environment":"staging"}`, needsNoAccount: true,
	},
	{
		name: "freewheel, an environment that is not taken", body: `{"type":"freewheel","apiToken":"CANARY"}`,
		kept: put(`{"environment":7}`), current: &registry.AdServer{Type: "freewheel", Environment: "sandbox"},
		label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"production"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"production"}`,
		settings: `{"environment":7}`, needsNoAccount: true,
	},
	{
		name: "freewheel, nothing to carry over", body: `{"type":"freewheel","apiToken":"CANARY"}`,
		current: &registry.AdServer{Type: "springserve", ExecutionCurrency: "EUR"},
		label:   "FreeWheel", slug: "freewheel",
		view:    `{"type":"freewheel","environment":"production"}`,
		request: `{"type":"freewheel","api_token":"CANARY","environment":"production"}`, needsNoAccount: true,
	},
	{
		name: "freewheel, the default advertiser taken away", body: `{"type":"freewheel","apiToken":"CANARY","defaultAdvertiserId":""}`,
		kept: keptFreeWheel, label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"production"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"production"}`,
		settings: `{"type":"freewheel","default_advertiser_id":null}`, needsNoAccount: true,
	},
	{
		name: "a kept setting that may be a secret goes back, and is not shown", body: `{"type":"freewheel","apiToken":"CANARY"}`,
		kept: keptToken, label: "FreeWheel", slug: "freewheel",
		view:     `{"type":"freewheel","environment":"production"}`,
		request:  `{"type":"freewheel","api_token":"CANARY","environment":"production","default_advertiser_id":"c4n4ryc4n4ryc4n4ryc4n4ryc4n4ry"}`,
		settings: `{"default_advertiser_id":"c4n4ryc4n4ryc4n4ryc4n4ryc4n4ry"}`, needsNoAccount: true,
	},
	{
		name: "springserve, all named", body: `{"type":"springserve","email":"o'hara@pier.example","password":"CANARY","environment":"production","defaultDemandPartnerId":9007199254740991,"rateCurrency":"DKK"}`,
		kept: keptSpringServe, label: "SpringServe o'hara@pier.example", slug: "springserve-o-hara-pier-example",
		view:     `{"type":"springserve","email":"o'hara@pier.example","environment":"production","defaultDemandPartnerId":9007199254740991,"rateCurrency":"DKK"}`,
		request:  `{"type":"springserve","email":"o'hara@pier.example","password":"CANARY","environment":"production","default_demand_partner_id":9007199254740991,"demand_class":"tag","enable_key_value_targeting":false,"rate_currency":"DKK"}`,
		settings: `{"type":"springserve","default_demand_partner_id":9007199254740991,"demand_class":"tag","rate_currency":"DKK","enable_key_value_targeting":false}`, needsNoAccount: true,
	},
	{
		name: "springserve with a token, carried over", body: `{"type":"springserve","apiToken":"CANARY"}`,
		kept:    put(`{"default_demand_partner_id":4e0,"rate_currency":"Bearer","enable_key_value_targeting":true,"demand_class":7}`),
		current: &registry.AdServer{Type: "springserve", RateCurrency: "EUR", DefaultDemandPartnerID: ptr(int64(5))},
		label:   "SpringServe", slug: "springserve",
		view:     `{"type":"springserve","environment":"production","defaultDemandPartnerId":4}`,
		request:  `{"type":"springserve","api_token":"CANARY","environment":"production","default_demand_partner_id":4,"enable_key_value_targeting":true,"rate_currency":"Bearer"}`,
		settings: `{"default_demand_partner_id":4e0,"rate_currency":"Bearer","enable_key_value_targeting":true,"demand_class":7}`, needsNoAccount: true,
	},
	{
		name: "broadstreet", body: `{"type":"broadstreet","networkId":"n 55","apiKey":"CANARY"}`, kept: keptBroadstreet,
		label: "Broadstreet n 55", slug: "broadstreet-n-55",
		view:     `{"type":"broadstreet","networkId":"n 55"}`,
		request:  `{"type":"broadstreet","network_id":"n 55","api_key":"CANARY","default_advertiser_id":"b1","campaign_name_template":"{po_number}"}`,
		settings: `{"campaign_name_template":"{po_number}","default_advertiser_id":"b1"}`, needsNoAccount: true,
	},
	{
		name: "mock", body: `{"type":"mock"}`, kept: keptGAM, label: "Mock ad server", slug: "mock-ad-server",
		view: `{"type":"mock"}`, request: `{"type":"mock"}`, needsNoAccount: true,
	},
}

func TestGolden(t *testing.T) {
	for _, c := range golden {
		t.Run(c.name, func(t *testing.T) {
			connect, err := adserver.ParseConnect([]byte(c.body))
			if err != nil {
				t.Fatal(issuesOf(t, err))
			}
			if connect.Name != c.label || connect.Slug != c.slug || connect.SourceID != "" {
				t.Errorf("name %q, slug %q, sourceId %q", connect.Name, connect.Slug, connect.SourceID)
			}
			config := parse(t, c.body)
			view := config.View(c.current, c.kept)
			if view.Type != config.Type() || config.NeedsAccount() == c.needsNoAccount {
				t.Errorf("type %s, needs an account: %t", config.Type(), config.NeedsAccount())
			}
			if got := encoded(t, view); got != c.view {
				t.Errorf("view\n got %s\nwant %s", got, c.view)
			}
			if strings.Contains(encoded(t, view), "CANARY") {
				t.Error("a credential is kept")
			}
			if got := encoded(t, config.Request(account, c.current, c.kept)); got != c.request {
				t.Errorf("request\n got %s\nwant %s", got, c.request)
			}
			if got := string(config.Settings(c.kept)); got != c.settings || got != "" && !wire.ValidSettings([]byte(got)) {
				t.Errorf("settings\n got %s\nwant %s", got, c.settings)
			}
		})
	}
}

// Each view is its caller's own: changing it must not change the next one.
func TestViewsShareNothing(t *testing.T) {
	config := parse(t, `{"type":"springserve","apiToken":"x","defaultDemandPartnerId":5}`)
	*config.View(nil, nil).DefaultDemandPartnerID = 6
	if got := *config.View(nil, nil).DefaultDemandPartnerID; got != 5 {
		t.Errorf("it is %d", got)
	}
	if got := encoded(t, config.Request(nil, nil, nil)); !strings.Contains(got, `_id":5}`) {
		t.Errorf("the request is %s", got)
	}
}

func TestConnectNames(t *testing.T) {
	long := strings.Repeat("ö", 255)
	for _, c := range []struct{ body, name, slug, id string }{
		{`{"type":"mock","name":"Quay & Co","sourceId":"Quay_1"}`, "Quay & Co", "quay-co", "Quay_1"},
		{`{"type":"mock","sourceId":"q"}`, "Mock ad server", "mock-ad-server", "q"},
		{`{"type":"mock","name":"` + long + `"}`, long, strings.Repeat("o", 255), ""},
		{`{"type":"freewheel","username":"` + long + `","password":"p"}`, "FreeWheel " + strings.Repeat("ö", 245), "freewheel-" + strings.Repeat("o", 245), ""},
	} {
		got, err := adserver.ParseConnect([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %s", c.body, issuesOf(t, err))
			continue
		}
		if got.Name != c.name || got.Slug != c.slug || got.SourceID != c.id {
			t.Errorf("%s: name %q, slug %q, sourceId %q", c.body, got.Name, got.Slug, got.SourceID)
		}
	}
}

func TestSettingsPutBack(t *testing.T) {
	const both = `{"type":"springserve","apiToken":"x","defaultDemandPartnerId":5,"rateCurrency":"EUR"}`
	for _, c := range []struct{ name, body, raw, want string }{
		{"appended", both, `{}`, `{"default_demand_partner_id":5,"rate_currency":"EUR"}`},
		{"in its place", both, `{"rate_currency":"USD","a":1}`, `{"rate_currency":"EUR","a":1,"default_demand_partner_id":5}`},
		{"spelt in another way", both, `{"rate_\u0063urrency":"USD","default_demand_partner_id":1.0}`, `{"rate_\u0063urrency":"EUR","default_demand_partner_id":5}`},
		{"what is unknown keeps its bytes", `{"type":"springserve","apiToken":"x"}`,
			` { "new" : [ 1.00, 1e400, "\u00e9\/", {"b":2,"a":1} ] , "":null,"rate_currency":"US\u0044" } `,
			`{"new":[ 1.00, 1e400, "\u00e9\/", {"b":2,"a":1} ],"":null,"rate_currency":"US\u0044"}`},
		{"inner ones are not ours", both, `{"x":{"rate_currency":"USD"}}`, `{"x":{"rate_currency":"USD"},"default_demand_partner_id":5,"rate_currency":"EUR"}`},
		{"repeated", both, `{"rate_currency":"USD","rate_currency":"NOK"}`, ``},
		{"quotes", `{"type":"freewheel","apiToken":"x","defaultAdvertiserId":"a\"\\é"}`, `{}`, `{"default_advertiser_id":"a\"\\é"}`},
		{"empty", both, ``, ``},
		{"no object", both, `[1]`, ``},
		{"cut short", both, `{"rate_currency":"US`, ``},
		{"cut after a name", both, `{"rate_currency":`, ``},
		{"cut after a value", both, `{"rate_currency":"USD"`, ``},
	} {
		if got := string(parse(t, c.body).Settings(put(c.raw))); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	if got := parse(t, both).Settings(nil); got != nil {
		t.Errorf("out of nothing: %s", got)
	}
}
