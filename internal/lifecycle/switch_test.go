package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestDeactivateAndReactivate(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		for range 2 { // the second time there is nothing to do
			m := w.deactivate(id)
			w.is(*m.Connection, registry.StatusDeactivated, "")
			if m.Connection.DeactivatedAt.IsZero() || m.Connection.Epoch <= before.Epoch {
				w.Errorf("%+v", *m.Connection)
			}
		}
		w.calls("deactivate", 1)
		w.fails(w.do("refresh", id), fault.Conflict)
		for range 2 {
			m := w.reactivate(id)
			w.is(*m.Connection, registry.StatusActive, "")
			if !m.Connection.DeactivatedAt.IsZero() {
				w.Errorf("%+v", *m.Connection)
			}
		}
		w.calls("reactivate", 1)
		if !w.agent.active() {
			w.Error("the tenant is off")
		}
		w.one.reported("provision done", "deactivate done", "reactivate done")
		if len(w.one.changed) != 3 {
			w.Errorf("changes %v", w.one.changed)
		}
	})
}

func TestNeedsTenant(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		for _, change := range []string{"rotate", "deactivate", "reactivate", "test", "refresh"} {
			w.fails(w.do(change, id), fault.Conflict)
			w.fails(w.do(change, 9999), fault.NotFound)
		}
		_, err := w.one.Rotate(w.Context(), customer+1, id, w.parse(freewheel))
		w.fails(err, fault.NotFound)
		if len(w.agent.calls) != 0 {
			w.Errorf("%d calls", len(w.agent.calls))
		}
	})
}

// TestSwitchOfMissingTenant: a tenant that is gone is off, and can't be switched on.
func TestSwitchOfMissingTenant(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("deactivate", refuse(404, noTenant))
		m := w.deactivate(id)
		w.is(*m.Connection, registry.StatusDeactivated, "")
		w.agent.next("reactivate", refuse(404, noTenant))
		if f := w.fails(w.do("reactivate", id), fault.NotFound); f.Reason != fault.TenantNotFound {
			w.Errorf("%+v", f)
		}
		w.is(w.stored(id), registry.StatusDeactivated, "INTERNAL_ERROR")
	})
}

// TestSwitchOfUnknownOutcome: upstream is asked what is true.
func TestSwitchOfUnknownOutcome(t *testing.T) {
	type test struct {
		b        behaviour
		truth    behaviour
		fails    bool
		at, last registry.ProvisioningStatus // after the call, and in the end
	}
	inWorlds(t, map[string]test{
		"done":              {b: behaviour{cut: true}, at: registry.StatusDeactivated, last: registry.StatusDeactivated},
		"not done":          {b: behaviour{nothing: true, cut: true}, fails: true, at: registry.StatusActive, last: registry.StatusActive},
		"not sent":          {b: behaviour{unreachable: true}, fails: true, at: registry.StatusActive, last: registry.StatusActive},
		"done, can't ask":   {b: behaviour{status: 500}, truth: behaviour{unreachable: true}, fails: true, at: registry.StatusActive, last: registry.StatusDeactivated},
		"hangs, can't ask":  {b: behaviour{after: time.Minute}, truth: behaviour{status: 500}, fails: true, at: registry.StatusActive, last: registry.StatusDeactivated},
		"done late":         {b: behaviour{before: 50 * time.Second}, fails: true, at: registry.StatusActive, last: registry.StatusDeactivated},
		"undone, can't ask": {b: behaviour{nothing: true, status: 500}, truth: behaviour{status: 500}, fails: true, at: registry.StatusActive, last: registry.StatusActive},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("deactivate", x.b)
		w.agent.next("tenant", x.truth)
		_, err := w.one.Deactivate(w.Context(), customer, id)
		if x.fails {
			w.fails(err, fault.Unavailable)
		} else {
			w.must(err)
		}
		if c := w.stored(id); c.Provisioning != x.at {
			w.Errorf("%s, want %s", c.Provisioning, x.at)
		}
		w.rounds(150 * time.Second)
		w.is(w.stored(id), x.last, "")
		// Whatever it was, a retry works.
		m := w.deactivate(id)
		w.is(*m.Connection, registry.StatusDeactivated, "")
		if w.agent.active() {
			w.Error("the tenant is on")
		}
	})
}

// TestReactivateAfterUnknownSwitch: a source can be reactivated at once after a switch of
// unknown outcome.
func TestReactivateAfterUnknownSwitch(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("deactivate", behaviour{nothing: true, status: 500})
		w.fails(w.do("deactivate", id), fault.Unavailable)
		m := w.reactivate(id)
		w.is(*m.Connection, registry.StatusActive, "")
		w.calls("reactivate", 0)
	})
}

func TestSwitchRefusesOtherChanges(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("deactivate", behaviour{before: 5 * time.Second})
		time.AfterFunc(time.Second, func() {
			w.fails(w.do("reactivate", id), fault.Conflict)
			w.saveFails(id, freewheel, fault.Conflict)
		})
		w.deactivate(id)
		w.is(w.stored(id), registry.StatusDeactivated, "")
	})
}

// TestSwitchThatIsNotConfirmed: a success that says otherwise is not believed, and the
// truth is asked for.
func TestSwitchThatIsNotConfirmed(t *testing.T) {
	type test struct {
		b    behaviour
		done bool
	}
	inWorlds(t, map[string]test{
		"still active":       {behaviour{nothing: true, status: 200, body: `{"tenant_id":"THIS","is_active":true}`}, false},
		"another tenant":     {behaviour{nothing: true, status: 200, body: `{"tenant_id":"tnt_2","is_active":false}`}, false},
		"another, but done":  {behaviour{status: 200, body: `{"tenant_id":"tnt_2","is_active":false}`}, true},
		"done, not said":     {behaviour{status: 200, body: `{"tenant_id":"THIS"}`}, true},
		"unusable, not done": {behaviour{nothing: true, status: 200, body: `<html>`}, false},
		"unusable, but done": {behaviour{status: 204}, true},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		x.b.body = strings.ReplaceAll(x.b.body, "THIS", w.agent.id())
		w.agent.next("deactivate", x.b)
		m, err := w.one.Deactivate(w.Context(), customer, id)
		if x.done {
			w.must(err)
			w.is(*m.Connection, registry.StatusDeactivated, "")
			return
		}
		w.fails(err, fault.Unavailable)
		if c := w.stored(id); c.Provisioning != registry.StatusActive || c.Operation == nil {
			w.Errorf("%+v", c)
		}
		w.agent.next("tenant", behaviour{status: 200, body: `{"tenant_id":"tnt_2","is_active":false}`})
		w.pass(3 * time.Minute)
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "")
	})
}
