package registry_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// overlapped has reads of everything begin, a write come and go while they are under
// way, and gives what the slow readers got.
func overlapped(t *testing.T, d *registry.Directory, f *faulty, write, meanwhile func()) []string {
	t.Helper()
	f.is(healthy, 200*time.Millisecond) // found now, answered later
	slow := make(chan string, 4)
	say := func(s *registry.Source, err error) {
		if err != nil {
			notFound(t, err)
			slow <- ""
			return
		}
		slow <- s.Name
	}
	go func() { say(d.Source(t.Context(), customer, "a")) }()
	go func() {
		page, _, err := d.Sources(t.Context(), customer, 0, 50)
		if err != nil {
			t.Error(err)
		}
		for _, s := range page {
			if s.SourceID == "a" {
				say(s, nil)
				return
			}
		}
		slow <- ""
	}()
	go func() {
		_, n, err := d.Sources(t.Context(), customer, 0, 1)
		if err != nil {
			t.Error(err)
		}
		slow <- fmt.Sprint(n)
	}()
	go func() {
		m, err := d.ManagedSource(t.Context(), customer, "a")
		if err != nil {
			notFound(t, err)
			slow <- ""
			return
		}
		slow <- m.Name
	}()
	synctest.Wait()
	time.Sleep(50 * time.Millisecond)
	f.is(healthy, 0)
	write()
	meanwhile() // the slow reads are still under way
	got := []string{<-slow, <-slow, <-slow, <-slow}
	return got
}

// TestDirectoryOverlap: a read that begins after a write sees it, although reads from before the
// write are still running; and their end does not bring back the older state.
func TestDirectoryOverlap(t *testing.T) {
	writes := map[string]struct {
		before  string // how a was before; empty: it was not
		write   func(t *testing.T, d *registry.Directory)
		after   string
		present bool
	}{
		"create": {"", func(t *testing.T, d *registry.Directory) { create(t, d, "a") }, "a", true},
		"update": {"a", func(t *testing.T, d *registry.Directory) { update(t, d, "a", "b") }, "b", true},
		"delete": {"a", func(t *testing.T, d *registry.Directory) { remove(t, d, "a") }, "", false},
		"delete and create": {"a", func(t *testing.T, d *registry.Directory) {
			remove(t, d, "a")
			create(t, d, "a")
			update(t, d, "a", "c")
		}, "c", true},
		"create and delete": {"", func(t *testing.T, d *registry.Directory) {
			create(t, d, "a")
			remove(t, d, "a")
		}, "", false},
	}
	for name, w := range writes {
		for _, kind := range []string{"AGENT", "managed"} {
			for _, warm := range []bool{false, true} {
				if kind == "managed" && w.before == "" {
					continue
				}
				t.Run(fmt.Sprint(name, " ", kind, " warm ", warm), func(t *testing.T) {
					bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
						made(t, f, customer, "first")
						switch {
						case w.before == "":
						case kind == "managed":
							adopted(t, f, customer, "a")
						default:
							made(t, f, customer, "a")
						}
						v := view{d}
						if warm {
							v.is(t, "before", "a", w.before)
							if kind == "managed" {
								get(t, d, "a")
							}
							time.Sleep(3 * time.Second) // no copy is fresh
						}
						overlapped(t, d, f, func() { w.write(t, d) }, func() {
							v.is(t, "after the write", "a", w.after)
						})
						v.is(t, "after the slow reads", "a", w.after)
						f.is(failing, 0)
						v.is(t, "with the store away", "a", w.after)
						m, err := d.ManagedSource(t.Context(), customer, "a")
						if kind == "managed" && w.after == "b" {
							if err != nil || m.Name != w.after {
								t.Fatal(m, err)
							}
						} else if err == nil {
							t.Fatalf("%+v", m)
						}
					})
				})
			}
		}
	}
}

// TestDirectoryOverlapAlone is the hard case: nothing was known before, and after the
// write only the slow reads come back.
func TestDirectoryOverlapAlone(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		made(t, f, customer, "b")
		slow := overlapped(t, d, f, func() { remove(t, d, "a") }, func() {})
		for _, name := range slow {
			if name == "a" {
				t.Errorf("a slow reader got what was deleted before it was answered: %v", slow)
			}
		}
		f.is(failing, 0)
		_, err := d.Source(t.Context(), customer, "a")
		notFound(t, err)
		if page, n, err := d.Sources(t.Context(), customer, 0, 50); err != nil || !slices.Equal(ids(page), []string{"b"}) || n != 1 {
			t.Errorf("%v of %d, %v", ids(page), n, err)
		}
	})
}

