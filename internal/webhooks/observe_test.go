package webhooks_test

import (
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/webhooks"
	"esagate/registry"
)

func TestUnannounced(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Date(2026, 3, 8, 9, 0, 0, 0, time.UTC).Add(d) }
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
		if got := webhooks.Unannounced(c.sub, at(0), at(c.age)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
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
			w.sub.Observe(t.Context(), m, finished, time.Now())
			time.Sleep(15 * time.Second)
		}
		if w.subscription(m).Dead {
			t.Fatal("given up too soon")
		}
		epoch := w.managed(m).Connection.Epoch
		time.Sleep(time.Second)
		w.sub.Observe(t.Context(), m, finished, time.Now())
		synctest.Wait()
		if again := w.lives(m); again.WebhookID == first.WebhookID { // it was made long enough ago
			t.Error("it was not made anew")
		}
		if done := w.done(); done != "[dead true subscribe true]" {
			t.Error(done)
		}
		if got := w.managed(m).Connection.Epoch; got != epoch+2 {
			t.Errorf("epoch %d after %d", got, epoch)
		}
		w.sub.Observe(t.Context(), m, finished, time.Now()) // one of the old one's
		synctest.Wait()
		if done := w.done(); done != "[]" {
			t.Error(done)
		}
	})
}

func TestObserveWhatWasAnnounced(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		finished := time.Now().Add(time.Hour)
		time.Sleep(time.Hour)
		if _, _, err := w.dir.RecordEvent(t.Context(), customer, m.Connection.ID, registry.Event{ID: "e", OccurredAt: finished.Add(-time.Second), Announces: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		w.sub.Observe(t.Context(), m, finished, time.Now())
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
		w.store.is(true)
		w.sub.Observe(t.Context(), m, finished, time.Now())
		w.store.is(false)
		time.Sleep(10 * time.Second)
		w.store.asked()
		announced := registry.Event{ID: "e", OccurredAt: finished, Announces: true}
		if _, _, err := w.dir.RecordEvent(t.Context(), customer, m.Connection.ID, announced); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			w.sub.Observe(t.Context(), m, finished, time.Now())
			w.sub.Observe(t.Context(), m, finished.Add(-time.Minute), time.Now()) // an older status
			w.sub.Observe(t.Context(), m, time.Time{}, time.Now())
			w.sub.Observe(t.Context(), m, time.Now(), time.Now())
		}
		if n := w.store.asked(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		w.sub.Observe(t.Context(), m, finished.Add(time.Second), time.Now()) // within the slack
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
		w.store.sealed = true
		w.sub.Observe(t.Context(), m, time.Now().Add(-time.Hour), time.Now())
		synctest.Wait()
		w.lives(m)
		if done := w.done(); done != "[subscribe true dead true subscribe true]" {
			t.Error(done)
		}
	})
}
