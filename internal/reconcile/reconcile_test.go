package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/reconcile"
	"esagate/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const interval = 5 * time.Minute

var stale = reconcile.Config{Kind: registry.UpkeepStale, Interval: interval, Timeout: 15 * time.Second}

var errAway = errors.New("away")

// world is a store of sources and what is read of them.
type world struct {
	registry.UpkeepStore // nothing else of it is called

	mu      sync.Mutex
	news    map[int64]time.Time // of each source, when news last came
	away    bool
	broken  bool // listing panics
	lists   int
	most    int // rows asked for at once
	read    func(ctx context.Context, id int64) error
	reads   []time.Time // when reads began
	ids     []int64     // of what
	now     int         // under way
	at      int         // at most under way
	counted map[bool]int
	log     bytes.Buffer
}

// inWorld runs a test in a world of sources, on a fake clock.
func inWorld(t *testing.T, sources int, body func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { body(t, newWorld(sources)) })
}

func newWorld(sources int) *world {
	w := &world{news: map[int64]time.Time{}, counted: map[bool]int{}}
	for i := range sources {
		w.news[int64(i+1)] = time.Time{}
	}
	return w
}

func (w *world) Upkeep(_ context.Context, want registry.Upkeep, after int64, take int) (page []*registry.Source, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists++
	w.most = max(w.most, take)
	if w.broken {
		panic("broken")
	}
	if w.away {
		return nil, errAway
	}
	if want.Kind != registry.UpkeepStale {
		return nil, errors.New("another kind of upkeep")
	}
	for id := after + 1; id <= int64(len(w.news)) && len(page) < take; id++ {
		if w.news[id].Before(want.Before) {
			page = append(page, &registry.Source{SourceID: fmt.Sprint("s", id), Connection: &registry.Connection{ID: id}})
		}
	}
	return page, nil
}

// run runs a Reconciler for a time.
func (w *world) run(t *testing.T, cfg reconcile.Config, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	reconcile.New(cfg, reconcile.Deps{
		Store: w, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Refresh: func(ctx context.Context, m *registry.Source) error {
			id := m.Connection.ID
			w.mu.Lock()
			w.reads, w.ids = append(w.reads, time.Now()), append(w.ids, id)
			w.now++
			w.at = max(w.at, w.now)
			w.mu.Unlock()
			defer func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.now--
			}()
			if w.read != nil {
				if err := w.read(ctx, id); err != nil {
					return err
				}
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.news[id] = time.Now()
			return nil
		},
		Counted: func(ok bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.counted[ok]++
		},
	}).Run(ctx)
	if w.now != 0 {
		t.Error("Run returned before its reads")
	}
}

// times gives how often each source was read.
func (w *world) times() map[int64]int {
	n := map[int64]int{}
	for _, id := range w.ids {
		n[id]++
	}
	return n
}

// TestNewsIsNeverMuchOlderThanTheInterval: every source is read in time, and not much
// more often than it has to be.
func TestNewsIsNeverMuchOlderThanTheInterval(t *testing.T) {
	inWorld(t, 430, func(t *testing.T, w *world) { // more than two pages of any size
		w.run(t, stale, 4*time.Hour)
		for id, n := range w.times() {
			if n < 4*60/9 || n > 4*60/5+1 {
				t.Errorf("source %d was read %d times in four hours", id, n)
			}
		}
		last := map[int64]time.Time{}
		for i, id := range w.ids {
			if at, ok := last[id]; ok {
				if gap := w.reads[i].Sub(at); gap > 2*interval || gap < interval {
					t.Fatalf("source %d: %v between two reads", id, gap)
				}
			}
			last[id] = w.reads[i]
		}
		if len(last) != 430 || w.counted[true] != len(w.ids) || w.counted[false] != 0 || w.log.Len() != 0 {
			t.Errorf("%d sources, %d reads, counted %v\n%s", len(last), len(w.ids), w.counted, &w.log)
		}
		if w.most > registry.MaxPage {
			t.Errorf("%d rows at once", w.most)
		}
	})
}

