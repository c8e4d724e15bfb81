package status_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
	ut "esagate/upstream/upstreamtest"
)

// TestStates: every state over the life of a source, each as readers and the registry are told.
func TestStates(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen()
		for _, step := range []struct {
			name, state, issue string
			do                 func()
		}{
			{"first read", transform.StateLive, "", w.refresh},
			{"ad server refused", transform.StateDown, "ADAPTER_DISCONNECTED", func() { w.tenant(ut.Disconnected()); w.pass(time.Minute); w.refresh() }},
			{"nothing set up", transform.StateBlocked, "", func() { w.tenant(ut.Provisioned()); w.pass(time.Minute); w.refresh() }},
			{"a sync failed", transform.StateDegraded, "", func() { w.tenant(ut.InventoryFailed()); w.pass(time.Minute); w.refresh() }},
			{"switched off", transform.StateDeactivated, "", func() {
				w.change(func(c *registry.Connection) { c.Provisioning, c.DeactivatedAt = registry.StatusDeactivated, time.Now() })
			}},
			{"switched on", transform.StateDegraded, "", func() {
				w.change(func(c *registry.Connection) {
					c.Provisioning, c.DeactivatedAt = registry.StatusActive, time.Time{}
				})
			}},
			{"no such tenant", transform.StateDown, "TENANT_NOT_FOUND", func() { w.agent.RemoveTenant(tenantID); w.pass(time.Minute); w.refresh() }},
			{"back", transform.StateLive, "", func() { w.tenant(ut.Healthy()); w.pass(time.Minute); w.refresh() }},
			{"long outage", transform.StateUnknown, "", func() { w.agent.SetDown(true); w.pass(lapse + 10*time.Second) }},
			{"over", transform.StateLive, "", func() { w.agent.SetDown(false); w.pass(time.Minute); w.refresh() }},
			{"provisioned anew, in vain", transform.StateBlocked, "PERMISSION_DENIED", func() {
				w.change(func(c *registry.Connection) {
					c.Provisioning, c.TenantID, c.LastErrorCode = registry.StatusFailed, "", "PERMISSION_DENIED"
				})
			}},
			{"and once more", transform.StatePending, "", func() {
				w.change(func(c *registry.Connection) { c.Provisioning, c.LastErrorCode = registry.StatusProvisioning, "" })
			}},
		} {
			before := time.Now()
			step.do()
			after := time.Now()
			row := l.row()
			if row.State != step.state || step.issue != "" && (row.Issue == nil || row.Issue.Code != step.issue) {
				t.Errorf("%s: %s, %+v", step.name, row.State, row.Issue)
			}
			since := row.Since.Time
			if step.name != "long outage" && (since.Before(before.Truncate(time.Millisecond)) || since.After(after)) {
				t.Errorf("%s: since %s, between %s and %s", step.name, since, before, after)
			}
			w.pass(2 * time.Second)
			if n := w.standing(); n.State != step.state || !n.Since.Truncate(time.Millisecond).Equal(since) {
				t.Errorf("%s: kept %+v, want %s since %s", step.name, n, step.state, since)
			}
		}
		if _, err := w.directory.DeleteSource(w.Context(), customer, sourceID, func(*registry.Source) error { return nil }); err != nil {
			t.Fatal(err)
		}
		all := l.next()
		if len(all) != 1 || all[0].name != api.EventConnectionChanged || !all[0].conn.Deleted {
			t.Errorf("%+v", all)
		}
	})
}

