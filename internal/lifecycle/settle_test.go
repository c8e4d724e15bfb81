package lifecycle_test

import (
	"context"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// crashDuring begins something, and ends the process while upstream is at it.
func (w *world) crashDuring(op string, b behaviour, begin func(ctx context.Context) error) {
	w.Helper()
	w.agent.next(op, b)
	done := make(chan error, 1)
	go func() { done <- begin(w.Context()) }()
	w.pass(time.Second)
	w.one.crash()
	if err := <-done; err == nil {
		w.Error("it is said to have been done")
	}
	w.one = w.start()
}

// crashOn is crashDuring for a change of a connection.
func (w *world) crashOn(op string, b behaviour, change string, id int64) {
	w.Helper()
	w.crashDuring(op, b, func(ctx context.Context) error { return w.one.do(ctx, change, id) })
}

// TestCrashWhileProvisioning: a crash is settled by looking, never by provisioning again.
func TestCrashWhileProvisioning(t *testing.T) {
	type test struct {
		b      behaviour
		probe  time.Duration // ProbeTimeout
		status registry.ProvisioningStatus
		code   string
	}
	inWorlds(t, map[string]test{
		"made before":           {behaviour{after: 10 * time.Second}, 0, registry.StatusActive, ""},
		"made later":            {behaviour{before: 50 * time.Second}, 0, registry.StatusActive, ""},
		"made late":             {behaviour{before: 119 * time.Second}, 0, registry.StatusActive, ""},
		"made after its probes": {behaviour{before: 115 * time.Second}, 10 * time.Second, registry.StatusActive, ""},
		"never made":            {behaviour{nothing: true, after: 10 * time.Second}, 0, registry.StatusFailed, "INTERNAL_ERROR"},
		"hangs for ever":        {behaviour{nothing: true, after: time.Hour}, 0, registry.StatusFailed, "INTERNAL_ERROR"},
	}, func(w *world, x test) {
		w.config.ProbeTimeout = x.probe
		w.restart()
		id := w.pending("weekly").Connection.ID
		w.crashOn("provision", x.b, "save", id)
		if c := w.stored(id); c.Provisioning != registry.StatusProvisioning || c.Operation == nil {
			w.Fatalf("%+v", c)
		}
		w.rounds(5 * time.Minute)
		c := w.stored(id)
		w.is(c, x.status, x.code)
		if x.status == registry.StatusActive && (c.TenantID != w.agent.id() || c.AdServer.Username != "meadow") {
			w.Errorf("%+v", c)
		}
		w.calls("provision", 1)
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		w.tenants(1)
		if saved.Connection.AdServer.Username != "meadow-2" {
			w.Errorf("%+v", saved.Connection.AdServer)
		}
	})
}

// TestSaveAfterCrash: a save does not wait for a round, and provisions again only when that
// is safe.
func TestSaveAfterCrash(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		begun := time.Now()
		w.crashOn("provision", behaviour{nothing: true, after: 10 * time.Second}, "save", id)
		for {
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
			if err == nil {
				break
			}
			f := w.fails(err, fault.Conflict)
			if f.RetryAfter <= 0 || time.Since(begun) > 4*time.Minute {
				w.Fatalf("after %s: %v", time.Since(begun), err)
			}
			w.pass(f.RetryAfter)
		}
		w.is(w.stored(id), registry.StatusActive, "")
		w.provisionedTwice()
	})
}

// TestSettleBesideLiveReplica: a replica that starts settles beside the one that works.
func TestSettleBesideLiveReplica(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: time.Second, after: 10 * time.Second})
		done := make(chan error, 1)
		go func() { done <- w.do("save", id) }()
		w.pass(5 * time.Second)
		two := w.start()
		w.must(two.Settle(w.Context())) // finds the tenant already
		w.is(w.stored(id), registry.StatusActive, "")
		w.must(<-done)
		c := w.stored(id)
		w.is(c, registry.StatusActive, "")
		if c.MCPURL == "" { // what only the first was told
			w.Error("what upstream answered is lost")
		}

		// Operations other than lookups are left to the replica that runs them.
		for op, change := range map[string]string{"put-config": "save another", "deactivate": "deactivate"} {
			w.agent.next(op, behaviour{before: 8 * time.Second})
			go func() { done <- w.do(change, id) }()
			w.pass(5 * time.Second)
			three := w.start()
			before := w.agent.asked()
			w.must(three.Settle(w.Context()))
			if n := w.agent.asked(); n != before || w.stored(id).Operation == nil {
				w.Errorf("%s: %d calls", op, n-before)
			}
			w.must(<-done)
		}
		w.is(w.stored(id), registry.StatusDeactivated, "")
	})
}

