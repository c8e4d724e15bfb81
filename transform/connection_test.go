package transform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// full is an ad-server config with every field that any type has.
func full(kind string) *registry.AdServer {
	return &registry.AdServer{
		Type: kind, NetworkCode: "n1", NetworkID: "n2", ClientID: "c", Username: "u", Email: "e@x.example",
		Environment: "sandbox", DefaultAdvertiserID: "a", ExecutionCurrency: "EUR", DefaultDemandPartnerID: ptr(int64(4)),
		RateCurrency: "SEK", AgencyID: ptr(int64(9)), BaseURL: "https://a.example", ForecastingBaseURL: "https://f.example",
		DefaultCurrency: "NOK", CPMLimit: ptr(1.5),
	}
}

func connectionJSON(c registry.Connection) string {
	return string(api.Encode(transform.Connection(&registry.Source{Connection: &c})))
}

func TestAdServerViews(t *testing.T) {
	for _, c := range []struct {
		server *registry.AdServer
		want   string
	}{
		{nil, `null`},
		{full("google_ad_manager"), `{"type":"google_ad_manager","networkCode":"n1"}`},
		{full("freewheel"), `{"type":"freewheel","clientId":"c","username":"u","environment":"sandbox","defaultAdvertiserId":"a","executionCurrency":"EUR"}`},
		{full("springserve"), `{"type":"springserve","email":"e@x.example","environment":"sandbox","defaultDemandPartnerId":4,"rateCurrency":"SEK"}`},
		{full("adswizz"), `{"type":"adswizz","agencyId":9,"environment":"sandbox","baseUrl":"https://a.example","forecastingBaseUrl":"https://f.example","defaultCurrency":"NOK","cpmLimit":1.5,"defaultAdvertiserId":"a"}`},
		{full("broadstreet"), `{"type":"broadstreet","networkId":"n2"}`},
		{full("mock"), `{"type":"mock"}`},
		{full("xandr"), `{"type":"xandr"}`},
		{full("not a word"), `{"type":"unknown"}`},
		{&registry.AdServer{Type: "google_ad_manager"}, `{"type":"google_ad_manager","networkCode":null}`},
		{&registry.AdServer{Type: "freewheel"}, `{"type":"freewheel","clientId":null,"username":null,"environment":"production","defaultAdvertiserId":null,"executionCurrency":null}`},
		{&registry.AdServer{Type: "springserve"}, `{"type":"springserve","email":null,"environment":"production","defaultDemandPartnerId":null,"rateCurrency":null}`},
		{&registry.AdServer{Type: "adswizz"}, `{"type":"adswizz","agencyId":null,"environment":"production","baseUrl":null,"forecastingBaseUrl":null,"defaultCurrency":null,"cpmLimit":null,"defaultAdvertiserId":null}`},
		{&registry.AdServer{Type: "broadstreet"}, `{"type":"broadstreet","networkId":null}`},
	} {
		if got := connectionJSON(registry.Connection{AdServer: c.server}); !strings.Contains(got, `"adServer":`+c.want+`,"serviceAccountEmail"`) {
			t.Errorf("want %s in %s", c.want, got)
		}
	}
}

