package snapshot_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/snapshot"
)

// TestReads lists what a reader gets, by the age of the copy and what upstream does.
func TestReads(t *testing.T) {
	runEach(t, map[string]func(f *fixture){
		"a fresh copy is served without asking": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.pass(5 * time.Second)
			r := f.read(want{name: "first", state: snapshot.Hit, age: 5 * time.Second})
			if r.Fresh != 0 {
				f.Errorf("fresh for %s more, want 0", r.Fresh)
			}
			f.wantCalls(1)
		},
		"a stale copy is served at once while one refresh runs": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.u.set(after(2*time.Second, now("second")))
			f.pass(time.Minute)
			for range 3 {
				f.read(want{name: "first", state: snapshot.Stale, age: time.Minute})
			}
			f.wantCalls(2)
			f.pass(2 * time.Second)
			f.read(want{name: "second", state: snapshot.Hit})
			f.wantCalls(2)
		},
		"an older copy is served after patience when upstream hangs": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.u.set(hangs)
			f.pass(2 * time.Minute)
			f.read(want{name: "first", state: snapshot.Stale, age: 2*time.Minute + 300*time.Millisecond, took: 300 * time.Millisecond})
			f.pass(10 * time.Second) // the shared fetch has ended in failure: nothing is waited for
			f.read(want{name: "first", state: snapshot.Stale, age: 2*time.Minute + 10300*time.Millisecond, failed: true})
			f.wantCalls(2)
			f.pass(13 * time.Minute)
			f.read(want{err: snapshot.ErrNoAnswer, took: 3 * time.Second})
		},
		"a patient reader gets the newer document": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.u.set(after(200*time.Millisecond, now("second")))
			f.pass(2 * time.Minute)
			f.read(want{name: "second", state: snapshot.Miss, took: 200 * time.Millisecond})
		},
		"a slow upstream still fills the cache": func(f *fixture) {
			f.u.set(after(8*time.Second, now("slow")))
			r, err := f.get("k")
			var u *snapshot.UnavailableError
			if !errors.As(err, &u) || u.RetryAfter != 7*time.Second {
				f.Errorf("got %v %v, want unavailable for the 7 s that the fetch may still take", r, err)
			}
			f.pass(5 * time.Second)
			f.read(want{name: "slow", state: snapshot.Hit})
			f.wantCalls(1)
		},
		"a reader that leaves does not end the fetch": func(f *fixture) {
			f.u.set(after(2*time.Second, now("kept")))
			ctx, leave := context.WithTimeout(f.Context(), time.Second)
			defer leave()
			if _, err := f.c.Get(ctx, "k", 0, f.u.fetch); !errors.Is(err, context.DeadlineExceeded) {
				f.Errorf("got %v, want the reader's own end", err)
			}
			f.pass(time.Second)
			f.read(want{name: "kept", state: snapshot.Hit})
			f.wantCalls(1)
		},
		"an older document is discarded and counts as an answer": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			older := time.Now().Add(-time.Second)
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return &doc{older, "older"}, nil })
			f.pass(10 * time.Second)
			f.read(want{name: "first", state: snapshot.Stale, age: 10 * time.Second})
			f.wantCalls(2)
			f.pass(4 * time.Second)
			f.read(want{name: "first", state: snapshot.Stale, age: 14 * time.Second})
			f.wantCalls(2) // the answer stands for the freshness time
			f.pass(2 * time.Second)
			f.read(want{name: "first", state: snapshot.Stale, age: 16 * time.Second})
			f.wantCalls(3)
			f.pass(15 * time.Minute) // the mark has lapsed
			f.read(want{name: "older", state: snapshot.Miss})
		},
		"the same document again is received anew": func(f *fixture) {
			same := &doc{time.Now(), "same"}
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return same, nil })
			f.read(want{name: "same", state: snapshot.Miss})
			f.pass(time.Minute + time.Second)
			f.read(want{name: "same", state: snapshot.Miss})
		},
	})
}

