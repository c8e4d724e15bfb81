package upstreamtest_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

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
		status ut.Status
		zone   string
		want   [][]string
	}{
		"current": {ut.Healthy(), `Z`, [][]string{common, sinceOlder}},
		"older":   {ut.OlderBuild(), ``, [][]string{common, {"packages.last_24h_impressions"}}},
		"newer": {ut.NewerBuild(), `\+00:00`,
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
	}
}
