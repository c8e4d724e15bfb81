package registrytest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// changeConnection changes a connection and reads it back.
func changeConnection(t testing.TB, s registry.Store, m *registry.Source, f func(c *registry.Connection)) *registry.Source {
	t.Helper()
	got, err := s.Customer(m.CustomerID).ChangeConnection(t.Context(), m.Connection.ID, changing(f))
	if err != nil {
		t.Fatalf("change %q: %v", m.SourceID, err)
	}
	same(t, "read back", read(t, s, m.CustomerID, m.SourceID), got)
	return got
}

// changing is a decision that changes what it is given.
func changing(f func(c *registry.Connection)) func(*registry.Source) (*registry.Connection, error) {
	return func(m *registry.Source) (*registry.Connection, error) {
		next := *m.Connection
		f(&next)
		return &next, nil
	}
}

func connectionFields(t *testing.T, s registry.Store, c *clock) {
	m := makeManaged(t, s, alice, newManaged("changed"))
	other := makeManaged(t, s, alice, newManaged("other"))
	cpm := 1.5
	begun := operation(registry.OperationConfigure, "second")
	// Each field alone: what a reader could see moves UpdatedAt, the rest the version alone.
	tests := []struct {
		name    string
		change  func(c *registry.Connection)
		visible bool
	}{
		{"status", func(c *registry.Connection) { c.Provisioning = registry.StatusActive }, true},
		{"tenant", func(c *registry.Connection) { c.TenantID = "tnt_changed" }, true},
		{"organisation", func(c *registry.Connection) { c.ExternalOrgID = "7001-1" }, false},
		{"MCP", func(c *registry.Connection) { c.MCPURL = "https://sales.example.net/mcp/" }, true},
		{"A2A", func(c *registry.Connection) { c.A2AURL = "https://sales.example.net/a2a" }, true},
		{"ad server", func(c *registry.Connection) {
			c.AdServer = &registry.AdServer{Type: "adswizz", AgencyID: count(9), CPMLimit: &cpm}
		}, true},
		{"saved", func(c *registry.Connection) { c.AdServerSavedAt = at(11) }, true},
		{"e-mail", func(c *registry.Connection) { c.ServiceAccountEmail = "next@example.net" }, true},
		{"error", func(c *registry.Connection) { c.LastError, c.LastErrorCode = "It refused.", "ADAPTER_INVALID_CONFIG" }, true},
		{"tested", func(c *registry.Connection) { c.LastTestedAt, c.LastTestPassed = at(12), true }, true},
		{"answered", func(c *registry.Connection) { c.LastTestTime = "2026-03-09T12:59:00.250000Z" }, true},
		{"provisioned", func(c *registry.Connection) { c.ProvisionedAt = at(13) }, true},
		{"deactivated", func(c *registry.Connection) { c.DeactivatedAt = at(14) }, true},
		{"operation", func(c *registry.Connection) { c.Operation = &begun }, false},
		{"operation until", func(c *registry.Connection) { o := begun; o.Until = at(900); c.Operation = &o }, false},
		{"no operation", func(c *registry.Connection) { c.Operation = nil }, false},
		{"unsettled", func(c *registry.Connection) { c.UnsettledSince = at(15) }, false},
		{"epoch", func(c *registry.Connection) { c.Epoch++ }, false},
		{"emptied", func(c *registry.Connection) {
			*c = registry.Connection{Provisioning: registry.StatusPending}
		}, true},
	}
	for _, test := range tests {
		now := c.pass(time.Second)
		want := *m.Clone()
		test.change(want.Connection)
		conn, was := want.Connection, *m.Connection
		conn.ID, conn.CustomerID, conn.CreatedAt, conn.UpdatedAt = was.ID, was.CustomerID, was.CreatedAt, was.UpdatedAt
		conn.Version = was.Version + 1
		if test.visible {
			conn.UpdatedAt = now
		}
		got := changeConnection(t, s, m, test.change)
		same(t, test.name, got, &want)
		again := changeConnection(t, s, m, func(c *registry.Connection) { *c = *got.Connection })
		same(t, test.name+", the same again", again, got)
		m = got
	}
	same(t, "a bystander", read(t, s, alice, "other"), other)
}

