package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"pgregory.net/rapid"

	"esagate/api/apitest"
	"esagate/internal/operations"
	"esagate/transform/shape/shapetest"
	"esagate/upstream/upstreamtest"
)

// What the sales agent puts where nobody has declared anything comes out nowhere, nor does a secret in its texts.
func TestNothingUndeclaredOfAdServersComesOut(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope, tracing: tracing}, func(w *world) {
			w.all("", func(t testing.TB, o *operations.Operation) {
				if a, s := w.operate(o, undeclared), samples[o.ID]; a.status != s.status {
					t.Errorf("%d %s", a.status, a.body)
				}
				w.agent.Script(tenant)
				w.pass(10 * time.Minute) // what is kept is old
			})
			w.noCanaryBeside(spans)
		})
	}
}

// noCanaryBeside looks for planted secrets where noCanary does not.
func (w *world) noCanaryBeside(spans *tracetest.InMemoryExporter) {
	w.Helper()
	_, _ = w.seen.Write(w.do("GET", "/metrics").body)
	traced := spans.GetSpans()
	if text := fmt.Sprintf("%+v", traced); strings.Contains(text, "CANARY") || len(traced) == 0 {
		w.Errorf("of %d spans one has a planted secret", len(traced))
	}
}

// refusingBodies are errors of the sales agent, in all shapes, with a secret in every text.
func refusingBodies() []string {
	bodies := []string{
		`{"error":"password=CANARY"}`, `"CANARY"`, `["CANARY"]`, `CANARY`, ``, `{"detail":"CANARY"}`, `<html>CANARY</html>`,
		`[{"loc":["body","token CANARY"],"msg":"secret=CANARY","type":"CANARY","input":"CANARY"},{"loc":["body","name"],"msg":"password=CANARY"}]`,
		`{"error":"validation_error","message":"secret=CANARY","details":[{"loc":["body","name"],"msg":"token: CANARY"}]}`,
	}
	for _, code := range []string{
		"routing_rule_not_found", "media_buy_not_found", "wholesale_product_not_found", "signal_mapping_not_found",
		"routing_rule_duplicate", "wholesale_product_exists", "inventory_profile_conflict", "signal_mapping_exists", "signal_mapping_in_use",
		"invalid_signal_mapping", "invalid_wholesale_product", "brand_house_required", "invalid_advertiser_id", "invalid_advertiser_name",
		"unsupported_selector_type", "unsupported_signal_candidate_type", "invalid_pagination", "signal_id_mismatch", "wholesale_product_id_mismatch",
		"adapter_not_configured", "adapter_invalid_credentials", "adapter_upstream_unavailable", "managed_tenant_write_blocked", "token=CANARY",
	} {
		bodies = append(bodies, `{"error":"`+code+`","message":"secret=CANARY","details":{"issues":[{"code":"CANARY CANARY","field":"password=CANARY",
			"message":"password=CANARY","severity":"CANARY"}],"supported":["CANARY value","x=CANARY"],"active_references":"CANARY","CANARY":"CANARY"}}`)
	}
	return bodies
}

func TestNoErrorOfTheSalesAgentsComesOut(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	inWorld(t, setup{tracing: tracing}, func(w *world) {
		begin, statuses := 0, []int{400, 404, 409, 422, 403, 500, 503, 429, 418}
		w.all("", func(t testing.TB, o *operations.Operation) {
			s := samples[o.ID]
			for i, body := range refusingBodies() {
				w.agent.Fault(tenant, upstreamtest.Fault{Status: statuses[(begin+i)%len(statuses)], Body: body, ContentType: "application/json"})
				if a := w.write(o.Method, s.path(o), s.body); a.status < 400 && len(s.says) > 0 || a.status == 500 || a.status == 401 {
					t.Errorf("%s: %d %s", body, a.status, a.body)
				}
				w.pass(10 * time.Second) // breakers let calls through again
			}
			begin++
			w.agent.Fault(tenant, upstreamtest.Fault{})
		})
		w.noCanaryBeside(spans)
	})
}

// Whatever the sales agent says, the answer is one of the contract's.
func TestWhateverTheSalesAgentSays(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			rapid.Check(caseOf{w.TB, "drawn"}, func(rt *rapid.T) {
				o := rapid.SampledFrom(operations.Table()).Draw(rt, "operation")
				s := samples[o.ID]
				f := upstreamtest.Fault{
					Status:      rapid.SampledFrom([]int{200, 200, 200, 201, 202, 204, 206, 301, 304, 400, 403, 404, 409, 410, 422, 429, 500, 502, 503}).Draw(rt, "status"),
					ContentType: rapid.SampledFrom([]string{"", "", "", "application/json; charset=utf-8", "text/html", "application/problem+json", "x"}).Draw(rt, "content type"),
					Body:        saying(o).Draw(rt, "body"),
				}
				w.agent.Fault(tenant, f)
				defer w.agent.Fault(tenant, upstreamtest.Fault{})
				for _, key := range []string{writeKey, readKey} {
					r := request(o.Method, s.path(o), key, s.body)
					a := w.unvalidated(r)
					if envelope {
						apitest.ValidateEnveloped(drawn{w.TB, rt}, r, a.status, a.header, a.body)
					} else {
						apitest.Validate(drawn{w.TB, rt}, r, a.status, a.header, a.body)
					}
					if a.status == http.StatusInternalServerError {
						rt.Fatalf("%s: %s", o.ID, a.body)
					}
				}
				w.pass(6 * time.Minute)
			})
		})
	}
}

// saying draws what the sales agent may say to an operation: a document of the form that it should have, or the sample's,
// perhaps with something changed; an error; or anything.
func saying(o *operations.Operation) *rapid.Generator[string] {
	return rapid.Custom(func(rt *rapid.T) string {
		document := ""
		schema, faults := o.Successes[len(o.Successes)-1].Schema, samples[o.ID].faults(undeclared)
		switch kind := rapid.IntRange(0, 9).Draw(rt, "kind"); {
		case kind == 0:
			return rapid.OneOf(rapid.String(), rapid.SampledFrom(refusingBodies())).Draw(rt, "anything")
		case kind < 5 && schema != nil:
			document = string(shapetest.Upstream(rt, schema))
		case len(faults) > 0:
			document = rapid.SampledFrom(faults).Draw(rt, "document").Body
		}
		if document != "" && rapid.Bool().Draw(rt, "faulty") {
			document = string(shapetest.Mutate(rt, []byte(document)))
		}
		return document
	})
}

// drawn makes a failure of a check one of a drawn case.
type drawn struct {
	testing.TB
	of *rapid.T
}

func (d drawn) Errorf(format string, args ...any) { d.of.Fatalf(format, args...) }
func (d drawn) Fatalf(format string, args ...any) { d.of.Fatalf(format, args...) }