// TestReadsAreSpread: upstream sees a trickle, however many sources are old at once, as after a start all of them are.
func TestReadsAreSpread(t *testing.T) {
	for _, sources := range []int{3, 40, 400, 4000} {
		inWorld(t, sources, func(t *testing.T, w *world) {
			w.run(t, stale, interval*105/100)
			if len(w.reads) < sources*95/100 {
				t.Errorf("of %d sources %d were read in a round", sources, len(w.reads))
			}
			burst, from := 0, 0
			for to := range w.reads {
				for w.reads[to].Sub(w.reads[from]) > 5*time.Second {
					from++
				}
				burst = max(burst, to-from+1)
			}
			if allowed := 5 + sources/40; burst > allowed {
				t.Errorf("of %d sources %d were read within 5 s, want at most %d", sources, burst, allowed)
			}
		})
	}
}

func TestSourcesWithNewsAreLeftAlone(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.news[1], w.news[2] = time.Now().Add(-interval+time.Second), time.Now().Add(time.Hour)
		w.run(t, stale, time.Second)
		if len(w.ids) != 1 || w.ids[0] != 3 {
			t.Errorf("read %v", w.ids)
		}
	})
}

// TestFailuresWaitForTheNextRound: one that fails delays no other and is not
// tried again in its round. Panics and reads that hang are failures.
func TestFailuresWaitForTheNextRound(t *testing.T) {
	inWorld(t, 50, func(t *testing.T, w *world) {
		w.read = func(ctx context.Context, id int64) error {
			switch id {
			case 1:
				return errAway
			case 2:
				<-ctx.Done() // until its deadline
				return ctx.Err()
			case 3:
				panic("CANARY")
			}
			return nil
		}
		narrow := stale
		narrow.Concurrency, narrow.Timeout = 2, 10*time.Second
		w.run(t, narrow, interval/2*8/10-time.Second)
		times := w.times()
		if len(times) != 50 {
			t.Errorf("%d of 50 were read", len(times))
		}
		for id, n := range times {
			if n != 1 {
				t.Errorf("source %d was read %d times in one round", id, n)
			}
		}
		if w.counted[false] != 3 || w.counted[true] != 47 {
			t.Errorf("counted %v", w.counted)
		}
		w.run(t, stale, time.Minute)
		if n := w.times(); n[1] != 2 || n[2] != 2 || n[3] != 2 || n[4] != 1 {
			t.Errorf("in the next round %v", n)
		}
		if lines := w.log.String(); strings.Count(lines, "level=WARN") != 2 || !strings.Contains(lines, "count=3 total=50") || strings.Contains(lines, "CANARY") {
			t.Errorf("the log says\n%s", lines)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	inWorld(t, 200, func(t *testing.T, w *world) {
		w.read = func(context.Context, int64) error { time.Sleep(7 * time.Second); return nil }
		w.run(t, reconcile.Config{Kind: registry.UpkeepStale, Interval: interval, Concurrency: 3}, time.Hour)
		if w.at != 3 || len(w.times()) != 200 {
			t.Errorf("at most %d at once, %d of 200 read", w.at, len(w.times()))
		}
	})
}

func TestTheStoreIsAway(t *testing.T) {
	inWorld(t, 5, func(t *testing.T, w *world) {
		w.away = true
		w.run(t, stale, time.Hour)
		if w.lists < 20 || w.lists > 30 || len(w.ids) != 0 {
			t.Errorf("%d lists, %d reads in an hour", w.lists, len(w.ids))
		}
		w.away, w.broken = false, true
		w.run(t, stale, time.Minute) // the panic ends the round alone
		w.broken = false
		w.run(t, stale, time.Minute)
		if len(w.times()) != 5 {
			t.Errorf("%d of 5 were read when it was back", len(w.times()))
		}
	})
}

func TestOff(t *testing.T) {
	w := newWorld(5)
	w.run(t, reconcile.Config{}, time.Hour) // returns at once, or the test would take an hour
	if w.lists != 0 {
		t.Error("it looked for sources")
	}
}

// TestTheEndCutsReadsShort: what is under way when Run has to end counts as nothing.
func TestTheEndCutsReadsShort(t *testing.T) {
	inWorld(t, 50, func(t *testing.T, w *world) {
		w.read = func(ctx context.Context, _ int64) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		w.run(t, reconcile.Config{Kind: registry.UpkeepStale, Interval: interval, Timeout: time.Minute}, 10*time.Second)
		if d := time.Since(began); d != 10*time.Second || len(w.counted) != 0 || w.log.Len() != 0 {
			t.Errorf("ended after %v, counted %v\n%s", d, w.counted, &w.log)
		}
	})
}
