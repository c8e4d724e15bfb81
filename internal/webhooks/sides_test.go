package webhooks_test

import (
	"errors"
	"testing"
	"time"
)

func TestDeactivateAndReactivate(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.kick(m)
		first := w.lives(m)
		off := w.activate(m, false)
		epoch := off.Connection.Epoch
		w.kick(off) // within the hour
		w.none(m)
		if got := w.managed(m).Connection.Epoch; got <= epoch {
			t.Error("snapshots that tell of the subscription stay")
		}
		w.round()
		w.kick(w.activate(m, true))
		if again := w.lives(m); again.Secret == first.Secret {
			t.Error("the secret is the one that was forgotten")
		}
		w.same(w.done(), "[subscribe true unsubscribe true subscribe true]")
	})
}

// TestAMissedKickIsFoundByARound, and so is one that failed.
func TestAMissedKickIsFoundByARound(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		off := w.activate(m, false)
		w.agent.set(func(a *agent) { a.before = func(string) error { return errors.New("cut off") } })
		w.kick(off)
		if sub := w.subscription(m); !sub.Lives() {
			t.Error("it was given up for ended, and was not")
		}
		w.agent.set(func(a *agent) { a.before = nil })
		w.round()
		if len(w.agent.active(tenant)) != 1 {
			t.Error("tried again at once")
		}
		time.Sleep(80 * time.Second)
		w.round()
		w.none(m)
	})
}

func TestTheTenantIsGone(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		w.agent.RemoveTenant(tenant)
		w.kick(w.activate(m, false))
		w.none(m)
	})
}

// TestDeactivatedMeanwhile: what changes sides while upstream is asked ends as it
// should be.
func TestDeactivatedMeanwhile(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.beforeCreate(func() error {
			w.activate(m, false) // its Kick came too early
			return nil
		})
		w.kick(m)
		w.none(m)
	})
}
