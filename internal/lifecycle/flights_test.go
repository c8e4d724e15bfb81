package lifecycle_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
)

// TestOneTestAtATime a connection: whoever asks meanwhile is given its result.
func TestOneTestAtATime(t *testing.T) {
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
		_, _, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		w.calls("test", 2)
	})
}

// TestATestAfterASave is one of what was saved, and waits for its turn.
func TestATestAfterASave(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("test", behaviour{before: 20 * time.Second})
		go func() { _, _, _ = w.one.Test(w.Context(), customer, id) }()
		w.pass(time.Second)
		_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err)
		_, m, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		tests := w.agent.made("test")
		if len(tests) != 2 || tests[1].at.Sub(tests[0].at) < 20*time.Second {
			w.Errorf("%d tests", len(tests))
		}
		if c := *m.Connection; c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, saved at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
	})
}

// TestACustomersShare: nobody can keep the others from changing anything.
func TestACustomersShare(t *testing.T) {
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
