package registrytest

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"esagate/registry"
)

// calls are all calls of a Store that take a context, each one that would succeed.
func calls(s registry.Store, esaID int64, agent *registry.Source) map[string]func(context.Context) error {
	c := s.Customer(alice)
	all := map[string]func(context.Context) error{
		"Sources":      func(ctx context.Context) error { _, _, err := c.Sources(ctx, 0, 10); return err },
		"CountSources": func(ctx context.Context) error { _, _, err := c.Sources(ctx, 0, 1); return err },
		"CreateSource": func(ctx context.Context) error {
			_, err := c.CreateSource(ctx, withToken("failing agent", "x"), once("failing", "x"))
			return err
		},
		"KeepAnswer":     func(ctx context.Context) error { return c.KeepAnswer(ctx, "open", []byte("late")) },
		"TakeConsent":    func(ctx context.Context) error { _, err := s.TakeConsent(ctx, [32]byte{1}); return err },
		"TakeLaunch":     func(ctx context.Context) error { _, err := s.TakeLaunch(ctx, [32]byte{1}); return err },
		"RewriteSecrets": func(ctx context.Context) error { _, err := s.RewriteSecrets(ctx); return err },
		"CreateKey": func(ctx context.Context) error {
			_, err := s.APIKeys().CreateKey(ctx, apiKey(alice, "failing"))
			return err
		},
		"Keys":              func(ctx context.Context) error { _, err := s.APIKeys().Keys(ctx); return err },
		"RevokeKey":         func(ctx context.Context) error { _, err := s.APIKeys().RevokeKey(ctx, 1); return err },
		"GoodKeys":          func(ctx context.Context) error { _, _, err := s.APIKeys().GoodKeys(ctx); return err },
		"KeyGeneration":     func(ctx context.Context) error { _, err := s.APIKeys().KeyGeneration(ctx); return err },
		"TouchKeys":         func(ctx context.Context) error { return s.APIKeys().TouchKeys(ctx, map[int64]time.Time{1: at(0)}) },
		"Adopt":             func(ctx context.Context) error { _, err := s.Adopt(ctx, entry(alice, "failing")); return err },
		"Ping":              s.Ping,
		"ManagedSource":     func(ctx context.Context) error { _, err := c.Source(ctx, "there"); return err },
		"ManagedSourceByID": func(ctx context.Context) error { _, err := c.ManagedSourceByID(ctx, esaID); return err },
		"ManagedSources":    func(ctx context.Context) error { _, _, err := c.ManagedSources(ctx, 0, 10); return err },
		"ObserveInventorySync": func(ctx context.Context) error {
			_, err := c.ObserveInventorySync(ctx, esaID, registry.InventorySync{Status: registry.SyncFailed, ObservedAt: at(1)})
			return err
		},
	}
	maps.Copy(all, sourceCalls(c, agent, "agent"))
	maps.Copy(all, deliveryCalls(c, esaID))
	maps.Copy(all, recordCalls(s))
	maps.Copy(all, connectionCalls(c, esaID))
	maps.Copy(all, lifeCalls(s))
	return all
}

// failing makes what the calls are about.
func failing(t *testing.T, s registry.Store) (*registry.Source, *registry.Source) {
	t.Helper()
	m := adopt(t, s, entry(alice, "there"), registry.AdoptionCreated)
	if err := s.Customer(alice).KeepSettings(t.Context(), m.Connection.ID, []byte("kept")); err != nil {
		t.Fatal(err)
	}
	agent := create(t, s, alice, withToken("agent", "kept"))
	begin(t, s, alice, "agent", [32]byte{1}, time.Now().Add(time.Hour))
	createOnce(t, s, alice, newAgent("open"), &registry.IdempotencyRecord{Key: "open"}, false, "")
	launch(t, s, m, [32]byte{1}, time.Now().Add(time.Hour))
	createKey(t, s, apiKey(alice, "first"))
	return m, agent
}

func failCancelled(t *testing.T, s registry.Store) {
	m, agent := failing(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s, m.Connection.ID, agent) {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	same(t, "after cancelled writes", read(t, s, alice, "there"), m)
	adopt(t, s, entry(alice, "failing"), registry.AdoptionCreated) // the cancelled one left no mark
	sameSource(t, "after cancelled writes", readSource(t, s, alice, "agent"), agent)
	holds(t, s, alice, "agent", token("kept"))
	createOnce(t, s, alice, newAgent("failing agent"), once("failing", "made"), false, "")
	makeManaged(t, s, alice, newManaged("failing managed"))
	holdsSettings(t, s, m, []byte("kept"))
	beginOnce(t, s, registry.IdempotencyRecord{Key: "failing begin"}, false, nil)
	lease(t, s, "failing", "another", time.Minute, true)
	nothingRecorded(t, s, m)
	if _, err := s.TakeConsent(t.Context(), [32]byte{1}); err != nil {
		t.Errorf("the consent: %v", err)
	}
	if _, err := s.TakeLaunch(t.Context(), [32]byte{1}); err != nil {
		t.Errorf("the launch: %v", err)
	}
	if keys, _, err := s.APIKeys().GoodKeys(t.Context()); err != nil || len(keys) != 1 || !keys[0].LastUsedAt.IsZero() {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

func failClosed(t *testing.T, s registry.Store) {
	m, agent := failing(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s, m.Connection.ID, agent) {
		err := call(t.Context())
		if err == nil || errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrInvalid) || errors.Is(err, registry.ErrStale) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}