// TestSinceOutlastsTheProcess: neither a restart nor a short outage moves since of a source that is
// still in its state, in what is told and in the database.
func TestSinceOutlastsTheProcess(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen()
		w.refresh()
		began := l.row().Since
		for range 3 {
			w.pass(10 * time.Minute)
			w.restart()
			l = w.listen()
			if w.refresh(); len(l.next()) != 0 {
				t.Error("a restart is news")
			}
			w.agent.SetDown(true)
			if w.pass(20 * time.Second); !l.row().Stale {
				t.Error("not stale")
			}
			w.agent.SetDown(false)
			w.pass(time.Minute)
			if row := l.row(); row.Stale || row.State != transform.StateLive || row.Since != began {
				t.Errorf("%s since %s, want %s", row.State, row.Since, began)
			}
			if n := w.standing(); !n.Since.Truncate(time.Millisecond).Equal(began.Time) || time.Since(n.ReceivedAt) > 2*time.Minute {
				t.Errorf("kept since %s received %s, want %s", n.Since, n.ReceivedAt, began)
			}
		}
		changes, err := w.store.Customer(customer).StateChanges(w.Context(), time.Time{})
		if err != nil || len(changes) != 1 {
			t.Errorf("%+v, %v", changes, err)
		}
	})
}

// TestNoSuchTenantLasts: that the sales agent has no such tenant is newer than what was kept of the document
// before.
func TestNoSuchTenantLasts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.refresh()
		w.pass(3 * time.Second)
		w.overview(w.process)
		w.pass(3 * time.Second)
		w.agent.RemoveTenant(tenantID)
		w.refresh()
		since := time.Now()
		for range 60 {
			if row := w.overview(w.process); row.State != transform.StateDown || !row.Since.Time.Equal(since) {
				t.Fatalf("%s since %s, want since %s", row.State, row.Since, since)
			}
			w.pass(time.Second)
			w.refresh()
		}
	})
}

// TestLongOutage: a watched source becomes unknown at the end of its last news, and its row goes on to show
// what was last known of it, over a restart too.
func TestLongOutage(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen()
		w.pass(time.Minute)
		l.next()
		w.agent.SetDown(true)
		heard := w.standing().ReceivedAt
		w.pass(lapse - 10*time.Second)
		if row := l.row(); row.State != transform.StateLive || !row.Stale {
			t.Errorf("before its end: %s", row.State)
		}
		w.pass(20 * time.Second)
		row := l.row()
		since := row.Since
		check := func(row *api.OverviewItem) {
			t.Helper()
			if row.State != transform.StateUnknown || row.Issue == nil || row.Issue.Code != transform.IssueNoNews || len(row.Syncs) == 0 ||
				row.FetchedAt.IsZero() || row.Since != since || row.Since.Time.Sub(heard) < lapse-time.Second {
				t.Errorf("%+v", row)
			}
		}
		check(&row)
		see := func() *api.OverviewItem { return w.overview(w.process) }
		w.pass(5 * time.Minute)
		check(see())
		w.restart()
		check(see())
		w.refresh()
		check(see())
		w.pass(5 * time.Minute)
		if changes, err := w.store.Customer(customer).StateChanges(w.Context(), time.Time{}); err != nil || len(changes) != 2 {
			t.Errorf("%+v, %v", changes, err)
		}
	})
}

// noSnapshots is a database that has no documents.
type noSnapshots struct{ registry.Store }

func (noSnapshots) Snapshot(context.Context, string) (*registry.Snapshot, error) {
	return nil, registry.ErrNotFound
}

// TestReplicasAgree: a replica that can't ask takes nothing back of what another was told, so that neither
// fills the history with states by turns.
func TestReplicasAgree(t *testing.T) {
	inWorld(t, func(s registry.Store) registry.Store { return noSnapshots{s} }, func(w *world) {
		first, second := w.process, w.start()
		defer w.stop(second)
		refresh := func(p process) {
			src, err := p.directory.ManagedSource(w.Context(), customer, sourceID)
			w.must(err)
			_ = p.status.Refresh(w.Context(), src)
			w.pass(2 * time.Second)
		}
		w.agent.SetDown(true)
		refresh(second)
		w.agent.SetDown(false)
		refresh(first)
		w.agent.SetDown(true)
		for range 8 {
			w.pass(time.Minute)
			refresh(second)
			refresh(first)
		}
		if n := w.standing(); n.State != transform.StateLive {
			t.Errorf("kept %s", n.State)
		}
		for _, p := range []process{first, second} {
			if row := w.overview(p); row.State != transform.StateLive {
				t.Errorf("%+v", row)
			}
		}
		w.agent.SetDown(false)
		for range 20 {
			w.pass(40 * time.Second)
			refresh(second)
			refresh(first)
		}
		changes, err := w.store.Customer(customer).StateChanges(w.Context(), time.Time{})
		if err != nil || len(changes) == 0 || len(changes) > 2 || changes[len(changes)-1].State != transform.StateLive {
			t.Errorf("%+v, %v", changes, err)
		}
	})
}

