package registrytest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esagate/registry"
)

// newManaged is a managed source to be made, with all fields.
func newManaged(sourceID string) registry.NewManaged {
	return registry.NewManaged{
		SourceID: sourceID, Name: "Name of " + sourceID,
		AdServer:            registry.AdServer{Type: "freewheel", Username: "u-" + sourceID, DefaultDemandPartnerID: count(77)},
		ServiceAccountEmail: "robot@example.net",
		Operation:           operation(registry.OperationProvision, "first"),
	}
}

// operation is one that began at the suite's own time.
func operation(kind registry.OperationKind, id string) registry.Operation {
	return registry.Operation{Kind: kind, ID: id, Begun: at(0), Until: at(100)}
}

// makeManaged makes a managed source and reads it back.
func makeManaged(t testing.TB, s registry.Store, customer int64, entry registry.NewManaged) *registry.Source {
	t.Helper()
	made, err := s.Customer(customer).CreateManaged(t.Context(), entry, nil)
	if err != nil {
		t.Fatalf("make %q%q: %v", entry.SourceID, entry.Slug, err)
	}
	if made.Replayed || made.Answer != nil || made.Source == nil || made.Source.Connection == nil {
		t.Fatalf("make %q%q: %+v", entry.SourceID, entry.Slug, made)
	}
	m := made.Source
	same(t, "read back", read(t, s, customer, m.SourceID), m)
	sameSource(t, "read back", readSource(t, s, customer, m.SourceID), made.Source)
	return m
}

func managedMade(t *testing.T, s registry.Store, c *clock) {
	before := adopt(t, s, entry(alice, "before"), registry.AdoptionCreated)
	e := newManaged("whole")
	e.Operation.Begun = e.Operation.Begun.Add(123) // cut to the microsecond
	m := makeManaged(t, s, alice, e)
	begun := operation(registry.OperationProvision, "first")
	same(t, "made", m, &registry.Source{
		ID: m.ID, CustomerID: alice, SourceID: "whole", Name: e.Name, ExecutionType: registry.ExecutionManaged,
		CreatedAt: c.read(), UpdatedAt: c.read(),
		Connection: &registry.Connection{ID: before.Connection.ID + 1, CustomerID: alice, Provisioning: registry.StatusProvisioning,
			Epoch:    c.read().UnixMilli(), // later than of any that had its tenant before
			AdServer: &e.AdServer, ServiceAccountEmail: "robot@example.net", CreatedAt: c.read(), UpdatedAt: c.read(), Operation: &begun, Version: 1},
	})
	if m.ID <= before.ID {
		t.Fatalf("id %d after %d", m.ID, before.ID)
	}
	bare := makeManaged(t, s, alice, registry.NewManaged{SourceID: "bare", Operation: begun})
	if c := *bare.Connection; c.AdServer != nil || c.ServiceAccountEmail != "" || c.ID != m.Connection.ID+1 {
		t.Fatalf("made up: %+v", c)
	}
	if next := adopt(t, s, entry(alice, "after"), registry.AdoptionCreated); next.Connection.ID != bare.Connection.ID+1 {
		t.Fatalf("esaId %d after %d", next.Connection.ID, bare.Connection.ID)
	}

	// An entry of the config that comes later owns labels and e-mail, and not the name.
	later := entry(alice, "whole")
	later.ServiceAccountEmail = ""
	followed := adopt(t, s, later, registry.AdoptionUpdated)
	if followed.Name != e.Name || followed.Labels["tier"] != "1" || followed.Connection.TenantID != "" ||
		followed.Connection.ServiceAccountEmail != "robot@example.net" {
		t.Fatalf("the config took it: %+v", followed)
	}
	later.ServiceAccountEmail = "config@example.net"
	if got := adopt(t, s, later, registry.AdoptionUpdated).Connection.ServiceAccountEmail; got != "config@example.net" {
		t.Fatalf("e-mail %q", got)
	}
}

func managedTaken(t *testing.T, s registry.Store) {
	first := makeManaged(t, s, alice, newManaged("managed"))
	agent := create(t, s, alice, withToken("agent", "kept"))
	for _, taken := range []string{"managed", "agent"} {
		if got, err := s.Customer(alice).CreateManaged(t.Context(), newManaged(taken), once("k", "x")); !errors.Is(err, registry.ErrSourceTaken) {
			t.Fatalf("%q: %+v, %v, want ErrSourceTaken", taken, got, err)
		}
		makeManaged(t, s, bob, newManaged(taken))
	}
	same(t, "the managed one", read(t, s, alice, "managed"), first)
	sameSource(t, "the other", readSource(t, s, alice, "agent"), agent)
	// Nothing of what was refused is left, its key included.
	if got, err := s.Customer(alice).CreateManaged(t.Context(), newManaged("free"), once("k", "made")); err != nil || got.Replayed {
		t.Fatalf("%+v, %v", got, err)
	}
	slugged := func(slug string) string {
		e := newManaged("")
		e.Slug = slug
		return makeManaged(t, s, alice, e).SourceID
	}
	long := strings.Repeat("é", registry.MaxIDLength+1)
	for _, test := range []struct{ slug, want string }{
		{"tv", "tv"}, {"tv", "tv-2"}, {"agent", "agent-2"}, {"managed", "managed-2"},
		{long, strings.Repeat("é", registry.MaxIDLength)}, {long, strings.Repeat("é", registry.MaxIDLength-2) + "-2"},
	} {
		if got := slugged(test.slug); got != test.want {
			t.Errorf("%.20q: %q, want %q", test.slug, got, test.want)
		}
	}
	e := newAgent("")
	e.Slug = "tv"
	if got := create(t, s, alice, e).SourceID; got != "tv-3" {
		t.Errorf("an AGENT source beside: %q", got)
	}
}

