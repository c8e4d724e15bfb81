package gateway_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"esagate/gateway"
	"esagate/internal/adserver"
	"esagate/internal/agentauth"
	"esagate/internal/auth"
	"esagate/internal/events"
	"esagate/internal/lifecycle"
	"esagate/internal/operations"
	"esagate/internal/outbound"
	"esagate/internal/ratelimit"
	"esagate/internal/sqlitetest"
	"esagate/internal/telemetry"
	"esagate/internal/vault"
	"esagate/internal/webhooks"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	"esagate/upstream"
	"esagate/upstream/upstreamtest"
)

const (
	customer  = 4711
	stranger  = 4712
	writeKey  = "write-key-of-4711-00000000"
	readKey   = "read-key-of-4711-000000000"
	otherKey  = "write-key-of-4712-00000000"
	deskKey   = "write-key-of-an-operator-0" // of operators, for all customers
	wallKey   = "read-key-of-an-operator-00"
	agentKey  = "agent-key-CANARY-0123456789"
	tenant    = "tnt_meadow"
	source    = "meadow-daily"
	statusOf  = "/api/v2/storefront/inventory-sources/" + source + "/status"
	esaOf     = "/api/v2/storefront/inventory-sources/" + source + "/esa"
	unplanned = "not-yet-provisioned"
)

// world is a gateway over a real registry and a simulated sales agent, on a fake
// clock: every wait in a test is the clock's.
type world struct {
	testing.TB
	agent     *upstreamtest.Agent
	events    *events.Hub
	recent    *telemetry.Recent
	counts    *telemetry.Instruments
	status    *status.Service
	gateway   *gateway.Gateway
	directory *registry.Directory
	store     *sqlstore.Store
	client    *upstream.Client
	logs      *logBuffer
	lifecycle *lifecycle.Lifecycle
	webhooks  *webhooks.Subscriber
	limiter   *ratelimit.Limiter
	stop      func()
	callers   *auth.Authenticator
	setup     setup
	envelope  bool
	seen      logBuffer // every answer's headers and body, for the canary check
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

// setup is how a test's world differs from the usual one.
type setup struct {
	agent                   upstreamtest.Options
	tasks                   []transform.TaskDefinition
	envelope                bool
	named                   bool     // connections name the gateway's addresses for MCP and A2A
	allow, deny             []string // of agents' methods
	origins                 []string
	publicURL               string // "": the usual one, which is https
	consoleURL              string
	adminUI                 http.Handler // at adminBase; nil: the simulated sales agent
	database                string
	outside                 http.Handler // the agents, authorization servers and the issuer of access tokens
	oidc                    *auth.OIDC
	sources                 []registry.ConfigSource
	metrics                 http.Handler
	admin                   bool          // there is a listener of the operator's
	connections, perAddress int           // 0: the default
	waiting                 int           // readers at once; 0: any number
	fresh                   time.Duration // how long a snapshot is fresh; 0: 5 s
	logLevel                string        // "": debug
	limits                  ratelimit.Limits
	store                   func(registry.Store) registry.Store // stands before the registry; nil: none
	follow                  bool                                // the directory follows what is written
	memory                  int                                 // bytes that statuses may take; 0: any number
	proxies                 []netip.Prefix
	orgID                   string               // the template of an external_org_id; "": the usual one
	slow                    time.Duration        // how long the registry takes for what statuses say and for counts
	tracing                 trace.TracerProvider // nil: nobody records spans
}

// inWorld runs a test in a fresh world.
func inWorld(t *testing.T, s setup, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var w *world
		agent := s.newAgent(&w)
		if s.database == "" {
			s.database = sqlitetest.File(t)
		}
		w = start(t, s, agent)
		defer w.noCanary()
		defer agent.Close()
		defer w.stop()
		body(w)
	})
}

