// Package gateway is the HTTP edge: who asks, for what, and how the answer or
// the failure is put on the wire. It asks the registry and the sales agent
// through the snapshot cache and has transform build the documents.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/rs/cors"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"esagate/internal/agentauth"
	"esagate/internal/auth"
	"esagate/internal/lifecycle"
	"esagate/internal/sources"
	"esagate/internal/telemetry"
	"esagate/internal/webhooks"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// Config is what an operator decides about the edge.
type Config struct {
	PublicURL      string
	Envelope       bool // successes as {"data": …, "error": null}
	AllowedOrigins []string
	Snapshot       snapshot.Limits
	ProbeTimeout   time.Duration // of the sales agent's calls that try its ad server
	Subscribes     bool          // the operator wants subscriptions to the sales agent's news
}

// Deps are the parts that a Gateway stands on. It closes none of them.
type Deps struct {
	Directory *registry.Directory
	Auth      *auth.Authenticator
	Agents    *agentauth.Agents
	CheckURL  sources.CheckURL // of addresses that callers supply
	Upstream  *upstream.Client
	Tasks     *transform.Tasks

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
	tracer  trace.Tracer
	router  *mux.Router
	matches *lru.Cache[string, *match]
	handler http.Handler

	statuses *snapshot.Cache[*statusDoc]
	pendings *snapshot.Cache[*statusDoc]
	adapters *snapshot.Cache[*adapterDoc]

	histories *snapshot.Cache[*historyDoc]
	asking    asking // for statuses

	https      bool
	scrapes    chan struct{} // slots of /metrics
	consents   chan struct{} // slots of /oauth/callback
	state      atomic.Uint32 // a phase
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
}

// New builds the gateway. It is not ready before SetReady, and is ended by Close.
func New(cfg Config, deps Deps) *Gateway {
	g := &Gateway{
		cfg: cfg, deps: deps, log: deps.Logger, ins: deps.Instruments,
		tracer: deps.TracerProvider.Tracer("esagate/gateway"),
		access: newAccessLog(deps.Logger), scrapes: make(chan struct{}, scrapesAtOnce),
		consents: make(chan struct{}, consentsAtOnce),
		https:    strings.HasPrefix(cfg.PublicURL, "https://"),
	}
	g.life, g.end = context.WithCancel(context.Background())
	g.router = g.newRouter()
	g.matches, _ = lru.New[string, *match](maxMatches) // fails for a size below 1 alone
	g.statuses = g.newStatusCache()
	g.pendings = g.newPendingCache()
	g.adapters = g.newAdapterCache()
	g.histories = g.newHistoryCache()
	g.ins.SnapshotEntries(g.statuses.Len)
	g.ins.StoreAvailable(g.storeAvailable)
	g.ins.Ready(func() bool { return g.phase() == ready })

	g.handler = http.HandlerFunc(g.serve)
	if len(cfg.AllowedOrigins) > 0 {
		g.handler = cors.New(cors.Options{
			AllowedOrigins: cfg.AllowedOrigins,
			AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "If-None-Match", "Idempotency-Key",
				headerAPIKey, headerRequestID, "Traceparent", "Tracestate"},
			ExposedHeaders: []string{"Age", "Cache-Status", "ETag", "Location", "Retry-After", headerRequestID},
			MaxAge:         int(10 * time.Minute / time.Second),
		}).Handler(g.handler)
	}
	return g
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// UpstreamRecovered lets sources be refreshed at once again after a breaker has
// closed: one tenant's, or with "" everybody's.
func (g *Gateway) UpstreamRecovered(tenantID string) {
	if tenantID == "" {
		g.statuses.RetryAllNow()
		g.adapters.RetryAllNow()
		g.histories.RetryAllNow()
		return
	}
	g.statuses.RetryNow(tenantID)
	g.adapters.RetryNow(tenantID)
	g.histories.RetryNow(tenantID)
}

// Close ends what runs in the background and waits for it.
func (g *Gateway) Close() {
	g.end()
	g.statuses.Close()
	g.pendings.Close()
	g.adapters.Close()
	g.histories.Close()
	g.background.Wait()
}
