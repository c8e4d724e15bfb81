package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"esagate/internal/background"
	"esagate/internal/telemetry"
)

// line logs one line as JSON and gives its members.
func line(t *testing.T, say func(l *slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	say(telemetry.NewLogger(&out, telemetry.FormatJSON, slog.LevelInfo))
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("not one JSON line: %v\n%s", err, out.String())
	}
	return got
}

type level int

func (level) String() string { return "half-open" }

func TestHarmlessValuesAreLogged(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	refused := &url.Error{Op: "Get", URL: "http://127.0.0.1:3091/api/v1/tenant-management/tenants/tnt_a/status",
		Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	for _, c := range []struct {
		attr slog.Attr
		want any
	}{
		{slog.Int("count", 3), 3.0},
		{slog.Bool("read_only", true), true},
		{slog.Float64("total", 1.5), 1.5},
		{slog.Duration("duration", 1500*time.Millisecond), "1.5s"},
		{slog.Time("next_try", at), "2026-03-01T09:00:00Z"},
		{slog.String("source_id", "harbour-gam"), "harbour-gam"},
		{slog.String("tenant", "0d5cbf3e-6c1f-4c52-9a53-1f1f8a1f0a11"), "0d5cbf3e-6c1f-4c52-9a53-1f1f8a1f0a11"},
		{slog.String("tenant", "tnt password=hunter2"), "[redacted]"},
		{slog.String("request_id", "0d5cbf3e-6c1f-4c52-9a53-1f1f8a1f0a11"), "0d5cbf3e-6c1f-4c52-9a53-1f1f8a1f0a11"},
		{slog.Any("state", level(2)), "half-open"},
		{slog.Any("customer", resolves{slog.StringValue("4711")}), "4711"},
		{slog.Any("reason", word("UPSTREAM_TIMEOUT")), "UPSTREAM_TIMEOUT"},
		{slog.Any("error", errors.New("database is locked")), "database is locked"},
		{slog.Any("error", fmt.Errorf("ask upstream: %w", refused)), "[redacted]: dial tcp: connection refused"},
		{slog.Any("error", fmt.Errorf("%w after x=1", context.DeadlineExceeded)), "[redacted]: context deadline exceeded"},
		{slog.Any("error", nil), "<nil>"},
		{slog.String("request_id", "0123456789abcdef0123456789abcdef"), "0123456789abcdef0123456789abcdef"},
		{slog.String("request_id", "0123456789ABCDEF0123456789ABCDEF"), "[redacted]"},
		{slog.String("version", "v0.0.0-20260301090000-0123456789ab+dirty"), "v0.0.0-20260301090000-0123456789ab+dirty"},
		{slog.String("version", "(devel)"), "(devel)"},
		{slog.String("url", "https://agent.example.com:8443/admin/api/v1/tenant-management"), "https://agent.example.com:8443/admin/api/v1/tenant-management"},
		{slog.String("config", "/etc/esagate/releases/2026-03-01/config.yaml"), "/etc/esagate/releases/2026-03-01/config.yaml"},
		{slog.String("route", "/api/v2/storefront/inventory-sources/{sourceId}/status"), "/api/v2/storefront/inventory-sources/{sourceId}/status"},
		{slog.String("address", "127.0.0.1:8080"), "127.0.0.1:8080"},
		{slog.String("password", "x"), "[redacted]"},
		{slog.Any("config", struct{}{}), "[redacted]"},
	} {
		t.Run(c.attr.String(), func(t *testing.T) {
			got := line(t, func(l *slog.Logger) { l.Info("said", c.attr) })
			if got[c.attr.Key] != c.want {
				t.Errorf("%s = %v, want %v", c.attr.Key, got[c.attr.Key], c.want)
			}
		})
	}
}

// TestAttributesThatHaveNoPlace: what follows them is written all the same.
func TestAttributesThatHaveNoPlace(t *testing.T) {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	for name, c := range map[string]struct {
		attr slog.Attr
		key  string // under which something stands for it; "": nothing does
	}{
		"group":                 {slog.Group("g", slog.Int("status", 1)), "g"},
		"log valuer of a group": {slog.Any("code", resolves{slog.GroupValue(slog.Int("status", 1))}), "code"},
		"time":                  {slog.Time(slog.TimeKey, time.Unix(1, 0)), "[redacted]"},
		"level":                 {slog.Any(slog.LevelKey, slog.LevelError), "[redacted]"},
		"msg":                   {slog.String(slog.MessageKey, "another"), "[redacted]"},
		"empty":                 {slog.Attr{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, say := range []func(l *slog.Logger){
				func(l *slog.Logger) { l.InfoContext(ctx, "said", c.attr, "count", 1) },
				func(l *slog.Logger) { l.With(c.attr, "count", 1).InfoContext(ctx, "said") },
			} {
				got, members := line(t, say), 6
				if c.key != "" {
					members++
				}
				if len(got) != members || c.key != "" && got[c.key] != "[redacted]" || got["msg"] != "said" ||
					got["level"] != "INFO" || got["count"] != 1.0 || got["trace_id"] == nil {
					t.Errorf("got %v", got)
				}
			}
		})
	}
	for _, key := range []string{slog.TimeKey, slog.LevelKey, slog.MessageKey} {
		if telemetry.KeyAllowed(key) {
			t.Errorf("%s is allowed", key)
		}
	}
}

func TestLongStringsAreCut(t *testing.T) {
	got := line(t, func(l *slog.Logger) { l.Info("said", "reason", strings.Repeat("né ", 1000)) })
	if n := len(got["reason"].(string)); n > 1024 || n < 1000 {
		t.Errorf("%d bytes", n)
	}
}

func TestPlacesOfAPanicAreLogged(t *testing.T) {
	got, _ := line(t, func(l *slog.Logger) {
		defer func() {
			recover()
			l.Info("said", "stack", background.Callers())
		}()
		panic(canary)
	})["stack"].(string)
	if !strings.Contains(got, "logger_test.go:") || !strings.Contains(got, "TestPlacesOfAPanicAreLogged") || strings.Contains(got, canary) {
		t.Errorf("stack:\n%s", got)
	}
}

func TestTraceIDs(t *testing.T) {
	span := trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled}
	sampled := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(span))
	span.TraceFlags = 0
	unsampled := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(span))

	got := line(t, func(l *slog.Logger) { l.With("count", 1).InfoContext(sampled, "said") })
	if got["trace_id"] != "01000000000000000000000000000000" || got["span_id"] != "0200000000000000" {
		t.Errorf("sampled: %v", got)
	}
	for name, ctx := range map[string]context.Context{"unsampled": unsampled, "no span": t.Context()} {
		if got := line(t, func(l *slog.Logger) { l.InfoContext(ctx, "said") }); got["trace_id"] != nil || got["span_id"] != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLevelIsKept(t *testing.T) {
	var out bytes.Buffer
	l := telemetry.NewLogger(&out, telemetry.FormatJSON, slog.LevelWarn)
	l.Info("quiet")
	l.With("count", 1).WithGroup("g").Info("quiet")
	if out.Len() != 0 {
		t.Errorf("logged below its level: %s", out.String())
	}
	l.Warn("loud")
	if !strings.Contains(out.String(), `"level":"WARN","msg":"loud"`) {
		t.Errorf("got %s", out.String())
	}
}