// newAgent makes the simulated sales agent, which delivers its events to the gateway of a world.
func (s *setup) newAgent(w **world) *upstreamtest.Agent {
	s.agent.APIKey = agentKey
	s.agent.Deliver = func(r *http.Request) (*http.Response, error) { return inProcess{(*w).gateway}.RoundTrip(r) }
	agent := upstreamtest.New(s.agent)
	agent.SetTenant(upstreamtest.Tenant{
		ID: tenant, Name: "Meadow Daily", ExternalOrgID: "org-meadow", Active: true,
		AdServer: upstreamtest.AdServer{Type: "google_ad_manager", NetworkCode: "90817263", Configured: true, ServiceAccountEmail: "agent@sales-agent.example"},
		Status:   upstreamtest.Healthy(),
	})
	return agent
}

// start builds a gateway in front of an agent.
func start(t testing.TB, s setup, agent *upstreamtest.Agent) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, agent: agent, logs: &logBuffer{}, setup: s, envelope: s.envelope, events: events.NewHub()}
	server, dial := agent.Pipe()
	tel, err := telemetry.Start(ctx, telemetry.Config{LogFormat: "json", LogLevel: cmp.Or(s.logLevel, "debug"), Version: "test"}, w.logs)
	w.must(err)
	tracing := cmp.Or(s.tracing, tel.TracerProvider)
	instruments, err := telemetry.NewInstruments(tel.MeterProvider)
	w.must(err)
	w.recent, w.counts = instruments.Recent, instruments
	instruments.Leads(func() bool { return false })
	instruments.Build("test", "0123abc", "go1.26")
	instruments.ConfigReloaded(func() bool { return true })
	secrets, err := vault.New(registrytest.Key)
	w.must(err)
	w.store, err = sqlstore.Open(ctx, "sqlite://"+s.database, sqlstore.WithVault(secrets))
	w.must(err)
	instruments.StorePools(func() map[string]sql.DBStats { return sqlstore.Pools(w.store) })
	var store registry.Store = slowStore{w.store, s.slow}
	if s.store != nil {
		store = s.store(store)
	}
	w.directory = registry.NewDirectory(store, registry.DirectoryOptions{Follow: s.follow, SourceWritten: func(src *registry.Source, deleted bool) {
		if w.status != nil {
			w.status.Judge(src, deleted)
		}
	}})
	w.adopt(s)
	tasks, bad := transform.NewTasks(s.tasks)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	transport := &http.Transport{DialContext: dial}
	live, closeLive := liveAgents(s.outside)
	passing := &http.Transport{DialContext: dial, DisableCompression: true}
	w.client, err = upstream.New(upstream.Config{
		BaseURL: server.URL(), APIKey: agentKey, Attempts: 3, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, ProbeTimeout: 75 * time.Second,
		Breaker: upstream.BreakerConfig{ConsecutiveFailures: 5, MinimumRequests: 20, FailureRatio: 0.5, Window: 30 * time.Second, OpenFor: 30 * time.Second},
	}, upstream.Deps{
		Transport: transport, Logger: tel.Logger, MeterProvider: tel.MeterProvider, TracerProvider: tracing,
		Propagator: tel.Propagator, OnRecover: func(id string) { w.status.Recovered(id) },
		OnCall: instruments.Recent.Call,
	})
	w.must(err)
	if s.metrics == nil {
		s.metrics = tel.MetricsHandler
	}
	w.limiter = ratelimit.New(s.limits)
	w.callers, err = auth.New(ctx, auth.Config{OIDC: s.oidc, Keys: []auth.Key{
		{Name: "writer", CustomerID: customer, Write: true, Identity: registry.Identity{PrincipalID: "prin_pelican"}, SHA256: sha256.Sum256([]byte(writeKey))},
		{Name: "reader", CustomerID: customer, Identity: registry.Identity{PrincipalID: "prin_pelican"}, SHA256: sha256.Sum256([]byte(readKey))},
		{Name: "other", CustomerID: stranger, Write: true, SHA256: sha256.Sum256([]byte(otherKey))},
		{Name: "desk", Operator: true, Write: true, SHA256: sha256.Sum256([]byte(deskKey))},
		{Name: "wall", Operator: true, SHA256: sha256.Sum256([]byte(wallKey))},
	}}, auth.Deps{Store: w.store.APIKeys(), Sealer: secrets, Logger: tel.Logger, HTTP: &http.Client{Transport: inProcess{s.outside}}})
	w.must(err)
	guard := outbound.New(outbound.Options{})
	outside := &http.Client{Transport: inProcess{s.outside}}
	agents := agentauth.New(agentauth.Config{RedirectURI: "https://gateway.example/oauth/callback", ClientName: "esagate"},
		agentauth.Deps{Store: w.store, Directory: w.directory, HTTP: outside, Direct: outside, CheckURL: guard.CheckURL, Logger: tel.Logger})
	w.webhooks = webhooks.NewSubscriber(webhooks.SubscriberConfig{URL: "https://gateway.example" + gateway.WebhookPath, Enabled: true},
		webhooks.SubscriberDeps{Store: w.store, Directory: w.directory, Upstream: w.client, Logger: tel.Logger,
			Refresh: func(ctx context.Context, src *registry.Source) error { return w.status.Refresh(ctx, src) }})
	w.lifecycle = lifecycle.New(lifecycle.Config{
		ExternalSource: "gateway-tests", ContactEmail: "ops@gateway.example", BaseURL: server.URL(), ExternalOrgID: s.orgID,
	}, lifecycle.Deps{
		Directory: w.directory, Store: w.store, Upstream: w.client, Account: account, Logger: tel.Logger, Changed: w.webhooks.Kick,
	})
	limits := snapshot.Limits{
		Fresh: cmp.Or(s.fresh, 5*time.Second), StaleWhileRevalidate: time.Minute, StaleIfError: max(15*time.Minute, s.fresh),
		Patience: 300 * time.Millisecond, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, Entries: 100,
	}
	w.status = status.New(status.Config{Envelope: s.envelope, Subscribes: true, Limits: limits, Memory: s.memory, Waiting: s.waiting}, status.Deps{
		Directory: w.directory, Upstream: w.client, Tasks: tasks, Logger: tel.Logger, Instruments: instruments,
		SyncFinished: w.webhooks.Observe, CheckTenant: w.lifecycle.CheckSoon, Events: w.events,
	})
	adServers := operations.New(operations.Config{
		Envelope: s.envelope, Limits: limits, ProbeTimeout: 75 * time.Second, Sandbox: operations.Sandbox{Operator: "tests.example", BrandDomain: "tests.example"},
	}, operations.Deps{
		Directory: w.directory, Upstream: w.client, Status: w.status, Lifecycle: w.lifecycle, Logger: tel.Logger, Instruments: instruments,
	})
	agentsConfig := gateway.AgentsConfig{Named: s.named, Allow: s.allow, Deny: s.deny, FirstByte: 75 * time.Second, Idle: 5 * time.Minute, Streams: 8}
	adminURL, toSalesAgent := server.URL(), http.RoundTripper(passing)
	if s.adminUI != nil {
		adminURL, toSalesAgent = adminBase, inProcess{s.adminUI}
	}
	w.gateway = gateway.New(gateway.Config{
		ProbeTimeout: 75 * time.Second, TrustedProxies: s.proxies,
		PublicURL: cmp.Or(s.publicURL, "https://gateway.example"), Envelope: s.envelope, AllowedOrigins: s.origins,
		Admin: s.admin, MaxConnections: s.connections, MaxConnectionsPerAddress: s.perAddress,
		ConsoleURL: s.consoleURL, AdminURL: adminURL, IdentityKey: "identity-key-CANARY", AgentURL: server.URL(), ExternalSource: "gateway-tests", Agents: agentsConfig,
	}, gateway.Deps{
		Directory: w.directory, Auth: w.callers, Limiter: w.limiter, Agents: agents, CheckURL: guard.CheckURL, Upstream: w.client, Status: w.status, Events: w.events, Logger: tel.Logger, Instruments: instruments,
		TracerProvider: tracing, Propagator: tel.Propagator, MetricsHandler: s.metrics,
		Proxies:    gateway.NewProxies(toSalesAgent, live, agentsConfig),
		Operations: adServers, Lifecycle: w.lifecycle, Subscriber: w.webhooks, ServiceAccount: func(customer int64) string {
			if found, ok, _ := account(customer); ok {
				return found.Email
			}
			return ""
		},
		Receiver: webhooks.NewReceiver(webhooks.ReceiverDeps{Directory: w.directory, Logger: tel.Logger}),
	})
	w.gateway.SetReady()
	w.stop = sync.OnceFunc(func() {
		adServers.Close(ctx)
		w.lifecycle.Close(ctx)
		w.webhooks.Close()
		w.status.Close(ctx)
		w.callers.Close(ctx)
		agents.Close(ctx)
		guard.Close()
		w.client.Close()
		w.directory.Close()
		_ = w.store.Close()
		transport.CloseIdleConnections()
		passing.CloseIdleConnections()
		closeLive()
		_ = server.Close()
		w.must(tel.Shutdown(ctx))
	})
	return w
}