func managedInvalid(t *testing.T, s registry.Store) {
	tests := map[string]func(*registry.NewManaged){
		"no name to give":       func(e *registry.NewManaged) { e.SourceID = "" },
		"too long":              func(e *registry.NewManaged) { e.SourceID = strings.Repeat("a", registry.MaxIDLength+1) },
		"zero byte":             func(e *registry.NewManaged) { e.SourceID = "a\x00" },
		"zero byte in the slug": func(e *registry.NewManaged) { e.SourceID, e.Slug = "", "a\x00" },
		"zero byte in the name": func(e *registry.NewManaged) { e.Name = "\x00" },
		"no UTF-8 in an e-mail": func(e *registry.NewManaged) { e.ServiceAccountEmail = "\xff" },
		"no operation":          func(e *registry.NewManaged) { e.Operation.Kind = "" },
		"operation of no id":    func(e *registry.NewManaged) { e.Operation.ID = "" },
		"zero byte in its id":   func(e *registry.NewManaged) { e.Operation.ID = "\x00" },
	}
	for name, change := range tests {
		e := newManaged("invalid")
		change(&e)
		if got, err := s.Customer(alice).CreateManaged(t.Context(), e, nil); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %+v, %v, want ErrInvalid", name, got, err)
		}
	}
	if _, err := s.Customer(alice).CreateManaged(t.Context(), newManaged("invalid"), &registry.IdempotencyRecord{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("an empty key: %v, want ErrInvalid", err)
	}
	for i, text := range hostile {
		e := registry.NewManaged{SourceID: text, Name: text, AdServer: registry.AdServer{Type: text, Username: text}, ServiceAccountEmail: text,
			Operation: registry.Operation{Kind: registry.OperationKind(text), ID: text, Begun: at(0), Until: at(1)}}
		m := makeManaged(t, s, bob, e)
		if c := *m.Connection; m.SourceID != text || m.Name != text || *c.AdServer != e.AdServer || c.ServiceAccountEmail != text || *c.Operation != e.Operation {
			t.Errorf("%d: not kept as it is: %+v", i, m)
		}
	}
	if _, n, err := s.Customer(alice).Sources(t.Context(), 0, 1); err != nil || n != 0 {
		t.Fatalf("%d sources, %v", n, err)
	}
}

// managedOnce makes one source from many requests with one key at once, beside AGENT
// sources and adoptions, which take the same sequences.
func managedOnce(t *testing.T, s registry.Store) {
	const n = 12
	got := make([]registry.Creation, n)
	for i, err := range together(3*n, func(i int) (err error) {
		switch c := s.Customer(alice); i % 3 {
		case 0:
			got[i/3], err = c.CreateManaged(t.Context(), newManaged("one"), once("key", "made"))
		case 1:
			_, err = s.Adopt(t.Context(), entry(alice, fmt.Sprintf("adopted%d", i)))
		default:
			_, err = c.CreateManaged(t.Context(), newManaged(fmt.Sprintf("other%d", i)), nil)
		}
		return err
	}) {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	fresh := 0
	for _, g := range got {
		if !g.Replayed {
			fresh++
		} else if string(g.Answer) != "made one" {
			t.Fatalf("answer %q", g.Answer)
		}
		sameSource(t, "one source", g.Source, got[0].Source)
	}
	page, total, err := s.Customer(alice).ManagedSources(t.Context(), 0, registry.MaxPage)
	if err != nil || fresh != 1 || total != 2*n+1 {
		t.Fatalf("%d made it, %d managed sources, %v", fresh, total, err)
	}
	seen := map[int64]bool{}
	for _, m := range page {
		seen[m.Connection.ID] = true
	}
	if len(seen) != total {
		t.Fatalf("%d esaIds of %d sources", len(seen), total)
	}
	again, err := s.Customer(alice).CreateSource(t.Context(), newAgent("one"), once("key", "x"))
	if err != nil || !again.Replayed || again.Source.Connection == nil {
		t.Fatalf("the key of a managed source: %+v, %v", again, err)
	}
}
