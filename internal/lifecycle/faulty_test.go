package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"esagate/registry"
)

// base lets the agent be found under a path, as a sales agent behind a proxy is.
type base struct{ agent *agent }

// RoundTrip implements http.RoundTripper.
func (b base) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = r.URL.Path[len("/shop"):]
	return b.agent.RoundTrip(r)
}

// faultyStore is a store that goes away and comes back.
type faultyStore struct {
	registry.Store
	away    atomic.Bool
	noKeep  atomic.Bool  // settings can't be kept
	unknown atomic.Int32 // so many writes of a connection stand and are not known to
}

var errAway = errors.New("the disk is gone")

// Customer implements registry.Store.
func (s *faultyStore) Customer(id int64) registry.CustomerStore {
	return &faultyCustomer{s.Store.Customer(id), s}
}

// Ping implements registry.Store.
func (s *faultyStore) Ping(ctx context.Context) error {
	if s.away.Load() {
		return errAway
	}
	return s.Store.Ping(ctx)
}

// Upkeep implements registry.UpkeepStore.
func (s *faultyStore) Upkeep(ctx context.Context, want registry.Upkeep, after int64, take int) ([]*registry.Source, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Store.Upkeep(ctx, want, after, take)
}

type faultyCustomer struct {
	registry.CustomerStore
	s *faultyStore
}

// ChangeConnection implements registry.CustomerStore.
func (c *faultyCustomer) ChangeConnection(ctx context.Context, esaID int64, decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	if c.s.away.Load() {
		return nil, errAway
	}
	m, err := c.CustomerStore.ChangeConnection(ctx, esaID, decide)
	if err == nil && c.s.unknown.Load() > 0 {
		c.s.unknown.Add(-1)
		return nil, registry.ErrOutcomeUnknown
	}
	return m, err
}

// KeepSettings implements registry.CustomerStore.
func (c *faultyCustomer) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	if c.s.away.Load() || c.s.noKeep.Load() {
		return errAway
	}
	return c.CustomerStore.KeepSettings(ctx, esaID, settings)
}

// ManagedSourceByID implements registry.CustomerStore.
func (c *faultyCustomer) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.Source, error) {
	if c.s.away.Load() {
		return nil, errAway
	}
	return c.CustomerStore.ManagedSourceByID(ctx, esaID)
}

// RecordTest implements registry.CustomerStore.
func (c *faultyCustomer) RecordTest(ctx context.Context, esaID int64, result registry.TestResult) (*registry.Source, error) {
	if c.s.away.Load() {
		return nil, errAway
	}
	return c.CustomerStore.RecordTest(ctx, esaID, result)
}

// DeleteSource implements registry.CustomerStore.
func (c *faultyCustomer) DeleteSource(ctx context.Context, sourceID string, allow func(*registry.Source) error) (*registry.Source, error) {
	if c.s.away.Load() {
		return nil, errAway
	}
	return c.CustomerStore.DeleteSource(ctx, sourceID, allow)
}
