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

func connectionJSON(c registry.Connection) string {
	return string(api.Encode(transform.Connection(&registry.Source{Connection: &c})))
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
		`"inventorySync":{"status":"failed","lastRunAt":W,"completedAt":W,"itemCount":3,"error":"The sync failed.","updatedAt":W},"sourceId":"","name":""}`
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
		{registry.Connection{}, `"inventorySync":null,`},
		{registry.Connection{LastError: "key=abc", LastErrorCode: "ADAPTER_NETWORK_NOT_FOUND"},
			`"lastError":"The ad server does not know the network or account."`},
		{registry.Connection{LastError: "key=abc", LastErrorCode: "new one"}, `"lastErrorCode":"INTERNAL_ERROR"`},
	} {
		got := connectionJSON(c.connection)
		if !strings.Contains(got, c.want) || !json.Valid([]byte(got)) {
			t.Errorf("want %s in %s", c.want, got)
		}
	}
}

// shown puts the state of an inventory sync on one line.
func shown(s registry.InventorySync) string {
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
	return fmt.Sprintf("%s %s %s %s %s", s.Status, clock(s.LastRunAt), clock(s.CompletedAt), count, s.Error)
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
		fetched := now.Add(-time.Minute)
		if got := shown(s); got != want || !s.UpdatedAt.Equal(fetched) || !s.ObservedAt.Equal(fetched) {
			t.Errorf("%s: at %v and %v\n got %s\nwant %s", block, s.UpdatedAt, s.ObservedAt, got, want)
		}
	}
	in := with(t, `,"syncs":{"inventory":{"status":"running","last_run_at":"`+run+`"}}`)
	in.Snapshot.Syncs[0].Value.LastStartedAt.Time = now
	if s := transform.InventorySync(in.Snapshot); !s.LastRunAt.Equal(now) {
		t.Error("the run's known start comes first")
	}
}

func TestInventorySyncFromAnEvent(t *testing.T) {
	var none time.Time
	began, ended := now.Add(-9*time.Minute), now.Add(-4*time.Minute)
	for _, c := range []struct {
		status       string
		began, ended time.Time
		count        *int64
		text, want   string
	}{
		{"completed", began, ended, ptr(int64(0)), "ignored", "success 13:51 13:56 0 "},
		{"success", began, none, nil, "", "success 13:51 14:00 - "},
		{"failed", none, ended, ptr(int64(7)), "Quota is used up\n at line 3", "failed 13:56 13:56 7 Quota is used up"},
		{"failed", none, none, nil, "api_key=CANARY", "failed 14:00 14:00 - The sync failed."},
		{"failed", began, ended, nil, "", "failed 13:51 13:56 - "},
		{"cancelled", began, ended, nil, "CANARY", "unknown 13:51 13:56 - "},
		{"", began, ended, nil, "", "unknown 13:51 13:56 - "},
	} {
		s := transform.InventorySyncFromEvent(c.status, c.began, c.ended, now, c.count, c.text)
		if got := shown(s); got != c.want || !s.ObservedAt.Equal(now) || !s.UpdatedAt.Equal(now) || c.count != nil && s.ItemCount == c.count {
			t.Errorf("%+v: got %s of %v, shared count %t", c, got, s.ObservedAt, s.ItemCount == c.count)
		}
	}
}
