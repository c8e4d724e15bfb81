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

var limits = snapshot.Limits{
	Fresh: 5 * time.Second, StaleWhileRevalidate: time.Minute, StaleIfError: 15 * time.Minute,
	Patience: 300 * time.Millisecond, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, Entries: 100,
}

type doc struct {
	at   time.Time
	name string
}

func (d *doc) Older(than *doc) bool { return d.at.Before(than.at) }

var (
	errDown = errors.New("down")
	errGone = errors.New("gone")
)

// upstream answers each fetch by the function of the moment and counts.
type upstream struct {
	mu      sync.Mutex
	answer  func(ctx context.Context) (*doc, error)
	calls   int
	running int
	most    int
	results []snapshot.Outcome
}

func (u *upstream) fetch(ctx context.Context) (*doc, error) {
	u.mu.Lock()
	u.calls++
	u.running++
	u.most = max(u.most, u.running)
	answer := u.answer
	u.mu.Unlock()
	defer func() { u.mu.Lock(); u.running--; u.mu.Unlock() }()
	return answer(ctx)
}

func (u *upstream) set(f func(ctx context.Context) (*doc, error)) {
	u.mu.Lock()
	u.answer = f
	u.mu.Unlock()
}

func (u *upstream) count() int { u.mu.Lock(); defer u.mu.Unlock(); return u.calls }

func (u *upstream) mostAtOnce() int { u.mu.Lock(); defer u.mu.Unlock(); return u.most }

func now(name string) func(context.Context) (*doc, error) {
	return func(context.Context) (*doc, error) { return &doc{time.Now(), name}, nil }
}

func after(d time.Duration, f func(context.Context) (*doc, error)) func(context.Context) (*doc, error) {
	return func(ctx context.Context) (*doc, error) {
		select {
		case <-time.After(d):
			return f(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func fails(context.Context) (*doc, error) { return nil, errDown }

func hangs(ctx context.Context) (*doc, error) { <-ctx.Done(); return nil, ctx.Err() }

type fixture struct {
	*testing.T
	u *upstream
	c *snapshot.Cache[*doc]
}

// run makes a cache before a scripted upstream, on a fake clock.
func run(t *testing.T, l snapshot.Limits, body func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: now("first")}
		f := &fixture{T: t, u: u, c: snapshot.New[*doc](l, snapshot.Options{
			Gone: func(err error) bool { return errors.Is(err, errGone) },
			Refreshed: func(o snapshot.Outcome) {
				u.mu.Lock()
				u.results = append(u.results, o)
				u.mu.Unlock()
			},
		})}
		defer f.c.Close()
		body(f)
	})
}

// get reads as a reader without epochs.
func (f *fixture) get(key string) (snapshot.Read[*doc], error) {
	return f.c.Get(f.Context(), key, 0, f.u.fetch)
}

// want is what a read must give, and how long it may take on the fake clock.
type want struct {
	name   string
	state  snapshot.State
	age    time.Duration
	failed bool
	took   time.Duration
	err    error
}

func (f *fixture) read(w want) snapshot.Read[*doc] {
	f.Helper()
	begun := time.Now()
	r, err := f.get("k")
	if took := time.Since(begun); took != w.took {
		f.Errorf("read took %s, want %s", took, w.took)
	}
	if !errors.Is(err, w.err) {
		f.Fatalf("read gave error %v, want %v", err, w.err)
	}
	if err != nil {
		return r
	}
	if r.Doc.name != w.name || r.State != w.state || r.Age != w.age || r.Failed != w.failed {
		f.Errorf("read gave %q state %d age %s failed %t, want %+v", r.Doc.name, r.State, r.Age, r.Failed, w)
	}
	return r
}

func (f *fixture) pass(d time.Duration) {
	time.Sleep(d) // the fake clock's
	synctest.Wait()
}

func (f *fixture) wantCalls(n int) {
	f.Helper()
	synctest.Wait()
	if got := f.u.count(); got != n {
		f.Errorf("upstream was asked %d times, want %d", got, n)
	}
}

func TestFreshCopyIsServedWithoutAsking(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.pass(5 * time.Second)
		r := f.read(want{name: "first", state: snapshot.Hit, age: 5 * time.Second})
		if r.Fresh != 0 {
			f.Errorf("fresh for %s more, want 0", r.Fresh)
		}
		f.wantCalls(1)
	})
}

func TestStaleCopyIsServedAtOnceWhileOneRefreshRuns(t *testing.T) {
	run(t, limits, func(f *fixture) {
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
	})
}

