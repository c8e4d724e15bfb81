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
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
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
	walk("", doc)
	return slices.Sorted(maps.Keys(paths))
}

var (
	common = []string{
		"adapter.type", "adapter.connected", "adapter.last_tested_at", "adapter.last_test_error",
		"syncs.*.last_run_at", "syncs.*.status", "syncs.*.item_count", "syncs.*.error",
		"workflows.open_count", "workflows.oldest_opened_at", "workflows.by_kind.*",
		"media_buys.active_count", "media_buys.pending_approval_count",
		"packages.active_count", "packages.paused_count",
		"creatives.active_count", "creatives.pending_review_count", "creatives.rejected_last_24h_count",
		"webhooks", "fetched_at",
	}
	sinceOlder = []string{
		"syncs.*.severity", "syncs.*.last_success_at", "syncs.*.issue",
		"products.active_count", "products.draft_count", "products.archived_count",
		"inventory_profiles.total_count", "inventory_profiles.complete_count",
		"inventory_profiles.incomplete_count", "inventory_profiles.wholesale_owned_count",
		"setup_tasks.blocker_count", "setup_tasks.warning_count",
		"setup_tasks.items[].id", "setup_tasks.items[].name", "setup_tasks.items[].severity", "setup_tasks.items[].scope",
		"setup_tasks.items[].description", "setup_tasks.items[].is_complete", "setup_tasks.items[].configure_path",
	}
	planted = []string{
		"adapter.oauth_refresh_token", "adapter.credentials.private_key", "adapter.credentials.history[]",
		"syncs.*.cursor_token", "setup_tasks.items[].internal_note",
		"rollout.access_token", "rollout.steps[].secret",
	}
)

