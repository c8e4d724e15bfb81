package registrytest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"esagate/registry"
)

func createAgent(t *testing.T, s registry.Store, c *clock) {
	entry := withToken("whole", "t0ken")
	entry.Agent.Authentication = registry.AuthOAuth
	entry.Agent.OAuthAudience = "https://audience.example.net"
	agentID := ""
	entry.AgentID = func() string { agentID = nextAgentID(); return agentID }
	// What the store gives is not the caller's to say.
	entry.Agent.AgentID, entry.Agent.CredentialID, entry.Agent.AuthVersion = "mine", "mine", 99
	made := create(t, s, alice, entry)

	agent := entry.Agent
	agent.AgentID, agent.CredentialID, agent.AuthVersion = agentID, made.Agent.CredentialID, 1
	sameSource(t, "made", made, &registry.Source{
		ID: made.ID, CustomerID: alice, SourceID: "whole", Name: entry.Name, ExecutionType: registry.ExecutionAgent,
		CreatedAt: c.read(), UpdatedAt: c.read(), Agent: &agent,
	})
	if made.ID <= 0 || len(agent.CredentialID) < 20 {
		t.Fatalf("id %d, credentials %q", made.ID, agent.CredentialID)
	}
	holds(t, s, alice, "whole", entry.Credential)

	// The other end: nothing that can be left out.
	bare := registry.NewSource{SourceID: "bare", AgentID: nextAgentID}
	if got := *create(t, s, alice, bare); got.Agent.CredentialID != "" || got.Agent.Description != "" || got.Name != "" {
		t.Fatalf("made up: %+v %+v", got, *got.Agent)
	}
	if _, _, err := s.Customer(alice).Credential(t.Context(), "bare"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("credentials of none: %v", err)
	}
}

func createIDsGrow(t *testing.T, s registry.Store) {
	last := adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated).ID
	for i := range 6 {
		made := create(t, s, alice+int64(i%2), newAgent(fmt.Sprintf("s%d", i)))
		if made.ID <= last {
			t.Fatalf("id %d after %d", made.ID, last)
		}
		last = made.ID
		if _, err := s.Customer(alice+int64(i%2)).DeleteSource(t.Context(), made.SourceID, allowed); err != nil {
			t.Fatal(err)
		}
	}
}

func createTaken(t *testing.T, s registry.Store) {
	managed := adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	agent := create(t, s, alice, withToken("agent", "first"))
	for _, taken := range []string{"managed", "agent"} {
		if got, err := s.Customer(alice).CreateSource(t.Context(), withToken(taken, "late"), nil); !errors.Is(err, registry.ErrSourceTaken) {
			t.Fatalf("%q: %+v, %v, want ErrSourceTaken", taken, got, err)
		}
		create(t, s, bob, newAgent(taken)) // another customer's name is no obstacle
	}
	same(t, "the managed one", read(t, s, alice, "managed"), managed)
	sameSource(t, "the other", readSource(t, s, alice, "agent"), agent)
	holds(t, s, alice, "agent", token("first"))
	// Ids are compared byte for byte.
	create(t, s, alice, newAgent("Agent"))
	if _, n, err := s.Customer(alice).Sources(t.Context(), 0, 1); err != nil || n != 3 {
		t.Fatalf("%d sources, %v, want 3", n, err)
	}
}

