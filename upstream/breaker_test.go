package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// TestWhatOpensWhich: after five failures of one sort, whose calls are refused?
func TestWhatOpensWhich(t *testing.T) {
	const nobody, oneTenant, everybody = 0, 1, 2
	for name, c := range map[string]struct {
		fault ut.Fault
		opens int
	}{
		"500":               {ut.Fault{Status: 500}, oneTenant},
		"no document":       {ut.Fault{Body: "{}"}, oneTenant},
		"HTML":              {ut.Fault{Body: "<p>", ContentType: "text/html"}, oneTenant},
		"too large":         {ut.Fault{Size: 9 << 20}, oneTenant},
		"closed":            {ut.Fault{Drop: true}, everybody},
		"hung":              {ut.Fault{Hang: true}, everybody},
		"cut short":         {ut.Fault{CutShort: true}, everybody},
		"502":               {ut.Fault{Status: 502}, everybody},
		"503":               {ut.Fault{Status: 503}, everybody},
		"504":               {ut.Fault{Status: 504}, everybody},
		"401":               {ut.Fault{Status: 401}, everybody},
		"403 unknown":       {ut.Fault{Status: 403, Shape: ut.ShapeHTML}, everybody},
		"403 known":         {ut.Fault{Status: 403, Shape: ut.ShapeProblem, Code: "managed_tenant_write_blocked"}, nobody},
		"404":               {ut.Fault{Status: 404, Shape: ut.ShapeProblem, Code: "tenant_not_found"}, nobody},
		"404 unknown":       {ut.Fault{Status: 404, Shape: ut.ShapeHTML}, nobody},
		"409":               {ut.Fault{Status: 409}, nobody},
		"422":               {ut.Fault{Status: 422}, nobody},
		"429":               {ut.Fault{Status: 429}, nobody},
		"a redirect":        {ut.Fault{Redirect: "/"}, nobody},
		"a rarer 5xx":       {ut.Fault{Status: 501}, nobody},
		"an unlikely 4xx":   {ut.Fault{Status: 418}, nobody},
		"no failure at all": {ut.Fault{}, nobody},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Attempts: 1, FetchTimeout: time.Second}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, c.fault)
				for range 5 {
					if e := r.status(tenant); e != nil && e.Reason == fault.CircuitOpen {
						t.Fatal("it opened early")
					}
				}
				calls := r.agent.Calls(tenant)
				refused := func(id string) bool {
					e := r.status(id)
					return e != nil && e.Reason == fault.CircuitOpen
				}
				if got := refused(tenant); got != (c.opens > nobody) {
					t.Errorf("this tenant refused: %v", got)
				}
				if got := refused(other); got != (c.opens == everybody) {
					t.Errorf("another tenant refused: %v", got)
				}
				if n := r.agent.Calls(tenant) - calls; c.opens > nobody && n != 0 {
					t.Errorf("%d refused calls reached upstream", n)
				}
				if c.opens == everybody {
					r.metric("esagate.upstream.open_tenant_breakers{}", 0)
				}
			})
		})
	}
}

func TestARefusalSaysWhenTheProbeComes(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(5, tenant, fault.UpstreamError)
		time.Sleep(10 * time.Second)
		e := r.must(tenant, fault.CircuitOpen)
		if e.RetryAfter <= 20*time.Second || e.RetryAfter > 23*time.Second+time.Millisecond { // 30 s and up to a tenth, less 10 s
			t.Errorf("retry after %v", e.RetryAfter)
		}
	})
}

func TestEachAttemptIsCounted(t *testing.T) {
	run(t, upstream.Config{Attempts: 3}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		// The fifth attempt opens the breaker; the sixth is not made, and the call
		// still tells what went wrong.
		r.fails(2, tenant, fault.UpstreamError)
		if n := r.agent.Calls(tenant); n != 5 {
			t.Errorf("%d attempts, want 5", n)
		}
		r.must(tenant, fault.CircuitOpen)
	})
}

func TestASuccessEndsARowOfFailures(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		bad := ut.Fault{Status: 500}
		for range 3 {
			r.agent.Script(tenant, bad, bad, bad, bad)
			r.fails(4, tenant, fault.UpstreamError)
			r.works(tenant)
			time.Sleep(20 * time.Second) // or the ratio would open it
		}
	})
}

