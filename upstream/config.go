package upstream

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Config says where the sales agent is and how patiently it is asked. Package config
// checks these values and has their defaults; here every field is needed.
type Config struct {
	BaseURL      string        // may carry a path; without a slash at its end
	APIKey       string        // goes to BaseURL's host and nowhere else
	Attempts     int           // of one read, the first included
	Timeout      time.Duration // how long a reader waits: a Retry-After beyond it is not waited out
	FetchTimeout time.Duration // bound of one call, retries included, from when it has its slot
	ProbeTimeout time.Duration // the same of a write that waits for the ad server
	Concurrency  int           // calls at once, probes included; 0: 64
	Breaker      BreakerConfig
}

// BreakerConfig says when a breaker opens, and how often it is then probed. See
// docs/decisions/0007-what-breakers-count.md.
type BreakerConfig struct {
	ConsecutiveFailures int           // so many in a row open it, or so many tenants at least
	FailureRatio        float64       // of a tenant's reads
	MinimumRequests     int           // from so many on, the ratio counts
	Window              time.Duration // what is counted, rolling
	OpenFor             time.Duration // the longest pause between probes
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
	// OnOutage is told when this client itself has found the whole sales agent out of order, and when it has
	// found that it is well again; not of what [Client.OutageElsewhere] has led to. It runs with no lock held
	// and must not block.
	OnOutage func(began bool)
	// OnCall is told how long each call took that the sales agent could have answered, probes among them;
	// with retries, and without waits for slots. It runs with no lock held.
	OnCall func(took time.Duration)
}

func (d Deps) withDefaults() Deps {
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	d.MeterProvider = cmp.Or[metric.MeterProvider](d.MeterProvider, metricnoop.NewMeterProvider())
	d.TracerProvider = cmp.Or[trace.TracerProvider](d.TracerProvider, tracenoop.NewTracerProvider())
	d.Propagator = cmp.Or[propagation.TextMapPropagator](d.Propagator, propagation.TraceContext{})
	if d.OnRecover == nil {
		d.OnRecover = func(string) {}
	}
	if d.OnOutage == nil {
		d.OnOutage = func(bool) {}
	}
	if d.OnCall == nil {
		d.OnCall = func(time.Duration) {}
	}
	return d
}
