package snapshot_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/snapshot"
)

// tier keeps copies in a map. Loads take a while.
type tier struct {
	mu     sync.Mutex
	copies map[string]snapshot.Copy[*doc]
	takes  time.Duration
	loads  int
}

func (s *tier) Load(ctx context.Context, key string) (none snapshot.Copy[*doc], ok bool) {
	s.mu.Lock()
	s.loads++
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
		return s.get(key)
	case <-ctx.Done():
	}
	return none, false
}

func (s *tier) get(key string) (snapshot.Copy[*doc], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.copies[key]
	return c, ok
}

func (s *tier) Store(key string, c snapshot.Copy[*doc]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies[key] = c
}

func (s *tier) Drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.copies, key)
}

// tiered makes a cache before a tier with one copy, of an age and an epoch.
func tiered(t *testing.T, age time.Duration, epoch int64, body func(f *fixture, s *tier)) {
	t.Helper()
	run(t, limits, func(f *fixture) {
		received := time.Now().Add(-age)
		s := &tier{copies: map[string]snapshot.Copy[*doc]{"k": {Doc: &doc{received, "kept"}, ReceivedAt: received.Round(0), Epoch: epoch}}}
		f.c.Close()
		f.c = snapshot.NewTiered[*doc](limits, f.opts, s)
		body(f, s)
	})
}

// TestTier lists what readers get of a copy that outlived the process.
func TestTier(t *testing.T) {
	for name, test := range map[string]struct {
		age, load time.Duration
		epoch     int64
		up        snapshot.Fetch[*doc]
		want      want
		calls     int
	}{
		"fresh":                     {age: 2 * time.Second, want: want{name: "kept", state: snapshot.Hit, age: 2 * time.Second}},
		"stale":                     {age: 30 * time.Second, up: fails, want: want{name: "kept", state: snapshot.Stale, age: 30 * time.Second}},
		"older, upstream is well":   {age: 5 * time.Minute, want: want{name: "first", state: snapshot.Miss}, calls: 1},
		"older, upstream is away":   {age: 5 * time.Minute, up: fails, want: want{name: "kept", state: snapshot.Stale, age: 5 * time.Minute, failed: true}, calls: 1},
		"older, upstream hangs":     {age: 5 * time.Minute, up: hangs, want: want{name: "kept", state: snapshot.Stale, age: 5*time.Minute + limits.Patience, took: limits.Patience}, calls: 1},
		"too old":                   {age: 16 * time.Minute, up: fails, want: want{err: errDown}, calls: 1},
		"of a time to come":         {age: -time.Hour, up: fails, want: want{name: "kept", state: snapshot.Stale, age: limits.Fresh + 1}},
		"of an earlier epoch":       {age: 2 * time.Second, epoch: -1, want: want{name: "first", state: snapshot.Miss}, calls: 1},
		"late, upstream is well":    {age: 2 * time.Second, load: 200 * time.Millisecond, want: want{name: "first", state: snapshot.Miss, took: 50 * time.Millisecond}, calls: 1},
		"late, upstream is away":    {age: 30 * time.Second, load: 200 * time.Millisecond, up: fails, want: want{name: "kept", state: snapshot.Stale, age: 30200 * time.Millisecond, took: 200 * time.Millisecond, failed: true}, calls: 1},
		"slow, upstream is away":    {age: 30 * time.Second, load: 2 * time.Second, up: fails, want: want{name: "kept", state: snapshot.Stale, age: 32 * time.Second, took: 2 * time.Second, failed: true}, calls: 1},
		"never, upstream is well":   {age: 30 * time.Second, load: time.Hour, want: want{name: "first", state: snapshot.Miss, took: 50 * time.Millisecond}, calls: 1},
		"never, upstream is away":   {age: 30 * time.Second, load: time.Hour, up: fails, want: want{err: errDown, took: limits.Timeout}, calls: 1},
		"quick, and newer upstream": {age: 30 * time.Second, load: 20 * time.Millisecond, want: want{name: "kept", state: snapshot.Stale, age: 30020 * time.Millisecond, took: 20 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			tiered(t, test.age, test.epoch, func(f *fixture, s *tier) {
				s.takes = test.load
				if test.up != nil {
					f.u.set(test.up)
				}
				f.read(test.want)
				f.wantCalls(test.calls)
				f.pass(limits.Fresh)
				if s.loads != 1 {
					f.Errorf("%d loads", s.loads)
				}
			})
		})
	}
}

