// Package upstream is the client of the sales agent, "upstream": calls with deadlines, a
// bounded number of retries, and breakers that keep back calls that would fail. All
// errors of calls are [*fault.Error]; that of an answer which refuses the request has a
// [*Refusal] in its chain.
//
// A read passes, from the outside in: go-retryablehttp, which may repeat it; for each
// attempt the tenant's breaker (a status read alone), the whole upstream's breaker, the
// bulkhead, a client span, and the transport. The answer is read and decoded inside the attempt, so
// that the breakers learn of the whole of it. A write goes the same way but for
// go-retryablehttp: it is one attempt.
package upstream

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"esagate/internal/background"
)

const (
	apiPath   = "/api/v1/tenant-management/tenants"
	keyHeader = "X-Tenant-Management-API-Key"
	userAgent = "esagate"

	defaultConcurrency = 64

	maxID = 255 // bytes of an id in a path; breakers are kept by tenant id
)

// Client calls one sales agent. It is safe for concurrent use.
type Client struct {
	cfg       Config
	base      string // the collection of tenants
	log       *slog.Logger
	transport http.RoundTripper // instrumented
	own       *http.Transport   // nil when the transport was given
	closeIdle func()            // closes the transport's idle connections
	budget    budget
	upstream  *breaker // the whole upstream's
	symptoms  symptoms
	tenants   *tenants
	metrics   *metrics

	slots *slots

	background *background.Group // of probes
	onRecover  func(tenantID string)
	onOutage   func(began bool)
	onCall     func(took time.Duration)

	keyRefused atomic.Bool
	refusedLog rate.Sometimes
	takenLog   rate.Sometimes
	reached    atomic.Bool
}

// New makes a client. Its error is that of making the metrics.
func New(cfg Config, deps Deps) (c *Client, err error) {
	deps = deps.withDefaults()
	c = &Client{
		cfg:    cfg,
		base:   cfg.BaseURL + apiPath,
		log:    deps.Logger,
		budget: budget{start: time.Now()},

		refusedLog: rate.Sometimes{Interval: time.Minute},
		takenLog:   rate.Sometimes{Interval: time.Minute},
		upstream:   newUpstreamBreaker(cfg.Breaker),
		tenants:    newTenants(cfg.Breaker),
		background: background.NewGroup(deps.Logger),
		slots:      newSlots(cmp.Or(cfg.Concurrency, defaultConcurrency)),
		onRecover:  deps.OnRecover,
		onOutage:   deps.OnOutage,
		onCall:     deps.OnCall,
	}
	transport := deps.Transport
	if transport == nil {
		c.own = newTransport()
		transport = c.own
	}
	c.closeIdle = func() {}
	if t, ok := transport.(interface{ CloseIdleConnections() }); ok {
		c.closeIdle = t.CloseIdleConnections
	}
	c.transport = instrument(transport, deps)
	if c.metrics, err = newMetrics(deps.MeterProvider, c.upstream, c.tenants, c.slots); err != nil {
		return nil, err
	}
	c.slots.metrics = c.metrics
	return c, nil
}

// Close ends the background probes and the idle connections, and returns when
// they have ended. Reads that are under way are not ended; Close comes after them.
func (c *Client) Close() {
	_ = c.background.Close(context.Background())
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Health is what the client knows of the sales agent without calling it.
type Health struct {
	Breaker     string    // the whole upstream's: closed or open
	Since       time.Time // when it opened; zero while it is closed
	OpenTenants int       // tenants whose own breaker is open
	KeyRefused  bool      // the last answer about our key was a refusal
	Reached     bool      // some call has succeeded since the start
}

// Health reports the state of the sales agent as the last calls showed it.
func (c *Client) Health() Health {
	h := Health{Breaker: "closed", OpenTenants: c.tenants.open(), KeyRefused: c.keyRefused.Load(), Reached: c.reached.Load()}
	if c.upstream.open.Load() {
		h.Breaker = "open"
		if since := c.upstream.since.Load(); since != nil {
			h.Since = *since
		}
	}
	return h
}

// BreakerOpen reports whether calls for a tenant are kept back now, by its own breaker or the whole
// upstream's.
func (c *Client) BreakerOpen(tenantID string) bool {
	if c.upstream.open.Load() {
		return true
	}
	t, ok := c.tenants.cache.Peek(tenantID)
	return ok && t.breaker.open.Load()
}

// recordKey keeps whether upstream takes our key. Only a change is logged, and each no more
// than once a minute: something before upstream may refuse some calls and pass others.
func recordKey(c *Client, f *failure) {
	switch {
	case f != nil && f.outcome == outcomeUnauthorized:
		c.metrics.keyRefusals.Add(context.Background(), 1)
		if !c.keyRefused.Swap(true) {
			c.refusedLog.Do(func() {
				c.log.Error("the sales agent refuses the gateway's API key", slog.Any("cause", f.err.Cause))
			})
		}
	case f == nil, f.outcome == outcomeNotFound, f.outcome == outcomeConflict, f.outcome == outcomeRejected:
		if c.keyRefused.Swap(false) {
			c.takenLog.Do(func() { c.log.Info("the sales agent takes the gateway's API key again") })
		}
	}
	if f == nil {
		c.reached.Store(true)
	}
}
