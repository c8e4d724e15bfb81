package registrytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"esagate/registry"
)

func customersIsolated(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "private"), registry.AdoptionCreated)
	id := m.Connection.ID
	tests := []struct {
		name string
		run  func(context.Context, registry.CustomerStore) (*registry.Source, error)
	}{
		{"ManagedSource", func(ctx context.Context, c registry.CustomerStore) (*registry.Source, error) {
			return c.Source(ctx, "private")
		}},
		{"ManagedSourceByID", func(ctx context.Context, c registry.CustomerStore) (*registry.Source, error) {
			return c.ManagedSourceByID(ctx, id)
		}},
		{"ObserveInventorySync", func(ctx context.Context, c registry.CustomerStore) (*registry.Source, error) {
			return c.ObserveInventorySync(ctx, id, registry.InventorySync{Status: registry.SyncFailed, ObservedAt: at(1)})
		}},
	}
	for _, test := range tests {
		for _, customer := range []int64{bob, 0, -alice, math.MaxInt64} {
			if got, err := test.run(t.Context(), s.Customer(customer)); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s of another customer (%d): %+v, %v, want ErrNotFound", test.name, customer, got, err)
			}
		}
	}
	if err := s.Customer(alice).KeepSettings(t.Context(), id, []byte("ours")); err != nil {
		t.Fatal(err)
	}
	for _, customer := range []int64{bob, 0, -alice, math.MaxInt64} {
		for name, call := range connectionCalls(s.Customer(customer), id) {
			if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s by customer %d: %v, want ErrNotFound", name, customer, err)
			}
		}
	}
	holdsSettings(t, s, m, []byte("ours"))
	if page, total, err := s.Customer(bob).ManagedSources(t.Context(), 0, 10); err != nil || total != 0 || len(page) != 0 {
		t.Errorf("list of another customer: %d of %d, %v", len(page), total, err)
	}
	same(t, "after foreign writes", read(t, s, alice, "private"), m)
	for name, call := range connectionCalls(s.Customer(alice), id+1) {
		if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s of an unknown connection: %v, want ErrNotFound", name, err)
		}
	}
	for _, id := range []int64{0, -1, id + 1, math.MaxInt64, math.MinInt64} {
		if _, err := s.Customer(alice).ManagedSourceByID(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("esaId %d: %v, want ErrNotFound", id, err)
		}
	}
}

func listPages(t *testing.T, s registry.Store) {
	const n = 7
	var want []*registry.Source
	for i := range n {
		// Names against the order, so that only ids can give it; a stranger's rows between.
		want = append(want, adopt(t, s, entry(alice, fmt.Sprintf("z%d", n-i)), registry.AdoptionCreated))
		adopt(t, s, entry(bob, fmt.Sprintf("b%d", i)), registry.AdoptionCreated)
	}
	for _, test := range pagesOf(n) {
		page, total, err := s.Customer(alice).ManagedSources(t.Context(), test.skip, test.take)
		if err != nil || total != n || len(page) != test.to-test.from {
			t.Errorf("skip %d take %d: %d of %d, %v", test.skip, test.take, len(page), total, err)
			continue
		}
		for i, m := range page {
			same(t, fmt.Sprintf("skip %d take %d, item %d", test.skip, test.take, i), m, want[test.from+i])
		}
	}
	for i := range registry.MaxPage + 1 {
		adopt(t, s, entry(9999, fmt.Sprintf("many%d", i)), registry.AdoptionCreated)
	}
	page, total, err := s.Customer(9999).ManagedSources(t.Context(), 0, math.MaxInt)
	if err != nil || len(page) != registry.MaxPage || total != registry.MaxPage+1 {
		t.Errorf("without a bound: %d of %d, %v", len(page), total, err)
	}
}
