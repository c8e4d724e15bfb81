package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

const customer int64 = 88

// bubble runs a test of a Directory over a faulty store under synctest's clock.
func bubble(t *testing.T, opts registry.DirectoryOptions, test func(t *testing.T, d *registry.Directory, f *faulty)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		d := registry.NewDirectory(f, opts)
		defer d.Close()
		test(t, d, f)
	})
}

// adopted makes a source in the store alone.
func adopted(t testing.TB, f *faulty, customer int64, sourceID string) *registry.Source {
	t.Helper()
	a, err := f.Adopt(t.Context(), registry.ConfigSource{CustomerID: customer, SourceID: sourceID, Name: sourceID, TenantID: fmt.Sprint("t-", customer, sourceID)})
	must(t)(err)
	return a.Managed
}

func get(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	m, err := d.ManagedSource(t.Context(), customer, sourceID)
	if err != nil {
		t.Fatalf("read %q: %v", sourceID, err)
	}
	return m
}

func reads(t *testing.T, f *faulty, what string, want int) {
	t.Helper()
	if n := f.count("read"); n != want {
		t.Fatalf("%s: %d reads of the store, want %d", what, n, want)
	}
}

// counted checks how often a call has reached the store since it was last counted.
func counted(t *testing.T, f *faulty, call string, want int) {
	t.Helper()
	if n := f.count(call); n != want {
		t.Fatalf("%d times %q, want %d", n, call, want)
	}
}

// isThere checks whether the Directory takes the store to be there.
func isThere(t testing.TB, d *registry.Directory, want bool, otherwise string) {
	t.Helper()
	if d.StoreAvailable() != want {
		t.Fatal(otherwise)
	}
}

// unavailable holds an error to what a store that is away must give.
func unavailable(t *testing.T, err error) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Unavailable || e.Reason != "" || e.Message != "The registry can't be reached." {
		t.Fatalf("%v, want Unavailable", err)
	}
}

func notFound(t *testing.T, err error) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.NotFound || !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%v, want NotFound", err)
	}
}

func TestDirectoryFreshness(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		first := get(t, d, "a")
		reads(t, f, "first", 1)
		time.Sleep(2*time.Second - 1)
		if get(t, d, "a") != first {
			t.Fatal("another copy")
		}
		if byID, err := d.ManagedSourceByID(t.Context(), customer, m.Connection.ID); err != nil || byID != first {
			t.Fatalf("another copy by id: %v", err)
		}
		reads(t, f, "fresh", 0)
		// Another replica changes it.
		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("another")))
		time.Sleep(time.Nanosecond)
		if got := get(t, d, "a"); got.Connection.LastError != "another" {
			t.Fatalf("not read again: %+v", *got.Connection)
		}
		reads(t, f, "no longer fresh", 1)
		get(t, d, "a")
		reads(t, f, "fresh again", 0)
	})
}

func TestDirectoryNotFound(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		wantNotFound(t)(d.ManagedSource(t.Context(), customer, "late"))
		m := adopted(t, f, customer, "late")
		get(t, d, "late") // at once: that it was missing is not remembered

		// A foreign customer's reads miss both in the store and in memory.
		wantNotFound(t)(d.ManagedSource(t.Context(), customer+1, "late"))
		wantNotFound(t)(d.ManagedSourceByID(t.Context(), customer+1, m.Connection.ID))
		wantNotFound(t)(d.ChangeAudited(t.Context(), customer+1, m.Connection.ID, registry.AuditEntry{}, lastError("foreign")))
		wantNotFound(t)(d.ObserveInventorySync(t.Context(), customer+1, m.Connection.ID, registry.InventorySync{ObservedAt: time.Now()}))

		// Deleted: the copy goes, so that it does not come back in an outage.
		time.Sleep(3 * time.Second)
		f.is(forgetful, 0)
		wantNotFound(t)(d.ManagedSource(t.Context(), customer, "late"))
		isThere(t, d, true, "not found is an answer")
		f.is(failing, 0)
		wantNotFound(t)(d.ManagedSource(t.Context(), customer, "late"))
		wantNotFound(t)(d.ManagedSourceByID(t.Context(), customer, m.Connection.ID))
	})
}

