package status_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"esagate/registry"
	"esagate/transform"
	ut "esagate/upstream/upstreamtest"
)

// badStore is a database in which nothing is kept of how sources stand, as long as it fails.
type badStore struct {
	registry.Store
	bad    *atomic.Bool
	panics bool
	keeps  *atomic.Int32 // writes that were tried
}

func (s badStore) fail() error {
	switch {
	case !s.bad.Load():
		return nil
	case s.panics:
		panic("CANARY")
	}
	return errors.New("the disk is full")
}

func (s badStore) KeepStandings(ctx context.Context, batch []registry.Standing, lapsed time.Time) error {
	s.keeps.Add(1)
	if err := s.fail(); err != nil {
		return err
	}
	return s.Store.KeepStandings(ctx, batch, lapsed)
}

func (s badStore) Customer(id int64) registry.CustomerStore {
	return badCustomer{s.Store.Customer(id), s}
}

type badCustomer struct {
	registry.CustomerStore
	s badStore
}

func (c badCustomer) Overview(ctx context.Context) ([]registry.SourceStanding, error) {
	if err := c.s.fail(); err != nil {
		return nil, err
	}
	return c.CustomerStore.Overview(ctx)
}

// TestStandingsOutlastABadDatabase: while nothing can be read or kept, sources are judged and readers told;
// once it can, the newest is kept, and since is what it was before.
func TestStandingsOutlastABadDatabase(t *testing.T) {
	for name, panics := range map[string]bool{"errors": false, "panics": true} {
		t.Run(name, func(t *testing.T) {
			bad := badStore{bad: &atomic.Bool{}, panics: panics, keeps: &atomic.Int32{}}
			inWorld(t, func(s registry.Store) registry.Store { bad.Store = s; return bad }, func(w *world) {
				w.refresh()
				w.pass(2 * time.Second)
				before := w.standing()
				w.pass(time.Hour)
				bad.bad.Store(true)
				w.restart()
				l := w.listen(sourceID)
				w.refresh()
				w.pass(5 * time.Second)
				if row := l.row(); row.State != transform.StateLive || !row.Since.Time.After(before.Since) {
					t.Errorf("%s since %s", row.State, row.Since)
				}
				bad.bad.Store(false)
				w.pass(2 * time.Minute)
				if row := l.row(); !row.Since.Time.Equal(before.Since.Truncate(time.Millisecond)) {
					t.Errorf("since %s, want %s", row.Since, before.Since)
				}
				if n := w.standing(); n.State != transform.StateLive || !n.Since.Equal(before.Since) || !n.ReceivedAt.After(before.ReceivedAt) {
					t.Errorf("kept %+v", n)
				}

				bad.bad.Store(true)
				tried := bad.keeps.Load()
				w.tenant(ut.Disconnected())
				w.pass(time.Minute)
				if l.row().State != transform.StateDown || w.standing().State != transform.StateLive {
					t.Error("not told, or kept")
				}
				if n := bad.keeps.Load() - tried; n > 61 {
					t.Errorf("%d writes were tried in a minute", n)
				}
				bad.bad.Store(false)
				w.pass(5 * time.Second)
				w.stop(w.process)
				if n := w.standing(); n.State != transform.StateDown {
					t.Errorf("kept %+v", n)
				}
				w.process = w.start()
			})
		})
	}
}

// TestTheEndKeepsWhatIsNew: a state that is a moment old is kept by a stop.
func TestTheEndKeepsWhatIsNew(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.refresh()
		w.restart()
		if n := w.standing(); n.State != transform.StateLive || n.DocumentAt.IsZero() || len(n.Facts) == 0 {
			t.Errorf("kept %+v", n)
		}
	})
}

// TestStandingsAreSeldomWritten: a source that stays as it is is written once a minute, however often
// it is read.
func TestStandingsAreSeldomWritten(t *testing.T) {
	counted := badStore{bad: &atomic.Bool{}, keeps: &atomic.Int32{}}
	inWorld(t, func(s registry.Store) registry.Store { counted.Store = s; return counted }, func(w *world) {
		w.tenant(steady())
		w.listen(sourceID)
		w.pass(10 * time.Minute)
		if n := counted.keeps.Load(); n < 9 || n > 11 {
			t.Errorf("%d writes in ten minutes", n)
		}
	})
}
