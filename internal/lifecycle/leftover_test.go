package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// stuck gives a source whose settings upstream can't take back.
func (w *world) stuck() int64 {
	w.Helper()
	id := w.owing()
	w.agent.all("put-settings", refuse(500, `{"error":"internal_error","message":"x"}`))
	return id
}

// TestStuckSettings are tried with pauses, and given up after an hour. The next save
// puts them back.
func TestStuckSettings(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.stuck()
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
		_, _, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		if c := w.stored(id); c.LastError == "" {
			w.Error("a test has wiped what is still to be done")
		}
		for range 12 {
			w.must(w.one.Settle(w.Context()))
			w.pass(time.Minute)
		}
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
		w.agent.all("put-settings", behaviour{})
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.settles(w.one, id, "")
	})
}

// TestStuckSettingsAfterAStart are tried all the same, however long ago they were owed.
func TestStuckSettingsAfterAStart(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.stuck()
		w.one.stop()
		w.pass(24 * time.Hour)
		w.one = w.start()
		w.must(w.one.Settle(w.Context()))
		w.pass(time.Minute)
		w.agent.all("put-settings", behaviour{})
		w.settles(w.one, id, "")
	})
}

// TestStuckSettingsStandAgainstNothing that somebody wants to change.
func TestStuckSettingsStandAgainstNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.stuck()
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		begun := time.Now()
		m, err := w.one.Deactivate(w.Context(), customer, id)
		w.must(err)
		w.is(*m.Connection, registry.StatusDeactivated, "INTERNAL_ERROR") // and may be deleted
		if took := time.Since(begun); took > 15*time.Second {
			w.Errorf("it took %s", took)
		}
		w.agent.all("put-settings", behaviour{})
		_, err = w.one.Reactivate(w.Context(), customer, id)
		w.must(err)
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.settles(w.one, id, "")
	})
}

// TestASwitchThatFailsForgetsNothing of the settings that are owed.
func TestASwitchThatFailsForgetsNothing(t *testing.T) {
	inWorlds(t, map[string]behaviour{"not sent": {unreachable: true}, "refused": refuse(403, `{"error":"managed_tenant_write_blocked"}`)}, func(w *world, b behaviour) {
		id := w.stuck()
		w.agent.next("deactivate", b)
		if _, err := w.one.Deactivate(w.Context(), customer, id); err == nil {
			w.Fatal("it was done")
		}
		w.agent.all("put-settings", behaviour{})
		w.settles(w.one, id, "")
	})
}

// TestASwitchOfUnknownOutcome in the place of settings that are owed: they are said to
// be left, and the next save puts them back.
func TestASwitchOfUnknownOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.stuck()
		w.agent.next("deactivate", behaviour{nothing: true, cut: true})
		_, err := w.one.Deactivate(w.Context(), customer, id)
		w.fails(err, fault.Unavailable)
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
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.settles(w.one, id, "")
	})
}

// TestSettingsAreOwedSinceTheFirstTry, whatever came to nothing since, and it is said.
func TestSettingsAreOwedSinceTheFirstTry(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		_, err := w.one.Deactivate(w.Context(), customer, id)
		w.must(err)
		w.agent.tenant("tnt_1").settings["freewheel"] = kept
		w.agent.all("put-settings", refuse(500, `{}`))
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err)
		begun := w.stored(id).Operation.Begun
		w.pass(10 * time.Minute)
		w.agent.next("put-config", refuse(400, `{"error":"adapter_invalid_credentials"}`))
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.fails(err, fault.Validation)
		if op := w.stored(id).Operation; op == nil || !op.Begun.Equal(begun) {
			w.Errorf("owed since %s: %+v", begun, op)
		}
		_, err = w.one.Reactivate(w.Context(), customer, id) // clears lastError
		w.must(err)
		w.must(w.one.Settle(w.Context()))
		if c := w.stored(id); c.LastError == "" || c.Operation == nil || !c.Operation.Begun.Equal(begun) {
			w.Errorf("%q, %+v", c.LastError, c.Operation)
		}
	})
}
