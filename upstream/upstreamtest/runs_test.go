package upstreamtest_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
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

// clocked is an agent whose clock the test sets, with one tenant just made.
func clocked(t *testing.T, opts ut.Options) (a *ut.Agent, id string, set func(time.Duration)) {
	t.Helper()
	now := start
	opts.APIKey, opts.Now, opts.CacheFor = key, func() time.Time { return now }, -1
	a = ut.New(opts)
	t.Cleanup(a.Close)
	return a, provision(t, a, "1", gamBody), func(d time.Duration) { now = start.Add(d) }
}

func TestRefreshAgainWithinAMinute(t *testing.T) {
	a, id, set := clocked(t, ut.Options{})
	path := "/tenants/" + id + "/refresh"
	first := strict[refreshed](t, want(t, a, 202, "POST", path, ""))
	if len(first.IDs) != 3 || first.Started != "2026-07-04T10:00:00.250000Z" {
		t.Errorf("first: %+v", first)
	}
	set(30 * time.Second)
	a.FinishRun(id, "custom_targeting", 4)
	set(59 * time.Second)
	if again := strict[refreshed](t, want(t, a, 202, "POST", path, "")); !maps.Equal(again.IDs, first.IDs) || again.Started != first.Started {
		t.Errorf("within a minute: %+v", again)
	}
	a.FinishRun(id, "advertisers", 4)
	set(61 * time.Second)
	late := strict[refreshed](t, want(t, a, 409, "POST", path, ""))
	if late.Error != "sync_already_running" || late.Message == "" || len(late.Running) != 1 || late.Running[0] != "inventory" ||
		!maps.Equal(late.IDs, map[string]string{"inventory": first.IDs["inventory"]}) || late.Started != first.Started {
		t.Errorf("still running: %+v", late)
	}
	if n := len(a.Runs(id)); n != 3 {
		t.Errorf("a refused refresh started runs: %d", n)
	}
	a.FinishRun(id, "inventory", 9)
	next := strict[refreshed](t, want(t, a, 202, "POST", path, ""))
	for name, run := range next.IDs {
		if run == first.IDs[name] {
			t.Errorf("%s: an old run stands for a new one", name)
		}
	}
	want(t, a, 404, "POST", "/tenants/tnt_gone/refresh", "")
}

func TestRunsShowInStatus(t *testing.T) {
	a, id, set := clocked(t, ut.Options{RunWaits: 5 * time.Second, RunTakes: 20 * time.Second})
	status := func() document { return read(t, []byte(body(t, get(t, a, statusPath(id))))) }
	want(t, a, 202, "POST", "/tenants/"+id+"/refresh", "")
	a.FailRun(id, "advertisers", "PermissionError: no\nCANARY")
	for _, c := range []struct {
		at        time.Duration
		inventory string
	}{{0, "running"}, {24, "running"}, {25, "success"}} {
		set(c.at * time.Second)
		if d := status(); d.Syncs["inventory"].Status != c.inventory || d.Syncs["advertisers"].Status != "failed" || d.Syncs["reporting"].Status != "never_run" {
			t.Errorf("after %d s: %+v", c.at, d.Syncs)
		}
	}
	set(time.Minute)
	d := status()
	if s := d.Syncs["inventory"]; s.LastRunAt != "2026-07-04T10:00:00.250000Z" || s.LastSuccess != "2026-07-04T10:00:25.250000Z" || *s.ItemCount == 0 || s.Error != nil {
		t.Errorf("inventory %+v", s)
	}
	if s := d.Syncs["advertisers"]; s.LastSuccess != "" || s.ItemCount != nil || !strings.Contains(*s.Error, ut.Canary) {
		t.Errorf("advertisers %+v", s)
	}
	if d.SetupTasks.Blockers != 0 || d.Profiles.Total == 0 {
		t.Errorf("nothing to sell after the first run: %+v", d)
	}
	text := body(t, get(t, a, statusPath(id)))
	for _, s := range []string{`"products":{"active_count":4`, `"action":"reconnect_adapter"`, `"severity":"critical"`} {
		if !strings.Contains(text, s) {
			t.Errorf("status without %s: %s", s, text)
		}
	}
}

func TestRunsOfARefusedAccountFail(t *testing.T) {
	a, id, set := clocked(t, ut.Options{RunTakes: time.Second})
	a.AdServer("82640", ut.Probe{Outcome: ut.InvalidCredentials})
	want(t, a, 202, "POST", "/tenants/"+id+"/refresh", "")
	set(time.Second)
	for _, r := range a.Runs(id) {
		if r.Status != ut.RunFailed || !strings.Contains(r.Error, "credentials") {
			t.Errorf("run %+v", r)
		}
	}
	a.AdServer("82640")
	a.FinishRun(id, "inventory", 3)
	if r := a.Runs(id); len(r) != 4 || r[3].Status != ut.RunCompleted || r[3].Items != 3 || r[3].Trigger != "scheduled" {
		t.Errorf("runs %+v", r)
	}
}

func TestARunOfATenantWithASchedule(t *testing.T) {
	now := start
	a := ut.New(ut.Options{APIKey: key, CacheFor: -1, Now: func() time.Time { return now }})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	block := func() (status, run, success string) {
		s := read(t, []byte(body(t, get(t, a, statusPath("tnt_a"))))).Syncs["inventory"]
		return s.Status, s.LastRunAt, s.LastSuccess
	}
	a.StartRun("tnt_a", "inventory")
	if status, run, success := block(); status != "running" || run != "2026-07-04T10:00:00.250000Z" || success != "2026-07-04T09:49:00Z" {
		t.Errorf("running: %s %s %s", status, run, success)
	}
	a.FailRun("tnt_a", "inventory", "")
	if status, _, success := block(); status != "failed" || success != "2026-07-04T09:49:00Z" {
		t.Errorf("failed: %s %s", status, success)
	}
	now = start.Add(time.Hour)
	if status, run, _ := block(); status != "success" || run != "2026-07-04T10:46:32Z" {
		t.Errorf("the schedule does not go on: %s %s", status, run)
	}
}

// The event of a run is delivered at its end, without a call that asks for it.
func TestRunsEndByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, post := subscribed(t, ut.Options{RunWaits: time.Second, RunTakes: 20 * time.Second}, `{"url":"https://hook.example/a"}`)
		id := a.TenantIDs()[0]
		want(t, a, 202, "POST", "/tenants/"+id+"/refresh", "")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := len(post.seen()); n != 0 {
			t.Errorf("%d deliveries before the end", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if all := post.seen(); len(all) != 6 { // completed, and a change of health, of three streams
			t.Errorf("%d deliveries", len(all))
		}
		a.StartRun(id, "reporting")
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if all := post.seen(); len(all) != 8 {
			t.Errorf("%d deliveries with those of a scheduled run", len(all))
		}
	})
}

func TestAGoodRunEndsAFailure(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, CacheFor: -1, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.InventoryFailed()))
	a.FinishRun("tnt_a", "inventory", 5)
	text := body(t, get(t, a, statusPath("tnt_a")))
	if !strings.Contains(text, `"inventory":{"last_run_at":"2026-07-04T10:00:00.250000Z","status":"success","severity":"ok",`+
		`"last_success_at":"2026-07-04T10:00:00.250000Z","issue":null,"item_count":5,"error":null}`) {
		t.Errorf("something of the failure is left: %s", text)
	}
}
