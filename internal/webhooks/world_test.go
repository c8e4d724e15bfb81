package webhooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/sqlitetest"
	"esagate/internal/vault"
	"esagate/internal/webhooks"
	"esagate/registry"
	"esagate/registry/sqlstore"
	"esagate/upstream"
	"esagate/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	customer int64 = 31
	tenant         = "tnt_orchard"
	secret         = "orchard-hook-signing-secret-20-apples"
	ours           = "https://gate.orchard.example/webhooks/esa-sync"
)

// world is a registry in SQLite, a sales agent, and both halves of the package between
// them, in a bubble of synctest. Its clock begins with the year 2000.
type world struct {
	t     *testing.T
	store *flaky
	dir   *registry.Directory
	agent *agent
	up    *upstream.Client
	recv  *webhooks.Receiver
	sub   *webhooks.Subscriber
	log   *buffer

	mu    sync.Mutex
	seen  []webhooks.Outcome
	steps []string
	looks []string // at statuses: the source and its epoch
}

// run runs a test in a world. Nothing that is logged in it may hold a secret.
func run(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, log: &buffer{}}
		v, err := vault.New(vault.Generate())
		w.must(err)
		open := func() *sqlstore.Store {
			store, err := sqlstore.Open(t.Context(), "sqlite://"+sqlitetest.File(t), sqlstore.WithVault(v))
			w.must(err)
			return store
		}
		store, closed := open(), open()
		defer store.Close()
		w.must(closed.Close())
		simulated := upstreamtest.New(upstreamtest.Options{APIKey: "key-CANARY"})
		server, dial := simulated.Pipe()
		transport := &http.Transport{DialContext: dial}
		defer func() {
			simulated.Close()
			_ = server.Close()
			transport.CloseIdleConnections()
		}()
		w.store, w.agent = &flaky{Store: store, closed: closed}, &agent{Agent: simulated, next: transport}
		w.dir = registry.NewDirectory(w.store, registry.DirectoryOptions{})
		defer w.dir.Close()
		w.up, err = upstream.New(upstream.Config{BaseURL: server.URL(), APIKey: "key-CANARY", Attempts: 3, FetchTimeout: 10 * time.Second,
			Breaker: upstream.BreakerConfig{ConsecutiveFailures: 5, MinimumRequests: 20, FailureRatio: 0.5, Window: 30 * time.Second, OpenFor: 30 * time.Second},
		}, upstream.Deps{Transport: w.agent})
		if err != nil {
			t.Fatal(err)
		}
		defer w.up.Close()
		log := slog.New(slog.NewTextHandler(w.log, nil))
		w.recv = webhooks.NewReceiver(webhooks.ReceiverDeps{Directory: w.dir, Logger: log, Counted: func(o webhooks.Outcome) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, o)
		}})
		w.sub = w.subscriber(true)
		defer w.sub.Close()
		test(t, w)
		if text := w.log.String(); strings.Contains(text, secret) || strings.Contains(text, "CANARY") {
			t.Errorf("the log holds a secret:\n%s", text)
		}
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// same checks a text that was told.
func (w *world) same(got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s, want %s", got, want)
	}
}

func (w *world) subscriber(enabled bool) *webhooks.Subscriber {
	return webhooks.NewSubscriber(webhooks.SubscriberConfig{URL: ours, Enabled: enabled}, webhooks.SubscriberDeps{
		Store: w.store, Directory: w.dir, Upstream: w.up, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Refresh: func(_ context.Context, src *registry.Source) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.looks = append(w.looks, fmt.Sprint(src.SourceID, " at ", src.Connection.Epoch))
			return errors.New("the sales agent is away")
		},
		Counted: func(s webhooks.Step, ok bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.steps = append(w.steps, fmt.Sprint(s, " ", ok))
		}})
}

// outcomes gives what became of deliveries since it was last asked.
func (w *world) outcomes() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := fmt.Sprint(w.seen)
	w.seen = nil
	return seen
}

// done gives what was done with subscriptions since it was last asked.
func (w *world) done() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	steps := fmt.Sprint(w.steps)
	w.steps = nil
	return steps
}

// looked gives what was looked at since it was last asked.
func (w *world) looked() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	looks := fmt.Sprint(w.looks)
	w.looks = nil
	return looks
}

