package status_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"esagate/api"
	"esagate/internal/cluster"
	"esagate/internal/events"
	"esagate/internal/telemetry"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

const (
	customer  = 4210
	agentKey  = "agent-key"
	sourceID  = "meadow"
	tenantID  = "tnt_meadow"
	freshness = 5 * time.Second
	lapse     = 15 * time.Minute
)

// world is a Service over a database and a simulated sales agent, on a fake clock.
type world struct {
	*testing.T
	agent     *ut.Agent
	server    *ut.Server
	transport *http.Transport
	store     *sqlstore.Store
	wrap      func(registry.Store) registry.Store
	shares    func() (*cluster.Redis, *cluster.Hints) // of each process; nil: none
	follow    bool                                    // what other replicas write, by a query each second of the clock
	process
}

// process is what a restart replaces.
type process struct {
	directory *registry.Directory
	client    *upstream.Client
	status    *status.Service
	hub       *events.Hub
	service   *atomic.Pointer[status.Service]
	redis     *cluster.Redis
	hints     *cluster.Hints
}

// inWorld runs a test in a fresh world with one source that is well; wrap stands before its database and
// may be nil.
func inWorld(t *testing.T, wrap func(registry.Store) registry.Store, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, wrap: wrap}
		w.agent = ut.New(ut.Options{APIKey: agentKey, CacheFor: -1})
		defer w.agent.Close()
		server, dial := w.agent.Pipe()
		w.server, w.transport = server, &http.Transport{DialContext: dial}
		defer func() { w.transport.CloseIdleConnections(); _ = server.Close() }()
		secrets, err := vault.New(registrytest.Key)
		w.must(err)
		w.store, err = sqlstore.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "registry.db"), sqlstore.WithVault(secrets))
		w.must(err)
		defer func() { _ = w.store.Close() }()
		w.tenant(ut.Healthy())
		w.adopt(sourceID, tenantID)
		w.process = w.start()
		defer func() { w.stop(w.process) }()
		body(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// tenant sets the state of the source's tenant at the sales agent.
func (w *world) tenant(s ut.Status) {
	w.agent.SetTenant(ut.Tenant{ID: tenantID, Active: true, Status: s,
		AdServer: ut.AdServer{Type: "google_ad_manager", NetworkCode: "90817263", Configured: true}})
}

func (w *world) adopt(id, tenant string) {
	w.Helper()
	_, err := w.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: id, Name: id, TenantID: tenant,
		AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "90817263"}})
	w.must(err)
}

// start starts a gateway's service, as another replica does.
func (w *world) start() process {
	w.Helper()
	p := process{service: &atomic.Pointer[status.Service]{}, hub: events.NewHub()}
	var store registry.Store = w.store
	if w.wrap != nil {
		store = w.wrap(store)
	}
	told := func(judge func(*status.Service, *registry.Source, bool)) func(*registry.Source, bool) {
		return func(src *registry.Source, deleted bool) {
			if s := p.service.Load(); s != nil {
				judge(s, src, deleted)
			}
		}
	}
	p.directory = registry.NewDirectory(store, registry.DirectoryOptions{
		Follow: w.follow, SourceWritten: told((*status.Service).Judge), ChangedElsewhere: told((*status.Service).JudgeElsewhere),
	})
	var err error
	p.client, err = upstream.New(upstream.Config{
		BaseURL: w.server.URL(), APIKey: agentKey, Attempts: 1, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, ProbeTimeout: 75 * time.Second,
		Breaker: upstream.BreakerConfig{ConsecutiveFailures: 5, MinimumRequests: 20, FailureRatio: 0.5, Window: 30 * time.Second, OpenFor: 30 * time.Second},
	}, upstream.Deps{Transport: w.transport, Logger: slog.New(slog.DiscardHandler), OnRecover: func(id string) { p.service.Load().Recovered(id) }})
	w.must(err)
	instruments, err := telemetry.NewInstruments(noop.NewMeterProvider())
	w.must(err)
	tasks, _ := transform.NewTasks(nil)
	if w.shares != nil {
		p.redis, p.hints = w.shares()
	}
	p.status = status.New(status.Config{Limits: snapshot.Limits{
		Fresh: freshness, StaleWhileRevalidate: time.Minute, StaleIfError: lapse,
		Patience: 300 * time.Millisecond, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, Entries: 1000,
	}}, status.Deps{
		Directory: p.directory, Upstream: p.client, Tasks: tasks, Logger: slog.New(slog.DiscardHandler), Instruments: instruments, Events: p.hub,
		SyncFinished: func(context.Context, *registry.Source, time.Time, time.Time) {}, CheckTenant: func(*registry.Source) {},
		Redis: p.redis, Hints: p.hints,
	})
	p.service.Store(p.status)
	p.hints.Start()
	return p
}

