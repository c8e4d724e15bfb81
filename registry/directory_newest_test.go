package registry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

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