func TestARateLimitEndsNoRowOfFailures(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		bad, limited := ut.Fault{Status: 502}, ut.Fault{Status: 429}
		r.agent.Script(tenant, bad, bad, bad, bad, limited, bad)
		r.fails(6, tenant, fault.UpstreamError)
		r.must(tenant, fault.CircuitOpen)
	})
}

// A failure of the whole upstream between a tenant's own is no sign that the
// tenant is well.
func TestAnUpstreamFailureEndsNoRowOfATenants(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		own, all := ut.Fault{Status: 500}, ut.Fault{Status: 502}
		r.agent.Script(tenant, own, own, own, own, all, own)
		r.fails(6, tenant, fault.UpstreamError)
		r.must(tenant, fault.CircuitOpen)
		r.works(other)
	})
}

func TestTheRatioOpens(t *testing.T) {
	cfg := upstream.Config{Attempts: 1, Breaker: upstream.BreakerConfig{ConsecutiveFailures: 100}}
	run(t, cfg, func(t *testing.T, r *rig) {
		for range 10 { // 19 requests: 10 good, 9 bad
			r.works(tenant)
		}
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(9, tenant, fault.UpstreamError)
		r.must(tenant, fault.UpstreamError) // the twentieth: half of them
		r.must(tenant, fault.CircuitOpen)
	})
}

func TestTheRatioOfTooFewRequestsDoesNotOpen(t *testing.T) {
	cfg := upstream.Config{Attempts: 1, Breaker: upstream.BreakerConfig{ConsecutiveFailures: 100}}
	run(t, cfg, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(19, tenant, fault.UpstreamError)
	})
}

func TestTheWindowRolls(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		// Every 10 s one failure: never more than four within 30 s.
		for range 20 {
			r.must(tenant, fault.UpstreamError)
			time.Sleep(10 * time.Second)
		}
		// One, two and three, 20 and 15 s apart: a fixed window that began with the
		// first would be over before the third.
		time.Sleep(time.Minute)
		r.must(tenant, fault.UpstreamError)
		time.Sleep(20 * time.Second)
		r.fails(2, tenant, fault.UpstreamError)
		time.Sleep(15 * time.Second)
		r.fails(3, tenant, fault.UpstreamError)
		r.must(tenant, fault.CircuitOpen)
	})
}

func TestACallersCancellationIsNotCounted(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Hang: true})
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			if _, err := r.client.Status(ctx, tenant); err == nil {
				t.Fatal("it succeeded")
			}
		}
		for range 20 { // no time left to ask at all
			ctx, cancel := context.WithTimeout(t.Context(), 0)
			if _, err := r.client.Status(ctx, tenant); r.fault(err).Reason != fault.UpstreamTimeout {
				t.Fatal(err)
			}
			cancel()
		}
		r.agent.Fault(tenant, ut.Fault{})
		r.works(tenant)
	})
}

// TestABreakerThatIsOpenIsKept: among many more tenants than are kept, the one
// whose breaker is open stays, and the set stays bounded.
func TestABreakerThatIsOpenIsKept(t *testing.T) {
	var bad atomic.Bool
	transport := func(*http.Request) (*http.Response, error) {
		if bad.Load() {
			return respond(200, "{}"), nil
		}
		return respond(404, `{"error":"tenant_not_found"}`), nil
	}
	alone(t, upstream.Config{Attempts: 1}, transport, func(t *testing.T, r *rig) {
		bad.Store(true)
		r.fails(5, tenant, fault.UpstreamInvalidResponse)
		r.fails(4, other, fault.UpstreamInvalidResponse)
		bad.Store(false)
		for i := range 10_000 {
			r.must(fmt.Sprint("tnt_", i), fault.TenantNotFound)
		}
		r.must(tenant, fault.CircuitOpen)
		bad.Store(true)
		r.fails(5, other, fault.UpstreamInvalidResponse) // its four failures went with its breaker
		r.must(other, fault.CircuitOpen)
	})
}
