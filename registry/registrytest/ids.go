package registrytest

import (
	"errors"
	"testing"

	"esagate/registry"
)

func idsChosen(t *testing.T, s registry.Store) {
	first := adopt(t, s, entry(alice, "assigned"), registry.AdoptionCreated)
	chosen := entry(alice, "chosen")
	chosen.ESAID = first.Connection.ID + 5000
	if m := adopt(t, s, chosen, registry.AdoptionCreated); m.Connection.ID != chosen.ESAID {
		t.Fatalf("esaId %d, want %d", m.Connection.ID, chosen.ESAID)
	}
	if m := adopt(t, s, entry(alice, "next"), registry.AdoptionCreated); m.Connection.ID != chosen.ESAID+1 {
		t.Fatalf("esaId %d after a chosen %d", m.Connection.ID, chosen.ESAID)
	}
	// A smaller one that was never given is fine and moves nothing back.
	small := entry(alice, "small")
	small.ESAID = 3
	adopt(t, s, small, registry.AdoptionCreated)
	if m := adopt(t, s, entry(alice, "after"), registry.AdoptionCreated); m.Connection.ID != chosen.ESAID+2 {
		t.Fatalf("esaId %d after a smaller chosen one", m.Connection.ID)
	}
	// The largest is allowed; after it none can be assigned, and none is made up.
	largest := entry(alice, "largest")
	largest.ESAID = registry.MaxESAID
	adopt(t, s, largest, registry.AdoptionCreated)
	if got, err := s.Adopt(t.Context(), entry(alice, "beyond")); err == nil {
		t.Fatalf("esaId %d after the largest", got.Managed.Connection.ID)
	}
}

func idsTaken(t *testing.T, s registry.Store) {
	holder := adopt(t, s, entry(alice, "holder"), registry.AdoptionCreated)
	for _, customer := range []int64{alice, bob} {
		late := entry(customer, "late")
		late.ESAID = holder.Connection.ID
		if _, err := s.Adopt(t.Context(), late); !errors.Is(err, registry.ErrIDTaken) {
			t.Fatalf("customer %d: %v, want ErrIDTaken", customer, err)
		}
		fails(t, registry.ErrNotFound)(s.Customer(customer).Source(t.Context(), "late"))
	}
	// Nothing marks the refused entry as taken over.
	adopt(t, s, entry(bob, "late"), registry.AdoptionCreated)
}
