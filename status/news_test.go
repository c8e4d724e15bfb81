package status_test

import (
	"slices"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	ut "esagate/upstream/upstreamtest"
)

// TestSyncEvents: the beginning and the end of each run are told once, in order, and none for the
// first document that is known.
func TestSyncEvents(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.tenant(steady())
		l := w.listen()
		w.pass(10 * time.Second)
		if names := l.names(); !slices.Equal(names, []string{api.EventStatusChanged}) {
			t.Errorf("first document: %v", names)
		}
		refresh := func() {
			if _, err := w.client.Refresh(w.Context(), tenantID); err != nil {
				t.Fatal(err)
			}
			w.pass(10 * time.Second)
		}
		refresh()
		for _, n := range l.next() {
			if n.name == api.EventSyncStarted && n.sync.Stream == "customTargeting" && (n.sync.At.IsZero() || n.sync.SourceID != sourceID || n.sync.CustomerID != customer) {
				t.Errorf("started: %+v", n.sync)
			} else if n.name != api.EventSyncStarted && n.name != api.EventStatusChanged && n.name != api.EventConnectionChanged {
				t.Errorf("a start is told as %s", n.name)
			}
		}
		w.agent.FinishRun(tenantID, "inventory", 4711)
		w.agent.FailRun(tenantID, "custom_targeting", "")
		w.pass(10 * time.Second)
		all := l.next()
		done := slices.IndexFunc(all, func(n news) bool { return n.name == api.EventSyncCompleted })
		failed := slices.IndexFunc(all, func(n news) bool { return n.name == api.EventSyncFailed })
		if done < 0 || failed < 0 || all[done].sync.Stream != "inventory" || all[failed].sync.Stream != "customTargeting" || all[len(all)-1].name != api.EventStatusChanged {
			t.Fatalf("%+v", all)
		}
		if is := all[done].sync; is.ItemCount == nil || *is.ItemCount != 4711 || is.Error != nil || is.At.IsZero() {
			t.Errorf("completed: %+v", is)
		}
		if is := all[failed].sync; is.Error == nil || is.ItemCount != nil {
			t.Errorf("failed: %+v", is)
		}
		if all = l.next(); len(all) != 0 {
			t.Errorf("told again: %+v", all)
		}
		w.pass(time.Minute)
		if all = l.next(); len(all) != 0 {
			t.Errorf("told again: %+v", all)
		}
	})
}

// TestConnectionEvents: a change that a reader sees is told, and no other.
func TestConnectionEvents(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.tenant(steady())
		l := w.listen()
		w.pass(10 * time.Second)
		l.next()
		w.change(func(c *registry.Connection) { c.Epoch++ })
		w.pass(time.Minute)
		if all := l.next(); len(all) != 0 {
			t.Errorf("an epoch is told: %+v", all)
		}
		w.change(func(c *registry.Connection) { c.ServiceAccountEmail = "sa@agent.example" })
		if names := l.names(); !slices.Equal(names, []string{api.EventConnectionChanged}) {
			t.Errorf("an e-mail: %v", names)
		}
		w.change(func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated })
		all := l.next()
		if len(all) != 2 || all[0].conn.ProvisioningStatus != "deactivated" || all[1].row.State != "deactivated" {
			t.Errorf("switched off: %+v", all)
		}
		once, err := w.directory.CreateManaged(w.Context(), customer, registry.NewManaged{
			SourceID: "made", Name: "Made", AdServer: registry.AdServer{Type: "google_ad_manager"},
			Operation: registry.Operation{Kind: registry.OperationProvision, ID: "op", Begun: time.Now(), Until: time.Now().Add(time.Minute)},
		}, nil)
		w.must(err)
		all = l.next()
		if len(all) != 2 || all[0].conn.SourceID != "made" || all[1].row.State != "pending" || all[0].conn.ESAID != all[1].row.ESAID {
			t.Errorf("made: %+v of %+v", all, once.Source)
		}
	})
}

// steady is a tenant that is well and whose syncs run when they are asked to.
func steady() ut.Status {
	s := ut.Healthy()
	for i := range s.Streams {
		s.Streams[i].Every = 0
	}
	return s
}

// TestNoEndOfWhatWasMadeAnew: that a source was deleted is not told once the one is known that has its sourceId now: who
// follows it would take that for gone.
func TestNoEndOfWhatWasMadeAnew(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen()
		w.refresh()
		old, other := w.source(sourceID), w.start()
		defer w.stop(other)
		_, err := other.directory.DeleteSource(w.Context(), customer, sourceID, func(*registry.Source) error { return nil })
		w.must(err)
		w.pending(other, sourceID)
		_, err = w.directory.ManagedSourceNow(w.Context(), customer, sourceID) // before it hears of the end of the old one
		w.must(err)
		l.next()
		w.status.JudgeElsewhere(old, true)
		if all := l.next(); len(all) > 0 {
			t.Errorf("%+v", all)
		}
	})
}
