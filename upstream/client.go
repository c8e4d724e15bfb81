// Package upstream asks the sales agent: one call at a time, within deadlines,
// with a bounded number of retries and breakers that keep a failing upstream
// from being asked. All errors of reads are [*fault.Error].
//
// A read passes, from the outside in: go-retryablehttp, which may repeat it; for
// each attempt the tenant's breaker, the whole upstream's breaker, a client
// span, and the transport. The answer is read and decoded inside the attempt, so
// that the breakers judge the whole of it.
package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/sony/gobreaker/v2"

	"esagate/upstream/wire"
)

const (
	apiPath   = "/api/v1/tenant-management/tenants/"
	keyHeader = "X-Tenant-Management-API-Key"
	userAgent = "esagate"

	maxTenantID = 255 // bytes; breakers are kept by tenant id
)

// Client asks one sales agent. It is safe for concurrent use.
type Client struct {
	cfg      Config
	base     string // of tenant URLs, with a slash at the end
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
	return read(ctx, c, opStatus, tenantID, decodeStatus)
}

// AdapterConfig reads the part of a tenant's ad-server config that is no secret.
func (c *Client) AdapterConfig(ctx context.Context, tenantID string) (*wire.AdapterConfig, error) {
	return read(ctx, c, opAdapterConfig, tenantID, wire.DecodeAdapterConfig)
}

// Tenant reads what is known of a tenant itself.
func (c *Client) Tenant(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return read(ctx, c, opTenant, tenantID, wire.DecodeTenant)
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

// read makes a call and gives the document that its last attempt decoded.
func read[T any](ctx context.Context, c *Client, op operation, tenantID string, decode func([]byte) (*T, error)) (*T, error) {
	var doc *T
	cl := &call{op: op, tenantID: tenantID, decode: keep(&doc, decode)}
	start := time.Now()
	f := c.call(ctx, cl)
	if f != nil {
		c.metrics.call(ctx, op, f.outcome, time.Since(start))
		return nil, f.err
	}
	c.metrics.call(ctx, op, outcomeOK, time.Since(start))
	return doc, nil
}

func keep[T any](doc **T, decode func([]byte) (*T, error)) func([]byte) error {
	return func(body []byte) (err error) {
		*doc, err = decode(body)
		return err
	}
}

// call makes the attempts of one read.
func (c *Client) call(ctx context.Context, cl *call) *failure {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.FetchTimeout)
	defer cancel()
	req, f := c.request(ctx, cl)
	if f != nil {
		return f
	}
	again, err := retryablehttp.FromRequest(req)
	if err != nil {
		return lost(ctx, err)
	}
	r := &retrier{c: c, call: cl, begun: time.Now()}
	_, err = r.client().Do(again) // the response is door's own, without a body
	switch {
	case err == nil:
		return nil
	case cl.last == nil, errors.Is(ctx.Err(), context.Canceled): // perhaps while waiting to try again
		return lost(ctx, err)
	}
	return cl.last
}

// request makes the request of a call. A tenant id is one path segment, whatever
// it holds; those that no escaping keeps from meaning another path can't be a
// tenant's.
func (c *Client) request(ctx context.Context, cl *call) (*http.Request, *failure) {
	if cl.tenantID == "" || cl.tenantID == "." || cl.tenantID == ".." || len(cl.tenantID) > maxTenantID {
		return nil, noTenant(nil)
	}
	target := c.base + url.PathEscape(cl.tenantID)
	switch cl.op {
	case opStatus, opProbe:
		target += "/status"
	case opAdapterConfig:
		target += "/adapter-config"
	}
	req, err := http.NewRequestWithContext(withCall(ctx, cl), http.MethodGet, target, nil)
	if err != nil {
		return nil, noTenant(nil) // err prints the URL
	}
	req.Header.Set(keyHeader, c.cfg.APIKey)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	return req, nil
}

// probe makes the one attempt by which a breaker that is not closed finds out
// whether it may close: a status read of the tenant that last failed.
func (c *Client) probe(ctx context.Context, b *breaker) {
	var doc *wire.Status
	cl := &call{op: opProbe, tenantID: b.last.Load().tenantID, decode: keep(&doc, decodeStatus), probes: b}
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