// TestDirectoryOverlapMade: what was made while reads did not find it is known.
func TestDirectoryOverlapMade(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		overlapped(t, d, f, func() { create(t, d, "a") }, func() {})
		f.is(failing, 0)
		if s, err := d.Source(t.Context(), customer, "a"); err != nil || s.Name != "a" {
			t.Fatal(s, err)
		}
	})
}

// TestDirectoryOverlapEvicted: there was no room for what a write left. A read from
// before the write does not take its place.
func TestDirectoryOverlapEvicted(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 1}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		overlapped(t, d, f, func() { update(t, d, "a", "b") }, func() { create(t, d, "z") })
		f.is(failing, 0)
		if s, err := d.Source(t.Context(), customer, "a"); err == nil && s.Name != "b" {
			t.Errorf("%q", s.Name)
		}
	})
}

// TestDirectoryOverlapInside has a read that ends while a write, which it has not
// seen, is still to be answered, and one that has seen it.
func TestDirectoryOverlapInside(t *testing.T) {
	for _, seen := range []bool{false, true} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			made(t, f, customer, "a")
			written := make(chan struct{})
			write := func() {
				f.is(healthy, 200*time.Millisecond)
				go func() {
					defer close(written)
					if _, err := d.UpdateSource(t.Context(), customer, "a", rename("b")); err != nil {
						t.Error(err)
					}
				}()
				synctest.Wait()
			}
			if seen {
				write()
			}
			f.is(healthy, 100*time.Millisecond)
			read := make(chan string, 2)
			go func() {
				s, err := d.Source(t.Context(), customer, "a")
				if err != nil {
					t.Error(err)
				}
				read <- s.Name
			}()
			go func() {
				page, _, err := d.Sources(t.Context(), customer, 0, 50)
				if err != nil {
					t.Error(err)
				}
				read <- page[0].Name
			}()
			synctest.Wait()
			if !seen {
				write()
			}
			want := map[bool]string{false: "a", true: "b"}[seen]
			if one, other := <-read, <-read; one != want || other != want {
				t.Errorf("read %q, %q, want %q", one, other, want)
			}
			<-written
			f.is(failing, 0)
			if s, err := d.Source(t.Context(), customer, "a"); err != nil || s.Name != "b" {
				t.Errorf("%+v, %v", s, err)
			}
			if page, _, err := d.Sources(t.Context(), customer, 0, 50); err != nil || page[0].Name != "b" {
				t.Errorf("%+v, %v", page, err)
			}
		})
	}
}

// slowClock is a store whose clock was set back before its first write.
type slowClock struct{ registry.Store }

func (s slowClock) Customer(id int64) registry.CustomerStore {
	return slowClockOf{s.Store.Customer(id)}
}

type slowClockOf struct{ registry.CustomerStore }

func (c slowClockOf) UpdateSource(ctx context.Context, sourceID string, decide func(*registry.Source) (registry.SourceChange, error)) (*registry.Source, error) {
	s, err := c.CustomerStore.UpdateSource(ctx, sourceID, decide)
	if err != nil {
		return nil, err
	}
	earlier := *s
	earlier.UpdatedAt = s.CreatedAt.Add(-time.Hour)
	return &earlier, nil
}

// TestDirectoryOverlapClock: of two states of a source, the one with the later version
// is the later, whatever the time on it.
func TestDirectoryOverlapClock(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		f.Store = slowClock{f.Store}
		made(t, f, customer, "a")
		var written *registry.Source
		overlapped(t, d, f, func() {
			var err error
			written, err = d.UpdateSource(t.Context(), customer, "a", func(*registry.Source) (registry.SourceChange, error) {
				return registry.SourceChange{NewConsent: true}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}, func() {})
		f.is(failing, 0)
		if s, err := d.Source(t.Context(), customer, "a"); err != nil || s.Agent.AuthVersion != written.Agent.AuthVersion {
			t.Fatalf("%+v, %v, want version %d", s, err, written.Agent.AuthVersion)
		}
	})
}