// TestCrashWhileConfiguring: the settings are restored, and it is said that the rest
// is not known.
func TestCrashWhileConfiguring(t *testing.T) {
	inWorlds(t, map[string]behaviour{"done": {after: time.Minute}, "not done": {nothing: true, after: time.Minute}}, func(w *world, b behaviour) {
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.crashOn("put-config", b, "save another", id)
		w.must(w.one.Settle(w.Context()))
		if w.stored(id).Operation == nil {
			w.Error("it is settled while a process may be working on it")
		}
		w.pass(4 * time.Minute)
		w.must(w.one.Settle(w.Context()))
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if w.agent.setting() != kept || c.AdServer.Username != "meadow" {
			w.Errorf("%s, %+v", w.agent.setting(), c.AdServer)
		}
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		if w.agent.username() != "meadow-2" || w.agent.setting() != kept {
			w.Errorf("%v, %s", w.agent.username(), w.agent.setting())
		}
	})
}

// TestCrashWhileSwitching: upstream is asked what is true.
func TestCrashWhileSwitching(t *testing.T) {
	type test struct {
		b    behaviour
		last registry.ProvisioningStatus
	}
	inWorlds(t, map[string]test{
		"done":     {behaviour{after: time.Minute}, registry.StatusDeactivated},
		"not done": {behaviour{nothing: true, after: time.Minute}, registry.StatusActive},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		w.crashOn("deactivate", x.b, "deactivate", id)
		w.pass(3 * time.Minute)
		w.agent.next("tenant", behaviour{status: 500, body: `{}`})
		w.must(w.one.Settle(w.Context())) // it can't be asked
		if w.stored(id).Operation == nil {
			w.Error("it is taken to be settled")
		}
		w.rounds(5 * time.Second)
		w.is(w.stored(id), x.last, "")
	})
}

// TestRoundGoesOnAfterFailure: one connection that can't be settled does not stop a round,
// and a store that is away does.
func TestRoundGoesOnAfterFailure(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.ExternalOrgID = "{source_id}"
		w.restart()
		var ids []int64
		for _, name := range []string{"a", "b", "c"} {
			w.agent.next("provision", behaviour{cut: true})
			w.agent.next("list", behaviour{status: 500, body: "{}"})
			ids = append(ids, w.connectFails(`{"type":"mock","sourceId":"`+name+`"}`, nil, fault.Unavailable).ESAID)
		}
		w.crash()
		w.one.faulty.away.Store(true)
		w.fails(w.one.Settle(w.Context()), fault.Unavailable)
		w.one.faulty.away.Store(false)
		w.agent.next("list", behaviour{status: 500, body: "{}"})
		w.must(w.one.Settle(w.Context()))
		active := 0
		for _, id := range ids {
			if w.stored(id).Provisioning == registry.StatusActive {
				active++
			}
		}
		if active != 2 {
			w.Errorf("%d are settled", active)
		}
	})
}

// TestClose: nothing is begun any more, and what waits does not keep Close.
func TestClose(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{nothing: true, cut: true})
		id := w.connectFails(freewheel, nil, fault.Unavailable).ESAID
		w.pass(10 * time.Second)
		w.agent.next("list", behaviour{after: 20 * time.Second})
		go func() { _ = w.one.Settle(w.Context()) }()
		w.pass(time.Second)
		w.calls("list", 2) // by the attempt and by the round, which ends with Close
		w.takes(0, func() { w.one.Close(w.Context()) })
		w.connectFails(freewheel, nil, fault.Unavailable)
		w.saveFails(id, freewheel, fault.Unavailable)
		w.fails(w.one.Settle(w.Context()), fault.Unavailable)
	})
}

// TestCloseWaits: Close waits for what is under way as long as it may.
func TestCloseWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: 5 * time.Second})
		go func() { _, _ = w.one.Save(w.Context(), customer, id, w.parse(freewheel)) }()
		w.pass(time.Second)
		ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
		defer cancel()
		w.one.Close(ctx)
		w.is(w.stored(id), registry.StatusActive, "")
	})
}