func TestShapesOfTheBuilds(t *testing.T) {
	for name, c := range map[string]struct {
		status ut.Status
		zone   string
		want   [][]string
	}{
		"current": {ut.Healthy(), `Z`, [][]string{common, sinceOlder}},
		"older":   {ut.OlderBuild(), ``, [][]string{common, {"packages.last_24h_impressions"}}},
		"newer":   {ut.NewerBuild(), `\+00:00`, [][]string{common, sinceOlder, planted, {"rollout.ring", "rollout.steps[].name"}}},
	} {
		t.Run(name, func(t *testing.T) {
			text := ut.Document(gam("tnt_a", c.status), start)
			stamp := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?` + c.zone + `"$`)
			for _, s := range regexp.MustCompile(`"\d{4}-[^"]*"`).FindAll(text, -1) {
				if !stamp.Match(s) {
					t.Errorf("timestamp %s", s)
				}
			}
			got := shape(t, text)
			if want := slices.Sorted(slices.Values(slices.Concat(c.want...))); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// document is the part of a status document that the tests below read.
type document struct {
	Adapter struct {
		Type      string
		Connected bool
	}
	Syncs map[string]struct {
		Status      string
		LastRunAt   string `json:"last_run_at"`
		LastSuccess string `json:"last_success_at"`
		ItemCount   *int   `json:"item_count"`
		Error       *string
	}
	Workflows struct {
		OpenCount int            `json:"open_count"`
		ByKind    map[string]int `json:"by_kind"`
	}
	Packages struct {
		Active int `json:"active_count"`
	}
	Profiles struct {
		Total      int `json:"total_count"`
		Complete   int `json:"complete_count"`
		Incomplete int `json:"incomplete_count"`
	} `json:"inventory_profiles"`
	Webhooks *struct {
		Last24h struct {
			Rate float64 `json:"success_rate"`
		} `json:"last_24h"`
	}
	SetupTasks struct {
		Blockers int `json:"blocker_count"`
		Warnings int `json:"warning_count"`
	} `json:"setup_tasks"`
}

func read(t *testing.T, text []byte) document {
	t.Helper()
	return decode[document](t, string(text))
}

func TestStates(t *testing.T) {
	healthy := read(t, ut.Document(gam("tnt_a", ut.Healthy()), start))
	if !healthy.Adapter.Connected || healthy.SetupTasks.Blockers != 0 || healthy.SetupTasks.Warnings != 1 || healthy.Workflows.OpenCount != 7 {
		t.Errorf("healthy: %+v", healthy)
	}
	bare := gam("tnt_a", ut.NeverRun())
	bare.AdServer = ut.AdServer{}
	never := read(t, ut.Document(bare, start))
	if never.Adapter.Type != "none" || never.SetupTasks.Blockers != 3 || never.Syncs["inventory"].ItemCount != nil || never.Workflows.ByKind == nil {
		t.Errorf("never run: %+v", never)
	}
	failed := read(t, ut.Document(gam("tnt_a", ut.InventoryFailed()), start)).Syncs["inventory"]
	if failed.Status != "failed" || failed.LastRunAt != "2026-07-04T09:51:53Z" || failed.LastSuccess != "2026-07-02T10:00:00Z" {
		t.Errorf("failed: %+v", failed)
	}
	if first, rest, _ := strings.Cut(*failed.Error, "\n"); strings.Contains(first, ut.Canary) || !strings.Contains(rest, ut.Canary) {
		t.Errorf("the canary belongs into the second line of %q", *failed.Error)
	}
	gone := read(t, ut.Document(gam("tnt_a", ut.Disconnected()), start))
	if gone.Adapter.Connected || gone.SetupTasks.Blockers != 1 {
		t.Errorf("disconnected: %+v", gone)
	}
	for streams, s := range map[int]ut.Status{3: ut.OlderBuild(), 6: ut.Healthy(), 7: ut.NewerBuild()} {
		if d := read(t, ut.Document(gam("tnt_a", s), start)); len(d.Syncs) != streams || d.Syncs["inventory"].Status != "success" {
			t.Errorf("%d streams, want %d", len(d.Syncs), streams)
		}
	}
	if rate := read(t, ut.Document(gam("tnt_a", ut.Status{Webhooks: &ut.Webhooks{Delivered: 2, Failed: 1}}), start)).Webhooks; rate.Last24h.Rate != 0.6667 {
		t.Errorf("webhooks: %+v", rate)
	}
}

func TestRawDocuments(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	raw := []byte("[1, 2")
	a.SetTenant(gam("tnt_a", ut.Status{Raw: raw}))
	raw[0] = '!'
	if got := body(t, get(t, a, statusPath("tnt_a"))); got != "[1, 2" {
		t.Errorf("answered %q", got)
	}
}

func TestRunsGoOnByTheClock(t *testing.T) {
	now := start
	a := ut.New(ut.Options{APIKey: key, Now: func() time.Time { return now }})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	for _, c := range []struct {
		after      time.Duration
		run, ended string
	}{
		{0, "2026-07-04T09:46:32Z", "2026-07-04T09:49:00Z"},
		{18 * time.Minute, "2026-07-04T09:46:32Z", "2026-07-04T09:49:00Z"},
		{19 * time.Minute, "2026-07-04T10:16:32Z", "2026-07-04T10:19:00Z"},
		{26 * time.Hour, "2026-07-05T11:46:32Z", "2026-07-05T11:49:00Z"},
	} {
		now = start.Add(c.after)
		got := read(t, []byte(body(t, get(t, a, statusPath("tnt_a"))))).Syncs["inventory"]
		if got.LastRunAt != c.run || got.LastSuccess != c.ended {
			t.Errorf("after %s: %+v", c.after, got)
		}
	}
}

func TestAdapterConfig(t *testing.T) {
	type config struct {
		Type         string  `json:"type"`
		Configured   bool    `json:"configured"`
		Network      *string `json:"network_code"`
		Email        *string `json:"service_account_email"`
		Key          *string `json:"service_account_key_json"`
		Refresh      *string `json:"refresh_token"`
		ClientSecret string  `json:"client_secret"`
	}
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	ask := func(s ut.AdServer, status ut.Status) config {
		a.SetTenant(ut.Tenant{ID: "tnt_a", AdServer: s, Status: status})
		return strict[config](t, body(t, get(t, a, ut.BasePath+"/tenants/tnt_a/adapter-config")))
	}
	if c := ask(ut.AdServer{}, ut.NeverRun()); c.Type != "none" || c.Configured {
		t.Errorf("none: %+v", c)
	}
	if c := ask(ut.AdServer{Type: "freewheel", NetworkCode: "9", Configured: true}, ut.Healthy()); c.Type != "freewheel" || c.Network != nil || !c.Configured {
		t.Errorf("freewheel: %+v", c)
	}
	gam := ut.AdServer{Type: "google_ad_manager", NetworkCode: "9", ServiceAccountEmail: "a@b.example", Configured: true}
	if c := ask(gam, ut.Healthy()); *c.Network != "9" || *c.Email != "a@b.example" || *c.Key != "<encrypted>" || c.ClientSecret != "" {
		t.Errorf("gam: %+v", c)
	}
	if c := ask(gam, ut.NewerBuild()); !strings.Contains(c.ClientSecret, ut.Canary) {
		t.Errorf("newer: %+v", c)
	}
}
