package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// refuses reports whether a breaker keeps back a status read.
func (r *rig) refuses(id string) bool {
	e := r.status(id)
	return e != nil && e.Reason == fault.CircuitOpen
}

func TestEachAttemptIsCounted(t *testing.T) {
	run(t, upstream.Config{Attempts: 3}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		// The fifth attempt opens the breaker; the sixth is not made, and the call
		// still reports what went wrong.
		r.fails(2, tenant, fault.UpstreamError)
		if n := r.agent.Calls(tenant); n != 5 {
			t.Errorf("%d attempts, want 5", n)
		}
		r.must(tenant, fault.CircuitOpen)
	})
}

// TestRowsOfFailures lists what ends a row of a tenant's failures, and what does not.
func TestRowsOfFailures(t *testing.T) {
	type row struct {
		between ut.Fault
		network int32
		opens   bool
	}
	runEach(t, map[string]row{
		"a good answer":    {ut.Fault{}, up, false},
		"no such tenant":   {ut.Fault{Status: 404, Shape: ut.ShapeProblem, Code: "tenant_not_found"}, up, false},
		"a rate limit":     {ut.Fault{Status: 429}, up, true},
		"no connection":    {ut.Fault{}, refused, true},
		"another key":      {ut.Fault{Status: 401}, up, true},
		"a failure itself": {ut.Fault{Status: 504}, up, true},
	}, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, c row) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(4, tenant, fault.UpstreamError)
		r.agent.Script(tenant, c.between)
		r.network.Store(c.network)
		r.status(tenant)
		r.network.Store(up)
		r.agent.Script(tenant)
		r.status(tenant)
		if got := r.refuses(tenant); got != c.opens {
			t.Errorf("refused: %v", got)
		}
		r.works(other)
	})
}

func TestTheRatioOpens(t *testing.T) {
	cfg := upstream.Config{Attempts: 1, Breaker: upstream.BreakerConfig{ConsecutiveFailures: 100}}
	run(t, cfg, func(t *testing.T, r *rig) {
		for range 10 { // 19 requests: 10 good, 9 bad
			r.works(tenant)
		}
		for _, id := range []string{tenant, other} {
			r.agent.Fault(id, ut.Fault{Status: 500})
		}
		r.fails(9, tenant, fault.UpstreamError)
		r.must(tenant, fault.UpstreamError) // the twentieth: half of them
		r.must(tenant, fault.CircuitOpen)
		r.fails(19, other, fault.UpstreamError) // too few
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

// Calls whose outcome a customer decides open no breaker and say nothing about our key. An
// open breaker keeps them back.
func TestCallsThatACustomerDecides(t *testing.T) {
	answers := map[string]roundTrip{
		"a page with 403": gives(403, "<h1>Request blocked</h1>", "Content-Type", "text/html"),
		"a 502":           gives(502, ""),
		"no more":         breaks(http.ErrServerClosed),
		"too late":        hang,
	}
	each(t, every, func(t *testing.T, m madeCall) {
		for name, bad := range answers {
			good := func(*http.Request) (*http.Response, error) { return respond(200, document()), nil }
			answer := bad
			alone(t, upstream.Config{Attempts: 1}, func(q *http.Request) (*http.Response, error) { return answer(q) }, func(t *testing.T, r *rig) {
				for range 10 {
					_, err := m.call(t.Context(), r.client, tenant)
					e := r.fault(err)
					if e == nil || e.Reason == fault.CircuitOpen || name == "a page with 403" && e.Reason != fault.UpstreamError {
						t.Fatalf("%s: %v", name, err)
					}
				}
				answer = good
				r.works(tenant)
				if h := r.client.Health(); h.Breaker != "closed" || h.OpenTenants != 0 || h.KeyRefused {
					t.Errorf("%s: %+v", name, h)
				}
				answer = breaks(syscall.ECONNREFUSED)
				r.fails(5, tenant, fault.UpstreamUnreachable)
				_, err := m.call(t.Context(), r.client, tenant)
				if e := r.fault(err); e == nil || e.Reason != fault.CircuitOpen || !upstream.NotSent(err) {
					t.Errorf("while the breaker is open: %v", err)
				}
			})
		}
	})
}

// The set of breakers is bounded. One that is probed stays; one that is not used is dropped
// with its probes.
func TestManyTenants(t *testing.T) {
	transport := func(q *http.Request) (*http.Response, error) {
		if strings.HasSuffix(q.URL.Path, "/"+tenant+"/status") {
			return respond(200, "{}"), nil
		}
		return respond(404, `{"error":"tenant_not_found"}`), nil
	}
	alone(t, upstream.Config{Attempts: 1}, transport, func(t *testing.T, r *rig) {
		next := 0
		read := func(n int) {
			for range n {
				next++
				r.must(fmt.Sprint("tnt_", next), fault.TenantNotFound)
			}
		}
		r.fails(5, tenant, fault.UpstreamInvalidResponse)
		for range 2 {
			read(5100)
			sleep(2 * time.Second)
		}
		r.must(tenant, fault.CircuitOpen)
		read(10_000)
		if n := r.client.Health().OpenTenants; n != 0 {
			t.Errorf("%d breakers are open", n)
		}
		probes := r.metrics()["esagate.upstream.calls{operation=probe,outcome=invalid}"]
		sleep(time.Minute)
		r.metric("esagate.upstream.calls{operation=probe,outcome=invalid}", probes)
		r.must(tenant, fault.UpstreamInvalidResponse)
	})
}
