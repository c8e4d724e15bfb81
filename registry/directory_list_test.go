package registry_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// TestDirectoryPagesAfterWrites: while the store is away, a page shows what was last known
// of it without what was deleted, and the one on which the list ends also what was made.
func TestDirectoryPagesAfterWrites(t *testing.T) {
	cases := []struct {
		skip, take          int
		seen, deleted, made []string
	}{
		{0, 1, []string{"a"}, []string{"a"}, []string{"a"}},
		{0, 2, []string{"a", "b"}, []string{"a"}, []string{"a"}},
		{2, 2, []string{"c", "d"}, []string{"d"}, []string{"d"}},
		{0, 5, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e"}},
		{3, 2, []string{"d", "e"}, []string{"d", "e"}, []string{"d", "e"}},
		{4, 2, []string{"e"}, []string{"e"}, []string{"e", "f"}},
		{4, 3, []string{"e"}, []string{"e"}, []string{"e", "f", "g"}},
		{0, 50, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{0, 200, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{-3, 1000, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{5, 2, nil, nil, nil},
		{0, 0, nil, nil, nil},
		{0, -1, nil, nil, nil},
	}
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			made(t, f, customer, id)
		}
		made(t, f, customer+1, "other")
		if page, _, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || len(page) != 1 {
			t.Fatal(page, err)
		}
		all := func(what string, want func(i int) []string) {
			t.Helper()
			for i, c := range cases {
				page, _, err := d.Sources(t.Context(), customer, c.skip, c.take)
				got := ids(page)
				if err != nil || !slices.Equal(got, want(i)) {
					t.Errorf("%s: %d from %d on: %v, want %v", what, c.take, c.skip, got, want(i))
				}
			}
		}
		all("seen", func(i int) []string { return cases[i].seen })
		remove(t, d, "b")
		remove(t, d, "c")
		f.is(failing, 0)
		all("deleted", func(i int) []string { return cases[i].deleted })
		back(t, d, f)
		create(t, d, "f")
		create(t, d, "g")
		f.is(failing, 0)
		all("made", func(i int) []string { return cases[i].made })
		if page, _, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || !slices.Equal(ids(page), []string{"other"}) {
			t.Fatalf("another customer's list: %v, %v", ids(page), err)
		}
	})
}

// TestDirectoryNewestOfReads: another process writes, one read sees it, and another,
// which began before, ends after that one. What was seen is not taken back.
func TestDirectoryNewestOfReads(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		v := pair(t, d, f)
		time.Sleep(time.Second)
		f.is(healthy, 200*time.Millisecond)
		slow := make(chan *registry.Source, 2)
		for _, id := range []string{"a", "m"} {
			go func() {
				s, err := d.Source(t.Context(), customer, id)
				if err != nil {
					t.Error(err)
				}
				slow <- s
			}()
		}
		synctest.Wait()
		f.is(healthy, 0)
		renamed(t, f, "a", "new")
		renamed(t, f, "m", "new")
		if page := all(t, d); page[0].Name+page[1].Name != "newnew" {
			t.Fatal(page)
		}
		for range 2 {
			if s := <-slow; s.Name != "new" {
				t.Errorf("%q was read after a list with its new name", s.SourceID)
			}
		}
		f.is(failing, 0)
		v.is(t, "with the store away", "a", "new")
		v.is(t, "with the store away", "m", "new")
	})
}

// TestDirectoryListFollowsReads: a remembered list has what was read one by one since.
func TestDirectoryListFollowsReads(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		v := pair(t, d, f)
		time.Sleep(time.Second)
		for _, id := range []string{"a", "m"} {
			renamed(t, f, id, "new")
			source(t, d, id)
		}
		f.is(failing, 0)
		v.is(t, "with the store away", "a", "new")
		v.is(t, "with the store away", "m", "new")
	})
}

