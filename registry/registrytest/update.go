package registrytest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"esagate/registry"
)

// updateFields changes one thing at a time and looks at all that moves.
func updateFields(t *testing.T, s registry.Store, c *clock) {
	text := func(v string) *string { return &v }
	tests := []struct {
		name   string
		decide func(*registry.Source) registry.SourceChange
		want   func(*registry.Source)
		voids  bool // whether a consent under way is void
	}{
		{"name", always(registry.SourceChange{Name: text("Another name")}), func(s *registry.Source) { s.Name = "Another name" }, false},
		{"no name", always(registry.SourceChange{Name: text("")}), func(s *registry.Source) { s.Name = "" }, false},
		{"status", agentChange(func(a *registry.Agent) { a.Status = registry.SourceActive }), func(s *registry.Source) { s.Agent.Status = registry.SourceActive }, false},
		{"type", agentChange(func(a *registry.Agent) { a.Type = "SIGNAL" }), func(s *registry.Source) { s.Agent.Type = "SIGNAL" }, false},
		{"protocol", agentChange(func(a *registry.Agent) { a.Protocol = "A2A" }), func(s *registry.Source) { s.Agent.Protocol = "A2A" }, false},
		{"description", agentChange(func(a *registry.Agent) { a.Description = "" }), func(s *registry.Source) { s.Agent.Description = "" }, false},
		{"endpoint", agentChange(func(a *registry.Agent) { a.EndpointURL = "https://b.example.net" }), func(s *registry.Source) { s.Agent.EndpointURL = "https://b.example.net" }, false},
		{"authentication", agentChange(func(a *registry.Agent) { a.Authentication = registry.AuthOAuth }), func(s *registry.Source) { s.Agent.Authentication = registry.AuthOAuth }, true},
		{"audience", agentChange(func(a *registry.Agent) { a.OAuthAudience = "urn:x" }), func(s *registry.Source) { s.Agent.OAuthAudience = "urn:x" }, true},
		{"new consent", always(registry.SourceChange{NewConsent: true}), func(*registry.Source) {}, true},
		{"ids of the store's", agentChange(func(a *registry.Agent) {
			a.Type, a.AgentID, a.CredentialID, a.AuthVersion = "CREATIVE", "mine", "mine", 77
		}), func(s *registry.Source) { s.Agent.Type = "CREATIVE" }, false},
	}
	create(t, s, alice, withToken("fields", "kept"))
	other := create(t, s, bob, newAgent("fields"))
	for i, test := range tests {
		was := readSource(t, s, alice, "fields")
		state := [32]byte{1, byte(i)}
		begin(t, s, alice, "fields", state, c.read().Add(time.Hour))
		want := *was
		agent := *was.Agent
		want.Agent = &agent
		test.want(&want)
		want.UpdatedAt = c.pass(time.Second)
		if test.voids {
			agent.AuthVersion++
		}
		sameSource(t, test.name, update(t, s, alice, "fields", test.decide), &want)
		if _, err := s.TakeConsent(t.Context(), state); errors.Is(err, registry.ErrNotFound) != test.voids {
			t.Fatalf("%s: the consent under way: %v", test.name, err)
		}
		holds(t, s, alice, "fields", token("kept"))

		c.pass(time.Second)
		if test.name != "new consent" { // which is one each time
			sameSource(t, test.name+", again", update(t, s, alice, "fields", test.decide), &want)
		}
	}
	sameSource(t, "a stranger's of the same name", readSource(t, s, bob, "fields"), other)
}

