package registrytest

import (
	"slices"
	"testing"
	"time"

	"esagate/registry"
)

// refusing checks which sources have agents that refuse their credentials: of alice, of bob and of all.
func refusing(t *testing.T, s registry.Store, what string, ofAlice, ofBob []string) {
	t.Helper()
	ids := func(store registry.OverviewStore, of ...int64) []string {
		t.Helper()
		rows, err := store.RefusedAgents(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got := []string{}
		for _, src := range rows {
			if !slices.Contains(of, src.CustomerID) {
				t.Fatalf("%s: a source of customer %d is shown", what, src.CustomerID)
			}
			sameSource(t, what, src, readSource(t, s, src.CustomerID, src.SourceID))
			got = append(got, src.SourceID)
		}
		return got
	}
	if a, b, all := ids(s.Customer(alice), alice), ids(s.Customer(bob), bob), ids(s.All(), alice, bob); !slices.Equal(a, ofAlice) ||
		!slices.Equal(b, ofBob) || len(all) != len(a)+len(b) {
		t.Fatalf("%s: %q and %q, of all %q; want %q and %q", what, a, b, all, ofAlice, ofBob)
	}
}

// refusedListed: those are listed whose agents refuse the credentials that are stored, while they are ACTIVE.
func refusedListed(t *testing.T, s registry.Store) {
	none := []string{}
	active := func(customer int64, entry registry.NewSource) *registry.Source {
		entry.Agent.Status = registry.SourceActive
		return create(t, s, customer, entry)
	}
	mark := func(src *registry.Source, at time.Time) *registry.Source {
		t.Helper()
		marked, err := s.Customer(src.CustomerID).MarkRefused(t.Context(), src.SourceID, src.Agent.CredentialID, at)
		if err != nil {
			t.Fatal(err)
		}
		return marked
	}
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	open := newAgent("open")
	open.Agent.Authentication = registry.AuthNone
	first, second, theirs := active(alice, withToken("first", "a")), active(alice, open), active(bob, withToken("theirs", "b"))
	refusing(t, s, "nothing", none, none)
	mark(second, at(2))
	mark(theirs, at(3))
	mark(first, at(4))
	refusing(t, s, "three", []string{"first", "open"}, []string{"theirs"})
	mark(second, time.Time{})
	refusing(t, s, "one is good again", []string{"first"}, []string{"theirs"})
	if _, err := s.Customer(alice).ReplaceCredential(t.Context(), "first", first.Agent.CredentialID, token("c")); err != nil {
		t.Fatal(err)
	}
	refusing(t, s, "other credentials", none, []string{"theirs"})
	if _, err := s.Customer(bob).UpdateSource(t.Context(), "theirs", func(src *registry.Source) (registry.SourceChange, error) {
		next := *src.Agent
		next.Status = registry.SourceDisabled
		return registry.SourceChange{Agent: &next}, nil
	}); err != nil {
		t.Fatal(err)
	}
	refusing(t, s, "switched off", none, none)
}
