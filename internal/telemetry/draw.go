package telemetry

import (
	"context"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// drawing decides whether a trace that begins here is recorded before the SDK is
// asked, which makes a span and two ids for the 99 of 100 that are not. What a
// caller has decided stands: those traces go to the SDK as they are.
type drawing struct {
	embedded.TracerProvider
	sdk   trace.TracerProvider // samples every trace that begins in it
	ratio float64
}

// Tracer implements trace.TracerProvider.
func (d drawing) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return drawingTracer{sdk: d.sdk.Tracer(name, options...), ratio: d.ratio}
}

type drawingTracer struct {
	embedded.Tracer
	sdk   trace.Tracer
	ratio float64
}

// Start implements trace.Tracer. A trace that is not drawn leaves no mark in the
// context: what it leads to, such as a refresh for many readers, draws for itself.
func (t drawingTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() && rand.Float64() >= t.ratio {
		return ctx, noop.Span{}
	}
	return t.sdk.Start(ctx, name, options...)
}
