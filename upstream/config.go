package upstream

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Config says where the sales agent is and how patiently it is asked. A zero
// number or duration takes its default.
type Config struct {
	BaseURL      string        // http or https; may carry a path, but no user info, query or fragment
	APIKey       string        // goes to BaseURL's host and nowhere else
	Attempts     int           // of one read, the first included; default 3
	Timeout      time.Duration // how long a reader waits: a Retry-After beyond it is not waited out; default 3 s
	FetchTimeout time.Duration // bound of one call, retries included, when its context has none sooner; default 10 s
	ProbeTimeout time.Duration // the same of a write that waits for the ad server; default 75 s
	Breaker      BreakerConfig
}

// BreakerConfig says when a breaker opens, and how often it is then probed. See
// docs/decisions/0007-what-breakers-count.md.
type BreakerConfig struct {
	ConsecutiveFailures int           // so many in a row open it, or so many tenants at least; default 5
	MinimumRequests     int           // from so many on, the ratio counts; default 20
	FailureRatio        float64       // of a tenant's reads; above 0, at most 1; default 0.5
	Window              time.Duration // what is counted, rolling; default 30 s
	OpenFor             time.Duration // the longest pause between probes; default 30 s
}

// Deps are what a client is given. Every field may be left out.
type Deps struct {
	Transport      http.RoundTripper // nil: one of the client's own, closed with it
	Logger         *slog.Logger
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	Propagator     propagation.TextMapPropagator // nil: W3C trace context
	// OnRecover is called when a tenant is well again, or with "" the whole upstream: a
	// breaker has closed, or what could have opened it is over. It runs with no lock
	// held, on the goroutine of the call that found out, and must not call Close.
	OnRecover func(tenantID string)
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.Attempts = cmp.Or(c.Attempts, 3)
	c.Timeout = cmp.Or(c.Timeout, 3*time.Second)
	c.FetchTimeout = cmp.Or(c.FetchTimeout, 10*time.Second)
	c.ProbeTimeout = cmp.Or(c.ProbeTimeout, 75*time.Second)
	b := &c.Breaker
	b.ConsecutiveFailures = cmp.Or(b.ConsecutiveFailures, 5)
	b.MinimumRequests = cmp.Or(b.MinimumRequests, 20)
	b.FailureRatio = cmp.Or(b.FailureRatio, 0.5)
	b.Window = cmp.Or(b.Window, 30*time.Second)
	b.OpenFor = cmp.Or(b.OpenFor, 30*time.Second)
	return c
}

// validate names every fault, and prints no value: the URL may hold a password
// that was not meant to be there.
func (c Config) validate() error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New("upstream: "+text))
		}
	}
	u, err := url.Parse(c.BaseURL)
	fault(err != nil, "the base URL can't be read")
	if err == nil {
		fault(u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Opaque != "", "the base URL is no http or https address")
		fault(u.User != nil, "the base URL holds user info")
		fault(u.RawQuery != "" || u.ForceQuery, "the base URL has a query")
		fault(strings.Contains(c.BaseURL, "#"), "the base URL has a fragment")
	}
	fault(c.APIKey == "", "there is no API key")
	fault(strings.ContainsFunc(c.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }),
		"the API key holds a space or a character that no header can carry")
	b := c.Breaker
	fault(c.Attempts < 0, "attempts are negative")
	fault(c.FetchTimeout < 0, "the fetch timeout is negative")
	fault(c.ProbeTimeout < 0, "the probe timeout is negative")
	fault(b.ConsecutiveFailures < 0, "the breaker's consecutive failures are negative")
	fault(b.MinimumRequests < 0, "the breaker's minimum requests are negative")
	fault(!(b.FailureRatio > 0 && b.FailureRatio <= 1), "the breaker's failure ratio is not above 0 and at most 1")
	fault(b.Window < time.Millisecond, "the breaker's window is below 1 ms")
	fault(b.OpenFor < time.Millisecond, "the breaker's open time is below 1 ms")
	return errors.Join(faults...)
}

func (d Deps) withDefaults() Deps {
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	d.MeterProvider = cmp.Or[metric.MeterProvider](d.MeterProvider, metricnoop.NewMeterProvider())
	d.TracerProvider = cmp.Or[trace.TracerProvider](d.TracerProvider, tracenoop.NewTracerProvider())
	d.Propagator = cmp.Or[propagation.TextMapPropagator](d.Propagator, propagation.TraceContext{})
	if d.OnRecover == nil {
		d.OnRecover = func(string) {}
	}
	return d
}
