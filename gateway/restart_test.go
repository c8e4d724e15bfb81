package gateway_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// restart ends a gateway, or with kill leaves it as a process that was killed would, and
// starts another one on its database.
func (w *world) restart(kill bool) *world {
	w.Helper()
	if kill {
		w.must(w.store.Close()) // nothing can be written any more
	}
	w.stop()
	return w.replica()
}

// restartAfter restarts the gateway when it has been away for a while: a day in which it runs
// takes seconds, for what it does each second.
func (w *world) restartAfter(away time.Duration) *world {
	w.Helper()
	w.stop()
	w.pass(away)
	return w.replica()
}

// served reads a status and gives its body and age; the answer is to be a 200.
func (w *world) served(path string) (body string, age time.Duration, fresh string) {
	w.Helper()
	a := w.get(path)
	if a.status != 200 {
		w.Fatalf("%d %s", a.status, a.body)
	}
	seconds, err := strconv.Atoi(a.header.Get("Age"))
	w.must(err)
	return string(a.body), time.Duration(seconds) * time.Second, a.header.Get("Cache-Status")
}

// After a restart in an outage known sources are served as before, with their true age, for as
// long as without a restart.
func TestAStatusOutlivesTheProcess(t *testing.T) {
	for name, c := range map[string]struct {
		kill   bool
		lasts  time.Duration // how long the first process lives after the read
		served bool
	}{
		"stopped":                         {false, 0, true},
		"killed soon after the read":      {true, 2 * time.Second, true},
		"killed before anything was kept": {true, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				w.learn()
				w.pass(6 * time.Second)
				before, _, _ := w.served(statusOf)
				read := time.Now()
				w.pass(c.lasts)
				w.agent.SetDown(true)
				after := w.restart(c.kill)
				defer after.stop()
				if !c.served {
					after.get(statusOf).failure(t, 503, "SERVICE_UNAVAILABLE")
					return
				}
				if c.lasts == 0 {
					if body, age, _ := after.served(statusOf); body != before || age > time.Second {
						t.Errorf("age %s:\n%s, want\n%s", age, body, before)
					}
				}
				after.pass(5 * time.Minute)
				body, age, _ := after.served(statusOf)
				if !strings.Contains(body, "STATUS_STALE") || (time.Since(read)-age).Abs() > 2*time.Second {
					t.Errorf("age %s of %s: %s", age, time.Since(read), body)
				}
				again := after.restart(false) // of what was not received again: no younger for it
				defer again.stop()
				if _, later, _ := again.served(statusOf); later < age {
					t.Errorf("age %s, after %s", later, age)
				}
				again.pass(11 * time.Minute)
				again.get(statusOf).failure(t, 503, "SERVICE_UNAVAILABLE")
			})
		})
	}
}

// A kept status is served once: what expired it, or took it away, holds after a restart too.
func TestWhatIsKeptOfAStatusFollowsItsConnection(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.learn()
		w.served(statusOf)
		second := w.restart(false)
		calls := w.agent.Calls(tenant)
		if _, _, from := second.served(statusOf); w.agent.Calls(tenant) != calls {
			t.Errorf("a copy of before the restart is fresh, and was fetched again: %s", from)
		}

		// A write makes it old, also where the write was the last thing that the process did.
		second.write("POST", sourcesPath+"/"+source+"/refresh", "")
		calls = w.agent.Calls(tenant)
		third := second.restart(false)
		third.served(statusOf)
		if w.agent.Calls(tenant) == calls {
			t.Error("a copy of before a write was served as fresh after a restart")
		}

		// Upstream knows the tenant no more: nothing of it is left.
		w.agent.RemoveTenant(tenant)
		third.pass(6 * time.Second)
		third.get(statusOf)
		third.pass(2 * time.Second)
		third.get(statusOf).failure(t, 404, "NOT_FOUND")
		third.pass(2 * time.Second)
		if n, err := third.store.Snapshot(w.Context(), tenant); err == nil {
			t.Errorf("of a tenant that is gone: %s", n.Document)
		}
		third.stop()
	})
}

// A format that this version does not write is as good as none.
func TestASnapshotOfAnotherFormat(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.must(w.store.KeepSnapshots(w.Context(), []registry.Snapshot{{TenantID: tenant, At: time.Now(), ReceivedAt: time.Now(),
			Document: []byte(`{"format":0,"status":{}}`)}}, time.Time{}))
		w.served(statusOf)
	})
}

// A tenant is asked about at the pace of a gateway that is not restarted, whether the sales
// agent answers or not.
func TestRestartsAskOfNoTenantAgain(t *testing.T) {
	other := registry.ConfigSource{CustomerID: customer, SourceID: "other", Name: "Other", TenantID: "tnt_other"}
	inWorld(t, setup{sources: []registry.ConfigSource{other}}, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_other", Active: true, Status: upstreamtest.Healthy()})
		w.agent.Fault("tnt_other", upstreamtest.Fault{Only: upstreamtest.RouteTenant, Status: 400})
		asked := func(most, least int) {
			t.Helper()
			for _, id := range []string{tenant, "tnt_other"} {
				n := 0
				for _, r := range w.agent.Requests() {
					if r.Route == upstreamtest.RouteTenant && r.TenantID == id {
						n++
					}
				}
				if n < least || n > most {
					t.Errorf("%s was asked about %d times, want %d to %d", id, n, least, most)
				}
			}
		}
		current := w
		for range 5 {
			current.learn()
			current.pass(time.Minute)
			asked(1, 1)
			current = current.restart(false)
			defer current.stop()
		}
		current.learn()
		current.pass(55 * time.Minute)
		asked(8, 5)
	})
}
