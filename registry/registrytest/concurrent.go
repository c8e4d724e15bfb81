package registrytest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"esagate/registry"
)

// together runs f n times at once and gives what each run ended with.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// fails holds what a call returned to an error: fails(t, registry.ErrStale)(s.Call(…)).
func fails(t testing.TB, want error) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
}

// succeedTogether runs f n times at once, and fails the test if a run fails.
func succeedTogether(t testing.TB, n int, f func(i int) error) {
	t.Helper()
	if err := errors.Join(together(n, f)...); err != nil {
		t.Fatal(err)
	}
}

// oneSucceeds runs f n times at once, and returns the run that succeeded: one does, and
// the others end with lost.
func oneSucceeds(t testing.TB, n int, lost error, f func(i int) error) int {
	t.Helper()
	winner := -1
	for i, err := range together(n, f) {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Fatalf("%d and %d succeeded, want one", winner, i)
		case !errors.Is(err, lost):
			t.Fatalf("%v, want %v", err, lost)
		}
	}
	if winner < 0 {
		t.Fatalf("all ended with %v, want one success", lost)
	}
	return winner
}

func concurrentSameEntry(t *testing.T, s registry.Store) {
	const n = 16
	got := make([]registry.Adoption, n)
	errs := together(n, func(i int) (err error) {
		got[i], err = s.Adopt(t.Context(), entry(alice, "one"))
		return err
	})
	created := 0
	for i, err := range errs {
		switch {
		case err != nil:
			t.Fatal(err)
		case got[i].Outcome == registry.AdoptionCreated:
			created++
		case got[i].Outcome != registry.AdoptionUnchanged:
			t.Fatalf("outcome %s", got[i].Outcome)
		}
		same(t, "all adopt one source", got[i].Managed, got[0].Managed)
	}
	if created != 1 {
		t.Fatalf("%d created it", created)
	}
}

func concurrentSameTenant(t *testing.T, s registry.Store) {
	oneSucceeds(t, 16, registry.ErrTenantTaken, func(i int) error {
		e := entry(alice+int64(i%2), fmt.Sprintf("source%d", i))
		e.TenantID = "contested"
		_, err := s.Adopt(t.Context(), e)
		return err
	})
}

func concurrentEntries(t *testing.T, s registry.Store) {
	const n = 40
	got := make([]registry.Adoption, n)
	errs := together(n, func(i int) (err error) {
		got[i], err = s.Adopt(t.Context(), entry(alice+int64(i%2), fmt.Sprintf("source%d", i)))
		return err
	})
	seenESA, seenRow := map[int64]bool{}, map[int64]bool{}
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		m := got[i].Managed
		if seenESA[m.Connection.ID] || seenRow[m.ID] {
			t.Fatalf("ids %d, %d given twice", m.Connection.ID, m.ID)
		}
		seenESA[m.Connection.ID], seenRow[m.ID] = true, true
	}
}

// concurrentChanges lets different writers of one connection run into each other:
// no change is lost, and every one has a version of its own.
func concurrentChanges(t *testing.T, s registry.Store) {
	e := entry(alice, "busy")
	e.AdServer, e.ServiceAccountEmail = nil, ""
	m := adopt(t, s, e, registry.AdoptionCreated)
	c, id := s.Customer(alice), m.Connection.ID
	const rounds = 20
	writers := []func(ctx context.Context, i int) (*registry.Source, error){
		func(ctx context.Context, i int) (*registry.Source, error) {
			return c.ObserveInventorySync(ctx, id, registry.InventorySync{Status: registry.SyncSuccess, ItemCount: count(int64(i)), ObservedAt: at(i)})
		},
		func(ctx context.Context, i int) (*registry.Source, error) {
			return c.ChangeConnection(ctx, id, changing(func(c *registry.Connection) {
				c.LastTestedAt, c.LastTestPassed = at(i), i%2 == 1
			}))
		},
		func(ctx context.Context, i int) (*registry.Source, error) {
			return c.ChangeAudited(ctx, id, registry.AuditEntry{}, changing(func(c *registry.Connection) {
				c.ExternalOrgID = fmt.Sprintf("org-%d", i)
			}))
		},
		func(ctx context.Context, i int) (*registry.Source, error) {
			f := e
			f.Name = fmt.Sprintf("name %d", i)
			a, err := s.Adopt(ctx, f)
			return a.Managed, err
		},
	}
	var mu sync.Mutex
	versions := map[int64]int{}
	succeedTogether(t, len(writers), func(w int) error {
		for i := range rounds {
			got, err := writers[w](t.Context(), i)
			if err != nil {
				return err
			}
			mu.Lock()
			versions[got.Connection.Version]++
			mu.Unlock()
		}
		return nil
	})
	end := read(t, s, alice, "busy")
	conn := *end.Connection
	if want := m.Connection.Version + int64(len(writers)*rounds); conn.Version != want || len(versions) != len(writers)*rounds {
		t.Fatalf("version %d, want %d; %d distinct versions answered", conn.Version, want, len(versions))
	}
	if *conn.InventorySync.ItemCount != rounds-1 || !conn.LastTestedAt.Equal(at(rounds-1)) || !conn.LastTestPassed ||
		conn.ExternalOrgID != fmt.Sprintf("org-%d", rounds-1) || end.Name != fmt.Sprintf("name %d", rounds-1) {
		t.Fatalf("a change was lost: %+v", end)
	}
}

// concurrentDecisions has many writers at once, each of whom changes a source only if it is as all of them
// have read it: one succeeds.
func concurrentDecisions(t *testing.T, s registry.Store) {
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	create(t, s, alice, withToken("agent", "token"))
	unchanged := func(was, now *registry.Source) error {
		if !reflect.DeepEqual(was, now) {
			return errDecided
		}
		return nil
	}
	c := s.Customer(alice)
	for _, id := range []string{"agent", "managed"} {
		was := readSource(t, s, alice, id)
		oneSucceeds(t, 8, errDecided, func(i int) error {
			_, err := c.UpdateSource(t.Context(), id, func(now *registry.Source) (registry.SourceChange, error) {
				name := fmt.Sprintf("writer %d", i)
				return registry.SourceChange{Name: &name}, unchanged(was, now)
			})
			return err
		})
	}
	was := read(t, s, alice, "managed")
	oneSucceeds(t, 8, errDecided, func(i int) error {
		_, err := c.ChangeConnection(t.Context(), was.Connection.ID, func(now *registry.Source) (*registry.Connection, error) {
			next := *now.Connection
			next.LastError = fmt.Sprintf("writer %d", i)
			return &next, unchanged(was, now)
		})
		return err
	})
	for _, id := range []string{"agent", "managed"} {
		was := readSource(t, s, alice, id)
		oneSucceeds(t, 8, errDecided, func(i int) (err error) {
			if i%2 == 0 {
				_, err = c.DeleteSource(t.Context(), id, func(now *registry.Source) error { return unchanged(was, now) })
			} else {
				_, err = c.UpdateSource(t.Context(), id, func(now *registry.Source) (registry.SourceChange, error) {
					name := fmt.Sprintf("late writer %d", i)
					return registry.SourceChange{Name: &name}, unchanged(was, now)
				})
			}
			if errors.Is(err, registry.ErrNotFound) {
				err = errDecided // a deletion came first
			}
			return err
		})
	}
}

var errDecided = errors.New("another state than was read")