// TestTierIsNotAskedForWhatIsHere: nor again and again for what it has not.
func TestTierIsNotAskedForWhatIsHere(t *testing.T) {
	tiered(t, 0, 0, func(f *fixture, s *tier) {
		clear(s.copies)
		f.read(want{name: "first", state: snapshot.Miss})
		f.pass(limits.StaleIfError)
		f.u.set(fails)
		for range 20 {
			f.pass(time.Second / 2)
			_, _ = f.get("k")
		}
		if s.loads != 3 { // one when the copy had become too old, one 5 s later
			f.Errorf("%d loads", s.loads)
		}
	})
}

// TestTierSharesLoads: readers who come together cost one load, and none if they have one copy.
func TestTierSharesLoads(t *testing.T) {
	tiered(t, 30*time.Second, 0, func(f *fixture, s *tier) {
		s.takes = 10 * time.Millisecond
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() {
				if r, err := f.get("k"); err != nil || r.Doc.name != "kept" || r.Age != 30010*time.Millisecond {
					f.Errorf("got %+v, %v", r, err)
				}
			})
		}
		readers.Wait()
		if s.loads != 1 {
			f.Errorf("%d loads", s.loads)
		}
	})
}

// TestTierIsToldOfWhatAFetchBrings, with the time of its receipt and the epoch of its readers.
func TestTierIsToldOfWhatAFetchBrings(t *testing.T) {
	tiered(t, time.Hour, 0, func(f *fixture, s *tier) {
		f.since(3)
		synctest.Wait()
		if got := s.copies["k"]; got.Doc.name != "first" || !got.ReceivedAt.Equal(time.Now()) || got.Epoch != 3 {
			f.Errorf("kept %+v", got)
		}
		kept := maps.Clone(s.copies)
		f.pass(2 * time.Minute)
		f.u.set(fails)
		f.since(3)
		if !maps.Equal(kept, s.copies) {
			f.Errorf("a failed fetch left %+v", s.copies)
		}
		f.c.RetryNow("k")
		f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone })
		f.read(want{err: errGone})
		synctest.Wait()
		if len(s.copies) > 0 {
			f.Errorf("what is gone is kept: %+v", s.copies)
		}
	})
}

// TestTierBringsBackNothing: a load that began before a fetch ended changes nothing.
func TestTierBringsBackNothing(t *testing.T) {
	for name, answer := range map[string]snapshot.Fetch[*doc]{
		"first": now("first"),
		"":      func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone },
	} {
		t.Run(name, func(t *testing.T) {
			tiered(t, 2*time.Second, 0, func(f *fixture, s *tier) {
				s.takes = 200 * time.Millisecond
				f.u.set(answer)
				_, _ = f.get("k")
				f.pass(time.Second)
				f.peek(name, snapshot.Hit)
			})
		})
	}
}

// TestRestoredCopiesAreRefreshedOneAfterAnother: a fleet that was started together does not
// ask all at once. Who waits for a document does not wait for that.
func TestRestoredCopiesAreRefreshedOneAfterAnother(t *testing.T) {
	tiered(t, 30*time.Second, 0, func(f *fixture, s *tier) {
		keys := "ABCDEFGHIJKLMNOPQRST"
		for _, key := range keys {
			s.copies[string(key)] = s.copies["k"]
			if r, err := f.get(string(key)); err != nil || r.Doc.name != "kept" {
				f.Fatal(r, err)
			}
		}
		f.pass(limits.Fresh / 4)
		if n := f.u.calls.Load(); n > 15 {
			f.Errorf("%d refreshes at once", n)
		}
		f.pass(limits.Fresh)
		f.wantCalls(len(keys))

		f.read(want{name: "kept", state: snapshot.Stale, age: 30*time.Second + limits.Fresh*5/4})
		f.c.Expire("k")
		f.read(want{name: "first", state: snapshot.Miss})
		f.wantCalls(len(keys) + 1)
	})
}