func updateNothing(t *testing.T, s registry.Store, c *clock) {
	agent := create(t, s, alice, newAgent("agent"))
	managed := adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	whole := readSource(t, s, alice, "managed")
	c.pass(time.Second)
	for name, decide := range map[string]func(*registry.Source) registry.SourceChange{
		"nothing": always(registry.SourceChange{}),
		"the same": func(src *registry.Source) registry.SourceChange {
			return registry.SourceChange{Name: &src.Name}
		},
		"its own copy": func(src *registry.Source) registry.SourceChange {
			scribble(src)
			return registry.SourceChange{}
		},
	} {
		sameSource(t, name, update(t, s, alice, "agent", decide), agent)
		sameSource(t, name, update(t, s, alice, "managed", decide), whole)
	}
	sameSource(t, "the agent as it is", update(t, s, alice, "agent", agentChange(func(*registry.Agent) {})), agent)
	// A decision that writes on what it was given, and gives it back, is seen as one.
	moved := update(t, s, alice, "agent", func(src *registry.Source) registry.SourceChange {
		src.Agent.EndpointURL = "https://elsewhere.example.net"
		return registry.SourceChange{Agent: src.Agent}
	})
	if moved.Agent.EndpointURL != "https://elsewhere.example.net" || moved.Agent.AuthVersion != agent.Agent.AuthVersion {
		t.Fatalf("changed in place: %s", printed(moved))
	}
	agent = moved
	c.pass(time.Second)
	sameSource(t, "none erased", update(t, s, alice, "agent", always(registry.SourceChange{EraseCredential: true})), agent)
	same(t, "managed", read(t, s, alice, "managed"), managed)
	// A name that is given as it is does not become the API's own.
	e := entry(alice, "managed")
	e.Name = "The config's"
	adopt(t, s, e, registry.AdoptionUpdated)
}

// updateTimes: an agent's UpdatedAt grows with every change, also where the clock stands
// or goes back.
func updateTimes(t *testing.T, s registry.Store, c *clock) {
	was := *create(t, s, alice, withToken("agent", "first"))
	as := s.Customer(alice)
	grown := func(what string, src *registry.Source, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		sameSource(t, what, readSource(t, s, alice, "agent"), src)
		if want := was.UpdatedAt.Add(time.Microsecond); !src.UpdatedAt.Equal(want) {
			t.Errorf("%s: at %s, want %s", what, src.UpdatedAt, want)
		}
		was = *src
	}
	for _, passed := range []time.Duration{0, -time.Hour} {
		c.pass(passed)
		grown("update", update(t, s, alice, "agent", agentChange(func(a *registry.Agent) { a.Description += "x" })), nil)
		got, err := as.EndConsent(t.Context(), "agent", consent(t, s, alice, "agent", c.read().Add(time.Hour)), *tokens("new"))
		grown("end a consent", got, err)
		got, err = as.ReplaceCredential(t.Context(), "agent", was.Agent.CredentialID, nil)
		grown("erase credentials", got, err)
	}
	c.pass(2 * time.Hour)
	if src := update(t, s, alice, "agent", agentChange(func(a *registry.Agent) { a.Description += "x" })); !src.UpdatedAt.Equal(c.read()) {
		t.Errorf("at %s, want the clock's %s", src.UpdatedAt, c.read())
	}
}

// scribble writes over all that a decision is given.
func scribble(src *registry.Source) {
	src.Name, src.SourceID, src.ID = "x", "x", 1
	for k := range src.Labels {
		src.Labels[k] = "x"
	}
	if src.Agent != nil {
		*src.Agent = registry.Agent{}
	}
	if src.Connection != nil {
		*src.Connection.AdServer = registry.AdServer{}
		*src.Connection = registry.Connection{}
	}
}

func updateManagedName(t *testing.T, s registry.Store, c *clock) {
	first := adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	name := "By a user"
	moment := c.pass(time.Second)
	got := update(t, s, alice, "managed", always(registry.SourceChange{Name: &name}))
	want := *first.Clone()
	want.Name, want.UpdatedAt = name, moment
	want.Connection.Version++ // documents that show the name are no longer true
	same(t, "renamed", read(t, s, alice, "managed"), &want)
	sameSource(t, "answered", got, &want)

	c.pass(time.Second)
	same(t, "adopted again", adopt(t, s, entry(alice, "managed"), registry.AdoptionUnchanged), &want)
	e := entry(alice, "managed")
	e.Name = "The config's"
	same(t, "the config's new name", adopt(t, s, e, registry.AdoptionUnchanged), &want)
	e.Labels = nil // which are the config's still
	if m := adopt(t, s, e, registry.AdoptionUpdated); m.Name != name || len(m.Labels) != 0 {
		t.Fatalf("other labels: %+v", *m)
	}
	want = *read(t, s, alice, "managed").Clone()

	for what, change := range map[string]registry.SourceChange{
		"an agent":    {Agent: &registry.Agent{Status: registry.SourceActive}},
		"credentials": {Credential: token("x")},
		"erasure":     {EraseCredential: true},
		"a consent":   {NewConsent: true},
	} {
		if _, err := s.Customer(alice).UpdateSource(t.Context(), "managed", func(*registry.Source) (registry.SourceChange, error) {
			return change, nil
		}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s on a managed source: %v, want ErrInvalid", what, err)
		}
	}
	same(t, "after what it can't have", read(t, s, alice, "managed"), &want)
}