// TestFailures lists what follows a fetch that fails or finds nothing.
func TestFailures(t *testing.T) {
	runEach(t, map[string]func(f *fixture){
		"a failed refresh is backed off": func(f *fixture) {
			f.u.set(fails)
			for failures, least := range []time.Duration{5, 10, 10, 10} {
				f.read(want{err: errDown})
				f.wantCalls(failures + 1)
				_, err := f.get("k")
				var u *snapshot.UnavailableError
				if !errors.As(err, &u) || u.RetryAfter < least*time.Second || u.RetryAfter > least*time.Second*3/2 {
					f.Fatalf("after %d failures: %v, want a next try in %d to %d s", failures+1, err, least, least*3/2)
				}
				f.wantCalls(failures + 1)
				f.pass(u.RetryAfter)
			}
			f.u.set(now("well"))
			f.read(want{name: "well", state: snapshot.Miss})
		},
		"RetryNow ends the back-off": func(f *fixture) {
			f.u.set(fails)
			f.read(want{err: errDown})
			f.u.set(now("well"))
			f.read(want{err: errDown})
			f.c.RetryNow("k")
			f.read(want{name: "well", state: snapshot.Miss})
			f.u.set(fails)
			f.pass(time.Minute + time.Second)
			f.read(want{name: "well", state: snapshot.Stale, age: time.Minute + time.Second, failed: true})
			f.u.set(now("again"))
			f.c.RetryNow("")
			f.read(want{name: "again", state: snapshot.Miss})
		},
		// RetryNow may be called while a fetch that began before, and will fail,
		// is still running.
		"RetryNow also counts for the running fetch": func(f *fixture) {
			f.u.set(after(time.Second, fails))
			var reader sync.WaitGroup
			reader.Go(func() {
				if r, err := f.get("k"); err != nil || r.Doc.name != "well" {
					f.Errorf("got %v %v", r.Doc, err)
				}
			})
			f.pass(500 * time.Millisecond)
			f.u.set(now("well"))
			f.c.RetryNow("")
			reader.Wait()
		},
		"a missing document is remembered for Fresh": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.pass(time.Minute + time.Second)
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone })
			f.read(want{err: errGone})
			f.pass(4 * time.Second)
			f.read(want{err: errGone})
			f.wantCalls(2)
			f.u.set(now("back"))
			f.pass(time.Second)
			f.read(want{name: "back", state: snapshot.Miss})
		},
		"an expiry during a fetch makes a missing one stale too": func(f *fixture) {
			f.u.set(after(time.Second, func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone }))
			var reader sync.WaitGroup
			reader.Go(func() { _, _ = f.get("k") })
			f.pass(500 * time.Millisecond)
			f.c.Expire("k")
			f.u.set(now("made since"))
			reader.Wait()
			f.read(want{name: "made since", state: snapshot.Miss})
		},
		"a panic is a failed fetch": func(f *fixture) {
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { panic("secret words") })
			_, err := f.get("k")
			if err == nil || strings.Contains(err.Error(), "secret") {
				f.Errorf("got %v, want an error without the panic's words", err)
			}
		},
	})
}

// since reads as a caller that knows of an epoch.
func (f *fixture) since(epoch int64) snapshot.Read[*doc] {
	f.Helper()
	r, err := f.c.Get(f.Context(), "k", epoch, f.u.fetch)
	if err != nil {
		f.Fatal(err)
	}
	return r
}

// TestExpiries lists what expires a copy, and what readers then get.
func TestExpiries(t *testing.T) {
	runEach(t, map[string]func(f *fixture){
		"Expire asks first and keeps the copy": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.c.Expire("k")
			f.u.set(after(100*time.Millisecond, now("second")))
			f.read(want{name: "second", state: snapshot.Miss, took: 100 * time.Millisecond})
			f.c.Expire("k")
			f.u.set(hangs)
			f.read(want{name: "second", state: snapshot.Stale, age: 300 * time.Millisecond, took: 300 * time.Millisecond})
			f.c.Expire("another") // nothing there: nothing happens
		},
		// A reader that came before the expiry is served by the fetch it waited for; one that
		// came after it gets a document that was asked for after it.
		"an expiry during a fetch makes its answer stale": func(f *fixture) {
			f.u.set(after(time.Second, now("before the write")))
			var readers sync.WaitGroup
			read := func(name string, took time.Duration) {
				readers.Go(func() { f.read(want{name: name, state: snapshot.Miss, took: took}) })
			}
			read("before the write", time.Second)
			f.pass(500 * time.Millisecond)
			f.c.Expire("k")
			f.u.set(after(100*time.Millisecond, now("after the write")))
			read("after the write", 600*time.Millisecond)
			readers.Wait()
			f.wantCalls(2)
			f.read(want{name: "after the write", state: snapshot.Hit})
			if f.u.overlapped.Load() {
				f.Error("two fetches ran at once")
			}
		},
		// Its fetch still runs, so readers will find it.
		"Expire reaches an entry past its time": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.pass(limits.StaleIfError + limits.FetchTimeout - time.Second)
			f.u.set(after(3*time.Second, now("before")))
			go func() { _, _ = f.get("k") }()
			f.pass(2 * time.Second)
			f.c.Expire("k")
			f.pass(time.Second)
			f.peek("before", snapshot.Stale)
		},
		"a reader of a later epoch asks first": func(f *fixture) {
			if r := f.since(3); r.State != snapshot.Miss { // the first that is heard of the key
				f.Errorf("the first read: %+v", r)
			}
			for range 2 {
				if r := f.since(3); r.State != snapshot.Hit {
					f.Errorf("the same epoch: %+v", r)
				}
			}
			f.wantCalls(1)
			if r := f.since(4); r.State != snapshot.Miss || !r.Replaced {
				f.Errorf("a later epoch: %+v", r)
			}
			if r := f.since(3); r.State != snapshot.Hit { // an older reader changes nothing
				f.Errorf("an earlier epoch: %+v", r)
			}
			f.wantCalls(2)
		},
		"a later epoch during a fetch makes its answer stale": func(f *fixture) {
			f.since(1)
			f.u.set(after(time.Second, now("before the change")))
			f.pass(limits.Fresh + time.Millisecond)
			f.since(1) // served at once; the fetch runs
			f.since(2)
			f.u.set(now("after it"))
			f.pass(time.Second)
			if r := f.since(2); r.Doc.name != "after it" {
				f.Errorf("the answer of a fetch from before the change is served as new: %+v", r)
			}
		},
	})
}
