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
// unless format is FormatText. Whatever is handed to it, only allow-listed
// attributes with harmless values are written (see KeyAllowed), the rest as
// Redacted; a message that looks like it holds a secret is replaced too. Lines
// carry trace_id and span_id when their context has a sampled span. The place
// in source is not written.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var inner slog.Handler
	if format == FormatText {
		inner = slog.NewTextHandler(w, options)
	} else {
		inner = slog.NewJSONHandler(w, options)
	}
	return slog.New(&handler{inner: inner})
}

// handler cleans records before an inner handler formats them. It keeps With's
// attributes and groups itself, so that trace ids stay outside of all groups.
type handler struct {
	inner slog.Handler
	outer []scope
}

// scope is one call of WithGroup (a name) or WithAttrs (clean attributes).
type scope struct {
	group string
	attrs []slog.Attr
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs()+2)
	r.Attrs(func(a slog.Attr) bool {
		attrs = cleanAttr(attrs, a, 0)
		return true
	})
	for _, s := range slices.Backward(h.outer) {
		if s.group == "" {
			attrs = append(slices.Clone(s.attrs), attrs...)
		} else if len(attrs) > 0 {
			attrs = []slog.Attr{{Key: s.group, Value: slog.GroupValue(attrs...)}}
		}
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() && span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	clean := slog.NewRecord(r.Time, r.Level, cleanText(r.Message), 0)
	clean.AddAttrs(attrs...)
	return h.inner.Handle(ctx, clean)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var clean []slog.Attr
	for _, a := range attrs {
		clean = cleanAttr(clean, a, 0)
	}
	if len(clean) == 0 {
		return h
	}
	return h.with(scope{attrs: clean})
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(scope{group: shownKey(name)})
}

func (h *handler) with(s scope) slog.Handler {
	return &handler{inner: h.inner, outer: append(slices.Clip(h.outer), s)}
}
