package webhooks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// round makes a Round that must succeed.
func (w *world) round() {
	w.t.Helper()
	if err := w.sub.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// lives holds a connection to have one subscription, the same here and upstream.
func (w *world) lives(m *registry.Source) registry.Subscription {
	w.t.Helper()
	sub, hooks := w.subscription(m), w.agent.of(m.Connection.TenantID)
	if len(hooks) != 1 || !sub.Lives() || sub.WebhookID != hooks[0].ID || sub.URL != ours || hooks[0].URL != ours || sub.Secret != hooks[0].secret {
		w.t.Fatalf("upstream has %d, we have %q, living %v\n%s", len(hooks), sub.WebhookID, sub.Lives(), w.log)
	}
	return sub
}

// none holds a connection to have no subscription, here or upstream.
func (w *world) none(m *registry.Source) {
	w.t.Helper()
	if sub, hooks := w.subscription(m), w.agent.of(m.Connection.TenantID); len(hooks) != 0 || sub.WebhookID != "" || sub.Secret != "" {
		w.t.Fatalf("upstream has %d, we have %q, a secret: %v", len(hooks), sub.WebhookID, sub.Secret != "")
	}
}

func TestSubscribe(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		var before registry.Subscription // as it stands when upstream is told of the secret
		w.agent.before = func(call string) error {
			if call == "POST webhooks" {
				before = w.subscription(m)
			}
			return nil
		}
		w.round()
		sub := w.lives(m)
		if before.Secret != sub.Secret || len(sub.Secret) < 43 || before.WebhookID != "" {
			t.Error("the secret was not kept before it was used")
		}
		if !sub.SubscribedAt.Equal(time.Now()) || !sub.RetryAt.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("subscribed at %v, not again before %v", sub.SubscribedAt, sub.RetryAt)
		}
		if got := fmt.Sprint(w.agent.of(tenant)[0].Events); got != "[sync_run.completed sync_run.failed]" {
			t.Error(got)
		}
		if got := w.managed(m).Connection.Epoch; got != m.Connection.Epoch+1 {
			t.Errorf("epoch %d after %d", got, m.Connection.Epoch)
		}
		if calls, done := w.agent.asked(), w.done(); calls != "GET webhooks, POST webhooks" || done != "[subscribe true]" {
			t.Error(calls, done)
		}
		for range 3 { // there is nothing more to do
			time.Sleep(45 * time.Minute)
			w.round()
		}
		if calls := w.agent.asked(); calls != "" {
			t.Error(calls)
		}
	})
}

// TestOthersStayAndLeftoversGo: of what upstream has, only what goes to us is ours.
func TestOthersStayAndLeftoversGo(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.hooks[tenant] = []hook{
			{ID: "theirs", URL: "https://other.example/hook", Active: true}, {ID: "left-1", URL: ours, Active: true},
			{ID: "ended", URL: ours}, {ID: "left-2", URL: ours, Active: true},
		}
		w.round()
		var ids []string
		for _, h := range w.agent.of(tenant) {
			ids = append(ids, h.ID)
		}
		if got := strings.Join(ids, " "); got != "theirs ended wh-1" || w.subscription(m).WebhookID != "wh-1" {
			t.Error(got)
		}
	})
}

func TestANewURLMovesTheSubscription(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.hooks[tenant] = []hook{{ID: "old", URL: "https://before.example/hook", Active: true}}
		w.set(m, registry.Subscription{WebhookID: "old", Secret: secret, URL: "https://before.example/hook", SubscribedAt: time.Now()})
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
			w.sub.Kick(m)
			synctest.Wait()
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
				w.agent.before = func(call string) error {
					if call == "POST webhooks" {
						tries++
						return errors.New("cut off")
					}
					return nil
				}
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
