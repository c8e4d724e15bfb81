package webhooks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
	"esagate/upstream/wire"
)

// round makes a Round that must succeed.
func (w *world) round() {
	w.t.Helper()
	w.must(w.sub.Round(w.t.Context()))
}

// kick kicks a connection, and waits until its subscription is settled.
func (w *world) kick(m *registry.Source) {
	w.sub.Kick(m)
	synctest.Wait()
}

// observe shows the Subscriber the end of a run, and waits for what comes of it.
func (w *world) observe(m *registry.Source, finished time.Time) {
	w.sub.Observe(w.t.Context(), m, finished, time.Now())
	synctest.Wait()
}

// lives holds a connection to have one subscription, the same here and upstream.
func (w *world) lives(m *registry.Source) registry.Subscription {
	w.t.Helper()
	sub, hooks := w.subscription(m), w.agent.active(m.Connection.TenantID)
	if len(hooks) != 1 || !sub.Lives() || sub.WebhookID != hooks[0].ID || sub.URL != ours || hooks[0].URL != ours || sub.Secret != hooks[0].Secret {
		w.t.Fatalf("upstream has %d, we have %q, living %v\n%s", len(hooks), sub.WebhookID, sub.Lives(), w.log)
	}
	return sub
}

// none holds a connection to have no subscription, here or upstream.
func (w *world) none(m *registry.Source) {
	w.t.Helper()
	if sub, hooks := w.subscription(m), w.agent.active(m.Connection.TenantID); len(hooks) != 0 || sub.WebhookID != "" || sub.Secret != "" {
		w.t.Fatalf("upstream has %d, we have %q, a secret: %v", len(hooks), sub.WebhookID, sub.Secret != "")
	}
}

// subscribeUpstream makes a subscription at the sales agent alone, and gives its id.
func (w *world) subscribeUpstream(url string) string {
	w.t.Helper()
	made, err := w.up.CreateWebhook(w.t.Context(), tenant, wire.WebhookRequest{URL: url, EventTypes: []string{"sync_run.failed"}, Secret: secret})
	w.must(err)
	return made.WebhookID
}

func TestSubscribe(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		var before registry.Subscription // as it stands when upstream is told of the secret
		w.agent.beforeCreate(func() error {
			before = w.subscription(m)
			return nil
		})
		w.round()
		sub := w.lives(m)
		if before.Secret != sub.Secret || len(sub.Secret) < 43 || before.WebhookID != "" {
			t.Error("the secret was not kept before it was used")
		}
		if !sub.SubscribedAt.Equal(time.Now()) || !sub.RetryAt.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("subscribed at %v, not again before %v", sub.SubscribedAt, sub.RetryAt)
		}
		if got := fmt.Sprint(w.agent.active(tenant)[0].EventTypes); got != "[sync_run.completed sync_run.failed]" {
			t.Error(got)
		}
		if got := w.managed(m).Connection.Epoch; got != m.Connection.Epoch+1 {
			t.Errorf("epoch %d after %d", got, m.Connection.Epoch)
		}
		w.same(w.agent.asked(), "GET webhooks, POST webhooks")
		w.same(w.done(), "[subscribe true]")
		for range 3 { // there is nothing more to do
			time.Sleep(45 * time.Minute)
			w.round()
		}
		w.same(w.agent.asked(), "")
	})
}

func TestAnOlderBuildIsAskedForItsOwnNames(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.old = true
		w.round()
		w.lives(m)
		w.same(w.agent.asked(), "GET webhooks, POST webhooks, POST webhooks")
		w.same(w.done(), "[subscribe true]")
	})
}

// TestOthersStayAndLeftoversGo: of what upstream has, only what goes to us is ours.
func TestOthersStayAndLeftoversGo(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		theirs, left := w.subscribeUpstream("https://other.example/hook"), w.subscribeUpstream(ours)
		w.must(w.up.DeleteWebhook(t.Context(), tenant, w.subscribeUpstream(ours))) // ended already
		w.subscribeUpstream(ours)
		w.agent.asked()
		w.round()
		hooks := w.agent.active(tenant)
		if len(hooks) != 2 || hooks[0].ID != theirs || hooks[1].ID == left || hooks[1].ID != w.subscription(m).WebhookID {
			t.Errorf("%+v", hooks)
		}
		if n := strings.Count(w.agent.asked(), "DELETE"); n != 2 {
			t.Errorf("%d were deleted", n)
		}
	})
}

// TestTheStatusIsLookedAtOnce after a subscription is made, by the replica that made it; not when none was.
func TestTheStatusIsLookedAtOnce(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.beforeCreate(func() error { return errors.New("cut off") })
		w.round()
		w.same(w.looked(), "[]")
		w.agent.set(func(a *agent) { a.before = nil })
		time.Sleep(time.Until(w.subscription(m).RetryAt))
		other := w.subscriber(true) // of another replica
		defer other.Close()
		other.Kick(m)
		w.round()
		synctest.Wait()
		w.round()
		w.same(w.looked(), fmt.Sprint("[s-tnt_orchard at ", m.Connection.Epoch+1, "]"))
		sub := w.subscription(m)
		sub.Dead = true
		w.set(m, sub)
		time.Sleep(time.Until(sub.RetryAt))
		w.round()
		w.same(w.looked(), fmt.Sprint("[s-tnt_orchard at ", m.Connection.Epoch+2, "]"))
		w.kick(w.activate(m, false))
		w.none(m)
		w.same(w.looked(), "[]")
	})
}

func TestANewURLMovesTheSubscription(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		old := w.subscribeUpstream("https://before.example/hook")
		w.set(m, registry.Subscription{WebhookID: old, Secret: secret, URL: "https://before.example/hook", SubscribedAt: time.Now()})
		w.round()
		if sub := w.lives(m); sub.Secret != secret {
			t.Error("a secret that is kept was not used")
		}
	})
}

func TestADeadOneIsMadeAnewHourly(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		first := w.lives(m)
		for range 3 {
			sub := w.subscription(m)
			sub.Dead = true
			w.set(m, sub)
			w.kick(m)
			for range 3 {
				w.round()
			}
			if again := w.subscription(m); !again.Dead || again.WebhookID != sub.WebhookID {
				t.Fatal("made anew too soon")
			}
			time.Sleep(time.Until(sub.RetryAt))
			w.round()
			if again := w.lives(m); again.WebhookID == sub.WebhookID || again.Secret != first.Secret || !again.SubscribedAt.Equal(time.Now()) {
				t.Fatalf("%q after %q", again.WebhookID, sub.WebhookID)
			}
		}
	})
}

// TestFailuresBackOff: the tries grow rarer, a round logs one line at most, and in the
// end there is one subscription.
func TestFailuresBackOff(t *testing.T) {
	for name, late := range map[string]bool{"refused": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				m := w.adopt(tenant)
				w.agent.late = late
				tries := 0
				w.agent.beforeCreate(func() error {
					tries++
					return errors.New("cut off")
				})
				for i := range 9 {
					w.round()
					wait := time.Until(w.subscription(m).RetryAt)
					if least := min(time.Minute<<i, time.Hour); tries != i+1 || wait < least || wait > least*5/4 {
						t.Fatalf("%v to wait after %d tries", wait, tries)
					}
					time.Sleep(wait - time.Second)
					w.round() // does nothing
					time.Sleep(time.Second)
				}
				if lines := strings.Count(w.log.String(), "level=WARN"); lines != tries {
					t.Errorf("%d lines about %d tries", lines, tries)
				}
				w.agent.set(func(a *agent) { a.before = nil })
				w.round()
				w.lives(m)
			})
		})
	}
}
