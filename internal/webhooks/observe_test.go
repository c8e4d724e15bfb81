package webhooks_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

func TestUnannounced(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d) }
	const s, m = time.Second, time.Minute
	subscribed := at(-time.Hour)
	for name, c := range map[string]struct {
		sub  *registry.Subscription
		age  time.Duration // of the run, when the status was fetched
		want bool
	}{
		"never announced":         {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed}, 2*m + s, true},
		"not due":                 {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed}, 2 * m, false},
		"an earlier one was":      {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed, AnnouncedAt: at(-6 * s)}, 3 * m, true},
		"within the slack":        {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed, AnnouncedAt: at(-5 * s)}, 3 * m, false},
		"announced":               {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed, AnnouncedAt: at(0)}, 3 * m, false},
		"a later one was":         {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed, AnnouncedAt: at(m)}, 3 * m, false},
		"from before":             {&registry.Subscription{WebhookID: "w", SubscribedAt: at(0)}, time.Hour, false},
		"dead already":            {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed, Dead: true}, time.Hour, false},
		"not made yet":            {&registry.Subscription{SubscribedAt: subscribed}, time.Hour, false},
		"no subscription":         {nil, time.Hour, false},
		"fetched before it ended": {&registry.Subscription{WebhookID: "w", SubscribedAt: subscribed}, -m, false},
	} {
		run(t, func(t *testing.T, w *world) {
			m := w.adopt(tenant)
			if c.sub != nil {
				w.set(m, *c.sub)
			}
			w.sub.Observe(t.Context(), m, at(0), at(c.age))
			synctest.Wait()
			if got := strings.Contains(w.done(), "dead"); got != c.want {
				t.Errorf("%s: %v", name, got)
			}
		})
	}
}

func TestObserve(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		first := w.lives(m)
		w.done()
		time.Sleep(2 * time.Hour)
		finished := time.Now()
		for range 8 { // it is looked at again until it is due
			w.observe(m, finished)
			time.Sleep(15 * time.Second)
		}
		if w.subscription(m).Dead {
			t.Fatal("given up too soon")
		}
		epoch := w.managed(m).Connection.Epoch
		time.Sleep(time.Second)
		w.observe(m, finished)
		if again := w.lives(m); again.WebhookID == first.WebhookID { // it was made long enough ago
			t.Error("it was not made anew")
		}
		w.same(w.done(), "[dead true subscribe true]")
		if got := w.managed(m).Connection.Epoch; got != epoch+2 {
			t.Errorf("epoch %d after %d", got, epoch)
		}
		w.observe(m, finished) // one of the old one's
		w.same(w.done(), "[]")
	})
}

func TestObserveWhatWasAnnounced(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		finished := time.Now().Add(time.Hour)
		time.Sleep(time.Hour)
		_, _, err := w.dir.RecordEvent(t.Context(), customer, m.Connection.ID, registry.Event{ID: "e", OccurredAt: finished.Add(-time.Second), Announces: true})
		w.must(err)
		time.Sleep(time.Hour)
		w.observe(m, finished)
		if w.subscription(m).Dead {
			t.Error("one that delivers was given up")
		}
	})
}

// TestObserveIsCheap: the store is asked once for each run, and asked again when it was
// away.
func TestObserveIsCheap(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		time.Sleep(time.Hour)
		finished := time.Now().Add(-59 * time.Minute)
		w.store.away.Store(true)
		w.observe(m, finished)
		w.store.away.Store(false)
		time.Sleep(10 * time.Second)
		w.store.asked()
		announced := registry.Event{ID: "e", OccurredAt: finished, Announces: true}
		_, _, err := w.dir.RecordEvent(t.Context(), customer, m.Connection.ID, announced)
		w.must(err)
		for range 50 {
			w.observe(m, finished)
			w.observe(m, finished.Add(-time.Minute)) // an older status
			w.observe(m, time.Time{})
			w.observe(m, time.Now())
		}
		if n := w.store.asked(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		w.observe(m, finished.Add(time.Second)) // within the slack
		if n := w.store.asked(); n != 1 || w.subscription(m).Dead {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestALostSecretIsDeath: deliveries that can't be verified are none.
func TestALostSecretIsDeath(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		time.Sleep(2 * time.Hour)
		w.store.sealed.Store(true)
		w.observe(m, time.Now().Add(-time.Hour))
		w.lives(m)
		w.same(w.done(), "[subscribe true dead true subscribe true]")
	})
}
