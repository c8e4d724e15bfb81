package registrytest

import (
	"errors"
	"testing"
	"time"

	"esagate/registry"
)

// remove deletes a source.
func remove(t testing.TB, s registry.Store, customer int64, sourceID string) {
	t.Helper()
	if _, err := s.Customer(customer).DeleteSource(t.Context(), sourceID, allowed); err != nil {
		t.Fatalf("delete %q: %v", sourceID, err)
	}
}

// gone checks that nothing of a source is left.
func gone(t *testing.T, s registry.Store, customer int64, sourceID string) {
	t.Helper()
	c := s.Customer(customer)
	if _, err := c.Source(t.Context(), sourceID); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%q: %v, want ErrNotFound", sourceID, err)
	}
	if _, _, err := c.Credential(t.Context(), sourceID); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("credentials of %q: %v, want ErrNotFound", sourceID, err)
	}
	if _, err := c.Source(t.Context(), sourceID); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%q as managed: %v, want ErrNotFound", sourceID, err)
	}
	if _, err := c.DeleteSource(t.Context(), sourceID, allowed); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%q deleted again: %v, want ErrNotFound", sourceID, err)
	}
}

func deleteAgent(t *testing.T, s registry.Store, c *clock) {
	first := create(t, s, alice, withToken("agent", "secret"))
	bystander := create(t, s, alice, withToken("bystander", "other"))
	state := [32]byte{9}
	begin(t, s, alice, "agent", state, c.read().Add(time.Hour))
	was, err := s.Customer(alice).DeleteSource(t.Context(), "agent", allowed)
	if err != nil {
		t.Fatal(err)
	}
	sameSource(t, "as it was", was, first)
	gone(t, s, alice, "agent")
	fails(t, registry.ErrNotFound)(s.TakeConsent(t.Context(), state)) // the consent under way
	sameSource(t, "bystander", readSource(t, s, alice, "bystander"), bystander)
	holds(t, s, alice, "bystander", token("other"))

	// The same name again is another source, which has nothing of the first.
	again := create(t, s, alice, newAgent("agent"))
	if again.ID <= bystander.ID || again.Agent.CredentialID != "" {
		t.Fatalf("made again: %s", printed(again))
	}
}

func deleteManaged(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	was, err := s.Customer(alice).DeleteSource(t.Context(), "managed", allowed)
	if err != nil {
		t.Fatal(err)
	}
	sameSource(t, "as it was", was, m)
	gone(t, s, alice, "managed")
	fails(t, registry.ErrNotFound)(s.Customer(alice).ManagedSourceByID(t.Context(), m.Connection.ID))
	got, err := s.Adopt(t.Context(), entry(alice, "managed"))
	if err != nil || got.Outcome != registry.AdoptionDeleted || got.Managed != nil {
		t.Fatalf("adopted again: %+v, %v, want deleted", got, err)
	}
	// Its tenant is free, its esaId is not.
	late := entry(bob, "late")
	late.TenantID, late.ESAID = "tenant-of-managed", m.Connection.ID
	fails(t, registry.ErrIDTaken)(s.Adopt(t.Context(), late))
	late.ESAID = 0
	adopt(t, s, late, registry.AdoptionCreated)

	// An AGENT source may take the name, and keeps the entry out; without it the
	// entry still stays deleted.
	create(t, s, alice, newAgent("managed"))
	if got, err := s.Adopt(t.Context(), entry(alice, "managed")); err != nil || got.Outcome != registry.AdoptionNotManaged {
		t.Fatalf("beside an AGENT source: %+v, %v", got, err)
	}
	remove(t, s, alice, "managed")
	if got, err := s.Adopt(t.Context(), entry(alice, "managed")); err != nil || got.Outcome != registry.AdoptionDeleted {
		t.Fatalf("once it is gone: %+v, %v", got, err)
	}
}

// deleteAgentInTheWay: an entry that an AGENT source kept out is taken over later.
func deleteAgentInTheWay(t *testing.T, s registry.Store) {
	create(t, s, alice, newAgent("wanted"))
	if got, err := s.Adopt(t.Context(), entry(alice, "wanted")); err != nil || got.Outcome != registry.AdoptionNotManaged {
		t.Fatalf("%+v, %v, want not_managed", got, err)
	}
	remove(t, s, alice, "wanted")
	adopt(t, s, entry(alice, "wanted"), registry.AdoptionCreated)
}

// deleteConcurrent deletes what others are changing.
func deleteConcurrent(t *testing.T, s registry.Store) {
	for range 5 {
		create(t, s, alice, withToken("contested", "x"))
		deleted := 0
		for i, err := range together(6, func(i int) error {
			c := s.Customer(alice)
			if i%2 == 0 {
				_, err := c.DeleteSource(t.Context(), "contested", allowed)
				return err
			}
			_, err := c.UpdateSource(t.Context(), "contested", func(*registry.Source) (registry.SourceChange, error) {
				return registry.SourceChange{Credential: token("y")}, nil
			})
			return err
		}) {
			switch {
			case err == nil && i%2 == 0:
				deleted++
			case err != nil && !errors.Is(err, registry.ErrNotFound):
				t.Fatal(err)
			}
		}
		if deleted != 1 {
			t.Fatalf("deleted %d times", deleted)
		}
		gone(t, s, alice, "contested")
	}
}