func TestConnectionDocument(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 780_000_000, time.FixedZone("", 3600))
	got := connectionJSON(registry.Connection{
		ID: 1 << 60, CustomerID: 33, Provisioning: registry.StatusActive, TenantID: "tnt_a", ExternalOrgID: "33-1",
		MCPURL: "/t/mcp", A2AURL: "/t/a2a", ServiceAccountEmail: "sa@x.example",
		LastError: "Network 7 is closed <today>\nat line 4", LastErrorCode: "ADAPTER_PERMISSION_DENIED",
		LastTestedAt: at, ProvisionedAt: at, DeactivatedAt: at, CreatedAt: at, UpdatedAt: at,
		InventorySync: &registry.InventorySync{Status: "failed", LastRunAt: at, CompletedAt: at, ItemCount: ptr(int64(3)), Error: "token=abcdef", UpdatedAt: at, ObservedAt: at},
	})
	const when = `"2026-02-03T03:05:06.78Z"`
	want := `{"id":"1152921504606846976","customerId":33,"provisioningStatus":"active","tenantId":"tnt_a","mcpUrl":"/t/mcp","a2aUrl":"/t/a2a",` +
		`"adServer":null,"serviceAccountEmail":"sa@x.example","lastError":"Network 7 is closed <today>","lastErrorCode":"ADAPTER_PERMISSION_DENIED",` +
		`"lastTestedAt":W,"provisionedAt":W,"deactivatedAt":W,"createdAt":W,"updatedAt":W,` +
		`"inventorySync":{"status":"failed","lastRunAt":W,"completedAt":W,"itemCount":3,"error":"The sync failed.","updatedAt":W}}`
	if want = strings.ReplaceAll(want, "W", when); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestConnectionDefaults(t *testing.T) {
	for _, c := range []struct {
		connection registry.Connection
		want       string
	}{
		{registry.Connection{Provisioning: registry.StatusPending}, `"tenantId":null,"mcpUrl":null,"a2aUrl":null`},
		{registry.Connection{MCPURL: "/early"}, `"mcpUrl":null,"a2aUrl":null`},
		{registry.Connection{TenantID: "t"}, `"mcpUrl":"/mcp/","a2aUrl":"/a2a"`},
		{registry.Connection{TenantID: "t", MCPURL: "https://m.example/mcp", A2AURL: "https://m.example/a2a"}, `"mcpUrl":"https://m.example/mcp","a2aUrl":"https://m.example/a2a"`},
		{registry.Connection{TenantID: "t", MCPURL: "/m"}, `"mcpUrl":"/m","a2aUrl":null`},
		{registry.Connection{}, `"lastError":null,"lastErrorCode":null,"lastTestedAt":null,"provisionedAt":null,"deactivatedAt":null`},
		{registry.Connection{}, `"inventorySync":null}`},
		{registry.Connection{LastError: "key=abc", LastErrorCode: "ADAPTER_NETWORK_NOT_FOUND"}, `"lastError":"The ad server does not know this network or account."`},
		{registry.Connection{LastError: "key=abc", LastErrorCode: "new one"}, `"lastErrorCode":"INTERNAL_ERROR"`},
	} {
		got := connectionJSON(c.connection)
		if !strings.Contains(got, c.want) || !json.Valid([]byte(got)) {
			t.Errorf("want %s in %s", c.want, got)
		}
	}
}

func TestInventorySyncFromAPoll(t *testing.T) {
	const run, success = "2026-03-09T12:00:00Z", "2026-03-09T12:04:00Z"
	for block, want := range map[string]string{
		`{"status":"success","last_run_at":"` + run + `","last_success_at":"` + success + `","item_count":7}`:          "success 12:00 12:04 7 ",
		`{"status":"failed","last_run_at":"` + run + `","last_success_at":"` + success + `","error":"Quota exceeded"}`: "failed 12:00 12:00 - Quota exceeded",
		`{"status":"running","last_run_at":"` + run + `","last_success_at":"` + success + `"}`:                         "running 12:00 - - ",
		`{"status":"never_run"}`:                          "never_run - - - ",
		`{"status":"queued","last_run_at":"` + run + `"}`: "unknown 12:00 - - ",
		`null`: "never_run - - - ",
	} {
		in := with(t, `,"syncs":{"inventory":`+block+`}`)
		s := transform.InventorySync(in.Snapshot)
		clock := func(at time.Time) string {
			if at.IsZero() {
				return "-"
			}
			return at.Format("15:04")
		}
		count := "-"
		if s.ItemCount != nil {
			count = fmt.Sprint(*s.ItemCount)
		}
		if got := fmt.Sprintf("%s %s %s %s %s", s.Status, clock(s.LastRunAt), clock(s.CompletedAt), count, s.Error); got != want {
			t.Errorf("%s:\n got %s\nwant %s", block, got, want)
		}
		fetched := now.Add(-time.Minute)
		if !s.UpdatedAt.Equal(fetched) || !s.ObservedAt.Equal(fetched) {
			t.Errorf("times %v, %v", s.UpdatedAt, s.ObservedAt)
		}
	}
	in := with(t, `,"syncs":{"inventory":{"status":"running","last_run_at":"`+run+`"}}`)
	in.Snapshot.Syncs[0].Value.LastStartedAt.Time = now
	if s := transform.InventorySync(in.Snapshot); !s.LastRunAt.Equal(now) {
		t.Error("the run's known start comes first")
	}
}