func TestDirectoryReaderLeaves(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		f.is(healthy, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		left := make(chan error, 1)
		go func() {
			_, err := d.ManagedSource(ctx, customer, "a")
			left <- err
		}()
		synctest.Wait()
		get(t, d, "a") // waits for the same read, which goes on
		reads(t, f, "shared", 1)
		if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		isThere(t, d, true, "a reader that left says nothing of the store")
	})
}

// TestDirectoryRecreatedSource has a sourceId that moves to another connection.
func TestDirectoryRecreatedSource(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		old := adopted(t, f, customer, "a")
		d.Put(old)
		time.Sleep(time.Second)
		next := *old.Clone()
		next.Connection.ID, next.ID, next.Connection.Version = old.Connection.ID+1, old.ID+1, 0
		d.Put(&next)
		if get(t, d, "a") != &next {
			t.Fatal("the sourceId still gives the old connection")
		}
		f.is(forgetful, 0)
		wantNotFound(t)(d.ManagedSourceByID(t.Context(), customer, old.Connection.ID))
		if got, err := d.ManagedSourceByID(t.Context(), customer, next.Connection.ID); err != nil || got != &next {
			t.Fatal(got, err)
		}
	})
}

func TestDirectoryBound(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 3}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b", "c", "d"} {
			adopted(t, f, customer, id)
		}
		get(t, d, "a")
		get(t, d, "b")
		get(t, d, "c")
		get(t, d, "a") // read again, so it stays
		get(t, d, "d")
		reads(t, f, "filling", 4)
		get(t, d, "a")
		get(t, d, "c")
		get(t, d, "d")
		reads(t, f, "what was kept", 0)
		get(t, d, "b")
		reads(t, f, "what had to go", 1)
	})
}

// TestDirectoryListsEvictNothing: AGENT sources that are listed leave a managed source
// that was read where it is, and are remembered too.
func TestDirectoryListsEvictNothing(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 20}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "m")
		get(t, d, "m")
		for i := range 30 {
			made(t, f, customer, fmt.Sprintf("a%02d", i))
		}
		if _, total, err := d.Sources(t.Context(), customer, 0, 50); err != nil || total != 31 {
			t.Fatal(total, err)
		}
		f.is(failing, 0)
		time.Sleep(time.Minute)
		get(t, d, "m")
		source(t, d, "a29")
	})
}

func TestDirectoryClose(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		d.Put(adopted(t, f, customer, "a"))
		f.is(hanging, 0)
		go d.ManagedSource(t.Context(), customer, "b")
		synctest.Wait()
		before := time.Now()
		d.Close() // ends the read under way
		if time.Since(before) != 0 {
			t.Fatalf("closing took %v", time.Since(before))
		}
		f.is(healthy, 0)
		time.Sleep(time.Minute)
		get(t, d, "a")
		wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "b"))
		reads(t, f, "only the one that hung", 1)
		d.Close()
	})
}

// hot gives a Directory that answers all its reads from memory.
func hot(t testing.TB) (*registry.Directory, *registry.Source) {
	t.Helper()
	d := registry.NewDirectory(nil, registry.DirectoryOptions{Fresh: time.Hour})
	t.Cleanup(d.Close)
	m := &registry.Source{CustomerID: customer, SourceID: "newsroom-display", Connection: &registry.Connection{ID: 1234}}
	d.Put(m)
	return d, m
}

func TestDirectoryHotReadsAllocateLittle(t *testing.T) {
	d, m := hot(t)
	ctx := t.Context()
	reads := map[string]func() (*registry.Source, error){
		"by sourceId": func() (*registry.Source, error) { return d.ManagedSource(ctx, customer, "newsroom-display") },
		"by esaId":    func() (*registry.Source, error) { return d.ManagedSourceByID(ctx, customer, 1234) },
	}
	for name, read := range reads {
		if n := testing.AllocsPerRun(100, func() {
			if got, err := read(); got != m || err != nil {
				t.Fatal(got, err)
			}
		}); n > 2 {
			t.Errorf("%s: %v allocations, want two at most", name, n)
		}
	}
}

func BenchmarkDirectoryHotRead(b *testing.B) {
	d, _ := hot(b)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.ManagedSource(ctx, customer, "newsroom-display"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
