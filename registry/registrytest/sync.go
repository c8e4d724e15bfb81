package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/registry"
)

func syncFirst(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "first"), registry.AdoptionCreated)
	c := s.Customer(alice)
	signal := registry.InventorySync{
		Status: registry.SyncSuccess, LastRunAt: at(-60), CompletedAt: at(-30), ItemCount: count(0),
		UpdatedAt: at(999), // not the signal's to say
		// Nine digits: cut to six, everywhere alike.
		ObservedAt: at(0).Add(123),
	}
	got, err := c.ObserveInventorySync(t.Context(), m.Connection.ID, signal)
	if err != nil {
		t.Fatal(err)
	}
	want := *m.Clone()
	want.Connection.Version++
	want.Connection.InventorySync = &registry.InventorySync{
		Status: registry.SyncSuccess, LastRunAt: at(-60), CompletedAt: at(-30), ItemCount: count(0), UpdatedAt: at(0), ObservedAt: at(0),
	}
	same(t, "answer", got, &want)
	same(t, "read back", read(t, s, alice, "first"), &want)

	// A signal that doesn't say when it was seen is older than all that do.
	got, err = c.ObserveInventorySync(t.Context(), m.Connection.ID, registry.InventorySync{Status: registry.SyncFailed})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "without a time", got, &want)
}

// syncStart has signals tell of the start of a run, or not.
func syncStart(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "start"), registry.AdoptionCreated)
	run := func(start, end int) registry.InventorySync {
		return registry.InventorySync{Status: registry.SyncSuccess, LastRunAt: at(start), CompletedAt: at(end)}
	}
	unknown := run(0, 20)
	unknown.LastRunAt = time.Time{}
	failed := run(15, 40)
	failed.Status = registry.SyncFailed
	tests := []struct {
		name   string
		signal registry.InventorySync
		start  time.Time
		moves  bool
	}{
		{"a run", run(10, 20), at(10), true},
		{"without its start", unknown, at(10), false},
		{"with its end as its start", run(20, 20), at(10), false},
		{"with an earlier start", run(5, 20), at(5), true},
		{"another run", run(30, 40), at(30), true},
		{"another end of it", failed, at(15), true},
		{"under way", registry.InventorySync{Status: registry.SyncRunning, LastRunAt: at(50)}, at(50), true},
		{"the next under way", registry.InventorySync{Status: registry.SyncRunning, LastRunAt: at(60)}, at(60), true},
	}
	for i, test := range tests {
		test.signal.ObservedAt = at(100 + i)
		got, err := s.Customer(alice).ObserveInventorySync(t.Context(), m.Connection.ID, test.signal)
		if err != nil {
			t.Fatal(err)
		}
		same(t, test.name+", read back", read(t, s, alice, "start"), got)
		want := m.Connection.Version
		if test.moves {
			want++
		}
		if sync := got.Connection.InventorySync; !sync.LastRunAt.Equal(test.start) || !sync.ObservedAt.Equal(test.signal.ObservedAt) || got.Connection.Version != want {
			t.Fatalf("%s: %+v, version %d, want %v and version %d", test.name, sync, got.Connection.Version, test.start, want)
		}
		m = got
	}
}

// states are the states that signals are drawn from: each differs from another in
// one field alone.
func states() *rapid.Generator[registry.InventorySync] {
	return rapid.SampledFrom([]registry.InventorySync{
		{Status: registry.SyncSuccess, LastRunAt: at(-9), CompletedAt: at(-5), ItemCount: count(4)},
		{Status: registry.SyncFailed, LastRunAt: at(-9), CompletedAt: at(-5), ItemCount: count(4)},
		{Status: registry.SyncSuccess, LastRunAt: at(-8), CompletedAt: at(-5), ItemCount: count(4)},
		{Status: registry.SyncSuccess, LastRunAt: at(-9), CompletedAt: at(-4), ItemCount: count(4)},
		{Status: registry.SyncSuccess, LastRunAt: at(-9), CompletedAt: at(-5), ItemCount: count(0)},
		{Status: registry.SyncSuccess, LastRunAt: at(-9), CompletedAt: at(-5)},
		{Status: registry.SyncSuccess, LastRunAt: at(-9), CompletedAt: at(-5), ItemCount: count(4), Error: "x"},
		{Status: registry.SyncNeverRun},
	})
}

// syncModel applies signals one by one, times out of order and repeated, beside a
// model of what the interface promises.
func syncModel(t *testing.T, s registry.Store) {
	c, n := s.Customer(alice), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		want := *adopt(t, s, entry(alice, fmt.Sprintf("model%d", n)), registry.AdoptionCreated).Clone()
		for range rapid.IntRange(1, 8).Draw(rt, "signals") {
			signal := states().Draw(rt, "state")
			signal.ObservedAt = at(rapid.IntRange(0, 5).Draw(rt, "second"))

			last := want.Connection.InventorySync
			if last == nil || signal.ObservedAt.After(last.ObservedAt) {
				next := signal.Following(last)
				if last.SameState(&next) {
					next.UpdatedAt = last.UpdatedAt
				} else {
					next.UpdatedAt = signal.ObservedAt
					want.Connection.Version++
				}
				want.Connection.InventorySync = &next
			}
			got, err := c.ObserveInventorySync(t.Context(), want.Connection.ID, signal)
			if err != nil {
				rt.Fatal(err)
			}
			same(rt, "answer", got, &want)
		}
		same(rt, "read back", read(t, s, alice, want.SourceID), &want)
	})
}

// syncInterleaved applies signals from several writers at once.
func syncInterleaved(t *testing.T, s registry.Store) {
	c, n := s.Customer(alice), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := adopt(t, s, entry(alice, fmt.Sprintf("interleaved%d", n)), registry.AdoptionCreated)
		id := m.Connection.ID
		seconds := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(rt, "seconds")
		signals := make([]registry.InventorySync, len(seconds))
		var newest registry.InventorySync
		for i, second := range seconds {
			signals[i] = states().Draw(rt, "state")
			signals[i].ObservedAt = at(second)
			if signals[i].ObservedAt.After(newest.ObservedAt) {
				newest = signals[i]
			}
		}
		const writers = 4
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := w; i < len(signals) && errs[w] == nil; i += writers {
					var got *registry.Source
					got, errs[w] = c.ObserveInventorySync(t.Context(), id, signals[i])
					if errs[w] == nil && got.Connection.InventorySync.ObservedAt.Before(signals[i].ObservedAt) {
						errs[w] = fmt.Errorf("answered a state older than the signal")
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				rt.Fatal(err)
			}
		}
		end := *read(t, s, alice, m.SourceID).Connection
		// Which earlier start of the same run is known depends on who came first.
		is, start := *end.InventorySync, end.InventorySync.LastRunAt
		known := start.Equal(newest.LastRunAt)
		for _, signal := range signals {
			known = known || start.Equal(signal.LastRunAt) && start.Before(newest.LastRunAt) &&
				signal.Status == newest.Status && signal.CompletedAt.Equal(newest.CompletedAt)
		}
		is.LastRunAt = newest.LastRunAt
		if !known || !is.SameState(&newest) || !is.ObservedAt.Equal(newest.ObservedAt) {
			rt.Fatalf("ended at %+v, the newest was %+v", end.InventorySync, newest)
		}
		if !end.UpdatedAt.Equal(m.Connection.UpdatedAt) {
			rt.Fatalf("a signal moved the connection's own UpdatedAt")
		}
	})
}
