package upstreamtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

type refreshed struct {
	Error   string            `json:"error"`
	Message string            `json:"message"`
	IDs     map[string]string `json:"sync_run_ids"`
	Started string            `json:"started_at"`
	Running []string          `json:"running_sync_types"`
}

func TestRefreshAgainWithinAMinute(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Provisioned())
	refresh := func(after time.Duration, status int) refreshed {
		t.Helper()
		w.now = start.Add(after)
		return strict[refreshed](t, []byte(w.want(status, "POST", "/tenants/tnt_a/refresh", "")))
	}
	first := refresh(0, 202)
	if len(first.IDs) != 3 || first.Started != "2026-07-04T10:00:00.250000Z" {
		t.Errorf("first: %+v", first)
	}
	w.FinishRun("tnt_a", "custom_targeting", 4)
	if again := refresh(59*time.Second, 202); !maps.Equal(again.IDs, first.IDs) || again.Started != first.Started {
		t.Errorf("within a minute: %+v", again)
	}
	w.FinishRun("tnt_a", "advertisers", 4)
	late := refresh(61*time.Second, 409)
	if late.Error != "sync_already_running" || late.Message == "" || !slices.Equal(late.Running, []string{"inventory"}) ||
		!maps.Equal(late.IDs, map[string]string{"inventory": first.IDs["inventory"]}) || late.Started != first.Started {
		t.Errorf("still running: %+v", late)
	}
	w.FinishRun("tnt_a", "inventory", 9)
	for name, run := range refresh(61*time.Second, 202).IDs {
		if run == first.IDs[name] {
			t.Errorf("%s: an old run stands for a new one", name)
		}
	}
	w.want(404, "POST", "/tenants/tnt_gone/refresh", "")
}

func TestRunsShowInStatus(t *testing.T) {
	w := newWorld(t, ut.Options{CacheFor: -1, RunWaits: 5 * time.Second, RunTakes: 20 * time.Second}, ut.Provisioned())
	w.want(202, "POST", "/tenants/tnt_a/refresh", "")
	w.FailRun("tnt_a", "advertisers", "PermissionError: no\nCANARY")
	for _, c := range []struct {
		at        time.Duration
		inventory string
	}{{0, "running"}, {24, "running"}, {25, "success"}} {
		w.now = start.Add(c.at * time.Second)
		s := w.status().Syncs
		if s["inventory"].Status != c.inventory || s["advertisers"].Status != "failed" || s["reporting"].Status != "never_run" {
			t.Errorf("after %d s: %+v", c.at, s)
		}
	}
	w.now = start.Add(time.Minute)
	d := w.status()
	if s := d.Syncs["inventory"]; s.LastRunAt != "2026-07-04T10:00:00.250000Z" || s.LastSuccess != "2026-07-04T10:00:25.250000Z" ||
		*s.ItemCount == 0 || s.Error != nil {
		t.Errorf("inventory %+v", s)
	}
	if s := d.Syncs["advertisers"]; s.LastSuccess != "" || s.ItemCount != nil || !strings.Contains(*s.Error, ut.Canary) ||
		s.Severity != "critical" || s.Issue.Action != "reconnect_adapter" {
		t.Errorf("advertisers %+v", s)
	}
	if d.SetupTasks.Blockers != 0 || d.Products.Active != 4 {
		t.Errorf("nothing to sell after the first run: %+v", d)
	}
}

func TestRunsOfARefusedAccountFail(t *testing.T) {
	w := newWorld(t, ut.Options{RunTakes: time.Second}, ut.Provisioned())
	w.AdServer("777", ut.Probe{Outcome: ut.InvalidCredentials})
	w.want(202, "POST", "/tenants/tnt_a/refresh", "")
	w.now = start.Add(time.Second)
	if s := w.status().Syncs["inventory"]; s.Status != "failed" || !strings.Contains(*s.Error, "credentials") {
		t.Errorf("%+v", s)
	}
}

