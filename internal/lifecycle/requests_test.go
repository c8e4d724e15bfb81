package lifecycle_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// TestInvalidRequestOfOurs: what upstream does not accept of the gateway's own is no 400.
func TestInvalidRequestOfOurs(t *testing.T) {
	bodies := map[int]string{400: `{"error":"bad","message":"No."}`, 422: `[{"loc":["body","username"],"msg":"Too odd."}]`}
	for op, change := range map[string]string{"get-settings": "save another", "deactivate": "deactivate", "reactivate": "reactivate", "test": "test", "refresh": "refresh"} {
		for status, body := range bodies {
			t.Run(fmt.Sprint(op, " ", status), func(t *testing.T) {
				inWorld(t, func(w *world) {
					id := w.connected(freewheel).Connection.ID
					if change == "reactivate" {
						w.deactivate(id)
					}
					w.agent.next(op, refuse(status, body))
					f := w.fails(w.do(change, id), fault.Unavailable)
					if f.Reason != fault.UpstreamInvalidResponse || len(f.Issues) != 0 || f.Field != "" || f.ErrorCode != "" {
						w.Errorf("%d: %+v", status, f)
					}
					if c := w.stored(id); c.Operation != nil {
						w.Errorf("%+v", c.Operation)
					}
				})
			})
		}
	}
}

// TestBusyWhileProvisioning: what needs a tenant is told that one is being made.
func TestBusyWhileProvisioning(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: 20 * time.Second})
		go func() { _ = w.do("save", id) }()
		w.pass(time.Second)
		for _, change := range []string{"rotate", "deactivate", "reactivate", "test", "refresh"} {
			if f := w.fails(w.do(change, id), fault.Conflict); f.RetryAfter <= 0 {
				w.Errorf("%s: %v", change, f)
			}
		}
		w.pass(time.Minute)
		w.is(w.stored(id), registry.StatusActive, "")
	})
}

// TestSaveInvalid: the connection is what it was before.
func TestSaveInvalid(t *testing.T) {
	inWorld(t, func(w *world) {
		no := refuse(422, `[{"loc":["adapter","freewheel","password"],"msg":"No.","input":"`+secret+`"}]`)
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", no)
		w.saveFails(id, freewheel, fault.Validation)
		c := w.stored(id)
		w.is(c, registry.StatusPending, "")
		if c.AdServer != nil {
			w.Errorf("it has %+v", c.AdServer)
		}
		w.agent.next("provision", refuse(400, `{"error":"adapter_invalid_credentials","message":"Wrong."}`), no)
		w.save(id, freewheel)
		w.saveFails(id, freewheelNew, fault.Validation)
		c = w.stored(id)
		w.is(c, registry.StatusFailed, "ADAPTER_INVALID_CREDENTIALS")
		if c.AdServer.Username != "meadow" || c.LastError != "Wrong." {
			w.Errorf("%+v: %s", c.AdServer, c.LastError)
		}
	})
}

// TestOneProvisioningAtATime: of many at once, in two replicas, one does it.
func TestOneProvisioningAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
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

// TestStoreAwayDuringProvisioning while upstream is at it: what became of it is written down when
// the store is back.
func TestStoreAwayDuringProvisioning(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: 5 * time.Second})
		time.AfterFunc(2*time.Second, func() { w.one.faulty.away.Store(true) })
		w.saveFails(id, freewheel, fault.Unavailable)
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

// TestClaimOfUnknownOutcome: a write may stand although its caller was not told.
func TestClaimOfUnknownOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.one.faulty.unknown.Store(2) // the claim, twice
		saved := w.save(id, freewheel)
		w.is(*saved.Connection, registry.StatusActive, "")
		w.calls("provision", 1)
		next := w.pending("daily").Connection.ID
		w.one.faulty.unknown.Store(3) // it is given up
		w.saveFails(next, freewheel, fault.Unavailable)
		w.pass(5 * time.Second)
		w.is(w.stored(next), registry.StatusPending, "")
		w.calls("provision", 1)
		last := w.pending("evening").Connection.ID
		w.one.faulty.unknown.Store(1)
		w.one.faulty.leaves.Store(true) // and can't be asked again
		w.saveFails(last, freewheel, fault.Unavailable)
		w.one.faulty.away.Store(false)
		w.pass(20 * time.Second)
		w.is(w.stored(last), registry.StatusPending, "")
		w.calls("provision", 1)
	})
}

// TestNoCallWithoutClaim: while the store is away nothing is asked of upstream.
func TestNoCallWithoutClaim(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.connected(freewheel)
		id := m.Connection.ID
		w.one.faulty.away.Store(true)
		before := len(w.agent.calls)
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.fails(w.do("deactivate", id), fault.Unavailable)
		if n := len(w.agent.calls); n != before {
			w.Errorf("%d calls", n-before)
		}
	})
}
