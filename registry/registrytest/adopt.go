package registrytest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

func adoptPending(t *testing.T, s registry.Store) {
	e := entry(alice, "pending")
	e.TenantID, e.AdServer, e.ServiceAccountEmail, e.Labels = "", nil, "", nil
	m := adopt(t, s, e, registry.AdoptionCreated)
	same(t, "read back", read(t, s, alice, "pending"), m)
	c := *m.Connection
	if c.Provisioning != registry.StatusPending || c.TenantID != "" || !c.ProvisionedAt.IsZero() {
		t.Fatalf("not pending: %+v", c)
	}
	if c.AdServer != nil || c.ServiceAccountEmail != "" || c.InventorySync != nil || len(m.Labels) != 0 {
		t.Fatalf("not empty: %+v %+v", c, *m)
	}
	// Two connections without a tenant don't share "no tenant".
	e.SourceID = "pending-too"
	adopt(t, s, e, registry.AdoptionCreated)
}

func adoptActive(t *testing.T, s registry.Store) {
	before := time.Now().UTC().Truncate(time.Microsecond)
	e := entry(alice, "active")
	m := adopt(t, s, e, registry.AdoptionCreated)
	after := time.Now()
	same(t, "read back", read(t, s, alice, "active"), m)

	c := *m.Connection
	if c.Provisioning != registry.StatusActive || c.TenantID != e.TenantID {
		t.Fatalf("not active: %+v", c)
	}
	if c.ProvisionedAt.Before(before) || c.ProvisionedAt.After(after) {
		t.Fatalf("provisioned at %v, adopted between %v and %v", c.ProvisionedAt, before, after)
	}
	if !c.CreatedAt.Equal(c.ProvisionedAt) || !c.UpdatedAt.Equal(c.ProvisionedAt) || !m.CreatedAt.Equal(c.ProvisionedAt) {
		t.Fatalf("one moment, several times: %+v %+v", c, *m)
	}
	want := registry.Source{
		ID: m.ID, CustomerID: alice, SourceID: "active", Name: e.Name, ExecutionType: registry.ExecutionManaged,
		Labels: e.Labels, CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt, Connection: m.Connection,
	}
	if !reflect.DeepEqual(*m, want) {
		t.Fatalf("source:\n got %+v\nwant %+v", *m, want)
	}
	if !reflect.DeepEqual(c.AdServer, e.AdServer) || c.ServiceAccountEmail != e.ServiceAccountEmail || c.CustomerID != alice {
		t.Fatalf("connection: %+v", c)
	}
	if !c.AdServerSavedAt.IsZero() || !c.LastTestedAt.IsZero() || !c.DeactivatedAt.IsZero() || c.ExternalOrgID != "" || c.MCPURL != "" {
		t.Fatalf("made up: %+v", c)
	}
}

func adoptTwice(t *testing.T, s registry.Store) {
	first := adopt(t, s, entry(alice, "twice"), registry.AdoptionCreated)
	again := adopt(t, s, entry(alice, "twice"), registry.AdoptionUnchanged)
	same(t, "adopted again", again, first)

	none := entry(alice, "bare")
	none.Labels = nil
	first = adopt(t, s, none, registry.AdoptionCreated)
	none.Labels = map[string]string{}
	same(t, "no labels, written otherwise", adopt(t, s, none, registry.AdoptionUnchanged), first)
}

func adoptFollows(t *testing.T, s registry.Store) {
	e := entry(alice, "follows")
	tests := []struct {
		name         string
		change       func()
		ofConnection bool // whether Connection.UpdatedAt moves, else the source's
	}{
		{"name", func() { e.Name = "Another name" }, false},
		{"label changed", func() { e.Labels = map[string]string{"region": "south", "tier": "1"} }, false},
		{"label added", func() { e.Labels = map[string]string{"region": "south", "tier": "1", "x": ""} }, false},
		{"labels gone", func() { e.Labels = nil }, false},
		{"email", func() { e.ServiceAccountEmail = "other@example.net" }, true},
		{"email gone", func() { e.ServiceAccountEmail = "" }, true},
	}
	last := adopt(t, s, e, registry.AdoptionCreated)
	for _, test := range tests {
		test.change()
		m := adopt(t, s, e, registry.AdoptionUpdated)
		same(t, test.name+", read back", read(t, s, alice, "follows"), m)
		if m.Name != e.Name || m.Connection.ServiceAccountEmail != e.ServiceAccountEmail || len(m.Labels) != len(e.Labels) {
			t.Fatalf("%s: not followed: %+v", test.name, m)
		}
		for k, v := range e.Labels {
			if got, ok := m.Labels[k]; !ok || got != v {
				t.Fatalf("%s: label %q is %q, want %q", test.name, k, got, v)
			}
		}
		if m.Connection.Version != last.Connection.Version+1 {
			t.Fatalf("%s: version %d after %d", test.name, m.Connection.Version, last.Connection.Version)
		}
		moved, still := m.UpdatedAt.After(last.UpdatedAt), m.Connection.UpdatedAt.Equal(last.Connection.UpdatedAt)
		if test.ofConnection {
			moved, still = m.Connection.UpdatedAt.After(last.Connection.UpdatedAt), m.UpdatedAt.Equal(last.UpdatedAt)
		}
		if !moved || !still {
			t.Fatalf("%s: the wrong UpdatedAt moved:\n from %+v\n to %+v", test.name, last, m)
		}
		last = m
	}
}

