// Package telemetry makes the gateway's logs, metrics and traces, and sees to
// it that none of them carries a secret: log and span attributes are written by
// allow-list, and whatever looks like a secret is replaced (package redact).
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// serviceName is service.name of metrics and traces.
const serviceName = "esagate"

// Config says what to make. The zero Config logs JSON at info and exports no
// traces.
type Config struct {
	LogFormat    string  // FormatJSON (also "") or FormatText
	LogLevel     string  // debug, info (also ""), warn or error
	OTLPEndpoint string  // base URL of an OTLP/HTTP collector; "" exports no traces
	TraceRatio   float64 // 0 to 1: the share of traces recorded that a caller has not decided about
	Version      string  // service.version
}

// Telemetry is what Start made. Shutdown it when nothing uses it any more.
type Telemetry struct {
	Logger         *slog.Logger
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Propagator carries the W3C trace context, and no baggage: baggage is a
	// caller's own words, and would be passed on to the sales agent unread.
	Propagator propagation.TextMapPropagator
	// MetricsHandler serves /metrics in the Prometheus text format.
	MetricsHandler http.Handler

	once     sync.Once
	closers  []func(context.Context) error
	shutdown error
}

// Start makes the process's telemetry, with logs written to logOut. An error
// names the setting at fault and never its value. OpenTelemetry's own errors
// go to the logger of the Telemetry started last: the library has one place
// for them in a process.
func Start(ctx context.Context, cfg Config, logOut io.Writer) (*Telemetry, error) {
	level, err := cfg.level()
	if err != nil {
		return nil, err
	}
	t := &Telemetry{
		Logger:     NewLogger(logOut, cfg.LogFormat, level),
		Propagator: propagation.TraceContext{},
	}
	reportOwnErrors(t.Logger)
	// Schemaless: both attributes have had these names in every version.
	res := resource.NewSchemaless(
		attribute.String("service.name", serviceName),
		attribute.String("service.version", cfg.Version),
	)
	tracing, err := newTracing(ctx, cfg, res)
	if err != nil {
		return nil, err
	}
	t.TracerProvider = tracing.provider
	metrics, err := newMetrics(res, t.Logger)
	if err != nil {
		return nil, errors.Join(err, tracing.shutdown(ctx))
	}
	t.MeterProvider, t.MetricsHandler = metrics.provider, metrics.handler
	t.closers = []func(context.Context) error{tracing.shutdown, metrics.provider.Shutdown}
	return t, nil
}

// Shutdown sends the spans that wait and ends every goroutine of Start's, until
// ctx is done at the latest. What the collector answers to the last spans goes
// to the log, not into the error. Further calls do nothing and give the same error.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	t.once.Do(func() {
		var all error
		for _, closer := range t.closers {
			all = errors.Join(all, closer(ctx))
		}
		if all != nil {
			t.shutdown = fmt.Errorf("shut telemetry down: %w", all)
		}
	})
	return t.shutdown
}

func (c Config) level() (slog.Level, error) {
	switch c.LogFormat {
	case "", FormatJSON, FormatText:
	default:
		return 0, errors.New("log format: must be json or text")
	}
	switch strings.ToLower(c.LogLevel) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, errors.New("log level: must be debug, info, warn or error")
}