type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func updateRefused(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, withToken("agent", "kept"))
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	for _, id := range []string{"agent", "managed"} {
		was := readSource(t, s, alice, id)
		c.pass(time.Second)
		no := &refusal{"no"}
		name := "new"
		_, err := s.Customer(alice).UpdateSource(t.Context(), id, func(src *registry.Source) (registry.SourceChange, error) {
			sameSource(t, "given", src, was)
			scribble(src)
			return registry.SourceChange{Name: &name, EraseCredential: true}, no
		})
		if err != error(no) {
			t.Fatalf("%s: %v, want the decision's own error", id, err)
		}
		_, err = s.Customer(alice).DeleteSource(t.Context(), id, func(src *registry.Source) error {
			sameSource(t, "given", src, was)
			return no
		})
		if err != error(no) {
			t.Fatalf("%s: %v, want the decision's own error", id, err)
		}
		sameSource(t, "after refusals", readSource(t, s, alice, id), was)
	}
	holds(t, s, alice, "agent", token("kept"))

	bad := "a\x00"
	for what, change := range map[string]registry.SourceChange{
		"name":        {Name: &bad},
		"endpoint":    {Agent: &registry.Agent{EndpointURL: bad}},
		"credentials": {Credential: token(bad), NewConsent: true},
	} {
		was := readSource(t, s, alice, "agent")
		_, err := s.Customer(alice).UpdateSource(t.Context(), "agent", func(*registry.Source) (registry.SourceChange, error) { return change, nil })
		if !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
		sameSource(t, "after what can't be stored: "+what, readSource(t, s, alice, "agent"), was)
	}
	for _, id := range []string{"none", "", "a\x00", "a\xff"} {
		if _, err := s.Customer(alice).UpdateSource(t.Context(), id, func(*registry.Source) (registry.SourceChange, error) {
			t.Error("a decision about nothing")
			return registry.SourceChange{}, nil
		}); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", id, err)
		}
	}
}

// updateConcurrent lets writers of different fields of one source run into each
// other: each decides on what the last one left.
func updateConcurrent(t *testing.T, s registry.Store) {
	first := create(t, s, alice, newAgent("busy"))
	const rounds = 15
	counting := func(text *string) { *text = fmt.Sprintf("%s|", *text) }
	writers := []func(*registry.Source) registry.SourceChange{
		agentChange(func(a *registry.Agent) { counting(&a.Description) }),
		agentChange(func(a *registry.Agent) { counting(&a.Type) }),
		agentChange(func(a *registry.Agent) { counting(&a.OAuthAudience) }),
		func(src *registry.Source) registry.SourceChange {
			name := src.Name + "|"
			return registry.SourceChange{Name: &name}
		},
		always(registry.SourceChange{Credential: token("again")}),
	}
	succeedTogether(t, len(writers), func(w int) error {
		for range rounds {
			if _, err := s.Customer(alice).UpdateSource(t.Context(), "busy", func(src *registry.Source) (registry.SourceChange, error) {
				return writers[w](src), nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	end := *readSource(t, s, alice, "busy")
	for what, grown := range map[string]int{
		"name":        len(end.Name) - len(first.Name),
		"description": len(end.Agent.Description) - len(first.Agent.Description),
		"type":        len(end.Agent.Type) - len(first.Agent.Type),
		"audience":    len(end.Agent.OAuthAudience) - len(first.Agent.OAuthAudience),
		"versions":    int(end.Agent.AuthVersion-first.Agent.AuthVersion) - rounds,
	} {
		if grown != rounds {
			t.Errorf("%s: %d of %d changes are there", what, grown, rounds)
		}
	}
	holds(t, s, alice, "busy", token("again"))
}
