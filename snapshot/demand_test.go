package snapshot_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/snapshot"
)

var errBusy = errors.New("busy")

// queued is an upstream before which a fetch waits in a queue for so long.
func queued(wait time.Duration, then snapshot.Fetch[*doc]) snapshot.Fetch[*doc] {
	return func(ctx context.Context, d snapshot.Demand) (*doc, error) {
		select {
		case <-time.After(wait):
			return then(ctx, d)
		case <-d.Unwanted:
			return nil, errBusy
		}
	}
}

// TestUnwanted lists when a fetch that waits in a queue is given up.
func TestUnwanted(t *testing.T) {
	leaving := func(f *fixture, after time.Duration) {
		ctx, leave := context.WithTimeout(f.Context(), after)
		defer leave()
		_, _ = f.c.Get(ctx, "k", 0, f.u.fetch)
	}
	runEach(t, map[string]func(f *fixture){
		"all have left": func(f *fixture) {
			f.u.set(queued(5*time.Second, now("late")))
			go leaving(f, time.Second)
			leaving(f, 2*time.Second)
			synctest.Wait()
			f.u.set(now("anew")) // nothing is backed off
			f.read(want{name: "anew", state: snapshot.Miss})
			f.wantCalls(2)
		},
		"all have waited for as long as they may": func(f *fixture) {
			f.u.set(queued(5*time.Second, now("late")))
			f.read(want{err: snapshot.ErrNoAnswer, took: 3 * time.Second})
			f.pass(0)
			f.u.set(now("anew"))
			f.read(want{name: "anew", state: snapshot.Miss})
			f.wantCalls(2)
		},
		"one still waits": func(f *fixture) {
			f.u.set(queued(2*time.Second, now("queued")))
			go leaving(f, time.Second)
			f.read(want{name: "queued", state: snapshot.Miss, took: 2 * time.Second})
			f.wantCalls(1)
		},
		"one came after all others had left, before the fetch had ended": func(f *fixture) {
			f.u.set(func(ctx context.Context, d snapshot.Demand) (*doc, error) {
				<-d.Unwanted
				time.Sleep(time.Second)
				return nil, errBusy
			})
			leaving(f, time.Second)
			f.u.set(now("anew"))
			f.read(want{name: "anew", state: snapshot.Miss, took: time.Second})
		},
		"one was given a copy, and wants the next": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			received := time.Now()
			f.u.set(func(ctx context.Context, d snapshot.Demand) (*doc, error) {
				if !d.CopyFrom.Equal(received) {
					f.Errorf("a copy from %v, want %v", d.CopyFrom, received)
				}
				return queued(5*time.Second, now("refreshed"))(ctx, d)
			})
			f.pass(2 * time.Minute)
			leaving(f, 100*time.Millisecond)
			f.pass(5 * time.Second)
			f.peek("refreshed", snapshot.Hit)
		},
		"it had begun": func(f *fixture) {
			f.u.set(func(ctx context.Context, d snapshot.Demand) (*doc, error) {
				if !d.CopyFrom.IsZero() {
					f.Errorf("there is no copy, and it is from %v", d.CopyFrom)
				}
				return after(5*time.Second, now("slow"))(ctx, d)
			})
			leaving(f, time.Second)
			f.pass(4 * time.Second)
			f.peek("slow", snapshot.Hit)
		},
	})
}

// TestQueued lists whose fault it is that a reader's time ran out: the wait counts that fell into it.
func TestQueued(t *testing.T) {
	asking := func(f *fixture, queue time.Duration) {
		f.u.set(func(ctx context.Context, d snapshot.Demand) (*doc, error) {
			d.Queued(true)
			time.Sleep(queue)
			d.Queued(false)
			return after(9*time.Second-queue, now("late"))(ctx, d)
		})
	}
	runEach(t, map[string]func(f *fixture){
		"in the queue all the time": func(f *fixture) {
			asking(f, 8*time.Second)
			f.read(want{err: snapshot.ErrQueued, took: 3 * time.Second})
		},
		"most of the time": func(f *fixture) {
			asking(f, 2*time.Second)
			f.read(want{err: snapshot.ErrQueued, took: 3 * time.Second})
		},
		"for a moment": func(f *fixture) {
			asking(f, time.Second)
			f.read(want{err: snapshot.ErrNoAnswer, took: 3 * time.Second})
		},
		"before the reader came": func(f *fixture) {
			asking(f, 2*time.Second)
			go func() { _, _ = f.c.Get(f.Context(), "k", 0, f.u.fetch) }()
			f.pass(2500 * time.Millisecond)
			f.read(want{err: snapshot.ErrNoAnswer, took: 3 * time.Second})
		},
	})
}

// TestBusy: a refused fetch is no failed refresh, and is followed by no other for a moment.
func TestBusy(t *testing.T) {
	full := func(context.Context, snapshot.Demand) (*doc, error) { return nil, errBusy }
	runEach(t, map[string]func(f *fixture){
		"without a copy": func(f *fixture) {
			f.u.set(full)
			for range 20 {
				_, err := f.get("k")
				var none *snapshot.UnavailableError
				if !errors.As(err, &none) || !errors.Is(err, errBusy) {
					f.Fatalf("got %v", err)
				}
			}
			f.wantCalls(1)
			f.u.set(now("first"))
			f.pass(time.Second)
			f.read(want{name: "first", state: snapshot.Miss})
		},
		"with a copy": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.u.set(full)
			f.pass(2 * time.Minute)
			for range 20 {
				f.read(want{name: "first", state: snapshot.Stale, age: 2 * time.Minute})
			}
			f.wantCalls(2)
			if err := f.c.Refresh(f.Context(), "k", 0, f.u.fetch); !errors.Is(err, errBusy) {
				f.Errorf("a refresh that was not made gave %v", err)
			}
			f.u.set(now("second"))
			f.pass(time.Second)
			f.read(want{name: "second", state: snapshot.Miss})
		},
	})
}

// TestPatienceIsOfTheFetch: readers of a copy wait for a fetch from its start, not from when
// they come, and not at all for one that follows a fetch which took as long and failed.
func TestPatienceIsOfTheFetch(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.u.set(hangs)
		f.pass(2 * time.Minute)
		age := 2 * time.Minute
		stale := func(took time.Duration, failed bool) {
			f.Helper()
			f.read(want{name: "first", state: snapshot.Stale, age: age + took, took: took, failed: failed})
			age += took
		}
		pass := func(d time.Duration) { f.pass(d); age += d }

		var others sync.WaitGroup
		for range 3 {
			others.Go(func() {
				f.read(want{name: "first", state: snapshot.Stale, age: 2*time.Minute + limits.Patience, took: limits.Patience})
			})
		}
		pass(200 * time.Millisecond)
		stale(100*time.Millisecond, false)
		others.Wait()
		pass(time.Second)
		stale(0, false)
		for calls := 3; calls < 6; calls++ {
			pass(limits.FetchTimeout + 15*time.Second) // over, and its back-off too
			stale(0, true)
			f.wantCalls(calls)
		}
		pass(limits.FetchTimeout + 15*time.Second)
		f.u.set(after(100*time.Millisecond, now("second")))
		stale(0, true)
		f.pass(2 * time.Minute)
		f.u.set(hangs)
		f.read(want{name: "second", state: snapshot.Stale, age: 119900*time.Millisecond + limits.Patience, took: limits.Patience})
	})
}