func TestOlderCopyIsServedAfterPatienceWhenUpstreamHangs(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.u.set(hangs)
		f.pass(2 * time.Minute)
		f.read(want{name: "first", state: snapshot.Stale, age: 2*time.Minute + 300*time.Millisecond, took: 300 * time.Millisecond})
		f.pass(10 * time.Second) // the shared fetch has ended in failure: nothing is waited for
		f.read(want{name: "first", state: snapshot.Stale, age: 2*time.Minute + 10300*time.Millisecond, failed: true})
		f.wantCalls(2)
		f.pass(13 * time.Minute)
		f.read(want{err: snapshot.ErrNoAnswer, took: 3 * time.Second})
	})
}

func TestPatientReaderGetsTheNewerDocument(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.u.set(after(200*time.Millisecond, now("second")))
		f.pass(2 * time.Minute)
		f.read(want{name: "second", state: snapshot.Miss, took: 200 * time.Millisecond})
	})
}

func TestSlowUpstreamStillFillsTheCache(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.u.set(after(8*time.Second, now("slow")))
		r, err := f.get("k")
		var u *snapshot.UnavailableError
		if !errors.As(err, &u) || u.RetryAfter != 7*time.Second {
			f.Errorf("got %v %v, want unavailable for the 7 s that the fetch may still take", r, err)
		}
		f.pass(5 * time.Second)
		f.read(want{name: "slow", state: snapshot.Hit})
		f.wantCalls(1)
	})
}

func TestFailedRefreshIsBackedOff(t *testing.T) {
	run(t, limits, func(f *fixture) {
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
	})
}

func TestRetryNowEndsTheBackOff(t *testing.T) {
	run(t, limits, func(f *fixture) {
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
	})
}

// RetryNow may be called while a fetch that began before, and will fail,
// is still running.
func TestRetryNowAlsoCountsForTheRunningFetch(t *testing.T) {
	run(t, limits, func(f *fixture) {
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
	})
}

func TestMissingIsRememberedForFresh(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.pass(time.Minute + time.Second)
		f.u.set(func(context.Context) (*doc, error) { return nil, errGone })
		f.read(want{err: errGone})
		f.pass(4 * time.Second)
		f.read(want{err: errGone})
		f.wantCalls(2)
		f.u.set(now("back"))
		f.pass(time.Second)
		f.read(want{name: "back", state: snapshot.Miss})
	})
}

func TestExpiryDuringAFetchMakesAMissingOneStaleToo(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.u.set(after(time.Second, func(context.Context) (*doc, error) { return nil, errGone }))
		var reader sync.WaitGroup
		reader.Go(func() { _, _ = f.get("k") })
		f.pass(500 * time.Millisecond)
		f.c.Expire("k")
		f.u.set(now("made since"))
		reader.Wait()
		f.read(want{name: "made since", state: snapshot.Miss})
	})
}

func TestOlderDocumentIsDiscardedAndCountsAsAnAnswer(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		older := time.Now().Add(-time.Second)
		f.u.set(func(context.Context) (*doc, error) { return &doc{older, "older"}, nil })
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
	})
}

func TestSameDocumentAgainIsReceivedAnew(t *testing.T) {
	run(t, limits, func(f *fixture) {
		same := &doc{time.Now(), "same"}
		f.u.set(func(context.Context) (*doc, error) { return same, nil })
		f.read(want{name: "same", state: snapshot.Miss})
		f.pass(time.Minute + time.Second)
		f.read(want{name: "same", state: snapshot.Miss})
	})
}

func TestExpireAsksFirstAndKeepsTheCopy(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.c.Expire("k")
		f.u.set(after(100*time.Millisecond, now("second")))
		f.read(want{name: "second", state: snapshot.Miss, took: 100 * time.Millisecond})
		f.c.Expire("k")
		f.u.set(hangs)
		f.read(want{name: "second", state: snapshot.Stale, age: 300 * time.Millisecond, took: 300 * time.Millisecond})
		f.c.Expire("another") // nothing there: nothing happens
	})
}

// A reader that came before the expiry is served by the fetch it waited for; one that
// came after it gets a document that was asked for after it.
func TestExpiryDuringAFetchMakesItsAnswerStale(t *testing.T) {
	run(t, limits, func(f *fixture) {
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
		if n := f.u.mostAtOnce(); n != 1 {
			f.Errorf("%d fetches ran at once", n)
		}
	})
}
