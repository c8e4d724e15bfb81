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
	closed  registry.Store // what there is while it is away
	away    atomic.Bool
	noKeep  atomic.Bool  // settings can't be kept
	unknown atomic.Int32 // so many writes of a connection stand and are not known to
}

func (s *faultyStore) now() registry.Store {
	if s.away.Load() {
		return s.closed
	}
	return s.Store
}

// Customer implements registry.Store.
func (s *faultyStore) Customer(id int64) registry.CustomerStore {
	return &faultyCustomer{s.now().Customer(id), s}
}

// Ping implements registry.Store.
func (s *faultyStore) Ping(ctx context.Context) error { return s.now().Ping(ctx) }

// Upkeep implements registry.UpkeepStore.
func (s *faultyStore) Upkeep(ctx context.Context, want registry.Upkeep, after int64, take int) ([]*registry.Source, error) {
	return s.now().Upkeep(ctx, want, after, take)
}

type faultyCustomer struct {
	registry.CustomerStore
	s *faultyStore
}

// ChangeConnection implements registry.CustomerStore.
func (c *faultyCustomer) ChangeConnection(ctx context.Context, esaID int64, decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	m, err := c.CustomerStore.ChangeConnection(ctx, esaID, decide)
	if err == nil && c.s.unknown.Load() > 0 {
		c.s.unknown.Add(-1)
		return nil, registry.ErrOutcomeUnknown
	}
	return m, err
}

// KeepSettings implements registry.CustomerStore.
func (c *faultyCustomer) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	if c.s.noKeep.Load() {
		return errors.New("the disk is full")
	}
	return c.CustomerStore.KeepSettings(ctx, esaID, settings)
}