func createSlugs(t *testing.T, s registry.Store) {
	slugged := func(slug string) string {
		e := newAgent("")
		e.Slug = slug
		return create(t, s, alice, e).SourceID
	}
	adopt(t, s, entry(alice, "radio"), registry.AdoptionCreated)
	create(t, s, alice, newAgent("radio-3"))
	long, wide := strings.Repeat("a", registry.MaxIDLength), strings.Repeat("é", registry.MaxIDLength+40)
	dashed := strings.Repeat("d", registry.MaxIDLength-3) + "-zz"
	tests := []struct{ slug, want string }{
		{"tv", "tv"},
		{"tv", "tv-2"},
		{"tv", "tv-3"},
		{"tv-2", "tv-2-2"},
		{"radio", "radio-2"}, // a managed source has the name itself
		{"radio", "radio-4"}, // and somebody chose radio-3
		{"日本", "日本"},
		{"日本", "日本-2"},
		{"100%_", "100%_"},
		{"100%_", "100%_-2"},
		{long, long},
		{long, long[:registry.MaxIDLength-2] + "-2"},
		{wide, strings.Repeat("é", registry.MaxIDLength)},
		{wide, strings.Repeat("é", registry.MaxIDLength-2) + "-2"},
		{dashed, dashed},
		{dashed, dashed[:registry.MaxIDLength-3] + "-2"}, // cut at its dash, it does not get two
	}
	for _, test := range tests {
		if got := slugged(test.slug); got != test.want {
			t.Errorf("%.20q: %q, want %q", test.slug, got, test.want)
		}
	}
	// Another customer begins anew; what was deleted is free again.
	e := newAgent("")
	e.Slug = "tv"
	if got := create(t, s, bob, e).SourceID; got != "tv" {
		t.Errorf("bob: %q", got)
	}
	remove(t, s, alice, "tv-2")
	if got := slugged("tv"); got != "tv-2" {
		t.Errorf("after a deletion: %q", got)
	}
}

// createManySlugs gives one name so often that a Store may look for a suffix in
// another way; with no deletion between, the suffixes still follow each other.
func createManySlugs(t *testing.T, s registry.Store) {
	long := strings.Repeat("n", registry.MaxIDLength)
	for n := 1; n <= 125; n++ {
		e := newAgent("")
		e.Slug = long
		want := long
		if n > 1 {
			suffix := fmt.Sprintf("-%d", n)
			want = long[:registry.MaxIDLength-len(suffix)] + suffix
		}
		made, err := s.Customer(alice).CreateSource(t.Context(), e, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := made.Source.SourceID; got != want || utf8.RuneCountInString(got) != registry.MaxIDLength {
			t.Fatalf("source %d: …%q, want …%q", n, got[240:], want[240:])
		}
	}
}

func createInvalid(t *testing.T, s registry.Store) {
	tests := []struct {
		name   string
		change func(*registry.NewSource)
	}{
		{"no id", func(e *registry.NewSource) { e.SourceID = "" }},
		{"long sourceId", func(e *registry.NewSource) { e.SourceID = strings.Repeat("é", registry.MaxIDLength+1) }},
		{"zero byte in sourceId", func(e *registry.NewSource) { e.SourceID = "a\x00" }},
		{"no UTF-8 in slug", func(e *registry.NewSource) { e.SourceID, e.Slug = "", "a\xff" }},
		{"zero byte in name", func(e *registry.NewSource) { e.Name = "a\x00" }},
		{"zero byte in status", func(e *registry.NewSource) { e.Agent.Status = "\x00" }},
		{"zero byte in type", func(e *registry.NewSource) { e.Agent.Type = "\x00" }},
		{"no UTF-8 in endpoint", func(e *registry.NewSource) { e.Agent.EndpointURL = "https://\xff" }},
		{"zero byte in protocol", func(e *registry.NewSource) { e.Agent.Protocol = "\x00" }},
		{"zero byte in description", func(e *registry.NewSource) { e.Agent.Description = "\x00" }},
		{"zero byte in authentication", func(e *registry.NewSource) { e.Agent.Authentication = "\x00" }},
		{"zero byte in audience", func(e *registry.NewSource) { e.Agent.OAuthAudience = "\x00" }},
		{"zero byte in agent id", func(e *registry.NewSource) { e.AgentID = func() string { return "a\x00" } }},
		{"empty agent id", func(e *registry.NewSource) { e.AgentID = func() string { return "" } }},
		{"zero byte in a token", func(e *registry.NewSource) { e.Credential = token("\x00") }},
		{"no UTF-8 in a token", func(e *registry.NewSource) { e.Credential = token("\xff") }},
		{"credentials of no kind", func(e *registry.NewSource) { e.Credential = &registry.Credential{} }},
		{"credentials of two kinds", func(e *registry.NewSource) {
			e.Credential = token("x")
			e.Credential.Basic = &registry.BasicCredential{Username: "u"}
		}},
	}
	for _, test := range tests {
		e := newAgent("invalid")
		test.change(&e)
		once := &registry.IdempotencyRecord{Key: "once-" + test.name}
		if got, err := s.Customer(alice).CreateSource(t.Context(), e, once); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %+v, %v, want ErrInvalid", test.name, got, err)
		}
		// Nothing is left, the idempotency key included.
		if got, err := s.Customer(alice).CreateSource(t.Context(), newAgent("good-"+test.name), once); err != nil || got.Replayed {
			t.Errorf("%s: the key was kept: %+v, %v", test.name, got, err)
		}
	}
	if _, n, err := s.Customer(alice).Sources(t.Context(), 0, 1); err != nil || n != len(tests) {
		t.Fatalf("%d sources, %v, want %d", n, err, len(tests))
	}
	longest := newAgent(strings.Repeat("é", registry.MaxIDLength))
	longest.Name = strings.Repeat("é", 255)
	longest.Agent.EndpointURL = "https://a.example.net/" + strings.Repeat("x", 2026)
	create(t, s, alice, longest)
}

