package upstreamtest_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// shape returns the paths of a document's fields; the names of streams and kinds
// are "*", items of lists "[]".
func shape(t *testing.T, text []byte) []string {
	t.Helper()
	paths := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, field := range v {
				if path == "syncs" || path == "workflows.by_kind" {
					name = "*"
				}
				walk(strings.TrimPrefix(path+"."+name, "."), field)
			}
		case []any:
			for _, item := range v {
				walk(path+"[]", item)
			}
		default:
			paths[path] = true
		}
	}
	var doc any
	must(t, json.Unmarshal(text, &doc))
	walk("", doc)
	return slices.Sorted(maps.Keys(paths))
}

var (
	common = strings.Fields(`
		adapter.type adapter.connected adapter.last_tested_at adapter.last_test_error
		syncs.*.last_run_at syncs.*.status syncs.*.item_count syncs.*.error
		workflows.open_count workflows.oldest_opened_at workflows.by_kind.*
		media_buys.active_count media_buys.pending_approval_count packages.active_count packages.paused_count
		creatives.active_count creatives.pending_review_count creatives.rejected_last_24h_count webhooks fetched_at`)
	sinceOlder = strings.Fields(`
		syncs.*.severity syncs.*.last_success_at syncs.*.issue
		products.active_count products.draft_count products.archived_count
		inventory_profiles.total_count inventory_profiles.complete_count
		inventory_profiles.incomplete_count inventory_profiles.wholesale_owned_count
		setup_tasks.blocker_count setup_tasks.warning_count
		setup_tasks.items[].id setup_tasks.items[].name setup_tasks.items[].severity setup_tasks.items[].scope
		setup_tasks.items[].description setup_tasks.items[].is_complete setup_tasks.items[].configure_path`)
	planted = strings.Fields(`
		adapter.oauth_refresh_token adapter.credentials.private_key adapter.credentials.history[]
		syncs.*.cursor_token setup_tasks.items[].internal_note rollout.access_token rollout.steps[].secret`)
)

func TestShapesOfTheBuilds(t *testing.T) {
	for name, c := range map[string]struct {
		status  ut.Status
		zone    string
		streams int
		want    [][]string
	}{
		"current": {ut.Healthy(), `Z`, 6, [][]string{common, sinceOlder}},
		"older":   {ut.OlderBuild(), ``, 3, [][]string{common, {"packages.last_24h_impressions"}}},
		"newer": {ut.NewerBuild(), `\+00:00`, 7,
			[][]string{common, sinceOlder, planted, {"rollout.ring", "rollout.steps[].name"}}},
	} {
		text := ut.Document(gam("tnt_a", c.status), start)
		stamp := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?` + c.zone + `"$`)
		for _, s := range regexp.MustCompile(`"\d{4}-[^"]*"`).FindAll(text, -1) {
			if !stamp.Match(s) {
				t.Errorf("%s: timestamp %s", name, s)
			}
		}
		if got, want := shape(t, text), slices.Sorted(slices.Values(slices.Concat(c.want...))); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
		}
		if d := decode[document](t, string(text)); len(d.Syncs) != c.streams || d.Syncs["inventory"].Status != "success" {
			t.Errorf("%s: streams %+v", name, d.Syncs)
		}
	}
}

// document is the part of a status document that tests read.
type document struct {
	FetchedAt string `json:"fetched_at"`
	Adapter   struct {
		Type      string
		Connected bool
	}
	Syncs    map[string]stream
	Products struct {
		Active int `json:"active_count"`
	}
	SetupTasks struct {
		Blockers int `json:"blocker_count"`
		Warnings int `json:"warning_count"`
	} `json:"setup_tasks"`
}

type stream struct {
	Status      string
	Severity    string
	LastRunAt   string `json:"last_run_at"`
	LastSuccess string `json:"last_success_at"`
	ItemCount   *int   `json:"item_count"`
	Issue       *ut.Issue
	Error       *string
}

func TestStates(t *testing.T) {
	of := func(s ut.Status) document { return decode[document](t, string(ut.Document(gam("tnt_a", s), start))) }
	if d := of(ut.Healthy()); !d.Adapter.Connected || d.SetupTasks.Blockers != 0 || d.SetupTasks.Warnings != 1 {
		t.Errorf("healthy: %+v", d)
	}
	if d := of(ut.NeverRun()); d.SetupTasks.Blockers != 3 || d.Syncs["inventory"].ItemCount != nil {
		t.Errorf("never run: %+v", d)
	}
	if d := of(ut.Disconnected()); d.Adapter.Connected || d.SetupTasks.Blockers != 1 {
		t.Errorf("disconnected: %+v", d)
	}
	failed := of(ut.InventoryFailed()).Syncs["inventory"]
	if failed.Status != "failed" || failed.LastRunAt != "2026-07-04T09:51:53Z" || failed.LastSuccess != "2026-07-02T10:00:00Z" {
		t.Errorf("failed: %+v", failed)
	}
	if first, rest, _ := strings.Cut(*failed.Error, "\n"); strings.Contains(first, ut.Canary) || !strings.Contains(rest, ut.Canary) {
		t.Errorf("the canary belongs into the second line of %q", *failed.Error)
	}
}

func TestRawDocuments(t *testing.T) {
	raw := []byte("[1, 2")
	w := newWorld(t, ut.Options{}, ut.Status{Raw: raw})
	raw[0] = '!'
	if got := w.want(200, "GET", "/tenants/tnt_a/status", ""); got != "[1, 2" {
		t.Errorf("answered %q", got)
	}
}

func TestASchedulesRunsGoOnByTheClock(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	for _, c := range []struct {
		after      time.Duration
		run, ended string
	}{
		{0, "2026-07-04T09:46:32Z", "2026-07-04T09:49:00Z"},
		{18 * time.Minute, "2026-07-04T09:46:32Z", "2026-07-04T09:49:00Z"},
		{19 * time.Minute, "2026-07-04T10:16:32Z", "2026-07-04T10:19:00Z"},
		{26 * time.Hour, "2026-07-05T11:46:32Z", "2026-07-05T11:49:00Z"},
	} {
		w.now = start.Add(c.after)
		if got := w.status().Syncs["inventory"]; got.LastRunAt != c.run || got.LastSuccess != c.ended {
			t.Errorf("after %s: %+v", c.after, got)
		}
	}
}

func TestAdapterConfig(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	const nulls = `"network_code":null,"service_account_email":null,"service_account_key_json":null,"refresh_token":null}`
	ours := ut.AdServer{Type: "google_ad_manager", NetworkCode: "9", ServiceAccountEmail: "a@b.example", Configured: true}
	const shown = `{"type":"google_ad_manager","configured":true,"network_code":"9","service_account_email":"a@b.example",` +
		`"service_account_key_json":"<encrypted>","refresh_token":null`
	for _, c := range []struct {
		server ut.AdServer
		status ut.Status
		want   string
	}{
		{ut.AdServer{}, ut.NeverRun(), `{"type":"none","configured":false,` + nulls},
		{ut.AdServer{Type: "freewheel", NetworkCode: "9", Configured: true}, ut.Healthy(),
			`{"type":"freewheel","configured":true,` + nulls},
		{ours, ut.Healthy(), shown + `}`},
		{ours, ut.NewerBuild(), shown + `,"client_secret":"CANARY-client-secret"}`},
	} {
		w.SetTenant(ut.Tenant{ID: "tnt_a", AdServer: c.server, Status: c.status})
		if got := w.want(200, "GET", "/tenants/tnt_a/adapter-config", ""); got != c.want+"\n" {
			t.Errorf("got %swant %s", got, c.want)
		}
	}
}