// adopt makes an active connection of a tenant.
func (w *world) adopt(tenant string) *registry.Source {
	w.t.Helper()
	a, err := w.store.Adopt(w.t.Context(), registry.ConfigSource{CustomerID: customer, SourceID: "s-" + tenant, Name: "Orchard", TenantID: tenant})
	w.must(err)
	w.dir.Put(a.Managed)
	w.agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.Healthy()})
	return a.Managed
}

// activate makes a connection active, or not.
func (w *world) activate(m *registry.Source, active bool) *registry.Source {
	w.t.Helper()
	m, err := w.dir.ChangeConnection(w.t.Context(), customer, m.Connection.ID, func(m *registry.Source) (*registry.Connection, error) {
		next := *m.Connection
		next.Provisioning = registry.StatusDeactivated
		if active {
			next.Provisioning = registry.StatusActive
		}
		return &next, nil
	})
	w.must(err)
	return m
}

// managed gives a connection as the store has it.
func (w *world) managed(m *registry.Source) *registry.Source {
	w.t.Helper()
	m, err := w.store.Customer(customer).ManagedSourceByID(w.t.Context(), m.Connection.ID)
	w.must(err)
	return m
}

// subscription gives a connection's as the store has it, an empty one for none.
func (w *world) subscription(m *registry.Source) registry.Subscription {
	w.t.Helper()
	sub, err := w.store.Customer(customer).ChangeSubscription(w.t.Context(), m.Connection.ID, func(*registry.Subscription) (*registry.Subscription, error) { return nil, nil })
	w.must(err)
	if sub == nil {
		return registry.Subscription{}
	}
	return *sub
}

// set writes a subscription.
func (w *world) set(m *registry.Source, sub registry.Subscription) {
	w.t.Helper()
	_, err := w.store.Customer(customer).ChangeSubscription(w.t.Context(), m.Connection.ID, func(*registry.Subscription) (*registry.Subscription, error) {
		return &sub, nil
	})
	w.must(err)
}

func (w *world) news(m *registry.Source) registry.DeliveryCounts {
	w.t.Helper()
	news, err := w.store.Customer(customer).DeliveryCounts(w.t.Context(), m.Connection.ID)
	w.must(err)
	return news
}

// flaky is a store that can be away, slow, or unable to open a secret.
type flaky struct {
	registry.Store
	closed registry.Store // what there is while it is away
	away   atomic.Bool
	sealed atomic.Bool
	reads  atomic.Int32 // of subscriptions
	pages  atomic.Int32 // read by rounds
	slow   time.Duration
	found  func() // called when a delivery's connection was found
}

func (f *flaky) now() registry.Store {
	if f.away.Load() {
		return f.closed
	}
	return f.Store
}

// Customer implements registry.Store.
func (f *flaky) Customer(id int64) registry.CustomerStore {
	return flakyCustomer{f.now().Customer(id), f}
}

// Upkeep implements registry.UpkeepStore.
func (f *flaky) Upkeep(ctx context.Context, want registry.Upkeep, after int64, take int) ([]*registry.Source, error) {
	f.pages.Add(1)
	return f.Store.Upkeep(ctx, want, after, take)
}

type flakyCustomer struct {
	registry.CustomerStore
	f *flaky
}

func (c flakyCustomer) Subscription(ctx context.Context, esaID int64) (*registry.Subscription, error) {
	c.f.reads.Add(1)
	if c.f.sealed.Load() {
		return nil, registry.ErrSecret
	}
	return c.CustomerStore.Subscription(ctx, esaID)
}

// asked gives how often subscriptions were read since it was last asked.
func (f *flaky) asked() int { return int(f.reads.Swap(0)) }

func (f *flaky) WebhookTarget(ctx context.Context, tenantID string) (*registry.WebhookTarget, error) {
	time.Sleep(f.slow)
	if f.sealed.Load() {
		return nil, registry.ErrSecret
	}
	target, err := f.now().WebhookTarget(ctx, tenantID)
	if f.found != nil {
		f.found()
	}
	return target, err
}

func (f *flaky) Ping(ctx context.Context) error { return f.now().Ping(ctx) }

// buffer is a log that may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
