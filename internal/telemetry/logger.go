package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// Log formats.
const (
	FormatJSON = "json" // one object a line
	FormatText = "text" // key=value
)

// NewLogger makes a logger that writes lines of level and above to w, as JSON
// unless format is FormatText. It writes only attributes on the allow-list
// (see KeyAllowed) whose values are harmless, and Redacted in place of the
// others and of a message that looks like it holds a secret. Lines carry
// trace_id and span_id when their context has a sampled span. Groups have no
// place in a line: those of a logger are passed over, Redacted stands for others.
func NewLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: cleanAttr}
	if format == FormatText {
		return slog.New(tracedHandler{slog.NewTextHandler(w, options)})
	}
	return slog.New(tracedHandler{slog.NewJSONHandler(w, options)})
}

// tracedHandler adds the ids of the span that a line belongs to, and sees to the
// attributes that ReplaceAttr can't judge.
type tracedHandler struct{ slog.Handler }

func (h tracedHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs()+2)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, callersAttr(a))
		return true
	})
	if span := trace.SpanContextFromContext(ctx); span.IsValid() && span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	line.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, line)
}

func (h tracedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = slices.Clone(attrs)
	for i, a := range attrs {
		attrs[i] = callersAttr(a)
	}
	return tracedHandler{h.Handler.WithAttrs(attrs)}
}

func (h tracedHandler) WithGroup(string) slog.Handler { return h }