// account is the operator's service account, for all customers but the stranger.
func account(customer int64) (*adserver.Account, bool, error) {
	if customer == stranger {
		return nil, false, nil
	}
	return &adserver.Account{Email: "sa@operator.example", Key: `{"private_key":"CANARY-service-account-key"}`}, true, nil
}

func (w *world) adopt(s setup) {
	w.Helper()
	sources := append([]registry.ConfigSource{
		{CustomerID: customer, SourceID: source, Name: "Meadow Daily", TenantID: tenant, AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "90817263"}},
		{CustomerID: customer, SourceID: unplanned, Name: "Not yet"},
	}, s.sources...)
	for _, c := range sources {
		a, err := w.store.Adopt(context.Background(), c)
		w.must(err)
		w.directory.Put(a.Managed)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// noCanary looks for planted secrets in all answers and logs.
func (w *world) noCanary() {
	w.Helper()
	for name, text := range map[string]string{"an answer": w.seen.String(), "a log line": w.logs.String()} {
		if i := strings.Index(strings.ToUpper(text), "CANARY"); i >= 0 {
			w.Errorf("a planted secret stands in %s: …%s…", name, text[max(0, i-80):min(len(text), i+40)])
		}
	}
}

// statusView is what tests look at in a snapshot.
type statusView struct {
	Operational struct {
		IsLive, DiscoveryDegraded, DeliveryDegraded bool
		Summary                                     string
		Issues                                      []struct{ Code, Severity string }
	}
	Adapter struct {
		Type      string
		Connected bool
	}
	Syncs map[string]struct {
		Status, Severity string
		ItemCount        *int64
		Error            *string
	}
	Webhooks *struct {
		Last24h struct {
			Delivered, Failed int
			SuccessRate       float64
		}
	}
	SetupTasks struct {
		BlockerCount, WarningCount int
		Items                      []struct {
			ID, Scope, Severity string
			IsComplete          bool
		}
	}
	FetchedAt time.Time
}

func (s *statusView) issues() (codes []string) {
	for _, i := range s.Operational.Issues {
		codes = append(codes, i.Code)
	}
	return codes
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d) // the fake clock's
	synctest.Wait()
}

// named runs one case of a table: t.Run can't be used on a fake clock.
func (w *world) named(name string, f func(t testing.TB)) { f(caseOf{w.TB, name}) }

type caseOf struct {
	testing.TB
	name string
}

func (c caseOf) Errorf(format string, args ...any) {
	c.Helper()
	c.TB.Errorf(c.name+": "+format, args...)
}

func (c caseOf) Fatalf(format string, args ...any) {
	c.Helper()
	c.TB.Fatalf(c.name+": "+format, args...)
}

// replica is another gateway over the same registry and sales agent.
func (w *world) replica() *world { return start(w.TB, w.setup, w.agent) }
