package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// cantRestore is how upstream does not take settings back.
var cantRestore = behaviour{nothing: true, status: 503, body: `{}`}

// withStuckRestore gives a source whose settings upstream can't take back.
func (w *world) withStuckRestore() int64 {
	w.Helper()
	id := w.connected(freewheel).Connection.ID
	w.agent.set(kept)
	w.agent.all("put-settings", cantRestore)
	w.save(id, freewheelNew)
	return id
}

// restores lets the rounds of a replica's Settle pass while upstream is well, and checks
// that the settings are restored.
func (w *world) restores(r *replica, id int64, code string) {
	w.Helper()
	w.agent.all("put-settings", behaviour{})
	w.one = r
	w.rounds(3 * time.Minute)
	w.is(w.stored(id), registry.StatusActive, code)
	if got := w.agent.setting(); got != kept {
		w.Errorf("upstream has the settings %q", got)
	}
}

// TestRestoreAfterFailedChange: a restore is still done after a change that took it over
// came to nothing.
func TestRestoreAfterFailedChange(t *testing.T) {
	type test struct {
		before func(w *world)
		change string
		code   string // in the end
	}
	inWorlds(t, map[string]test{
		"it can't be begun":                  {func(w *world) { w.one.faulty.noKeep.Store(true) }, "save", ""},
		"it is not known whether it began":   {func(w *world) { w.one.faulty.unknown.Store(3) }, "save", ""},
		"the tenant can't be reached":        {func(w *world) { w.agent.next("put-config", behaviour{unreachable: true}) }, "save", "INTERNAL_ERROR"},
		"a switch that can't be sent":        {func(w *world) { w.agent.next("deactivate", behaviour{unreachable: true}) }, "deactivate", ""},
		"a switch that upstream has refused": {func(w *world) { w.agent.next("deactivate", refuse(403, `{"error":"managed_tenant_write_blocked"}`)) }, "deactivate", ""},
	}, func(w *world, x test) {
		id := w.withStuckRestore()
		x.before(w)
		if err := w.do(x.change, id); err == nil {
			w.Fatal("it was done")
		}
		w.one.faulty.noKeep.Store(false)
		w.restores(w.one, id, x.code)
	})
}

// TestLateOutcomeKeepsOthersSettings: a replica that records an outcome late does not erase
// the settings that another replica has stored by then.
func TestLateOutcomeKeepsOthersSettings(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.agent.next("put-config", behaviour{after: 5 * time.Second})
		time.AfterFunc(2*time.Second, func() { w.one.faulty.away.Store(true) })
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.pass(4 * time.Minute)
		w.agent.all("put-settings", cantRestore)
		_, err := two.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err) // it takes the first one's place: the settings are still to be restored
		if w.agent.setting() == kept {
			w.Fatal("there is nothing to restore")
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		w.restores(two, id, "")
	})
}

// TestRestoreIsGivenUp: settings are restored in tries with pauses, which end after an
// hour. The next save restores them.
func TestRestoreIsGivenUp(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		begun := w.stored(id).Operation.Begun
		puts := len(w.agent.made("put-settings"))
		for time.Since(begun) < time.Hour-time.Minute {
			w.rounds(5 * time.Second)
			if op := w.stored(id).Operation; op == nil || !op.Begun.Equal(begun) {
				w.Fatalf("after %s: %+v", time.Since(begun), op)
			}
		}
		if n := len(w.agent.made("put-settings")) - puts; n < 3*10 || n > 3*20 {
			w.Errorf("%d tries in an hour", n)
		}
		w.test(id)
		if c := w.stored(id); c.LastError == "" {
			w.Error("a test has wiped what is still to be done")
		}
		w.rounds(12 * time.Minute)
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
		w.agent.all("put-settings", behaviour{})
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestPausesOfGivenUpRestore: the pauses of a restore that was given up do not delay the
// next one.
func TestPausesOfGivenUpRestore(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.rounds(80 * time.Minute)
		two := w.start()
		_, err := two.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.agent.all("put-settings", behaviour{})
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "")
	})
}

// TestRestoreAfterRestart: settings are restored however long ago they were reset.
func TestRestoreAfterRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.one.stop()
		w.pass(24 * time.Hour)
		w.one = w.start()
		w.must(w.one.Settle(w.Context()))
		w.pass(time.Minute)
		w.restores(w.one, id, "")
	})
}

// TestRestoreBlocksNothing: a restore prevents no other change.
func TestRestoreBlocksNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.save(id, freewheel)
		tries := len(w.agent.made("put-settings"))
		w.takes(0, func() { w.reactivate(id) }) // it is active
		w.calls("put-settings", tries)
		w.takes(0, func() { w.deactivate(id) })
		w.is(w.stored(id), registry.StatusDeactivated, "INTERNAL_ERROR") // and may be deleted
		w.agent.all("put-settings", behaviour{})
		w.reactivate(id)
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestRestoreAfterUnknownSwitch: a switch of unknown outcome ends the restore whose place it
// took: lastError says so, and the next save restores the settings.
func TestRestoreAfterUnknownSwitch(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.agent.next("deactivate", behaviour{nothing: true, cut: true})
		w.fails(w.do("deactivate", id), fault.Unavailable)
		w.agent.all("put-settings", behaviour{})
		w.rounds(3 * time.Minute)
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if !strings.Contains(c.LastError, "Save it again") {
			w.Errorf("%q, and no replica does it", c.LastError)
		}
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestRestoreKeepsItsBeginning: a change that comes to nothing leaves the restore as old as
// it is, and lastError says that it waits.
func TestRestoreKeepsItsBeginning(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.deactivate(id)
		w.agent.set(kept)
		w.agent.all("put-settings", refuse(500, `{}`))
		w.save(id, freewheelNew)
		begun := w.stored(id).Operation.Begun
		w.pass(10 * time.Minute)
		w.agent.next("put-config", refuse(400, `{"error":"adapter_invalid_credentials"}`))
		w.saveFails(id, freewheel, fault.Validation)
		if op := w.stored(id).Operation; op == nil || !op.Begun.Equal(begun) {
			w.Errorf("waiting since %s: %+v", begun, op)
		}
		_, err := w.one.Reactivate(w.Context(), customer, id) // clears lastError
		w.must(err)
		w.must(w.one.Settle(w.Context()))
		if c := w.stored(id); c.LastError == "" || c.Operation == nil || !c.Operation.Begun.Equal(begun) {
			w.Errorf("%q, %+v", c.LastError, c.Operation)
		}
	})
}
