package registrytest

import (
	"fmt"
	"slices"
	"testing"

	"esagate/registry"
)

// follower reads the change feed.
type follower struct {
	s      registry.Store
	cursor string
}

func follow(t testing.TB, s registry.Store) *follower {
	t.Helper()
	f := &follower{s: s}
	if told, gap := f.look(t); !gap || len(told) != 0 {
		t.Fatalf("an empty cursor: %v, gap %v", told, gap)
	}
	return f
}

// look gives what was written since the last look, as "customer/source version", "gone" for a version of
// those that were deleted. Each is held to what a read gives.
func (f *follower) look(t testing.TB) (told []string, gap bool) {
	t.Helper()
	next, gap, err := f.s.Changes(t.Context(), f.cursor, func(c registry.Change) {
		if c.Source == nil {
			told = append(told, fmt.Sprintf("%d/%s gone", c.CustomerID-alice, c.SourceID))
			return
		}
		if c.Source.CustomerID != c.CustomerID || c.Source.SourceID != c.SourceID || c.Source.Connection.ID != c.ESAID {
			t.Errorf("%+v is told with %+v", c, c.Source)
		}
		told = append(told, fmt.Sprintf("%d/%s %d", c.CustomerID-alice, c.SourceID, c.Source.Connection.Version))
	})
	if err != nil {
		t.Fatal(err)
	}
	f.cursor = next
	return told, gap
}

func (f *follower) sees(t testing.TB, what string, want ...string) {
	t.Helper()
	if told, gap := f.look(t); gap || !slices.Equal(told, want) {
		t.Fatalf("%s: %q, gap %v, want %q", what, told, gap, want)
	}
}

func changesTold(t *testing.T, s registry.Store) {
	before := adopt(t, s, entry(alice, "before"), registry.AdoptionCreated)
	f := follow(t, s)
	f.sees(t, "nothing")
	create(t, s, alice, newAgent("agent"))
	f.sees(t, "an agent")
	adopt(t, s, entry(alice+1, "adopted"), registry.AdoptionCreated)
	m := makeManaged(t, s, alice, newManaged("made"))
	f.sees(t, "made", "1/adopted 1", "0/made 1")
	f.sees(t, "once")
	changeConnection(t, s, m, func(c *registry.Connection) { c.LastError = "seen" })
	changeConnection(t, s, before, func(c *registry.Connection) { c.ExternalOrgID = "noted" })
	changeConnection(t, s, m, func(c *registry.Connection) { c.Epoch++ })
	f.sees(t, "changed, in order, once each", "0/before 2", "0/made 3")
	c := s.Customer(alice)
	name := "Renamed"
	if _, err := c.UpdateSource(t.Context(), "before", func(*registry.Source) (registry.SourceChange, error) {
		return registry.SourceChange{Name: &name}, nil
	}); err != nil {
		t.Fatal(err)
	}
	f.sees(t, "renamed", "0/before 3")
	for i, want := range [][]string{{"0/before 4"}, nil} { // the second moves ObservedAt alone
		if _, err := c.ObserveInventorySync(t.Context(), before.Connection.ID, registry.InventorySync{Status: registry.SyncRunning, ObservedAt: at(i)}); err != nil {
			t.Fatal(err)
		}
		f.sees(t, "a signal", want...)
	}
	if _, err := c.DeleteSource(t.Context(), "before", func(*registry.Source) error { return nil }); err != nil {
		t.Fatal(err)
	}
	f.sees(t, "deleted", "0/before gone")
	makeManaged(t, s, alice, newManaged("before"))
	f.sees(t, "made again", "0/before 1")
	if told, _ := follow(t, s).look(t); told != nil {
		t.Errorf("%q to one who begins", told)
	}
}

// changesMany writes more than one statement reads.
func changesMany(t *testing.T, s registry.Store) {
	f := follow(t, s)
	var want []string
	for i := range 120 {
		e := entry(alice, fmt.Sprintf("source-%d", i))
		e.TenantID, e.ESAID = "", 0
		adopt(t, s, e, registry.AdoptionCreated)
		want = append(want, fmt.Sprintf("0/source-%d 1", i))
	}
	f.sees(t, "all", want...)
}

// changesConcurrent: a reader that looks while others write has seen the last of each in the end.
func changesConcurrent(t *testing.T, s registry.Store) {
	const sources, writes = 4, 15
	var ids [sources]int64
	for i := range ids {
		ids[i] = managedIn(t, s, 0, fmt.Sprint("source-", i), active).Connection.ID
	}
	f := follow(t, s)
	last := map[string]string{}
	look := func() {
		told, _ := f.look(t)
		for _, one := range told {
			var source, version string
			if _, err := fmt.Sscan(one, &source, &version); err != nil {
				t.Error(err)
			}
			last[source] = version
		}
	}
	done := make(chan error)
	for i := range sources {
		go func() {
			for range writes {
				if _, err := s.Customer(alice).ChangeConnection(t.Context(), ids[i], changing(func(c *registry.Connection) { c.Epoch++ })); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for left := sources; left > 0; {
		select {
		case err := <-done:
			if left--; err != nil {
				t.Error(err)
			}
		default:
			look()
		}
	}
	look()
	for i := range ids {
		m := read(t, s, alice, fmt.Sprint("source-", i))
		if got := last["0/"+m.SourceID]; got != fmt.Sprint(m.Connection.Version) {
			t.Errorf("%s: %q was told last, and it is at %d", m.SourceID, got, m.Connection.Version)
		}
	}
}
