package snapshot_test

import (
	"context"
	"errors"
	"sync/atomic"
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
	answer         atomic.Pointer[snapshot.Fetch[*doc]]
	calls, running atomic.Int32
	overlapped     atomic.Bool // two fetches ran at once
}

func (u *upstream) fetch(ctx context.Context, d snapshot.Demand) (*doc, error) {
	u.calls.Add(1)
	if u.running.Add(1) > 1 {
		u.overlapped.Store(true)
	}
	defer u.running.Add(-1)
	return (*u.answer.Load())(ctx, d)
}

func (u *upstream) set(f snapshot.Fetch[*doc]) { u.answer.Store(&f) }

func now(name string) snapshot.Fetch[*doc] {
	return func(context.Context, snapshot.Demand) (*doc, error) { return &doc{time.Now(), name}, nil }
}

func after(wait time.Duration, f snapshot.Fetch[*doc]) snapshot.Fetch[*doc] {
	return func(ctx context.Context, d snapshot.Demand) (*doc, error) {
		select {
		case <-time.After(wait):
			return f(ctx, d)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func fails(context.Context, snapshot.Demand) (*doc, error) { return nil, errDown }

func hangs(ctx context.Context, _ snapshot.Demand) (*doc, error) { <-ctx.Done(); return nil, ctx.Err() }

type fixture struct {
	*testing.T
	u    *upstream
	opts snapshot.Options
	c    *snapshot.Cache[*doc]
}

// run makes a cache before a scripted upstream, on a fake clock.
func run(t *testing.T, l snapshot.Limits, body func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.set(now("first"))
		f := &fixture{T: t, u: u, opts: snapshot.Options{
			Gone: func(err error) bool { return errors.Is(err, errGone) },
			Busy: func(err error) bool { return errors.Is(err, errBusy) },
		}}
		f.c = snapshot.New[*doc](l, f.opts)
		defer func() { f.c.Close() }()
		body(f)
	})
}

// runEach runs each test with a cache of its own.
func runEach(t *testing.T, tests map[string]func(f *fixture)) {
	for name, body := range tests {
		t.Run(name, func(t *testing.T) { run(t, limits, body) })
	}
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
	if got := int(f.u.calls.Load()); got != n {
		f.Errorf("upstream was asked %d times, want %d", got, n)
	}
}
