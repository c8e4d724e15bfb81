package lifecycle_test

import (
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// TestARefusedSaveChangesNothing: the connection is what it was before.
func TestARefusedSaveChangesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		no := refuse(422, `[{"loc":["adapter","freewheel","password"],"msg":"No.","input":"`+secret+`"}]`)
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", no)
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.fails(err, fault.Validation)
		c := w.stored(id)
		w.is(c, registry.StatusPending, "")
		if c.AdServer != nil {
			w.Errorf("it has %+v", c.AdServer)
		}
		w.agent.next("provision", refuse(400, `{"error":"adapter_invalid_credentials","message":"Wrong."}`), no)
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		_, err = w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.fails(err, fault.Validation)
		c = w.stored(id)
		w.is(c, registry.StatusFailed, "ADAPTER_INVALID_CREDENTIALS")
		if c.AdServer.Username != "meadow" || c.LastError != "Wrong." {
			w.Errorf("%+v: %s", c.AdServer, c.LastError)
		}
	})
}

// TestOneAtATime: of many at once, in two replicas, one does it.
func TestOneAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
		defer two.stop()
		id := w.pending("weekly").Connection.ID
		w.agent.all("provision", behaviour{before: 3 * time.Second})
		var group sync.WaitGroup
		var mu sync.Mutex
		busy := 0
		for i := range 6 {
			r := []*replica{w.one, two}[i%2]
			group.Go(func() {
				_, err := r.Save(w.Context(), customer, id, w.parse(freewheel))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					busy++
					if f := fault.As(err); f.Kind != fault.Conflict || f.RetryAfter <= 0 {
						w.Errorf("%v", err)
					}
				}
			})
		}
		group.Wait()
		if n := len(w.agent.made("provision")); n != 1 || busy != 5 {
			w.Errorf("%d calls, %d were told to wait", n, busy)
		}
		w.is(w.stored(id), registry.StatusActive, "")
	})
}

// TestTheStoreGoesAway while upstream is at it: what became of it is written down when
// the store is back.
func TestTheStoreGoesAway(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: 5 * time.Second})
		time.AfterFunc(2*time.Second, func() { w.one.faulty.away.Store(true) })
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.fails(err, fault.Unavailable)
		w.pass(time.Minute)
		if c := w.stored(id); c.Operation == nil || c.TenantID != "" {
			w.Errorf("%+v", c)
		}
		w.one.faulty.away.Store(false)
		w.pass(30 * time.Second)
		c := w.stored(id)
		w.is(c, registry.StatusActive, "")
		if c.MCPURL == "" {
			w.Error("what upstream answered is lost")
		}
		w.calls("provision", 1)
	})
}

// TestAStoreThatAnswersTooLate: a write may stand although nobody was told.
func TestAStoreThatAnswersTooLate(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.one.faulty.unknown.Store(2) // the claim, twice
		saved, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
		w.must(err)
		w.is(*saved.Connection, registry.StatusActive, "")
		w.calls("provision", 1)
		next := w.pending("daily").Connection.ID
		w.one.faulty.unknown.Store(3) // it is given up
		_, err = w.one.Save(w.Context(), customer, next, w.parse(freewheel))
		w.fails(err, fault.Unavailable)
		w.pass(5 * time.Second)
		w.is(w.stored(next), registry.StatusPending, "")
		w.calls("provision", 1)
	})
}

// TestNoClaimNoCall: while the store is away nothing is asked of upstream.
func TestNoClaimNoCall(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.connected(freewheel)
		id := m.Connection.ID
		w.one.faulty.away.Store(true)
		before := len(w.agent.calls)
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.fails(err, fault.Unavailable)
		_, err = w.one.Deactivate(w.Context(), customer, id)
		w.fails(err, fault.Unavailable)
		if n := len(w.agent.calls); n != before {
			w.Errorf("%d calls", n-before)
		}
	})
}
