package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/lifecycle"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
	"esagate/upstream"
)

// replica is one gateway's share of a world.
type replica struct {
	*lifecycle.Lifecycle
	w         *world
	store     *sqlstore.Store
	faulty    *faultyStore
	directory *registry.Directory
	client    *upstream.Client

	once     sync.Once // it ends
	mu       sync.Mutex
	outcomes []string
	changed  []registry.ProvisioningStatus
}

func (w *world) open() *sqlstore.Store {
	w.Helper()
	secrets, err := vault.New(registrytest.Key)
	w.must(err)
	store, err := sqlstore.Open(context.Background(), "sqlite://"+w.database, sqlstore.WithVault(secrets))
	w.must(err)
	return store
}

// start makes a replica over the world's database.
func (w *world) start() *replica {
	w.Helper()
	r := &replica{w: w, store: w.open()}
	closed := w.open()
	w.must(closed.Close())
	r.faulty = &faultyStore{Store: r.store, closed: closed}
	r.directory = registry.NewDirectory(r.faulty, registry.DirectoryOptions{})
	logger := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	r.client, err = upstream.New(upstream.Config{BaseURL: "https://agent.example/shop", APIKey: "key-CANARY", Attempts: 1,
		FetchTimeout: 10 * time.Second, ProbeTimeout: 75 * time.Second,
		Breaker: upstream.BreakerConfig{ConsecutiveFailures: 1000, MinimumRequests: 1000, FailureRatio: 1, Window: time.Second, OpenFor: time.Second}},
		upstream.Deps{Transport: base{w.agent}, Logger: logger})
	w.must(err)
	r.Lifecycle = lifecycle.New(w.config, lifecycle.Deps{
		Directory: r.directory, Store: r.faulty, Upstream: r.client, Logger: logger,
		Account: func(c int64) (*adserver.Account, bool, error) {
			a, ok := w.accounts[c]
			if ok && a == nil {
				return nil, false, errors.New("the key file is CANARY-unreadable")
			}
			return a, ok, nil
		},
		Done: func(op registry.OperationKind, outcome lifecycle.Outcome) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.outcomes = append(r.outcomes, string(op)+" "+string(outcome))
		},
		Changed: func(m *registry.Source) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.changed = append(r.changed, m.Connection.Provisioning)
		},
	})
	w.replicas = append(w.replicas, r)
	return r
}

// stop ends a replica in good order, crash without waiting for anything.
func (r *replica) stop() { r.end(context.Background()) }
func (r *replica) crash() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	r.end(ended)
}

func (r *replica) end(ctx context.Context) {
	r.once.Do(func() {
		r.Close(ctx)
		r.client.Close()
		r.directory.Close()
		_ = r.store.Close()
	})
}

// do asks for a change, and gives its error.
func (r *replica) do(ctx context.Context, change string, id int64) (err error) {
	switch change {
	case "save":
		_, err = r.Save(ctx, customer, id, r.w.parse(freewheel))
	case "save another":
		_, err = r.Save(ctx, customer, id, r.w.parse(freewheelNew))
	case "rotate":
		_, err = r.Rotate(ctx, customer, id, r.w.parse(freewheelNew))
	case "test":
		_, _, err = r.Test(ctx, customer, id)
	case "refresh":
		_, err = r.Refresh(ctx, customer, id)
	case "deactivate":
		_, err = r.Deactivate(ctx, customer, id)
	case "reactivate":
		_, err = r.Reactivate(ctx, customer, id)
	case "check":
		var m *registry.Source
		if m, err = r.directory.ManagedSourceByID(ctx, customer, id); err == nil {
			err = r.Check(ctx, m)
		}
	case "settle":
		err = r.Settle(ctx)
	}
	return err
}

// reported checks the outcomes that were reported, in their order.
func (r *replica) reported(want ...string) {
	r.w.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.outcomes, ", "); got != strings.Join(want, ", ") {
		r.w.Errorf("outcomes: %s; want %s", got, strings.Join(want, ", "))
	}
}

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
	leaves  atomic.Bool  // it goes away with the next of these
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
		if c.s.leaves.Swap(false) {
			c.s.away.Store(true)
		}
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
