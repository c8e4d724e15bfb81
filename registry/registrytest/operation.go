package registrytest

import (
	"errors"
	"fmt"
	"testing"

	"esagate/registry"
)

var errBusy = errors.New("busy")

// claim begins an operation unless one is under way.
func claim(id string) func(*registry.Source) (*registry.Connection, error) {
	return func(m *registry.Source) (*registry.Connection, error) {
		if m.Connection.Operation != nil {
			return nil, errBusy
		}
		next, o := *m.Connection, operation(registry.OperationConfigure, id)
		next.Operation = &o
		return &next, nil
	}
}

// operationClaimed: of many that begin an operation at once, on one Store or on
// several of one database, one does.
func operationClaimed(t *testing.T, stores []registry.Store) {
	m := adopt(t, stores[0], entry(alice, "claimed"), registry.AdoptionCreated)
	for round := range 4 {
		const n = 12
		winner := oneSucceeds(t, n, errBusy, func(i int) error {
			_, err := stores[i%len(stores)].Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, claim(fmt.Sprintf("%d/%d", round, i)))
			return err
		})
		m = read(t, stores[0], alice, "claimed")
		if won := fmt.Sprintf("%d/%d", round, winner); m.Connection.Operation.ID != won {
			t.Fatalf("%q won, %+v stands", won, m.Connection.Operation)
		}
		m = changeConnection(t, stores[0], m, func(c *registry.Connection) { c.Operation = nil })
	}
}

// changesFollow: changes of a connection follow each other, on one Store or on several.
func changesFollow(t *testing.T, stores []registry.Store) {
	m := adopt(t, stores[0], entry(alice, "followed"), registry.AdoptionCreated)
	const n, rounds = 6, 8
	succeedTogether(t, n, func(i int) error {
		for range rounds {
			if _, err := stores[i%len(stores)].Customer(alice).ChangeConnection(t.Context(), m.Connection.ID, changing(func(c *registry.Connection) {
				c.Epoch++
				c.LastError += "."
			})); err != nil {
				return err
			}
		}
		return nil
	})
	c := *read(t, stores[len(stores)-1], alice, "followed").Connection
	if c.Epoch != m.Connection.Epoch+n*rounds || len(c.LastError) != n*rounds || c.Version != m.Connection.Version+n*rounds {
		t.Fatalf("epoch %d, error %q, version %d", c.Epoch, c.LastError, c.Version)
	}
}

// operationAndTheRest: what else writes to a connection leaves an operation alone.
func operationAndTheRest(t *testing.T, s registry.Store) {
	e := entry(alice, "busy")
	e.AdServer = nil
	m := adopt(t, s, e, registry.AdoptionCreated)
	c, id := s.Customer(alice), m.Connection.ID
	o := operation(registry.OperationDeactivate, "mine")
	m = changeConnection(t, s, m, func(c *registry.Connection) {
		c.Operation, c.UnsettledSince, c.Epoch, c.MCPURL, c.AdServerSavedAt = &o, at(3), 7, "https://sales.example.net/mcp", at(4)
	})
	for name, write := range map[string]func() error{
		"ObserveInventorySync": func() error {
			_, err := c.ObserveInventorySync(t.Context(), id, registry.InventorySync{Status: registry.SyncFailed, ObservedAt: at(9)})
			return err
		},
		"Adopt": func() error {
			e.Labels = map[string]string{"new": "label"}
			_, err := s.Adopt(t.Context(), e)
			return err
		},
		"UpdateSource": func() error {
			update(t, s, alice, "busy", func(*registry.Source) registry.SourceChange {
				name := "By a user"
				return registry.SourceChange{Name: &name}
			})
			return nil
		},
	} {
		if err := write(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := *read(t, s, alice, "busy").Connection
		if got.Operation == nil || *got.Operation != o || !got.UnsettledSince.Equal(at(3)) || got.Epoch != 7 || got.MCPURL != "https://sales.example.net/mcp" ||
			!got.AdServerSavedAt.Equal(at(4)) || got.TenantID != "tenant-of-busy" || !got.ProvisionedAt.Equal(m.Connection.ProvisionedAt) {
			t.Fatalf("after %s: %+v", name, got)
		}
	}
}

// connectionEmail: an e-mail that a change has set is taken away by no config, which may
// set its own.
func connectionEmail(t *testing.T, s registry.Store) {
	e := entry(alice, "mail")
	m := adopt(t, s, e, registry.AdoptionCreated)
	email := func(set, config string, outcome registry.AdoptionOutcome, want string) {
		t.Helper()
		m = changeConnection(t, s, m, func(c *registry.Connection) { c.ServiceAccountEmail = set })
		e.ServiceAccountEmail = config
		if got := adopt(t, s, e, outcome).Connection.ServiceAccountEmail; got != want {
			t.Fatalf("set %q, config %q: %q, want %q", set, config, got, want)
		}
	}
	email("robot@example.net", "robot@example.net", registry.AdoptionUnchanged, "robot@example.net")
	email("api@example.net", "", registry.AdoptionUnchanged, "api@example.net")
	email("api@example.net", "config@example.net", registry.AdoptionUpdated, "config@example.net")
	email("config@example.net", "", registry.AdoptionUpdated, "") // it is the config's own
	email("", "config@example.net", registry.AdoptionUpdated, "config@example.net")
}
