// Package upstream asks the sales agent: one call at a time, within deadlines,
// with a bounded number of retries and breakers that keep a failing upstream
// from being asked. All errors of calls are [*fault.Error]; an answer that says no
// has a [*Refusal] in its chain.
//
// A read passes, from the outside in: go-retryablehttp, which may repeat it; for
// each attempt the tenant's breaker (a status read alone), the whole upstream's
// breaker, a client span, and the transport. The answer is read and decoded inside
// the attempt, so that the breakers judge the whole of it. A write goes the same way
// but for go-retryablehttp: it is one attempt.
package upstream

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"esagate/upstream/wire"
)

const (
	apiPath   = "/api/v1/tenant-management/tenants"
	keyHeader = "X-Tenant-Management-API-Key"
	userAgent = "esagate"

	maxID = 255 // bytes of an id in a path; breakers are kept by tenant id
)

// Client asks one sales agent. It is safe for concurrent use.
type Client struct {
	cfg      Config
	base     string // the collection of tenants
	log      *slog.Logger
	wire     http.RoundTripper // a single exchange with upstream
	http     *http.Client      // its transport is the door
	own      *http.Transport   // nil when the transport was given
	budget   *budget
	upstream *breaker
	tenants  *tenants
	prober   *prober
	metrics  *metrics

	keyRefused atomic.Bool
	reached    atomic.Bool
}

// New makes a client. Its error names every fault of the config, without a value.
func New(cfg Config, deps Deps) (*Client, error) {
	cfg, deps = cfg.withDefaults(), deps.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Client{
		cfg:    cfg,
		base:   strings.TrimRight(cfg.BaseURL, "/") + apiPath,
		log:    deps.Logger,
		budget: newBudget(),
	}
	transport := deps.Transport
	if transport == nil {
		c.own = newTransport()
		transport = c.own
	}
	c.wire = instrument(transport, deps)
	c.http = &http.Client{Transport: door{c}}
	c.prober = newProber(cfg, deps.Logger, deps.OnRecover)
	c.prober.ask = c.probe
	c.upstream = newBreaker("", cfg.Breaker, blameUpstream, c.prober, c.log)
	c.tenants = newTenants(maxTenants, func(id string) *breaker {
		return newBreaker(id, cfg.Breaker, blameTenant, c.prober, c.log)
	}, c.prober.forget)
	var err error
	if c.metrics, err = newMetrics(deps.MeterProvider, c.upstream, c.tenants); err != nil {
		c.prober.close()
		return nil, err
	}
	return c, nil
}

// Close ends the background probes and the idle connections, and returns when
// they have ended. Reads that are under way are not ended; Close comes after them.
func (c *Client) Close() {
	c.prober.close()
	c.metrics.close()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Status reads a tenant's status document.
func (c *Client) Status(ctx context.Context, tenantID string) (*wire.Status, error) {
	return ask(ctx, c, tenantCall(opStatus, tenantID, "status"), decodeStatus)
}

// AdapterConfig reads the part of a tenant's ad-server config that is no secret.
func (c *Client) AdapterConfig(ctx context.Context, tenantID string) (*wire.AdapterConfig, error) {
	return ask(ctx, c, tenantCall(opAdapterConfig, tenantID, "adapter-config"), wire.DecodeAdapterConfig)
}

// Tenant reads what is known of a tenant itself.
func (c *Client) Tenant(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return ask(ctx, c, tenantCall(opTenant, tenantID), wire.DecodeTenant)
}

// Health is what the client knows of the sales agent without asking it.
type Health struct {
	Breaker     string // the whole upstream's: closed, open or half_open
	OpenTenants int    // tenants whose own breaker is not closed
	KeyRefused  bool   // the last answer about our key was a refusal
	Reached     bool   // some call has succeeded since the start
}

// Health says how the sales agent is doing.
func (c *Client) Health() Health {
	h := Health{
		Breaker:     "open",
		OpenTenants: c.tenants.open(),
		KeyRefused:  c.keyRefused.Load(),
		Reached:     c.reached.Load(),
	}
	switch c.upstream.state() {
	case gobreaker.StateClosed:
		h.Breaker = "closed"
	case gobreaker.StateHalfOpen:
		h.Breaker = "half_open"
	}
	return h
}

func decodeStatus(body []byte) (*wire.Status, error) { return wire.DecodeStatus(body, time.Now()) }

// probeTenant is who a probe asks for when no call has named a tenant yet. There is
// no such tenant; that upstream says so shows that it is well.
const probeTenant = "esagate-probe"

// probe makes the one attempt by which a breaker that is not closed finds out
// whether it may close: a status read of the tenant that last failed.
func (c *Client) probe(ctx context.Context, b *breaker) {
	id := b.last.Load().tenantID
	if id == "" {
		id = probeTenant
	}
	var doc *wire.Status
	cl := tenantCall(opProbe, id, "status")
	cl.decode, cl.probes = keep(&doc, decodeStatus), b
	req, f := c.request(ctx, cl)
	if f != nil {
		return
	}
	start, o := time.Now(), outcomeOK
	if _, err := (door{c}).RoundTrip(req); err != nil {
		o = cl.last.outcome
	}
	c.metrics.call(ctx, opProbe, o, time.Since(start))
}

// noteKey follows what the answers say about our key. It is logged when it
// changes: a refused key is refused with every call.
func (c *Client) noteKey(f *failure) {
	switch {
	case f != nil && f.outcome == outcomeUnauthorized:
		c.metrics.keyRefused(context.Background())
		if !c.keyRefused.Swap(true) {
			c.log.Error("the sales agent refuses the gateway's API key", slog.Any("cause", f.err.Cause))
		}
	case f == nil, f.outcome == outcomeNotFound, f.outcome == outcomeConflict, f.outcome == outcomeRejected:
		if c.keyRefused.Swap(false) {
			c.log.Info("the sales agent takes the gateway's API key again")
		}
	}
	if f == nil {
		c.reached.Store(true)
	}
}
