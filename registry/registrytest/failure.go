package registrytest

import (
	"context"
	"errors"
	"testing"

	"esagate/registry"
)

// calls are all calls of a Store that take a context.
func calls(s registry.Store, esaID int64) map[string]func(context.Context) error {
	c := s.Customer(alice)
	return map[string]func(context.Context) error{
		"Adopt": func(ctx context.Context) error { _, err := s.Adopt(ctx, entry(alice, "failing")); return err },
		"Ping":  s.Ping,
		"ManagedSource": func(ctx context.Context) error {
			_, err := c.ManagedSource(ctx, "there")
			return err
		},
		"ManagedSourceByID": func(ctx context.Context) error {
			_, err := c.ManagedSourceByID(ctx, esaID)
			return err
		},
		"ManagedSources": func(ctx context.Context) error {
			_, _, err := c.ManagedSources(ctx, 0, 10)
			return err
		},
		"ObserveInventorySync": func(ctx context.Context) error {
			_, err := c.ObserveInventorySync(ctx, esaID, registry.InventorySync{Status: registry.SyncFailed, ObservedAt: at(1)})
			return err
		},
		"LearnTenant": func(ctx context.Context) error {
			_, err := c.LearnTenant(ctx, esaID, registry.TenantFacts{ExternalOrgID: "late"})
			return err
		},
		"LearnAdServer": func(ctx context.Context) error {
			_, err := c.LearnAdServer(ctx, esaID, registry.AdServer{Type: "mock"}, "late@example.net")
			return err
		},
		"RecordTest": func(ctx context.Context) error {
			_, err := c.RecordTest(ctx, esaID, registry.TestResult{At: at(1), Passed: true})
			return err
		},
	}
}

func failCancelled(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "there"), registry.AdoptionCreated)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s, m.Connection.ID) {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	same(t, "after cancelled writes", read(t, s, alice, "there"), m)
	adopt(t, s, entry(alice, "failing"), registry.AdoptionCreated) // the cancelled one left no mark
}

func failClosed(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "there"), registry.AdoptionCreated)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s, m.Connection.ID) {
		err := call(t.Context())
		if err == nil || errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func failPing(t *testing.T, s registry.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}
