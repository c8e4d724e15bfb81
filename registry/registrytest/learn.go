package registrytest

import (
	"errors"
	"reflect"
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

func learnAdServer(t *testing.T, s registry.Store) {
	e := entry(alice, "unknown")
	e.AdServer, e.ServiceAccountEmail = nil, ""
	m := adopt(t, s, e, registry.AdoptionCreated)
	rate := 2.5
	view := registry.AdServer{Type: "adswizz", AgencyID: count(41), CPMLimit: &rate, BaseURL: "https://ads.example.net/v1?a=b&c"}
	learn := func(view registry.AdServer, email string) *registry.Source {
		t.Helper()
		got, err := s.Customer(alice).LearnAdServer(t.Context(), m.Connection.ID, view, email)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "read back", read(t, s, alice, "unknown"), got)
		return got
	}
	none := learn(registry.AdServer{}, "")
	moved(t, "nothing to learn", m, none, false)
	known := learn(view, "")
	moved(t, "a view", none, known, true)
	if !reflect.DeepEqual(known.Connection.AdServer, &view) || !known.Connection.AdServerSavedAt.IsZero() {
		t.Fatalf("learned %+v", *known.Connection)
	}
	both := learn(registry.AdServer{Type: "mock"}, "found@example.net")
	moved(t, "an e-mail", known, both, true)
	last := learn(registry.AdServer{Type: "mock"}, "later@example.net")
	moved(t, "all known", both, last, false)
	if !reflect.DeepEqual(last.Connection.AdServer, &view) || last.Connection.ServiceAccountEmail != "found@example.net" {
		t.Fatalf("replaced: %+v", *last.Connection)
	}
}

func recordTest(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "tested"), registry.AdoptionCreated)
	failed := registry.TestResult{At: at(10), Error: "The ad server refused.", ErrorCode: "ADAPTER_PERMISSION_DENIED"}
	passed := registry.TestResult{At: at(20), Passed: true, Error: "ignored", ErrorCode: "IGNORED"}
	tests := []struct {
		name   string
		result registry.TestResult
		stands registry.TestResult
		moves  bool
	}{
		{"failed", failed, failed, true},
		{"the same again", failed, failed, false},
		{"without a time", registry.TestResult{Passed: true}, failed, false},
		{"passed", passed, registry.TestResult{At: at(20), Passed: true}, true},
		{"an older one that comes late", registry.TestResult{At: at(15), Error: "late"}, registry.TestResult{At: at(20), Passed: true}, false},
		{"failed later", registry.TestResult{At: at(30), Error: "no", ErrorCode: "X"}, registry.TestResult{At: at(30), Error: "no", ErrorCode: "X"}, true},
	}
	for _, test := range tests {
		got, err := s.Customer(alice).RecordTest(t.Context(), m.Connection.ID, test.result)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		same(t, test.name+", read back", read(t, s, alice, "tested"), got)
		c := *got.Connection
		if stands := (registry.TestResult{At: c.LastTestedAt, Passed: c.LastTestPassed, Error: c.LastError, ErrorCode: c.LastErrorCode}); stands != test.stands {
			t.Fatalf("%s: %+v, want %+v", test.name, stands, test.stands)
		}
		moved(t, test.name, m, got, test.moves)
		m = got
	}
	// A test of the config before leaves alone what is said of the one that was saved.
	saved, err := s.Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, changing(func(c *registry.Connection) {
		c.AdServerSavedAt, c.LastError, c.LastErrorCode = at(40), "", ""
	}))
	if err != nil {
		t.Fatal(err)
	}
	late, err := s.Customer(alice).RecordTest(t.Context(), m.Connection.ID, registry.TestResult{At: at(35), Error: "of before", ErrorCode: "X"})
	if err != nil || late.Connection.LastErrorCode != "" || !late.Connection.LastTestedAt.Equal(at(35)) || late.Connection.Version != saved.Connection.Version+1 {
		t.Fatalf("a late test: %+v, %v", late, err)
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
