package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Bounds of the export. Spans beyond the queue are dropped, never waited for.
const (
	spanQueue     = 2048
	spanBatch     = 512
	spanDelay     = 5 * time.Second
	exportTimeout = 10 * time.Second
)

// tracesPath is where a collector takes traces, below its base URL.
const tracesPath = "/v1/traces"

// idsOnly is the W3C trace context without tracestate.
type idsOnly struct{ propagation.TraceContext }

// Extract implements propagation.TextMapPropagator.
func (p idsOnly) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	return p.TraceContext.Extract(ctx, propagation.MapCarrier{"traceparent": carrier.Get("traceparent")})
}

// Fields implements propagation.TextMapPropagator.
func (idsOnly) Fields() []string { return []string{"traceparent"} }

// newTracing exports spans when an endpoint is configured. Without one it gives
// OpenTelemetry's no-op provider: a span of it is the caller's span context
// passed on unchanged, so W3C context still reaches the sales agent. An SDK that never
// samples costs two to six times as much: it makes a span and a new id each time.
func newTracing(ctx context.Context, cfg Config, res *resource.Resource) (
	_ trace.TracerProvider, shutdown func(context.Context) error, _ error,
) {
	if cfg.OTLPEndpoint == "" {
		return noop.NewTracerProvider(), func(context.Context) error { return nil }, nil
	}
	endpoint := cfg.OTLPEndpoint
	if !strings.HasSuffix(endpoint, tracesPath) {
		endpoint = strings.TrimSuffix(endpoint, "/") + tracesPath
	}
	address, err := url.Parse(endpoint)
	if err != nil {
		return nil, nil, errors.New("make the OTLP exporter: the endpoint is not a URL")
	}
	// A transport of our own, so that no idle connection outlives Shutdown.
	transport := &collector{Transport: http.DefaultTransport.(*http.Transport).Clone(), host: address.Host}
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithHTTPClient(&http.Client{
			Transport:     transport,
			Timeout:       exportTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("make the OTLP exporter: %w", err)
	}
	batches := sdktrace.NewBatchSpanProcessor(cleanExporter{exporter, transport},
		sdktrace.WithMaxQueueSize(spanQueue),
		sdktrace.WithMaxExportBatchSize(spanBatch),
		sdktrace.WithBatchTimeout(spanDelay),
		sdktrace.WithExportTimeout(exportTimeout),
	)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())),
		sdktrace.WithSpanProcessor(batches),
	)
	return sampling{sdk: provider, ratio: cfg.TraceRatio}, func(ctx context.Context) error {
		defer transport.CloseIdleConnections()
		// Not through the provider first: with a ctx that is done it would leave
		// the processor running for good.
		err := batches.Shutdown(ctx)
		if ctx.Err() != nil {
			// The processor still sends what it holds, each batch to its own
			// timeout. It is not waited for: stop the request on the way.
			_ = exporter.Shutdown(ctx)
		}
		return errors.Join(err, provider.Shutdown(ctx))
	}, nil
}
