package upstreamtest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

type history struct {
	Runs []struct {
		ID        string  `json:"sync_id"`
		Type      string  `json:"sync_type"`
		Started   string  `json:"started_at"`
		Completed *string `json:"completed_at"`
		Status    string  `json:"status"`
		Seconds   *int    `json:"duration_seconds"`
		Items     int     `json:"items_processed"`
		Failed    int     `json:"items_failed"`
		Error     *string `json:"error_summary"`
	} `json:"runs"`
	Count int     `json:"count"`
	Next  *string `json:"next_cursor"`
}

func TestHistory(t *testing.T) {
	a, id, set := clocked(t, ut.Options{})
	a.FinishRun(id, "inventory", 12)
	set(time.Minute)
	a.StartRun(id, "inventory")
	set(2 * time.Minute)
	a.FailRun(id, "inventory", "")
	set(3 * time.Minute)
	a.StartRun(id, "custom_targeting")
	ask := func(query string) history {
		t.Helper()
		return strict[history](t, want(t, a, 200, "GET", "/tenants/"+id+"/sync-history"+query, ""))
	}
	all := ask("")
	var words []string
	for _, r := range all.Runs {
		words = append(words, r.Type+" "+r.Status)
	}
	if !slices.Equal(words, []string{"custom_targeting in_progress", "inventory failed", "inventory success"}) || all.Count != 3 || all.Next != nil {
		t.Errorf("history %q, %+v", words, all)
	}
	if r := all.Runs[1]; r.Started != "2026-07-04T10:01:00.250000Z" || *r.Completed != "2026-07-04T10:02:00.250000Z" || *r.Seconds != 60 ||
		r.Failed != 1 || !strings.Contains(*r.Error, "Traceback") || !strings.Contains(*r.Error, ut.Canary) {
		t.Errorf("failed run %+v", r)
	}
	if r := all.Runs[2]; r.Items != 12 || r.Error != nil {
		t.Errorf("good run %+v", r)
	}
	// The filter takes the raw words, which differ from those of the answers.
	for query, count := range map[string]int{
		"?status=completed": 1, "?status=running": 1, "?status=failed": 1, "?status=pending": 0,
		"?status=success": 0, "?status=in_progress": 0, "?sync_type=inventory": 2, "?sync_type=inventory&status=failed": 1,
		"?sync_type=customTargeting": 0, "?limit=2": 2, "?limit=500": 3, "?limit=501": 3, "?limit=0": 1, "?limit=-1": 1, "?limit=abc": 3, "?cursor=nonsense": 3,
	} {
		if got := ask(query).Count; got != count {
			t.Errorf("%s: %d, want %d", query, got, count)
		}
	}
	want(t, a, 404, "GET", "/tenants/tnt_gone/sync-history", "")
}

func TestHistoryByPages(t *testing.T) {
	a, id, set := clocked(t, ut.Options{})
	for i := range 45 {
		set(time.Duration(i/2) * time.Minute) // two at a time
		a.FinishRun(id, []string{"inventory", "advertisers"}[i%2], i)
	}
	var seen []string
	pages, cursor := 0, ""
	for {
		h := strict[history](t, want(t, a, 200, "GET", "/tenants/"+id+"/sync-history?cursor="+cursor, ""))
		pages++
		for _, r := range h.Runs {
			seen = append(seen, r.Started+r.ID)
		}
		if pages == 1 { // what is new does not shift the pages behind
			set(time.Hour)
			a.FinishRun(id, "inventory", 1)
		}
		if h.Next == nil {
			break
		}
		cursor = *h.Next
	}
	sorted := slices.Clone(seen)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	if pages != 3 || len(seen) != 45 || len(slices.Compact(slices.Clone(seen))) != 45 || !slices.Equal(seen, sorted) {
		t.Errorf("%d runs on %d pages", len(seen), pages)
	}
}

// A tenant with a schedule has a history that fits its status document.
func TestHistoryOfASchedule(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.InventoryFailed()))
	h := strict[history](t, want(t, a, 200, "GET", "/tenants/tnt_a/sync-history?sync_type=inventory&limit=500", ""))
	s := read(t, []byte(body(t, get(t, a, statusPath("tnt_a"))))).Syncs["inventory"]
	if len(h.Runs) < 10 || h.Runs[0].Status != "failed" || !strings.HasPrefix(h.Runs[0].Started, strings.TrimSuffix(s.LastRunAt, "Z")) ||
		!strings.Contains(*h.Runs[0].Error, ut.Canary) {
		t.Errorf("%+v beside %+v", h.Runs, s)
	}
	again := strict[history](t, want(t, a, 200, "GET", "/tenants/tnt_a/sync-history?sync_type=inventory&limit=500", ""))
	if again.Runs[3].ID != h.Runs[3].ID {
		t.Error("ids change from call to call")
	}
	running := strict[history](t, want(t, a, 200, "GET", "/tenants/tnt_a/sync-history?sync_type=reporting", ""))
	if len(running.Runs) != 1 || running.Runs[0].Status != "in_progress" || running.Runs[0].Completed != nil {
		t.Errorf("running: %+v", running)
	}
}
