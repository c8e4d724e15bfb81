// Package telemetry makes the gateway's logs, metrics and traces, and sees to
// it that none of them carries a secret: log and span attributes are written by
// allow-list, and whatever looks like a secret is replaced (package redact).
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// Config says what to make; package config checks it. The zero Config logs JSON at info
// and exports no traces.
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
	// Propagator carries the ids of the W3C trace context, and neither tracestate nor baggage: those are
	// a caller's own words, and would be passed on to the sales agent unread.
	Propagator propagation.TextMapPropagator
	// MetricsHandler serves /metrics in the Prometheus text format.
	MetricsHandler http.Handler

	level    *slog.LevelVar
	shutdown func(context.Context) error
}

// Start makes the process's telemetry, with logs written to logOut. OpenTelemetry's own
// errors go to the logger of the Telemetry started last: the library has one place for
// them in a process.
func Start(ctx context.Context, cfg Config, logOut io.Writer) (*Telemetry, error) {
	t := &Telemetry{Propagator: idsOnly{}, level: new(slog.LevelVar)}
	if err := t.SetLogLevel(cfg.LogLevel); err != nil {
		return nil, err
	}
	t.Logger = NewLogger(logOut, cfg.LogFormat, t.level)
	reportOwnErrors(t.Logger)
	// Schemaless: both attributes have had these names in every version.
	res := resource.NewSchemaless(
		attribute.String("service.name", "esagate"),
		attribute.String("service.version", cfg.Version),
	)
	tracer, endTracing, err := newTracing(ctx, cfg, res)
	if err != nil {
		return nil, err
	}
	meter, page, err := newMetrics(res, newOwnErrors(t.Logger, "serve metrics failed"))
	if err != nil {
		return nil, errors.Join(err, endTracing(ctx))
	}
	t.TracerProvider, t.MeterProvider, t.MetricsHandler = tracer, meter, page
	t.shutdown = func(ctx context.Context) error { return errors.Join(endTracing(ctx), meter.Shutdown(ctx)) }
	return t, nil
}

// SetLogLevel changes what the Logger, and all that were made from it, write: debug, info (also ""),
// warn or error.
func (t *Telemetry) SetLogLevel(level string) error {
	if err := t.level.UnmarshalText([]byte(cmp.Or(level, "info"))); err != nil {
		return errors.New("log level: must be debug, info, warn or error")
	}
	return nil
}

// Shutdown sends the spans that wait and ends every goroutine of Start's, until
// ctx is done at the latest. What the collector answers to the last spans goes
// to the log, not into the error.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if err := t.shutdown(ctx); err != nil {
		return fmt.Errorf("shut telemetry down: %w", err)
	}
	return nil
}
