package telemetry

import (
	"context"
	"io"
	"log/slog"

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
// trace_id and span_id when their context has a sampled span. The place in
// source is not written.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == FormatText {
		return slog.New(cleanHandler{slog.NewTextHandler(w, options)})
	}
	return slog.New(cleanHandler{slog.NewJSONHandler(w, options)})
}

// cleanHandler cleans records before the handler in it writes them.
type cleanHandler struct{ slog.Handler }

func (h cleanHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs()+2)
	r.Attrs(func(a slog.Attr) bool {
		attrs = appendClean(attrs, a, 0)
		return true
	})
	if span := trace.SpanContextFromContext(ctx); span.IsValid() && span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	clean := slog.NewRecord(r.Time, r.Level, cleanText(r.Message), 0)
	clean.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, clean)
}

func (h cleanHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var clean []slog.Attr
	for _, a := range attrs {
		clean = appendClean(clean, a, 0)
	}
	return cleanHandler{h.Handler.WithAttrs(clean)}
}

func (h cleanHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return cleanHandler{h.Handler.WithGroup(shownKey(name))}
}
