package lifecycle_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// owing gives a source whose settings are still to be put back, and lets that be done
// again.
func (w *world) owing() int64 {
	w.Helper()
	id := w.connected(freewheel).Connection.ID
	w.agent.tenant("tnt_1").settings["freewheel"] = kept
	w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
	_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
	w.must(err)
	w.agent.all("put-settings", behaviour{})
	return id
}

// settles lets the rounds of Settle pass, and looks whether the settings are there.
func (w *world) settles(r *replica, id int64, code string) {
	w.Helper()
	for range 3 {
		w.pass(time.Minute)
		w.must(r.Settle(w.Context()))
	}
	w.is(w.stored(id), registry.StatusActive, code)
	if got := w.agent.tenant("tnt_1").settings["freewheel"]; got != kept {
		w.Errorf("upstream has the settings %q", got)
	}
}

// TestWhatIsOwedIsNotForgotten when a change that takes it over comes to nothing.
func TestWhatIsOwedIsNotForgotten(t *testing.T) {
	t.Run("it can't be begun", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.owing()
			w.one.faulty.noKeep.Store(true)
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
			w.fails(err, fault.Unavailable)
			w.one.faulty.noKeep.Store(false)
			w.settles(w.one, id, "")
		})
	})
	t.Run("it is not known whether it is claimed", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.owing()
			w.one.faulty.unknown.Store(3)
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
			w.fails(err, fault.Unavailable)
			w.settles(w.one, id, "")
		})
	})
	t.Run("the tenant can't be reached", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.owing()
			w.agent.next("put-config", behaviour{unreachable: true})
			w.agent.next("put-settings", behaviour{unreachable: true}, behaviour{unreachable: true}, behaviour{unreachable: true})
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
			w.fails(err, fault.Unavailable)
			w.settles(w.one, id, "INTERNAL_ERROR")
		})
	})
}

// TestWhoComesLate with an outcome does not erase what another replica keeps by then.
func TestWhoComesLate(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
		defer two.stop()
		id := w.connected(freewheel).Connection.ID
		tenant := w.agent.tenant("tnt_1")
		tenant.settings["freewheel"] = kept
		w.agent.next("put-config", behaviour{after: 5 * time.Second})
		time.AfterFunc(2*time.Second, func() { w.one.faulty.away.Store(true) })
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.fails(err, fault.Unavailable)
		w.pass(4 * time.Minute)
		w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
		_, err = two.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err) // it takes the first one's place, and owes the settings now
		if tenant.settings["freewheel"] == kept {
			w.Fatal("nothing is owed")
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		w.agent.all("put-settings", behaviour{})
		w.settles(two, id, "")
	})
}
