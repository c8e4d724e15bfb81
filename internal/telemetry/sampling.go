package telemetry

import (
	"context"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// sampling decides whether a trace that begins here is recorded before the SDK is
// called, which makes a span and two ids also for the 99 of 100 that are not. Traces
// that a caller has decided about go to the SDK as they are.
type sampling struct {
	embedded.TracerProvider
	sdk   trace.TracerProvider // samples every trace that begins in it
	ratio float64
}

// Tracer implements trace.TracerProvider.
func (d sampling) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return samplingTracer{sdk: d.sdk.Tracer(name, options...), ratio: d.ratio}
}

type samplingTracer struct {
	embedded.Tracer
	sdk   trace.Tracer
	ratio float64
}

// Start implements trace.Tracer. A trace that is not sampled leaves no mark in the
// context: work that it starts, such as a refresh for many readers, is sampled anew.
func (t samplingTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() && rand.Float64() >= t.ratio {
		return ctx, noop.Span{}
	}
	return t.sdk.Start(ctx, name, options...)
}