func connectionNotItsOwn(t *testing.T, s registry.Store, c *clock) {
	m := makeManaged(t, s, alice, newManaged("kept"))
	m, err := s.Customer(alice).ObserveInventorySync(t.Context(), m.Connection.ID, registry.InventorySync{Status: registry.SyncSuccess, ItemCount: count(4), ObservedAt: at(1)})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Second)
	foreign := func(c *registry.Connection) {
		c.ID, c.CustomerID, c.CreatedAt, c.UpdatedAt, c.InventorySync, c.Version = 1, bob, at(-9), at(-9), nil, 99
	}
	same(t, "of no account", changeConnection(t, s, m, foreign), m)

	// What decide is given is a copy, and no decision is none.
	says := errors.New("refused")
	for _, refuses := range []error{nil, says, registry.ErrNotFound} {
		got, err := s.Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, func(given *registry.Source) (*registry.Connection, error) {
			same(t, "given", given, m)
			conn := given.Connection
			conn.TenantID, conn.AdServer.Username, conn.Operation.ID = "written", "written", "written"
			*conn.InventorySync.ItemCount, *conn.AdServer.DefaultDemandPartnerID = 9, 9
			given.Name = "written"
			return nil, refuses
		})
		if err != refuses {
			t.Fatalf("%v, want %v as it is", err, refuses)
		}
		if refuses == nil {
			same(t, "left", got, m)
		}
		same(t, "read back", read(t, s, alice, "kept"), m)
	}
	// Nor does the answer share anything with what was decided.
	decided := *m.Connection
	decided.AdServer, decided.Operation = &registry.AdServer{Type: "mock"}, &registry.Operation{Kind: registry.OperationConfigure, ID: "o"}
	got := changeConnection(t, s, m, func(c *registry.Connection) { *c = decided })
	decided.AdServer.Type, decided.Operation.ID = "written", "written"
	same(t, "shares nothing", got, read(t, s, alice, "kept"))
}

func connectionInvalid(t *testing.T, s registry.Store) {
	m := makeManaged(t, s, alice, newManaged("invalid"))
	nan := math.NaN()
	for name, change := range map[string]func(c *registry.Connection){
		"zero byte in a tenant":  func(c *registry.Connection) { c.TenantID = "t\x00" },
		"no UTF-8 in a tenant":   func(c *registry.Connection) { c.TenantID = "\xff" },
		"too long a tenant":      func(c *registry.Connection) { c.TenantID = strings.Repeat("t", registry.MaxIDLength+1) },
		"no status":              func(c *registry.Connection) { c.Provisioning = "" },
		"unknown status":         func(c *registry.Connection) { c.Provisioning = "ACTIVE" },
		"operation of no kind":   func(c *registry.Connection) { c.Operation = &registry.Operation{ID: "x"} },
		"operation of no id":     func(c *registry.Connection) { c.Operation = &registry.Operation{Kind: registry.OperationProvision} },
		"no number for a limit":  func(c *registry.Connection) { c.AdServer = &registry.AdServer{Type: "adswizz", CPMLimit: &nan} },
		"zero byte in operation": func(c *registry.Connection) { c.Operation = &registry.Operation{Kind: "\x00", ID: "x"} },
	} {
		if got, err := s.Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, changing(change)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %+v, %v, want ErrInvalid", name, got, err)
		}
	}
	same(t, "after refusals", read(t, s, alice, "invalid"), m)
	for _, text := range append([]string{"\x00", "\xff", "a\x00b\xff"}, hostile...) {
		got := *changeConnection(t, s, m, func(c *registry.Connection) {
			c.ExternalOrgID, c.MCPURL, c.A2AURL, c.ServiceAccountEmail, c.LastError, c.LastErrorCode = text, text, text, text, text, text
			c.LastTestTime = text
			c.LastTestedAt = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC) // none
		}).Connection
		for _, kept := range []string{
			got.ExternalOrgID, got.MCPURL, got.A2AURL, got.ServiceAccountEmail, got.LastError, got.LastErrorCode, got.LastTestTime,
		} {
			if kept != registry.Text(text) {
				t.Errorf("%q is kept as %q", text, kept)
			}
		}
		if !got.LastTestedAt.IsZero() {
			t.Errorf("tested at %v", got.LastTestedAt)
		}
	}
}

func connectionTenantTaken(t *testing.T, s registry.Store) {
	adopt(t, s, entry(bob, "holder"), registry.AdoptionCreated)
	m := makeManaged(t, s, alice, newManaged("late"))
	take := changing(func(c *registry.Connection) { c.TenantID, c.LastError = "tenant-of-holder", "half" })
	for range 2 {
		fails(t, registry.ErrTenantTaken)(s.Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, take))
	}
	same(t, "after refusals", read(t, s, alice, "late"), m)
	remove(t, s, bob, "holder")
	got := changeConnection(t, s, m, func(c *registry.Connection) { c.TenantID = "tenant-of-holder" })
	e := entry(bob, "again")
	e.TenantID = got.Connection.TenantID
	fails(t, registry.ErrTenantTaken)(s.Adopt(t.Context(), e)) // adopted

	const n = 8
	rows := make([]*registry.Source, n)
	for i := range rows {
		rows[i] = makeManaged(t, s, alice+int64(i%2), newManaged(fmt.Sprintf("contender%d", i)))
	}
	won := 0
	for _, err := range together(n, func(i int) error {
		_, err := s.Customer(alice+int64(i%2)).ChangeConnection(t.Context(), rows[i].Connection.ID, changing(func(c *registry.Connection) { c.TenantID = "contested" }))
		return err
	}) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, registry.ErrTenantTaken):
			t.Fatal(err)
		}
	}
	if won != 1 {
		t.Fatalf("%d connections have the tenant", won)
	}
}
