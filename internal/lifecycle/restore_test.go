package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// withPendingRestore gives a source whose settings are still to be restored, and lets that be done
// again.
func (w *world) withPendingRestore() int64 {
	w.Helper()
	id := w.connected(freewheel).Connection.ID
	w.agent.set(kept)
	w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
	w.save(id, freewheelNew)
	w.agent.all("put-settings", behaviour{})
	return id
}

// restores lets the rounds of Settle pass, and looks whether the settings are there.
func (w *world) restores(r *replica, id int64, code string) {
	w.Helper()
	for range 3 {
		w.pass(time.Minute)
		w.must(r.Settle(w.Context()))
	}
	w.is(w.stored(id), registry.StatusActive, code)
	if got := w.agent.setting(); got != kept {
		w.Errorf("upstream has the settings %q", got)
	}
}

// TestRestoreAfterFailedSave when a change that takes it over comes to nothing.
func TestRestoreAfterFailedSave(t *testing.T) {
	t.Run("it can't be begun", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.withPendingRestore()
			w.one.faulty.noKeep.Store(true)
			w.saveFails(id, freewheel, fault.Unavailable)
			w.one.faulty.noKeep.Store(false)
			w.restores(w.one, id, "")
		})
	})
	t.Run("it is not known whether it is claimed", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.withPendingRestore()
			w.one.faulty.unknown.Store(3)
			w.saveFails(id, freewheel, fault.Unavailable)
			w.restores(w.one, id, "")
		})
	})
	t.Run("the tenant can't be reached", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.withPendingRestore()
			w.agent.next("put-config", behaviour{unreachable: true})
			w.agent.next("put-settings", behaviour{unreachable: true}, behaviour{unreachable: true}, behaviour{unreachable: true})
			w.saveFails(id, freewheel, fault.Unavailable)
			w.restores(w.one, id, "INTERNAL_ERROR")
		})
	})
}

// TestLateOutcomeKeepsOthersSettings with an outcome does not erase what another replica keeps by then.
func TestLateOutcomeKeepsOthersSettings(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.agent.next("put-config", behaviour{after: 5 * time.Second})
		time.AfterFunc(2*time.Second, func() { w.one.faulty.away.Store(true) })
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.pass(4 * time.Minute)
		w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
		_, err := two.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err) // it takes the first one's place, and owes the settings now
		if w.agent.setting() == kept {
			w.Fatal("nothing is owed")
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		w.agent.all("put-settings", behaviour{})
		w.restores(two, id, "")
	})
}

// withStuckRestore gives a source whose settings upstream can't take back.
func (w *world) withStuckRestore() int64 {
	w.Helper()
	id := w.withPendingRestore()
	w.agent.all("put-settings", refuse(500, `{"error":"internal_error","message":"x"}`))
	return id
}

// TestRestoreIsGivenUp are tried with pauses, and given up after an hour. The next save
// puts them back.
func TestRestoreIsGivenUp(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		begun := w.stored(id).Operation.Begun
		puts := len(w.agent.made("put-settings"))
		for time.Since(begun) < time.Hour-time.Minute {
			w.must(w.one.Settle(w.Context()))
			w.pass(5 * time.Second)
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
		for range 12 {
			w.must(w.one.Settle(w.Context()))
			w.pass(time.Minute)
		}
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
		w.agent.all("put-settings", behaviour{})
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestPausesOfGivenUpRestore do not hold up the next restore.
func TestPausesOfGivenUpRestore(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		for w.stored(id).Operation != nil {
			w.pass(time.Minute)
			w.must(w.one.Settle(w.Context()))
		}
		two := w.start()
		_, err := two.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.agent.all("put-settings", behaviour{})
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "")
	})
}

// TestRestoreAfterRestart are tried all the same, however long ago they were owed.
func TestRestoreAfterRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.one.stop()
		w.pass(24 * time.Hour)
		w.one = w.start()
		w.must(w.one.Settle(w.Context()))
		w.pass(time.Minute)
		w.agent.all("put-settings", behaviour{})
		w.restores(w.one, id, "")
	})
}

// TestRestoreBlocksNothing that somebody wants to change.
func TestRestoreBlocksNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.save(id, freewheel)
		begun := time.Now()
		m := w.deactivate(id)
		w.is(*m.Connection, registry.StatusDeactivated, "INTERNAL_ERROR") // and may be deleted
		if took := time.Since(begun); took > 15*time.Second {
			w.Errorf("it took %s", took)
		}
		w.agent.all("put-settings", behaviour{})
		w.reactivate(id)
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestRestoreAfterFailedSwitch of the settings that are owed.
func TestRestoreAfterFailedSwitch(t *testing.T) {
	inWorlds(t, map[string]behaviour{"not sent": {unreachable: true}, "refused": refuse(403, `{"error":"managed_tenant_write_blocked"}`)}, func(w *world, b behaviour) {
		id := w.withStuckRestore()
		w.agent.next("deactivate", b)
		if _, err := w.one.Deactivate(w.Context(), customer, id); err == nil {
			w.Fatal("it was done")
		}
		w.agent.all("put-settings", behaviour{})
		w.restores(w.one, id, "")
	})
}

// TestRestoreAfterUnknownSwitch in the place of settings that are owed: they are said to
// be left, and the next save puts them back.
func TestRestoreAfterUnknownSwitch(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.withStuckRestore()
		w.agent.next("deactivate", behaviour{nothing: true, cut: true})
		w.fails(w.deactivateError(id), fault.Unavailable)
		w.agent.all("put-settings", behaviour{})
		for range 3 {
			w.pass(time.Minute)
			w.must(w.one.Settle(w.Context()))
		}
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if !strings.Contains(c.LastError, "Save it again") {
			w.Errorf("%q, and nobody does it", c.LastError)
		}
		w.save(id, freewheel)
		w.restores(w.one, id, "")
	})
}

// TestRestoreKeepsItsBeginning, whatever came to nothing since, and it is said.
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
			w.Errorf("owed since %s: %+v", begun, op)
		}
		_, err := w.one.Reactivate(w.Context(), customer, id) // clears lastError
		w.must(err)
		w.must(w.one.Settle(w.Context()))
		if c := w.stored(id); c.LastError == "" || c.Operation == nil || !c.Operation.Begun.Equal(begun) {
			w.Errorf("%q, %+v", c.LastError, c.Operation)
		}
	})
}
