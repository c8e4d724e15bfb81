package lifecycle_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestTest(t *testing.T) {
	type test struct {
		body   string
		passed bool
		code   string
		text   string
	}
	inWorlds(t, map[string]test{
		"passed":      {`{"success":true,"capability_checks":[]}`, true, "", ""},
		"failed":      {`{"success":false,"error":"It says no.","error_code":"permission_denied"}`, false, "ADAPTER_PERMISSION_DENIED", "It says no."},
		"a secret":    {`{"success":false,"error":"password=CANARY","error_code":"invalid_credentials"}`, false, "ADAPTER_INVALID_CREDENTIALS", "The ad server refused the saved credentials."},
		"no word why": {`{"success":false}`, false, "INTERNAL_ERROR", "Something went wrong on our side while the ad server was connected."},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.pass(time.Minute)
		began := time.Now()
		w.agent.next("test", behaviour{before: 10 * time.Second, status: 200, body: x.body})
		result, m := w.test(id)
		if result.Success != x.passed {
			w.Errorf("result %+v", result)
		}
		c := w.stored(id)
		w.is(c, registry.StatusActive, x.code)
		if c.LastError != x.text || c.LastTestPassed != x.passed || !c.LastTestedAt.Equal(began) ||
			c.Epoch <= before.Epoch || c.Version != before.Version+1 || m.Connection.Version != c.Version {
			w.Errorf("%+v", c)
		}
	})
}

// TestTestOfEarlierConfig does not vouch for the one that was saved meanwhile.
func TestTestOfEarlierConfig(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.pass(time.Minute)
		w.agent.next("test", behaviour{after: 20 * time.Second})
		time.AfterFunc(5*time.Second, func() {
			w.save(id, freewheelNew)
		})
		_, m := w.test(id)
		if c := *m.Connection; !c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, saved at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
	})
}

func TestTestFails(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("test", behaviour{status: 500, body: `{}`}, refuse(404, noTenant), behaviour{after: 100 * time.Second})
		w.fails(w.do("test", id), fault.Unavailable)
		if f := w.fails(w.do("test", id), fault.NotFound); f.Reason != fault.TenantNotFound {
			w.Errorf("%+v", f)
		}
		if f := w.fails(w.do("test", id), fault.Unavailable); f.Reason != fault.UpstreamTimeout {
			w.Errorf("%+v", f)
		}
		if c := w.stored(id); !c.LastTestedAt.IsZero() {
			w.Errorf("%+v", c)
		}
	})
}

// TestTestWithoutStore is given all the same, and the snapshots become old
// when the store is back.
func TestTestWithoutStore(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.one.faulty.away.Store(true)
		result, m := w.test(id)
		if !result.Success || m.Connection.ID != id {
			w.Errorf("%+v", result)
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		if c := w.stored(id); c.Epoch <= before.Epoch || !c.LastTestedAt.IsZero() {
			w.Errorf("snapshots from before the test are still new, or its result was recorded late: %+v", c)
		}
	})
}

func TestRefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		answer, err := w.one.Refresh(w.Context(), customer, id)
		w.must(err)
		if answer.AlreadyRunning || len(answer.SyncRunIDs) == 0 || w.stored(id).Epoch != before.Epoch+1 {
			w.Errorf("%+v", answer)
		}
		w.agent.next("refresh", behaviour{status: 503, body: `{}`})
		w.fails(w.do("refresh", id), fault.Unavailable)
	})
}

// TestTestIsShared: callers that ask while a connection is tested get the same result.
func TestTestIsShared(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.all("test", behaviour{before: 70 * time.Second})
		var group sync.WaitGroup
		for range 300 {
			group.Go(func() {
				if result, m, err := w.one.Test(w.Context(), customer, id); err != nil || !result.Success || m.Connection.ID != id {
					w.Errorf("%v", err)
				}
			})
		}
		w.pass(time.Second)
		if _, err := w.one.Connect(w.Context(), customer, w.parseConnect(mock), nil); err != nil {
			w.Errorf("the customer can do nothing else: %v", err)
		}
		group.Wait()
		w.calls("test", 1)
		w.test(id)
		w.calls("test", 2)
	})
}

// TestTestAfterSave is one of what was saved, and waits for its turn.
func TestTestAfterSave(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("test", behaviour{before: 20 * time.Second})
		go func() { _, _, _ = w.one.Test(w.Context(), customer, id) }()
		w.pass(time.Second)
		w.save(id, freewheelNew)
		_, m := w.test(id)
		tests := w.agent.made("test")
		if len(tests) != 2 || tests[1].at.Sub(tests[0].at) < 20*time.Second {
			w.Errorf("%d tests", len(tests))
		}
		if c := *m.Connection; c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, saved at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
	})
}

// TestRequestsPerCustomer: no customer can keep the others from changing anything.
func TestRequestsPerCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.all("provision", behaviour{before: 20 * time.Second})
		var group sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for i := range 40 {
			group.Go(func() {
				_, err := w.one.Connect(w.Context(), customer, w.parseConnect(fmt.Sprintf(`{"type":"mock","sourceId":"s%d"}`, i)), nil)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					refused++
					if f := fault.As(err); f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
						w.Errorf("%v", err)
					}
				}
			})
		}
		w.pass(time.Second)
		if _, err := w.one.Connect(w.Context(), customer+1, w.parseConnect(mock), nil); err != nil {
			w.Errorf("another customer: %v", err)
		}
		group.Wait()
		if refused != 8 {
			w.Errorf("%d were refused", refused)
		}
		if _, err := w.one.Connect(w.Context(), customer, w.parseConnect(mock), nil); err != nil {
			w.Errorf("its share is not free again: %v", err)
		}
	})
}
