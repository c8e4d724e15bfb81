package upstream_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// TestCallsAreReported: calls that the sales agent could have answered, with their retries; no others.
func TestCallsAreReported(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		for _, c := range []struct {
			name  string
			fault ut.Fault
			took  []time.Duration
		}{
			{"well", ut.Fault{Delay: 40 * time.Millisecond}, []time.Duration{40 * time.Millisecond}},
			{"an error", ut.Fault{Delay: 70 * time.Millisecond, Status: 404}, []time.Duration{70 * time.Millisecond}},
		} {
			r.took = nil
			r.agent.Fault(tenant, c.fault)
			r.status(tenant)
			if !slices.Equal(r.took, c.took) {
				t.Errorf("%s: calls took %s, want %s", c.name, r.took, c.took)
			}
		}
		r.agent.Fault(tenant, ut.Fault{Body: "{}"})
		r.fails(5, tenant, fault.UpstreamInvalidResponse)
		r.took = nil
		if r.fails(1, tenant, fault.CircuitOpen); len(r.took) > 0 {
			t.Errorf("a call that was kept back took %s", r.took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.client.Status(ctx, other); err == nil || len(r.took) > 0 {
			t.Errorf("a call for nobody took %s", r.took)
		}
	})
}

func TestAnOpenBreakerIsReported(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Body: "{}"})
		r.fails(5, tenant, fault.UpstreamInvalidResponse)
		r.metric("esagate.upstream.open_tenant_breakers{}", 1)
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 0)
		if h := r.client.Health(); h != (upstream.Health{Breaker: "closed", OpenTenants: 1}) {
			t.Errorf("%+v", h)
		}
		r.works(other)
		r.network.Store(refused)
		for range 5 {
			r.status(other)
		}
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 2)
		if h := r.client.Health(); h != (upstream.Health{Breaker: "open", Since: time.Now(), OpenTenants: 1, Reached: true}) {
			t.Errorf("%+v", h)
		}
		r.network.Store(up)
		r.mend()
		sleep(2 * time.Second)
		for _, want := range []string{
			`"level":"WARN","msg":"breaker opened","breaker":"tenant","tenant":"tnt_kiosk","after":"invalid"`,
			`"level":"WARN","msg":"breaker opened","breaker":"upstream","after":"unreachable"`,
			`"level":"INFO","msg":"breaker closed","breaker":"upstream","tenants":1`,
		} {
			if strings.Count(r.log.String(), want) != 1 {
				t.Errorf("not logged once: %s\n%s", want, r.log)
			}
		}
	})
}

func TestARefusedKey(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		reported := func(want bool) {
			t.Helper()
			if got := r.client.Health().KeyRefused; got != want {
				t.Errorf("Health reports a refused key: %t, want %t", got, want)
			}
		}
		r.agent.Fault(tenant, ut.Fault{Status: 403, Shape: ut.ShapeHTML})
		r.fails(3, tenant, fault.UpstreamUnauthorized)
		reported(true)
		r.metric("esagate.upstream.key_refusals{}", 3)
		if n := strings.Count(r.log.String(), `"level":"ERROR"`); n != 1 {
			t.Errorf("%d error logs, want one for all:\n%s", n, r.log)
		}
		r.agent.Fault(tenant, ut.Fault{Status: 401}) // in a write, too
		if err := r.client.DeleteWebhook(t.Context(), tenant, "wh"); r.fault(err).Reason != fault.UpstreamUnauthorized {
			t.Errorf("%v", err)
		}
		r.metric("esagate.upstream.key_refusals{}", 4)
		r.agent.Fault(tenant, ut.Fault{Status: 500}) // says nothing about the key
		r.must(tenant, fault.UpstreamError)
		reported(true)
		r.agent.Fault(tenant, ut.Fault{})
		r.works(tenant)
		reported(false)
	})
}

func TestEachAttemptIsASpanAndIsPropagated(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		id, _ := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
		span, _ := trace.SpanIDFromHex("b7ad6b7169203331")
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: id, SpanID: span, TraceFlags: trace.FlagsSampled}))
		r.agent.Script(tenant, ut.Fault{Status: 502, Shape: ut.ShapeHTML}, ut.Fault{})
		if _, err := r.client.Status(ctx, tenant); err != nil {
			t.Fatal(err)
		}
		spans := r.spans.GetSpans()
		if len(spans) != 2 {
			t.Fatalf("%d spans for 2 attempts", len(spans))
		}
		for i, q := range r.agent.Requests() {
			want := "00-" + id.String() + "-" + spans[i].SpanContext.SpanID().String() + "-01"
			if got := q.Header.Get("Traceparent"); got != want {
				t.Errorf("attempt %d carries %q, want %q", i, got, want)
			}
			if spans[i].SpanKind != trace.SpanKindClient || spans[i].Name != "sales agent status" {
				t.Errorf("span %q of kind %v", spans[i].Name, spans[i].SpanKind)
			}
		}
	})
}
