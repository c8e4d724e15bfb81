package registrytest

import (
	"testing"
	"time"

	"esagate/registry"
)

func credentialRefused(t *testing.T, s registry.Store, c *clock) {
	first := create(t, s, alice, withToken("agent", "x"))
	create(t, s, alice, withToken("other", "y"))
	as, want := s.Customer(alice), *first
	agent := *first.Agent
	want.Agent = &agent
	mark := func(what, id string, at, is time.Time) {
		t.Helper()
		c.pass(time.Second)
		got, err := as.MarkRefused(t.Context(), "agent", id, at)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		agent.RefusedAt = is
		sameSource(t, what, got, &want)
		sameSource(t, what+", read back", readSource(t, s, alice, "agent"), &want)
	}
	id := agent.CredentialID
	mark("never refused", id, time.Time{}, time.Time{})
	mark("refused", id, at(10).Add(123), at(10))
	mark("refused again", id, at(11), at(10))
	mark("refused before", id, at(9), at(9))
	mark("good", id, time.Time{}, time.Time{})
	mark("refused anew", id, at(12), at(12))
	if other := readSource(t, s, alice, "other").Agent.RefusedAt; !other.IsZero() {
		t.Errorf("another source is refused at %v", other)
	}
	for _, wrong := range []string{"", "none", "\x00"} {
		fails(t, registry.ErrStale)(as.MarkRefused(t.Context(), "agent", wrong, time.Time{}))
	}
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	for _, none := range []string{"managed", "none", "", "\x00"} {
		fails(t, registry.ErrNotFound)(as.MarkRefused(t.Context(), none, "", at(1)))
	}
	// What is asked with is the same.
	name := "Another"
	if got := update(t, s, alice, "agent", func(src *registry.Source) registry.SourceChange {
		next := *src.Agent
		next.Description, next.RefusedAt = "Another", time.Time{}
		return registry.SourceChange{Name: &name, Agent: &next}
	}); !got.Agent.RefusedAt.Equal(at(12)) {
		t.Errorf("renamed: refused at %v", got.Agent.RefusedAt)
	}
	page, _, err := as.Sources(t.Context(), 0, 1)
	if err != nil || len(page) != 1 || !page[0].Agent.RefusedAt.Equal(at(12)) {
		t.Errorf("in a list: %v, %v", page, err)
	}
}

// credentialRefusedCleared: what was not asked with yet is not refused, and nothing brings an old refusal back.
func credentialRefusedCleared(t *testing.T, s registry.Store, c *clock) {
	as := s.Customer(alice)
	for name, change := range map[string]func(src *registry.Source) (*registry.Source, error){
		"refreshed": func(src *registry.Source) (*registry.Source, error) {
			return as.ReplaceCredential(t.Context(), src.SourceID, src.Agent.CredentialID, token("next"))
		},
		"erased": func(src *registry.Source) (*registry.Source, error) {
			return as.ReplaceCredential(t.Context(), src.SourceID, src.Agent.CredentialID, nil)
		},
		"replaced": func(src *registry.Source) (*registry.Source, error) {
			return update(t, s, alice, src.SourceID, always(registry.SourceChange{Credential: token("next")})), nil
		},
		"taken away": func(src *registry.Source) (*registry.Source, error) {
			return update(t, s, alice, src.SourceID, always(registry.SourceChange{EraseCredential: true})), nil
		},
		"asked in another way": func(src *registry.Source) (*registry.Source, error) {
			return update(t, s, alice, src.SourceID, agentChange(func(a *registry.Agent) { a.Authentication = registry.AuthBasic })), nil
		},
		"consented to": func(src *registry.Source) (*registry.Source, error) {
			return as.EndConsent(t.Context(), src.SourceID, consent(t, s, alice, src.SourceID, c.read().Add(time.Hour)), *tokens("next"))
		},
	} {
		src := create(t, s, alice, withToken("is "+name, "x"))
		before := src.Agent.CredentialID
		if _, err := as.MarkRefused(t.Context(), src.SourceID, before, at(1)); err != nil {
			t.Fatal(err)
		}
		got, err := change(src)
		if err != nil || !got.Agent.RefusedAt.IsZero() {
			t.Fatalf("%s: refused at %v, %v", name, got.Agent.RefusedAt, err)
		}
		if id := got.Agent.CredentialID; id != before {
			fails(t, registry.ErrStale)(as.MarkRefused(t.Context(), src.SourceID, before, at(2)))
		}
		for range 2 {
			got = update(t, s, alice, src.SourceID, agentChange(func(a *registry.Agent) { a.Description += "." }))
		}
		if !got.Agent.RefusedAt.IsZero() {
			t.Fatalf("%s: refused at %v once it is renamed", name, got.Agent.RefusedAt)
		}
		if got, err = as.MarkRefused(t.Context(), src.SourceID, got.Agent.CredentialID, at(3)); err != nil || !got.Agent.RefusedAt.Equal(at(3)) {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
	}
}
