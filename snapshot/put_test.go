package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/snapshot"
)

func at(d time.Duration, name string) *doc { return &doc{time.Now().Add(d), name} }

// peek checks what a key's copy is, and whether it is fresh.
func (f *fixture) peek(name string, state snapshot.State) {
	f.Helper()
	r, ok := f.c.Peek("k")
	if ok != (name != "") || ok && (r.Doc.name != name || r.State != state) {
		f.Errorf("peeked at %+v, %t, want %q state %d", r, ok, name, state)
	}
}

// TestPut: what is put is served as fresh, what is offered as a copy to fall back on, and
// neither in the place of a newer state.
func TestPut(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.peek("", 0)
		f.c.Offer("k", at(0, "offered"))
		f.peek("offered", snapshot.Stale)
		f.read(want{name: "first", state: snapshot.Miss})
		f.c.Put("k", at(time.Second, "put"))
		f.peek("put", snapshot.Hit)
		f.c.Put("k", at(0, "older"))
		f.c.Offer("k", at(time.Second, "no newer"))
		f.peek("put", snapshot.Hit)
		f.c.Offer("k", at(2*time.Second, "newer"))
		f.peek("newer", snapshot.Stale)
		f.c.Put("k", at(2*time.Second, "the same, known to be the newest"))
		f.peek("the same, known to be the newest", snapshot.Hit)
		f.wantCalls(1)
	})
}

// TestPutProlongs: what was put is kept for as long as what was fetched.
func TestPutProlongs(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.pass(limits.StaleIfError)
		f.c.Put("k", at(0, "put"))
		f.pass(time.Minute)
		f.peek("put", snapshot.Stale)
	})
}

// TestOfferedEvictNothing: keys that are offered have places of their own.
func TestOfferedEvictNothing(t *testing.T) {
	few := limits
	few.Entries = 2
	run(t, few, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		for i := range 9 {
			f.c.Offer(fmt.Sprint(i), at(0, "offered"))
		}
		f.peek("first", snapshot.Hit)
		if n := f.c.Len(); n != 3 {
			f.Errorf("%d keys are kept", n)
		}
	})
}

// TestPutDuringAFetch: whatever a fetch brings that began before a document was put, its
// older state and its "there is none" are discarded.
func TestPutDuringAFetch(t *testing.T) {
	for name, answer := range map[string]func(context.Context, snapshot.Demand) (*doc, error){
		"older": func(context.Context, snapshot.Demand) (*doc, error) { return at(-time.Minute, "older"), nil },
		"none":  func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, limits, func(f *fixture) {
				f.u.set(after(time.Second, answer))
				go func() { _, _ = f.get("k") }()
				f.pass(500 * time.Millisecond)
				f.c.Put("k", at(0, "put"))
				f.pass(time.Second)
				f.read(want{name: "put", state: snapshot.Hit, age: time.Second})
				f.wantCalls(1)
			})
		})
	}
}

// TestGetNew asks past a fresh copy, waits for as long as one with a copy may, and says
// when it gave up.
func TestGetNew(t *testing.T) {
	run(t, limits, func(f *fixture) {
		newest := func(name string, gaveUp bool) {
			f.Helper()
			r, err := f.c.GetNew(f.Context(), "k", 0, f.u.fetch)
			if err != nil || r.Doc.name != name || r.GaveUp != gaveUp {
				f.Errorf("got %+v, %v, want %q, gave up %t", r, err, name, gaveUp)
			}
		}
		newest("first", false)
		f.u.set(now("second"))
		newest("second", false)
		f.wantCalls(2)
		f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return at(-time.Hour, "older"), nil })
		newest("second", false)
		f.u.set(hangs)
		newest("second", true)
		f.pass(limits.FetchTimeout)
		f.u.set(fails)
		newest("second", false)
		f.u.set(now("third")) // a back-off holds no such read back
		newest("third", false)
		f.wantCalls(6)
	})
}

// TestForgetGone: "there is none" answers those who wait for it and no later readers.
func TestForgetGone(t *testing.T) {
	run(t, limits, func(f *fixture) {
		c := snapshot.New[*doc](limits, snapshot.Options{Gone: func(err error) bool { return errors.Is(err, errGone) }, ForgetGone: true})
		defer c.Close()
		f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone })
		for range 2 {
			if _, err := c.Get(f.Context(), "k", 0, f.u.fetch); !errors.Is(err, errGone) {
				f.Error(err)
			}
		}
		f.wantCalls(2)
		if n := c.Len(); n != 0 {
			f.Errorf("%d keys are kept of which there is nothing to remember", n)
		}
	})
}

// TestPutOutlivesAnEviction evicts a key that was put while its fetch runs. Neither that
// fetch nor an offer at the moment of its end brings back the older document.
func TestPutOutlivesAnEviction(t *testing.T) {
	one := limits
	one.Entries = 1
	c := snapshot.New[*doc](one, snapshot.Options{})
	defer c.Close()
	epoch := time.Now()
	for i := range 5000 {
		key, answer, fetching := fmt.Sprint(i), make(chan struct{}), make(chan struct{})
		older, newer := &doc{epoch, "older"}, &doc{epoch.Add(time.Second), "newer"}
		var readers sync.WaitGroup
		readers.Go(func() {
			_, _ = c.Get(t.Context(), key, 0, func(context.Context, snapshot.Demand) (*doc, error) {
				close(fetching)
				<-answer
				return older, nil
			})
		})
		<-fetching
		c.Put(key, newer)
		c.Put("another", newer)
		readers.Go(func() { <-answer; c.Offer(key, older) })
		close(answer)
		readers.Wait()
		if r, ok := c.Peek(key); !ok || r.Doc != newer {
			t.Fatalf("round %d: %+v, %t", i, r, ok)
		}
	}
}
