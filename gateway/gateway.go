// Package gateway is the HTTP edge: the route table, who may ask, how requests are
// read, and how answers and failures are written. What the answers say comes from
// other packages: statuses from status, sources from registry, changes of connections
// from internal/lifecycle.
package gateway

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/cors"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"esagate/api"
	"esagate/internal/agentauth"
	"esagate/internal/auth"
	"esagate/internal/cluster"
	"esagate/internal/events"
	"esagate/internal/lifecycle"
	"esagate/internal/operations"
	"esagate/internal/ratelimit"
	"esagate/internal/sources"
	"esagate/internal/telemetry"
	"esagate/internal/webhooks"
	"esagate/registry"
	"esagate/status"
	"esagate/upstream"
)

// Config is what an operator decides about the edge.
type Config struct {
	PublicURL      string
	ConsoleURL     string // an origin of its own for the sales agent's admin UI; empty: PublicURL
	StorefrontURL  string // of the storefront's own pages; "" where that is not known
	Envelope       bool   // successes as {"data": …, "error": null}
	AllowedOrigins []string
	ProbeTimeout   time.Duration // of the sales agent's calls that probe its ad server

	AdminURL       string // the sales agent's admin UI is below it
	AgentURL       string // where the sales agent speaks MCP and A2A
	IdentityKey    string // signs whom the sales agent is told to be asked by; empty: nothing is signed
	ExternalSource string // the name that the sales agent knows this product by
	Agents         AgentsConfig

	Admin bool // /metrics and what /readyz says beyond its status are for ServeAdmin alone

	MaxConnections           int // at once; 0: the default
	MaxConnectionsPerAddress int
	// TrustedProxies are whose X-Forwarded-For says where a request came from.
	TrustedProxies []netip.Prefix
}

// AgentsConfig says how calls of agents' protocols are passed on.
type AgentsConfig struct {
	Named       bool          // connections name the gateway's own addresses for MCP and A2A
	FirstByte   time.Duration // until an answer begins
	Idle        time.Duration // without a byte of it
	Streams     int           // calls of one customer at once
	Allow, Deny []string      // methods and names, as docs/configuration.md says
}

// Deps are the parts that a Gateway stands on. It closes none of them.
type Deps struct {
	Directory *registry.Directory
	Auth      *auth.Authenticator
	Limiter   *ratelimit.Limiter
	Agents    *agentauth.Agents
	CheckURL  sources.CheckURL // of addresses that callers supply
	Upstream  *upstream.Client // its health
	Status    *status.Service
	Events    *events.Hub
	Redis     *cluster.Redis // its health; nil: there is none

	Operations *operations.Service
	Proxies    Proxies

	Lifecycle      *lifecycle.Lifecycle
	Receiver       *webhooks.Receiver
	Subscriber     *webhooks.Subscriber
	ServiceAccount func(customer int64) (email string) // empty: none

	Logger         *slog.Logger
	Instruments    *telemetry.Instruments
	TracerProvider trace.TracerProvider
	Propagator     propagation.TextMapPropagator
	MetricsHandler http.Handler
}

// Gateway is the http.Handler of every route.
type Gateway struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	ins     *telemetry.Instruments
	access  *accessLog
	limits  limits
	tracer  trace.Tracer
	main    *table
	admin   *table
	handler http.Handler

	public   *url.URL // Config.PublicURL; empty: it is none
	https    bool     // it is one of https
	metrics  *metricsPages
	docs     func() (*api.Body, error)
	texts    func() (llms, skill *api.Body) // for assistants
	mcp      func() http.Handler            // the gateway's own MCP server
	bodies   bodyBudget
	profiles *semaphore.Weighted // of the runtime
	consents *semaphore.Weighted // of /oauth/callback
	streams  streams
	passes   passes

	agentMarks agentMarks

	consoleURL, adminURL *url.URL // Config.ConsoleURL, else public; Config.AdminURL

	inFlight        atomic.Int64 // requests
	ready, stopping atomic.Bool
	stop            chan struct{} // closed by SetStopping
}

// New builds the gateway. It is not ready before SetReady.
func New(cfg Config, deps Deps) *Gateway {
	g := &Gateway{
		cfg: cfg, deps: deps, log: deps.Logger, ins: deps.Instruments,
		tracer: deps.TracerProvider.Tracer("esagate/gateway"),
		access: newAccessLog(deps.Logger), metrics: newMetricsPages(deps.MetricsHandler), docs: newDocs(cfg), texts: newTexts(cfg),
		consents: semaphore.NewWeighted(consentsAtOnce), profiles: semaphore.NewWeighted(1),
		limits:  limits{deps.Limiter, cfg.TrustedProxies, deps.Instruments.Limited},
		streams: newStreams(cfg.MaxConnections), passes: newPasses(cfg.MaxConnections, cfg.Agents.Streams), stop: make(chan struct{}),
		agentMarks: newAgentMarks(),
	}
	g.public = parsed(cfg.PublicURL)
	g.https = g.public.Scheme == "https"
	g.consoleURL, g.adminURL = g.public, parsed(cfg.AdminURL)
	if cfg.ConsoleURL != "" {
		g.consoleURL = parsed(cfg.ConsoleURL)
	}
	g.mcp = assistants{g}.newMCP()
	rows := slices.Concat(g.routes(), pages{g}.routes(), consoles{g}.routes(), site{g}.routes(), assistants{g}.routes(),
		newAgentCalls(g).routes())
	if cfg.Admin {
		rows = slices.DeleteFunc(rows, func(r Route) bool { return r.Path == "/metrics" })
	}
	g.main, g.admin = newTable(rows), newTable(admin{g}.routes())
	g.ins.StoreAvailable(g.storeAvailable)
	g.ins.StoreFollowed(deps.Directory.Followed)
	g.ins.Streams(g.streams.ofCustomer.Taken)
	g.ins.PassedOpen(g.passes.ofCustomer.Taken)
	g.ins.InFlight(func() int { return int(g.inFlight.Load()) })
	g.ins.Ready(func() bool { return g.phase() == "ready" })

	g.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(g.main, w, r) })
	if len(cfg.AllowedOrigins) > 0 {
		inner := cors.New(cors.Options{
			AllowedOrigins: cfg.AllowedOrigins,
			AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Unmodified-Since",
				"Idempotency-Key", "Last-Event-Id",
				headerAPIKey, headerCustomer, headerRequestID, "Traceparent", "Tracestate",
				"Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Mcp-Session-Id", "A2a-Version", "A2a-Extensions", "X-A2a-Extensions"},
			ExposedHeaders: []string{"Age", "Cache-Status", "ETag", "Last-Modified", "Link", "Location", "RateLimit",
				"RateLimit-Policy", "Retry-After", headerRequestID, "Mcp-Session-Id", "Mcp-Protocol-Version"},
			MaxAge: int(10 * time.Minute / time.Second),
		}).Handler(g.handler)
		g.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				boundSending(w, r) // what the library answers, serve does not see
				boundReading(w)
			}
			inner.ServeHTTP(w, r)
		})
	}
	return g
}

// parsed gives an address of the config, which has been checked; empty: there is none.
func parsed(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }
