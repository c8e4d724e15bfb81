package registrytest

import (
	"errors"
	"testing"

	"esagate/registry"
)

// RunReopen holds a Store to keeping what it answered. Each call of place finds
// room for one new database; each call of the function that it gives opens a Store
// on that same database. The suite closes the Stores.
func RunReopen(t *testing.T, place func(t *testing.T) Opener) {
	for name, run := range map[string]func(t *testing.T, open Opener){
		"everything is there again":           reopenKeeps,
		"sources and secrets are there again": reopenSources,
		"ids go on":                           reopenIDs,
		"two at once on one database":         reopenTwo,
		"sources of two at once":              reopenTwoSources,
		"many open a new database at once":    reopenRace,
		"deliveries to two at once":           reopenTwoDeliveries,
		"what was under way is there again":   reopenLife,
		"connections of two at once":          reopenTwoLives,
		"launches of two at once":             reopenTwoLaunches,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, place(t))
		})
	}
}

func shut(t *testing.T, s registry.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func reopenKeeps(t *testing.T, open Opener) {
	s := open(t, Options{})
	e := entry(alice, "kept")
	e.AdServer, e.ServiceAccountEmail = nil, ""
	m := adopt(t, s, e, registry.AdoptionCreated)
	c, id := s.Customer(alice), m.Connection.ID
	var err error
	for _, write := range []func() (*registry.Source, error){
		func() (*registry.Source, error) {
			return c.ChangeConnection(t.Context(), id, changing(func(c *registry.Connection) {
				view := registry.AdServer{Type: "springserve", Email: "op@example.net", DefaultDemandPartnerID: count(1 << 60)}
				c.AdServer, c.ServiceAccountEmail, c.LastTestedAt = &view, "sa@example.net", at(5)
				c.LastError, c.LastErrorCode = "The ad server did not answer.", "ADAPTER_CONNECTION_FAILED"
			}))
		},
		func() (*registry.Source, error) {
			return c.ChangeAudited(t.Context(), id, registry.AuditEntry{}, changing(func(c *registry.Connection) {
				c.ExternalOrgID, c.Provisioning, c.DeactivatedAt = "org", registry.StatusDeactivated, at(6)
			}))
		},
		func() (*registry.Source, error) {
			return c.ObserveInventorySync(t.Context(), id, registry.InventorySync{
				Status: registry.SyncFailed, LastRunAt: at(1), CompletedAt: at(2), ItemCount: count(12), Error: "e", ObservedAt: at(3)})
		},
	} {
		if m, err = write(); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)

	s = open(t, Options{})
	defer shut(t, s)
	same(t, "opened again", read(t, s, alice, "kept"), m)
	same(t, "adopted again", adopt(t, s, e, registry.AdoptionUnchanged), m)
	// Order in time is kept too.
	late, err := s.Customer(alice).ObserveInventorySync(t.Context(), id, registry.InventorySync{Status: registry.SyncSuccess, ObservedAt: at(3)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "an old signal", late, m)
}

func reopenIDs(t *testing.T, open Opener) {
	s := open(t, Options{})
	first := adopt(t, s, entry(alice, "first"), registry.AdoptionCreated)
	shut(t, s)
	s = open(t, Options{})
	defer shut(t, s)
	second := adopt(t, s, entry(alice, "second"), registry.AdoptionCreated)
	if second.Connection.ID <= first.Connection.ID || second.ID <= first.ID {
		t.Fatalf("ids %d, %d after %d, %d", second.Connection.ID, second.ID, first.Connection.ID, first.ID)
	}
	taken := entry(bob, "taken")
	taken.ESAID = first.Connection.ID
	fails(t, registry.ErrIDTaken)(s.Adopt(t.Context(), taken))
}

// reopenTwo has two Stores on one database, as two processes would.
func reopenTwo(t *testing.T, open Opener) {
	stores := []registry.Store{open(t, Options{}), open(t, Options{})}
	defer shut(t, stores[0])
	defer shut(t, stores[1])
	m := adopt(t, stores[0], entry(alice, "shared"), registry.AdoptionCreated)
	same(t, "seen by the other", read(t, stores[1], alice, "shared"), m)

	const writes = 40
	succeedTogether(t, 2, func(w int) error {
		for i := range writes {
			_, err := stores[w].Customer(alice).ObserveInventorySync(t.Context(), m.Connection.ID, registry.InventorySync{
				Status: registry.SyncSuccess, ItemCount: count(int64(2*i + w)), ObservedAt: at(2*i + w)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, s := range stores {
		if sync := read(t, s, alice, "shared").Connection.InventorySync; *sync.ItemCount != 2*writes-1 || !sync.ObservedAt.Equal(at(2*writes-1)) {
			t.Fatalf("ended at %+v", sync)
		}
	}
}

// reopenRace opens a new database in several goroutines: open may fail the test
// from any of them.
func reopenRace(t *testing.T, open Opener) {
	succeedTogether(t, 6, func(w int) error {
		s := open(t, Options{})
		_, err := s.Adopt(t.Context(), entry(alice, "raced"))
		return errors.Join(err, s.Close())
	})
	s := open(t, Options{})
	defer shut(t, s)
	if _, total, err := s.Customer(alice).ManagedSources(t.Context(), 0, 10); err != nil || total != 1 {
		t.Fatalf("%d sources, %v, want 1", total, err)
	}
}
