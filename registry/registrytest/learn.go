package registrytest

import (
	"errors"
	"testing"

	"esagate/registry"
)

func learnTenant(t *testing.T, s registry.Store) {
	yes, no := true, false
	active := adopt(t, s, entry(alice, "active"), registry.AdoptionCreated)
	e := entry(alice, "pending")
	e.TenantID = ""
	pending := adopt(t, s, e, registry.AdoptionCreated)

	tests := []struct {
		name   string
		id     int64
		facts  registry.TenantFacts
		moves  bool
		org    string
		status registry.ProvisioningStatus
	}{
		{"nothing said", active.Connection.ID, registry.TenantFacts{}, false, "", registry.StatusActive},
		{"active already", active.Connection.ID, registry.TenantFacts{Active: &yes}, false, "", registry.StatusActive},
		{"an organisation", active.Connection.ID, registry.TenantFacts{ExternalOrgID: "org-1"}, true, "org-1", registry.StatusActive},
		{"the same", active.Connection.ID, registry.TenantFacts{ExternalOrgID: "org-1", Active: &yes}, false, "org-1", registry.StatusActive},
		{"inactive", active.Connection.ID, registry.TenantFacts{Active: &no}, true, "org-1", registry.StatusDeactivated},
		{"still inactive", active.Connection.ID, registry.TenantFacts{Active: &no}, false, "org-1", registry.StatusDeactivated},
		{"another organisation", active.Connection.ID, registry.TenantFacts{ExternalOrgID: "org-2"}, true, "org-2", registry.StatusDeactivated},
		{"active again", active.Connection.ID, registry.TenantFacts{Active: &yes}, true, "org-2", registry.StatusActive},
		{"pending stays", pending.Connection.ID, registry.TenantFacts{Active: &yes}, false, "", registry.StatusPending},
		{"pending stays, inactive", pending.Connection.ID, registry.TenantFacts{Active: &no}, false, "", registry.StatusPending},
	}
	for _, test := range tests {
		before, err := s.Customer(alice).ManagedSourceByID(t.Context(), test.id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Customer(alice).LearnTenant(t.Context(), test.id, test.facts)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		same(t, test.name+", read back", read(t, s, alice, got.SourceID), got)
		c := *got.Connection
		if c.ExternalOrgID != test.org || c.Provisioning != test.status {
			t.Fatalf("%s: organisation %q, status %s", test.name, c.ExternalOrgID, c.Provisioning)
		}
		if (c.Provisioning == registry.StatusDeactivated) == c.DeactivatedAt.IsZero() {
			t.Fatalf("%s: %s, deactivated at %v", test.name, c.Provisioning, c.DeactivatedAt)
		}
		moved(t, test.name, before, got, test.moves)
	}
	if _, err := s.Customer(alice).LearnTenant(t.Context(), active.Connection.ID, registry.TenantFacts{ExternalOrgID: "\x00"}); !errors.Is(err, registry.ErrInvalid) {
		t.Fatalf("zero byte: %v, want ErrInvalid", err)
	}
}

// moved holds Version and the connection's UpdatedAt to whether something changed.
func moved(t testing.TB, what string, before, after *registry.Source, moves bool) {
	t.Helper()
	if !moves {
		same(t, what, after, before)
		return
	}
	if after.Connection.Version != before.Connection.Version+1 {
		t.Fatalf("%s: version %d after %d", what, after.Connection.Version, before.Connection.Version)
	}
	if !after.Connection.UpdatedAt.After(before.Connection.UpdatedAt) {
		t.Fatalf("%s: UpdatedAt %v after %v", what, after.Connection.UpdatedAt, before.Connection.UpdatedAt)
	}
}
