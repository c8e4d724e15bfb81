package registry_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/registry"
)

// following is a bubble with a Directory that reads the change feed, and what it was told of it.
func following(t *testing.T, test func(t *testing.T, d *registry.Directory, f *faulty, told func() []string)) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	bubble(t, registry.DirectoryOptions{Follow: true, ChangedElsewhere: func(src *registry.Source, deleted bool) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, fmt.Sprintf("%s %d %v", src.SourceID, src.Connection.Version, deleted))
	}}, func(t *testing.T, d *registry.Directory, f *faulty) {
		synctest.Wait()
		time.Sleep(5 * time.Second) // what was read when it began is not followed
		test(t, d, f, func() []string {
			mu.Lock()
			defer mu.Unlock()
			told := all
			all = nil
			return told
		})
	})
}

func TestFollowedSourcesCostNoRead(t *testing.T) {
	following(t, func(t *testing.T, d *registry.Directory, f *faulty, _ func() []string) {
		for i := range 20 {
			adopted(t, f, customer, fmt.Sprint("s", i))
			get(t, d, fmt.Sprint("s", i))
		}
		reads(t, f, "each for the first time", 20)
		for range 30 {
			time.Sleep(time.Minute)
			for i := range 20 {
				m := get(t, d, fmt.Sprint("s", i))
				must(t)(d.ManagedSourceByID(t.Context(), customer, m.Connection.ID))
			}
		}
		reads(t, f, "in half an hour", 0)
		if n := f.count("look"); n < 1500 || n > 2200 {
			t.Errorf("%d looks in half an hour", n)
		}
		must(t)(d.ManagedSourceNow(t.Context(), customer, "s1"))
		reads(t, f, "the newest", 1)
	})
}

func TestFollowedSourcesOfOtherReplicas(t *testing.T) {
	following(t, func(t *testing.T, d *registry.Directory, f *faulty, told func() []string) {
		m := adopted(t, f, customer, "a")
		get(t, d, "a")
		isTold := func(want ...string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := told(); !slices.Equal(got, want) {
				t.Fatalf("told %q, want %q", got, want)
			}
		}
		isTold("a 1 false")
		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("another")))
		isTold("a 2 false")
		f.count("read")
		if got := get(t, d, "a").Connection.LastError; got != "another" {
			t.Fatalf("%q", got)
		}
		reads(t, f, "told with the change", 0)

		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("hinted")))
		d.LookNow()
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		if got := get(t, d, "a").Connection.LastError; got != "hinted" {
			t.Fatalf("%q right after a hint", got)
		}
		isTold("a 3 false")

		must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
		isTold("a 3 true")
		wantNotFound(t)(d.ManagedSource(t.Context(), customer, "a"))
		f.is(failing, 0)
		wantNotFound(t)(d.ManagedSource(t.Context(), customer, "a"))
		f.is(healthy, 0)
		time.Sleep(3 * time.Second)

		adopted(t, f, customer, "unread") // and deleted before anybody here has read it
		must(t)(elsewhere(f).DeleteSource(t.Context(), "unread", allow))
		isTold("unread 0 true")
		adopted(t, f, customer, "own")
		isTold("own 1 false")
		must(t)(d.DeleteSource(t.Context(), customer, "own", allow))
		isTold() // who deleted it knows
	})
}

// TestFollowedSourcesWithoutTheFeed: what can't be followed is asked for as without a feed.
func TestFollowedSourcesWithoutTheFeed(t *testing.T) {
	following(t, func(t *testing.T, d *registry.Directory, f *faulty, _ func() []string) {
		m := adopted(t, f, customer, "a")
		get(t, d, "a")
		time.Sleep(time.Minute)
		f.count("read")
		f.mu.Lock()
		f.deaf = errBroken
		f.mu.Unlock()
		time.Sleep(3 * time.Second)
		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("unheard")))
		if got := get(t, d, "a").Connection.LastError; got != "unheard" {
			t.Fatalf("%q", got)
		}
		reads(t, f, "while the feed fails", 1)
		isThere(t, d, true, "the store is away for its feed alone")
		f.mu.Lock()
		f.deaf = nil
		f.mu.Unlock()
		time.Sleep(5 * time.Second)
		get(t, d, "a")
		reads(t, f, "it goes on where it was", 0)

		f.mu.Lock()
		f.gap = true
		f.mu.Unlock()
		time.Sleep(5 * time.Second)
		get(t, d, "a")
		reads(t, f, "after a gap", 1)
		time.Sleep(time.Minute)
		get(t, d, "a")
		reads(t, f, "after that", 0)
	})
}

// TestFollowedSourcesThatWereReadBefore: what a read or a write of this replica brings late, after the change of another
// was told, is not taken for the newest.
func TestFollowedSourcesThatWereReadBefore(t *testing.T) {
	for name, bring := range map[string]func(d *registry.Directory, t *testing.T, m *registry.Source) error{
		"read": func(d *registry.Directory, t *testing.T, m *registry.Source) error {
			_, err := d.ManagedSourceByID(t.Context(), customer, m.Connection.ID)
			return err
		},
		"written": func(d *registry.Directory, t *testing.T, m *registry.Source) error {
			_, err := d.ChangeConnection(t.Context(), customer, m.Connection.ID, lastError("first"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			following(t, func(t *testing.T, d *registry.Directory, f *faulty, _ func() []string) {
				m := adopted(t, f, customer, "a")
				time.Sleep(2 * time.Second)
				f.is(healthy, 1500*time.Millisecond)
				done := make(chan error)
				go func() { done <- bring(d, t, m) }()
				synctest.Wait() // it was found, and is on its way
				f.is(healthy, 0)
				must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("second")))
				must(t)(<-done)
				time.Sleep(time.Minute)
				if got := get(t, d, "a").Connection.LastError; got != "second" {
					t.Fatalf("%q", got)
				}
			})
		})
	}
}
