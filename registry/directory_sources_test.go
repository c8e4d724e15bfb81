package registry_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// sourceRead is a way to read sources of both kinds; seen is one that was asked before,
// unseen one that wasn't.
type sourceRead struct {
	call         string
	seen, unseen func(t *testing.T) (any, error)
}

func sourceReads(d *registry.Directory) map[string]sourceRead {
	name := func(s *registry.Source, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return s.Name, nil
	}
	names := func(page []*registry.Source, _ int, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		all := ""
		for _, src := range page {
			all += src.Name
		}
		return all, nil
	}
	return map[string]sourceRead{
		"an AGENT source": {"read",
			func(t *testing.T) (any, error) { return name(d.Source(t.Context(), customer, "a")) },
			func(t *testing.T) (any, error) { return name(d.Source(t.Context(), customer, "unseen")) }},
		"a managed source": {"read",
			func(t *testing.T) (any, error) { return name(d.Source(t.Context(), customer, "m")) },
			func(t *testing.T) (any, error) { return name(d.Source(t.Context(), customer+1, "m")) }},
		"a list": {"sources",
			func(t *testing.T) (any, error) { return names(d.Sources(t.Context(), customer, 0, 2)) },
			func(t *testing.T) (any, error) { return names(d.Sources(t.Context(), customer, 0, 3)) }},
		"a list of managed sources": {"list",
			func(t *testing.T) (any, error) { return names(d.ManagedSources(t.Context(), customer, 0, 2)) },
			func(t *testing.T) (any, error) { return names(d.ManagedSources(t.Context(), customer, 1, 2)) }},
	}
}

// eachRead runs a test for each way to read, of an AGENT source a and a managed one m.
func eachRead(t *testing.T, test func(t *testing.T, d *registry.Directory, f *faulty, read sourceRead)) {
	for name := range sourceReads(nil) {
		t.Run(name, func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				made(t, f, customer, "a")
				adopted(t, f, customer, "m")
				test(t, d, f, sourceReads(d)[name])
			})
		})
	}
}

func TestDirectorySourceReads(t *testing.T) {
	eachRead(t, func(t *testing.T, d *registry.Directory, f *faulty, read sourceRead) {
		var before, after any
		now := func(what string, want *any, calls int, wait time.Duration) {
			t.Helper()
			f.count(read.call)
			took(t, what, wait, func() {
				got, err := read.seen(t)
				if err != nil || *want != nil && got != *want {
					t.Fatalf("%s: %v, %v, want %v", what, got, err, *want)
				}
				*want = got
			})
			if n := f.count(read.call); n != calls {
				t.Fatalf("%s: %d calls of the store, want %d", what, n, calls)
			}
		}
		now("healthy", &before, 1, 0)
		now("healthy again", &before, 1, 0)

		renamed(t, f, "a", "A")
		renamed(t, f, "m", "M")
		made(t, f, customer, "z")
		f.is(healthy, 400*time.Millisecond)
		now("slow", &before, 1, 250*time.Millisecond)
		now("slow, known to be", &before, 0, 0)
		time.Sleep(150 * time.Millisecond)
		synctest.Wait()
		isThere(t, d, true, "it answered")
		f.is(failing, 0)
		now("failing, with the late answer remembered", &after, 1, 0)
		if after == before {
			t.Fatal("the late answer was lost")
		}
		now("away", &after, 0, 0)
		wantUnavailable(t)(read.unseen(t))
		f.is(hanging, 0)
		time.Sleep(1500 * time.Millisecond) // not asked again before
		took(t, "hanging, without a copy", 2*time.Second, func() {
			wantUnavailable(t)(read.unseen(t))
		})
		now("hanging", &after, 0, 0)

		renamed(t, f, "a", "AA")
		renamed(t, f, "m", "MM")
		must(t)(elsewhere(f).DeleteSource(t.Context(), "z", allow))
		f.is(healthy, 0)
		time.Sleep(4 * time.Second)
		before = after
		after = nil
		now("back", &after, 1, 0)
		if after == before {
			t.Fatal("back, and not asked")
		}
		f.is(failing, 0)
		now("away again", &after, 1, 0)
		d.Close()
		f.is(healthy, 0)
		now("closed", &after, 0, 0)
	})
}

func TestDirectorySourcesOfOthers(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		pair(t, d, f)
		made(t, f, customer+1, "b")
		for _, mode := range []mode{healthy, failing} {
			f.is(mode, 0)
			for _, id := range []string{"a", "m"} {
				s, err := d.Source(t.Context(), customer+1, id)
				if err == nil {
					t.Fatalf("a foreign customer reads %+v", s)
				}
				if mode == healthy {
					notFound(t, err)
				}
			}
			for _, take := range []int{50, 1} {
				page, n, err := d.Sources(t.Context(), customer+1, 0, take)
				if err != nil || !slices.Equal(ids(page), []string{"b"}) || n != 1 {
					t.Fatalf("%v of %d, %v", ids(page), n, err)
				}
			}
		}
	})
}

// TestDirectorySourceDeletedElsewhere: what a read did not find is not brought back
// by an outage.
func TestDirectorySourceDeletedElsewhere(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "b")
		pair(t, d, f)
		get(t, d, "m")
		allManaged(t, d)
		must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
		must(t)(elsewhere(f).DeleteSource(t.Context(), "m", allow))
		for _, mode := range []mode{healthy, failing} {
			f.is(mode, 0)
			for _, id := range []string{"a", "m"} {
				wantNotFound(t)(d.Source(t.Context(), customer, id))
			}
			wantNotFound(t)(d.ManagedSource(t.Context(), customer, "m")) // the hot copy went too
		}
		if page := all(t, d); !slices.Equal(ids(page), []string{"b"}) {
			t.Fatalf("%v", ids(page))
		}
		listed(t, d, "with the store away", 0, 50)
	})
}

// TestDirectorySourceAgrees: a managed source is the same whichever way it is read.
func TestDirectorySourceAgrees(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		d.Put(adopted(t, f, customer, "m"))
		renamed(t, f, "m", "M")
		read := source(t, d, "m")
		f.count("read")
		if got := get(t, d, "m"); got != read || got.Name != "M" {
			t.Fatal("a read of one kind leaves the other's copy old")
		}
		reads(t, f, "the copy is fresh", 0)
	})
}