func adoptKeeps(t *testing.T, s registry.Store) {
	e := entry(alice, "keeps")
	first := adopt(t, s, e, registry.AdoptionCreated)
	e.TenantID = "another-tenant"
	e.AdServer = &registry.AdServer{Type: "mock"}
	e.ESAID = 777_777
	same(t, "other tenant, ad server and esaId", adopt(t, s, e, registry.AdoptionUnchanged), first)

	// What became of the status stands too.
	left := changeConnection(t, s, first, func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated })
	same(t, "deactivated", adopt(t, s, e, registry.AdoptionUnchanged), left)

	// The tenant and the esaId that were not taken are still free.
	other := entry(alice, "other")
	other.TenantID, other.ESAID = e.TenantID, e.ESAID
	adopt(t, s, other, registry.AdoptionCreated)
}

func adoptLearnedEmail(t *testing.T, s registry.Store) {
	e := entry(alice, "learned")
	e.ServiceAccountEmail = ""
	m := adopt(t, s, e, registry.AdoptionCreated)
	learned := changeConnection(t, s, m, func(c *registry.Connection) { c.ServiceAccountEmail = "learned@example.net" })
	same(t, "config names none", adopt(t, s, e, registry.AdoptionUnchanged), learned)

	e.ServiceAccountEmail = "learned@example.net" // the same address, now the config's
	same(t, "config names the same", adopt(t, s, e, registry.AdoptionUnchanged), learned)
	e.ServiceAccountEmail = ""
	if m := adopt(t, s, e, registry.AdoptionUpdated); m.Connection.ServiceAccountEmail != "" {
		t.Fatalf("the config's own address stayed: %+v", *m.Connection)
	}
}

func adoptTenantTaken(t *testing.T, s registry.Store) {
	adopt(t, s, entry(alice, "holder"), registry.AdoptionCreated)
	for _, customer := range []int64{alice, bob} {
		late := entry(customer, "late")
		late.TenantID = "tenant-of-holder"
		if _, err := s.Adopt(t.Context(), late); !errors.Is(err, registry.ErrTenantTaken) {
			t.Fatalf("customer %d: %v, want ErrTenantTaken", customer, err)
		}
		fails(t, registry.ErrNotFound)(s.Customer(customer).Source(t.Context(), "late"))
		// Nothing marks the refused entry as taken over.
		late.TenantID = ""
		adopt(t, s, late, registry.AdoptionCreated)
	}
}

func adoptInvalid(t *testing.T, s registry.Store) {
	tests := []struct {
		name   string
		change func(*registry.ConfigSource)
	}{
		{"no sourceId", func(e *registry.ConfigSource) { e.SourceID = "" }},
		{"long sourceId", func(e *registry.ConfigSource) { e.SourceID = strings.Repeat("é", registry.MaxIDLength+1) }},
		{"zero byte in sourceId", func(e *registry.ConfigSource) { e.SourceID = "a\x00b" }},
		{"no UTF-8 in sourceId", func(e *registry.ConfigSource) { e.SourceID = "a\xffb" }},
		{"long tenant", func(e *registry.ConfigSource) { e.TenantID = strings.Repeat("t", registry.MaxIDLength+1) }},
		{"zero byte in name", func(e *registry.ConfigSource) { e.Name = "\x00" }},
		{"no UTF-8 in email", func(e *registry.ConfigSource) { e.ServiceAccountEmail = "\xc3" }},
		{"zero byte in a label", func(e *registry.ConfigSource) { e.Labels = map[string]string{"k": "\x00"} }},
		{"no UTF-8 in a label's key", func(e *registry.ConfigSource) { e.Labels = map[string]string{"\xfe": "v"} }},
		{"negative esaId", func(e *registry.ConfigSource) { e.ESAID = -1 }},
		{"esaId too large", func(e *registry.ConfigSource) { e.ESAID = registry.MaxESAID + 1 }},
	}
	for _, test := range tests {
		e := entry(alice, "invalid")
		test.change(&e)
		if got, err := s.Adopt(t.Context(), e); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %+v, %v, want ErrInvalid", test.name, got, err)
		}
	}
	longest := entry(alice, strings.Repeat("é", registry.MaxIDLength))
	longest.TenantID = strings.Repeat("t", registry.MaxIDLength)
	adopt(t, s, longest, registry.AdoptionCreated)
	read(t, s, alice, longest.SourceID)
	if _, total, err := s.Customer(alice).ManagedSources(t.Context(), 0, 10); err != nil || total != 1 {
		t.Fatalf("%d sources, %v, want 1", total, err)
	}
}