// TestDirectoryNewestEvicted: lists stay right though the copies of what was written
// had to make room.
func TestDirectoryNewestEvicted(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 1}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "m")
		adopted(t, f, customer, "n")
		made(t, f, customer, "a")
		made(t, f, customer, "b")
		allManaged(t, d)
		all(t, d)
		remove(t, d, "a")
		create(t, d, "a")
		update(t, d, "m", "new")
		update(t, d, "a", "new")
		source(t, d, "n")
		source(t, d, "b")
		f.is(failing, 0)
		if page := all(t, d); len(page) != 4 || page[0].Name != "new" || page[3].Name != "new" {
			t.Errorf("%v", ids(page))
		}
		if page := allManaged(t, d); page[0].Name != "new" {
			t.Errorf("%v", ids(page))
		}
		// Of these nothing is known, which is not that they were deleted.
		wantUnavailable(t)(d.Source(t.Context(), customer, "a"))
		wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "m"))
	})
}

// TestDirectoryChangeCallerLeaves: a caller who does not wait for a write says nothing
// of the store, however it is.
func TestDirectoryChangeCallerLeaves(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		f.is(hanging, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took(t, "a write", time.Second, func() {
			_, err := d.UpdateSource(ctx, customer, "a", rename("b"))
			if unavailableWrite(t, err); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		})
		time.Sleep(time.Minute)
		if !d.StoreAvailable() || f.count("Ping") != 0 {
			t.Fatal("the store was taken to be away")
		}
	})
}

// TestDirectoryCloseEndsPings: closing ends a look at the store, and waits for it.
func TestDirectoryCloseEndsPings(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		f.refuses(errBroken)
		wantUnavailableWrite(t)(d.CreateSource(t.Context(), customer, agent("a"), nil))
		synctest.Wait() // it was looked at, and was there
		f.is(hanging, 0)
		wantUnavailableWrite(t)(d.CreateSource(t.Context(), customer, agent("a"), nil))
		synctest.Wait()
		took(t, "closing", 0, d.Close)
		f.is(healthy, 0)
		create(t, d, "a") // writes are their callers' own
	})
}

func create(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	c, err := d.CreateSource(t.Context(), customer, agent(sourceID), nil)
	if err != nil || c.Replayed {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Source
}

func update(t testing.TB, d *registry.Directory, sourceID, name string) *registry.Source {
	t.Helper()
	s, err := d.UpdateSource(t.Context(), customer, sourceID, rename(name))
	if err != nil || s.Name != name {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

func remove(t testing.TB, d *registry.Directory, sourceID string) {
	t.Helper()
	if s, err := d.DeleteSource(t.Context(), customer, sourceID, allow); err != nil || s.SourceID != sourceID {
		t.Fatalf("%+v, %v", s, err)
	}
}

// TestDirectorySourceIDChangesKind: the sourceId of a source goes to one of the other kind.
// Neither is taken for the other.
func TestDirectorySourceIDChangesKind(t *testing.T) {
	for _, byUs := range []bool{false, true} {
		bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
			d.Put(adopted(t, f, customer, "a"))
			view{d}.is(t, "managed", "a", "a")
			if byUs {
				remove(t, d, "a")
				create(t, d, "a")
			} else {
				must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
				made(t, f, customer, "a")
				view{d}.is(t, "changed elsewhere", "a", "a")
			}
			for _, mode := range []mode{healthy, failing} {
				f.is(mode, 0)
				if s := source(t, d, "a"); s.Agent == nil {
					t.Fatalf("%+v", s)
				}
				view{d}.is(t, "an AGENT source", "a", "a")
				if m, err := d.ManagedSource(t.Context(), customer, "a"); err == nil {
					t.Fatalf("%+v", m)
				}
			}
			back(t, d, f)
			must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
			m := managedElsewhere(t, f, "a")
			if got := get(t, d, "a"); got.ID != m.ID { // which alone sees it
				t.Fatalf("%+v", got)
			}
			f.is(failing, 0)
			if s := source(t, d, "a"); s.Connection == nil {
				t.Fatalf("%+v", s)
			}
		})
	}
}

// managedElsewhere creates a managed source in the store alone; unlike adopted it can do
// so again.
func managedElsewhere(t *testing.T, f *faulty, sourceID string) *registry.Source {
	t.Helper()
	c, err := elsewhere(f).CreateManaged(t.Context(), newManaged(sourceID), nil)
	must(t)(err)
	return c.Source
}