func createAgentIDs(t *testing.T, s registry.Store) {
	first := newAgent("first")
	first.AgentID = func() string { return "wanted_111111" }
	create(t, s, alice, first)
	asked := []string{"wanted_111111", "wanted_111111", "wanted_222222"}
	for _, customer := range []int64{alice, bob} {
		rest := asked
		second := newAgent("second")
		second.AgentID = func() string {
			id := rest[0]
			rest = rest[1:]
			return id
		}
		want := "wanted_222222"
		if customer == bob { // unique over all customers
			rest = append(append([]string{}, asked...), "wanted_333333")
			want = "wanted_333333"
		}
		if got := create(t, s, customer, second).Agent.AgentID; got != want {
			t.Fatalf("customer %d: agent id %q, want %q", customer, got, want)
		}
	}
	stuck := newAgent("stuck")
	stuck.AgentID = first.AgentID
	if got, err := s.Customer(alice).CreateSource(t.Context(), stuck, nil); err == nil {
		t.Fatalf("a taken agent id for ever: %+v", got)
	}
}

func createHostile(t *testing.T, s registry.Store) {
	for i, text := range hostile {
		e := registry.NewSource{SourceID: text, Name: text, Agent: registry.Agent{
			Status: registry.SourcePending, Type: text, EndpointURL: text, Protocol: text, Description: text,
			Authentication: registry.AuthBasic, OAuthAudience: text,
		}, Credential: &registry.Credential{Basic: &registry.BasicCredential{Username: text, Password: text}}}
		e.AgentID = func() string { return fmt.Sprintf("%d%s", i, text) }
		made := create(t, s, alice, e)
		a := *made.Agent
		if made.SourceID != text || made.Name != text || a.Type != text || a.EndpointURL != text || a.Protocol != text ||
			a.Description != text || a.OAuthAudience != text || a.AgentID != fmt.Sprintf("%d%s", i, text) {
			t.Fatalf("not kept as it is: %q: %s", text, printed(made))
		}
		holds(t, s, alice, text, e.Credential)
		again := e
		again.SourceID, again.Slug, again.AgentID = "", text, nextAgentID
		if got := create(t, s, alice, again).SourceID; !strings.HasSuffix(got, "-2") {
			t.Fatalf("a slug of %q: %q", text, got)
		}
	}
}