func (w *world) stop(p process) {
	p.status.Close(context.Background())
	p.client.Close()
	p.directory.Close()
	p.hints.Close(context.Background())
	if p.redis != nil {
		p.redis.Close()
	}
}

// restart ends the process and starts another.
func (w *world) restart() {
	w.stop(w.process)
	w.process = w.start()
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d) // the fake clock's
	synctest.Wait()
}

func (w *world) source(id string) *registry.Source {
	w.Helper()
	src, err := w.directory.ManagedSource(w.Context(), customer, id)
	w.must(err)
	return src
}

// change changes the source's connection.
func (w *world) change(change func(c *registry.Connection)) {
	w.Helper()
	_, err := w.directory.ChangeConnection(w.Context(), customer, w.source(sourceID).Connection.ID, func(s *registry.Source) (*registry.Connection, error) {
		c := *s.Connection
		change(&c)
		return &c, nil
	})
	w.must(err)
	synctest.Wait()
}

// refresh has the source's status read; whether that succeeds does not matter.
func (w *world) refresh() {
	w.Helper()
	_ = w.status.Refresh(w.Context(), w.source(sourceID))
	synctest.Wait()
}

// overview gives the source's row.
func (w *world) overview(p process) *api.OverviewItem {
	w.Helper()
	o, err := p.status.Overview(w.Context(), status.OverviewQuery{Customer: customer, Text: sourceID, Take: 1})
	w.must(err)
	synctest.Wait()
	return &o.Items[0]
}

// standing gives what the database has of the source.
func (w *world) standing() registry.Standing {
	w.Helper()
	rows, err := w.store.Customer(customer).Overview(w.Context())
	w.must(err)
	for _, row := range rows {
		if row.SourceID == sourceID {
			return row.Standing
		}
	}
	return registry.Standing{}
}

// news is an event as a reader gets it.
type news struct {
	name string
	row  api.OverviewItem
	sync api.SyncEvent
	conn api.ConnectionEvent
}

// listener reads events.
type listener struct {
	*world
	*events.Reader
}

func (w *world) listen(sources ...string) listener {
	l := listener{w, w.hub.Subscribe(events.Subscription{Customer: customer, Sources: sources})}
	w.Cleanup(l.Close)
	return l
}

// next gives the events since the last call.
func (l listener) next() (all []news) {
	l.Helper()
	synctest.Wait()
	for {
		taken := l.Take()
		if len(taken) == 0 {
			return all
		}
		for _, d := range taken {
			n := news{name: d.Name}
			var err error
			switch d.Name {
			case api.EventStatusChanged:
				err = api.Decode(d.Data, &n.row)
			case api.EventConnectionChanged:
				err = api.Decode(d.Data, &n.conn)
			default:
				err = api.Decode(d.Data, &n.sync)
			}
			l.must(err)
			all = append(all, n)
		}
	}
}

// names gives the names of the events since the last call.
func (l listener) names() (names []string) {
	l.Helper()
	for _, n := range l.next() {
		names = append(names, n.name)
	}
	return names
}

// row gives the last row of the events since the last call.
func (l listener) row() api.OverviewItem {
	l.Helper()
	all := l.next()
	for _, n := range slices.Backward(all) {
		if n.name == api.EventStatusChanged {
			return n.row
		}
	}
	l.Fatalf("no row among %d events", len(all))
	return api.OverviewItem{}
}

// calls gives how often the tenant's status was read since before.
func (w *world) calls(before *int) int {
	n := w.agent.Calls(tenantID)
	since := n - *before
	*before = n
	return since
}