// TestAnotherReplica: what another replica wrote is told here once, and at once where a hint comes.
func TestAnotherReplica(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.follow = true
		w.restart()
		l := w.listen()
		w.pass(10 * time.Second)
		l.next()
		other := w.start()
		defer w.stop(other)
		told := func(hint bool, want ...string) []news {
			t.Helper()
			if hint {
				w.directory.LookNow()
				w.pass(50 * time.Millisecond)
			} else {
				w.pass(2 * time.Second)
			}
			all := l.next()
			if w.pass(10 * time.Second); len(l.next()) > 0 {
				t.Error("told again")
			}
			var names []string
			for _, n := range all {
				names = append(names, n.name)
			}
			if !slices.Equal(names, want) {
				t.Errorf("told %v, want %v", names, want)
			}
			return append(all, make([]news, 2)...)
		}
		rename := func(p process, name string) {
			_, err := p.directory.UpdateSource(w.Context(), customer, sourceID, func(*registry.Source) (registry.SourceChange, error) {
				return registry.SourceChange{Name: &name}, nil
			})
			w.must(err)
		}
		for i, hint := range []bool{true, false} {
			name := fmt.Sprint("Name ", i)
			rename(other, name)
			if all := told(hint, api.EventConnectionChanged, api.EventStatusChanged); all[0].conn.Name != name || all[1].row.Name != name {
				t.Errorf("%+v", all)
			}
		}
		rename(w.process, "Written here")
		told(true, api.EventConnectionChanged, api.EventStatusChanged)
		w.adopt("second", "tnt_second")
		if all := told(true, api.EventConnectionChanged, api.EventStatusChanged); all[0].conn.SourceID != "second" {
			t.Errorf("made: %+v", all[0])
		}
		remove := func(p process) {
			_, err := p.directory.DeleteSource(w.Context(), customer, "second", func(*registry.Source) error { return nil })
			w.must(err)
		}
		remove(other)
		if all := told(true, api.EventConnectionChanged); !all[0].conn.Deleted || all[0].conn.SourceID != "second" {
			t.Errorf("gone: %+v", all[0])
		}
		w.pending(other, "second")
		if all := told(true, api.EventConnectionChanged, api.EventStatusChanged); all[0].conn.Deleted {
			t.Errorf("made anew: %+v", all[0])
		}
		remove(w.process) // and made anew before this replica has looked
		w.pending(w.process, "second")
		all := told(true, api.EventConnectionChanged, api.EventStatusChanged) // the later ones of two
		if all[0].conn.Deleted || all[1].row.ESAID != all[0].conn.ESAID {
			t.Errorf("made anew here: %+v", all)
		}
	})
}

// pending makes a source that waits for its tenant.
func (w *world) pending(p process, id string) {
	w.Helper()
	_, err := p.directory.CreateManaged(w.Context(), customer, registry.NewManaged{
		SourceID: id, Name: id, AdServer: registry.AdServer{Type: "google_ad_manager"},
		Operation: registry.Operation{Kind: registry.OperationProvision, ID: "op", Begun: time.Now(), Until: time.Now().Add(time.Minute)},
	}, nil)
	w.must(err)
}
