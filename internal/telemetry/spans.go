package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ownSpanKeys begins the names of the gateway's own span attributes.
const ownSpanKeys = "esagate."

// spanKeys is the allow-list of span attributes, OpenTelemetry's names for HTTP
// and errors; an attribute under any other key is left out. url.query and the
// header attributes are missing on purpose.
var spanKeys = map[attribute.Key]treatment{
	"http.request.method": plain, "http.request.method_original": plain,
	"http.request.resend_count": plain, "http.request.body.size": plain,
	"http.response.status_code": plain, "http.response.body.size": plain, "http.route": route,
	"url.full": baseURL, "url.path": path, "url.scheme": plain,
	"server.address": plain, "server.port": plain, "client.address": plain,
	"network.peer.address": plain, "network.peer.port": plain, "network.transport": plain,
	"network.protocol.name": plain, "network.protocol.version": plain, "user_agent.original": plain,
	"error.type": plain,
}

// cleanExporter cleans spans before they leave the process. It stands before
// the exporter and not in each place that makes spans, because most are made
// by libraries; it works on the sampled few, off the request's path.
type cleanExporter struct {
	next      sdktrace.SpanExporter
	collector *collector
}

func (e cleanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	clean := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		clean[i] = cleanSpan{s}
	}
	return e.collector.failed(e.next.ExportSpans(ctx, clean))
}

func (e cleanExporter) Shutdown(ctx context.Context) error { return e.next.Shutdown(ctx) }

// cleanSpan is a finished span whose texts are treated.
type cleanSpan struct{ sdktrace.ReadOnlySpan }

func (s cleanSpan) Name() string { return spanName(s.ReadOnlySpan.Name()) }

func (s cleanSpan) Attributes() []attribute.KeyValue {
	return cleanAttributes(s.ReadOnlySpan.Attributes())
}

func (s cleanSpan) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = cleanText(status.Description)
	return status
}

// Events and Links are left out: nothing here adds any.
func (s cleanSpan) Events() []sdktrace.Event { return nil }
func (s cleanSpan) Links() []sdktrace.Link   { return nil }

// spanName passes "GET /things/{thingId}", whose pattern looks like a token.
func spanName(name string) string {
	_, pattern, found := strings.Cut(name, " ")
	if found && isRoute(pattern) && len(name)-len(pattern) <= len("OPTIONS ") {
		return name
	}
	return cleanText(name)
}

func cleanAttributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	clean := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		treat, ok := spanKeys[a.Key]
		if !ok {
			if !strings.HasPrefix(string(a.Key), ownSpanKeys) {
				continue
			}
			treat = plain
		}
		switch a.Value.Type() {
		case attribute.BOOL, attribute.INT64, attribute.FLOAT64:
		case attribute.STRING:
			a = a.Key.String(treat(a.Value.AsString()))
		default: // lists and maps: nothing here sets any
			continue
		}
		clean = append(clean, a)
	}
	return clean
}
