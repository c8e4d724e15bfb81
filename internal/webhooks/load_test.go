package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// TestReplicas: of several that begin at once one makes it.
func TestReplicas(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.before = func(string) error { time.Sleep(5 * time.Second); return nil }
		var all sync.WaitGroup
		for range 3 {
			s := w.subscriber(true)
			defer s.Close()
			all.Go(func() { s.Kick(m) })
			all.Go(func() {
				if err := s.Round(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		w.lives(m)
		w.same(w.agent.asked(), "GET webhooks, POST webhooks")
	})
}

// TestOvertaken: one that took longer than its claim does not undo what another did.
func TestOvertaken(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.agent.beforeCreate(func() error {
			sub := w.subscription(m)
			sub.WebhookID, sub.URL, sub.RetryAt = "another", ours, time.Now().Add(time.Hour)
			w.set(m, sub)
			return nil
		})
		w.round()
		if sub, hooks := w.subscription(m), w.agent.active(tenant); sub.WebhookID != "another" || len(hooks) != 0 {
			t.Errorf("we have %q, upstream %d of ours", sub.WebhookID, len(hooks))
		}
	})
}

func TestNotEnabled(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.adopt(tenant)
		w.round()
		w.agent.asked()
		s := w.subscriber(false)
		defer s.Close()
		other, off := w.adopt("tnt_other"), w.activate(m, false)
		for _, m := range []*registry.Source{other, off} {
			s.Kick(m)
			s.Observe(t.Context(), m, time.Now().Add(-time.Hour), time.Now())
		}
		if err := s.Round(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		w.same(w.agent.asked(), "")
	})
}

// TestUpstreamIsAway: a round over many connections asks it a few times, and none is
// forgotten.
func TestUpstreamIsAway(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		var all []*registry.Source
		for i := range 150 { // more than a page
			all = append(all, w.adopt(fmt.Sprint("tnt-", i)))
		}
		w.agent.SetDown(true)
		w.round()
		if calls, tried := strings.Count(w.agent.asked(), "GET"), strings.Count(w.done(), "subscribe false"); calls == 0 || calls > 30 || tried > 12 {
			t.Errorf("%d calls for %d connections", calls, tried)
		}
		if n := w.store.pages.Load(); n != 2 { // of those to unsubscribe, and of those to subscribe
			t.Errorf("%d pages are read", n)
		}
		if lines := strings.Count(w.log.String(), "level=WARN"); lines != 1 {
			t.Errorf("%d lines", lines)
		}
		w.agent.SetDown(false)
		for range 10 {
			time.Sleep(time.Minute)
			w.round()
		}
		for _, m := range all {
			w.lives(m)
		}
	})
}

// TestSomeFail: those that fail keep no others from being seen to, however many.
func TestSomeFail(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for i := range 60 {
			w.adopt(fmt.Sprint("tnt-", i))
		}
		var made atomic.Int32
		w.agent.beforeCreate(func() error {
			if made.Add(1)%3 == 0 {
				return errors.New("cut off")
			}
			return nil
		})
		w.round()
		done := w.done()
		if good, bad := strings.Count(done, "subscribe true"), strings.Count(done, "subscribe false"); good != 40 || bad != 20 {
			t.Errorf("%d succeeded, %d failed", good, bad)
		}
	})
}

func TestARoundIsBounded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for i := range 20 {
			w.adopt(fmt.Sprint("tnt-", i))
		}
		var mu sync.Mutex
		now, most := 0, 0
		w.agent.before = func(string) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			now--
			return nil
		}
		w.round()
		if most != 4 {
			t.Errorf("%d at once", most)
		}
		for i := range 150 { // more than a page
			w.adopt(fmt.Sprint("tnt-late-", i))
		}
		ctx, stop := context.WithCancel(t.Context())
		w.agent.set(func(a *agent) { a.before = func(string) error { stop(); return ctx.Err() } })
		w.store.pages.Store(0)
		if err := w.sub.Round(ctx); err == nil {
			t.Error("a round that was ended reports nothing")
		}
		if n := w.store.pages.Load(); n != 2 {
			t.Errorf("a round that was ended reads %d pages", n)
		}
	})
}

// TestKicksAreBounded: of any number of kicks 4 are worked on and 256 wait, Kick itself
// never waits, and Close drops those that are left.
func TestKicksAreBounded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		var asked atomic.Int32
		w.agent.before = func(string) error {
			asked.Add(1)
			time.Sleep(5 * time.Second)
			return errors.New("cut off")
		}
		var all []*registry.Source
		for i := range 300 {
			all = append(all, w.adopt(fmt.Sprint("tnt-", i)))
		}
		for _, m := range all[:4] {
			w.kick(m)
		}
		began := time.Now()
		for _, m := range all[4:] {
			w.sub.Kick(m)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		synctest.Wait()
		if n := asked.Load(); n != 4 {
			t.Errorf("%d are worked on at once", n)
		}
		time.Sleep(2 * time.Hour)
		if n := strings.Count(w.done(), "subscribe false"); n != 4+256 {
			t.Errorf("%d were tried", n)
		}
		for _, m := range all {
			w.sub.Kick(m)
		}
	})
}