// A run of a tenant with a schedule stands until the schedule's next one.
func TestARunBesideASchedule(t *testing.T) {
	w := newWorld(t, ut.Options{CacheFor: -1}, ut.InventoryFailed())
	expect := func(status, run, success string) {
		t.Helper()
		if s := w.status().Syncs["inventory"]; s.Status != status || s.LastRunAt != run || s.LastSuccess != success {
			t.Errorf("%+v", s)
		}
	}
	expect("failed", "2026-07-04T09:51:53Z", "2026-07-02T10:00:00Z")
	w.want(202, "POST", "/tenants/tnt_a/refresh", "")
	expect("running", "2026-07-04T10:00:00.250000Z", "2026-07-02T10:00:00Z")
	w.FinishRun("tnt_a", "inventory", 5)
	expect("success", "2026-07-04T10:00:00.250000Z", "2026-07-04T10:00:00.250000Z")
	if s := w.status().Syncs["inventory"]; s.Severity != "ok" || s.Issue != nil || s.Error != nil {
		t.Errorf("something of the failure is left: %+v", s)
	}
	w.now = start.Add(time.Hour)
	expect("failed", "2026-07-04T10:51:53Z", "2026-07-02T10:00:00Z")
}

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

func (w *world) history(query string) history {
	w.t.Helper()
	return strict[history](w.t, []byte(w.want(200, "GET", "/tenants/tnt_a/sync-history?"+query, "")))
}

func TestHistory(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Provisioned())
	w.FinishRun("tnt_a", "inventory", 12)
	w.now = start.Add(time.Minute)
	w.want(202, "POST", "/tenants/tnt_a/refresh", "")
	w.now = start.Add(2 * time.Minute)
	w.FailRun("tnt_a", "inventory", "")
	w.FinishRun("tnt_a", "advertisers", 1)
	all := w.history("sync_type=inventory")
	if all.Count != 2 || all.Next != nil {
		t.Fatalf("%+v", all)
	}
	if r := all.Runs[0]; r.Status != "failed" || r.Started != "2026-07-04T10:01:00.250000Z" || *r.Completed != "2026-07-04T10:02:00.250000Z" ||
		*r.Seconds != 60 || r.Failed != 1 || !strings.Contains(*r.Error, "Traceback") || !strings.Contains(*r.Error, ut.Canary) {
		t.Errorf("failed run %+v", r)
	}
	if r := all.Runs[1]; r.Status != "success" || r.Items != 12 || r.Error != nil {
		t.Errorf("good run %+v", r)
	}
	if r := w.history("sync_type=custom_targeting").Runs[0]; r.Status != "in_progress" || r.Completed != nil {
		t.Errorf("open run %+v", r)
	}
	// The filter takes the raw words, which differ from those of the answers.
	for query, count := range map[string]int{
		"status=completed": 2, "status=running": 1, "status=failed": 1, "status=pending": 0,
		"status=success": 0, "status=in_progress": 0, "sync_type=inventory&status=failed": 1, "sync_type=customTargeting": 0,
		"limit=2": 2, "limit=501": 4, "limit=0": 1, "limit=-1": 1, "limit=abc": 4, "cursor=nonsense": 4,
	} {
		if got := w.history(query).Count; got != count {
			t.Errorf("%s: %d, want %d", query, got, count)
		}
	}
}

func TestHistoryByPages(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Provisioned())
	for i := range 45 {
		w.now = start.Add(time.Duration(i/2) * time.Minute) // two at a time
		w.FinishRun("tnt_a", []string{"inventory", "advertisers"}[i%2], i)
	}
	var seen []string
	pages, cursor := 0, ""
	for more := true; more; pages++ {
		h := w.history("cursor=" + cursor)
		for _, r := range h.Runs {
			seen = append(seen, r.Started+r.ID)
		}
		if more = h.Next != nil; more {
			cursor = *h.Next
			w.now = start.Add(time.Hour)
			w.FinishRun("tnt_a", "inventory", 1) // what is new does not shift the pages behind
		}
	}
	newestFirst := slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) })
	if pages != 3 || len(slices.Compact(slices.Clone(seen))) != 45 || !newestFirst {
		t.Errorf("%d runs on %d pages", len(seen), pages)
	}
}

// A tenant with a schedule has a history that fits its status document.
func TestHistoryOfASchedule(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.InventoryFailed())
	h, s := w.history("sync_type=inventory&limit=500"), w.status().Syncs["inventory"]
	if len(h.Runs) < 10 || h.Runs[0].Status != "failed" || !strings.HasPrefix(h.Runs[0].Started, strings.TrimSuffix(s.LastRunAt, "Z")) ||
		!strings.Contains(*h.Runs[0].Error, ut.Canary) {
		t.Errorf("%+v beside %+v", h.Runs, s)
	}
	if again := w.history("sync_type=inventory&limit=500"); again.Runs[3].ID != h.Runs[3].ID {
		t.Error("ids change from call to call")
	}
	if running := w.history("sync_type=reporting").Runs; len(running) != 1 || running[0].Status != "in_progress" {
		t.Errorf("running: %+v", running)
	}
}
