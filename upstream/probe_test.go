package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// pause is long enough for one probe, however jittered, and too short for two.
const pause = 34 * time.Second

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestATenantRecoversInTheBackground(t *testing.T) {
	run(t, upstream.Config{Attempts: 3}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		for range 2 {
			r.status(tenant)
		}
		calls := r.agent.Calls(tenant)
		sleep(30 * time.Second)
		if n := r.agent.Calls(tenant) - calls; n != 0 {
			t.Errorf("%d probes before their time", n)
		}
		sleep(4 * time.Second)
		if n := r.agent.Calls(tenant) - calls; n != 1 {
			t.Errorf("%d probes, want one without retries", n)
		}
		r.must(tenant, fault.CircuitOpen)
		if got := r.recoveries(); len(got) != 0 {
			t.Errorf("recovered: %v", got)
		}

		r.agent.Fault(tenant, ut.Fault{})
		sleep(pause)
		if got := r.recoveries(); !slices.Equal(got, []string{tenant}) {
			t.Errorf("recovered: %v", got)
		}
		calls = r.agent.Calls(tenant)
		r.works(tenant)
		sleep(5 * time.Minute)
		if n := r.agent.Calls(tenant) - calls; n != 1 {
			t.Errorf("%d calls: probing goes on", n)
		}
		r.metric("esagate.upstream.calls{operation=probe,outcome=error}", 1)
		r.metric("esagate.upstream.calls{operation=probe,outcome=ok}", 1)
	})
}

func TestTheUpstreamRecoversInTheBackground(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.works(other)
		r.agent.SetDown(true)
		for range 5 {
			r.status(tenant)
		}
		r.must(other, fault.CircuitOpen)
		before, others := r.agent.Calls(tenant), r.agent.Calls(other)
		r.agent.SetDown(false)
		sleep(pause)
		if n := r.agent.Calls(tenant) - before; n != 1 {
			t.Errorf("%d probes of the tenant that failed last", n)
		}
		if n := r.agent.Calls(other) - others; n != 0 {
			t.Errorf("%d probes of another", n)
		}
		if got := r.recoveries(); !slices.Equal(got, []string{""}) {
			t.Errorf("recovered: %q", got)
		}
		r.works(other)
	})
}

// The upstream answers again, if only to say that it has trouble with that
// tenant, or that there is none any more: that is a recovery of the upstream.
func TestAProbeOfTheUpstreamAsksForAnAnswerOnly(t *testing.T) {
	for name, f := range map[string]ut.Fault{
		"500": {Status: 500},
		"404": {Status: 404, Shape: ut.ShapeProblem, Code: "tenant_not_found"},
		"{}":  {Body: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, ut.Fault{Status: 503})
				r.fails(5, tenant, fault.UpstreamError)
				r.agent.Fault(tenant, f)
				sleep(pause)
				r.works(other)
			})
		})
	}
}

// TestNoReaderIsTheProbe: however many ask while a breaker is open or half open,
// none of them reaches upstream, and none waits.
func TestNoReaderIsTheProbe(t *testing.T) {
	for name, f := range map[string]ut.Fault{"tenant": {Status: 500}, "upstream": {Status: 503}} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, f)
				r.fails(5, tenant, fault.UpstreamError)
				calls := r.agent.Calls(tenant)
				r.agent.Fault(tenant, ut.Fault{Delay: 9 * time.Second}) // keeps the probe on its way
				start := time.Now()
				for time.Since(start) < 40*time.Second {
					before := time.Now()
					e := r.status(tenant)
					if time.Since(before) != 0 {
						t.Fatalf("a reader waited %v, %v after the breaker opened", time.Since(before), time.Since(start))
					}
					if e == nil || e.Reason != fault.CircuitOpen {
						t.Fatalf("a reader got %v", e)
					}
					if len(r.recoveries()) > 0 {
						break
					}
					sleep(500 * time.Millisecond)
					if r.client.Health().Breaker == "closed" && r.client.Health().OpenTenants == 0 {
						break
					}
				}
				if n := r.agent.Calls(tenant) - calls; n != 1 {
					t.Errorf("%d calls, want the probe's alone", n)
				}
			})
		})
	}
}

func TestAHungProbeEndsAndTheNextOneComes(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 503})
		r.fails(5, tenant, fault.UpstreamError)
		r.agent.Fault(tenant, ut.Fault{Hang: true})
		sleep(pause)
		if h := r.client.Health(); h.Breaker != "half_open" {
			t.Errorf("%+v while the probe hangs", h)
		}
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 1)
		sleep(10 * time.Second) // the fetch timeout
		if h := r.client.Health(); h.Breaker != "open" {
			t.Errorf("%+v after the probe", h)
		}
		r.agent.Fault(tenant, ut.Fault{})
		sleep(pause)
		r.works(tenant)
	})
}

// A probe that is told to come back later decides nothing; the next one does.
func TestAProbeThatDecidesNothing(t *testing.T) {
	for name, f := range map[string]ut.Fault{"tenant": {Status: 500}, "upstream": {Status: 503}} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, f)
				r.fails(5, tenant, fault.UpstreamError)
				r.agent.Fault(tenant, ut.Fault{Status: 429, RetryAfter: "1"})
				sleep(pause)
				r.must(tenant, fault.CircuitOpen)
				r.agent.Fault(tenant, ut.Fault{})
				sleep(pause)
				r.works(tenant)
			})
		})
	}
}

// A tenant's probe that the whole upstream's breaker stops is no failure of the
// tenant, and comes again.
func TestATenantsProbeBehindAnOpenUpstream(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Status: 500})
		r.fails(5, tenant, fault.UpstreamError)
		sleep(25 * time.Second)
		r.agent.Fault(other, ut.Fault{Status: 503})
		r.fails(5, other, fault.UpstreamError)
		calls := r.agent.Calls(tenant)
		r.agent.Fault(tenant, ut.Fault{})
		sleep(10 * time.Second)
		if n := r.agent.Calls(tenant) - calls; n != 0 {
			t.Errorf("%d calls through an open breaker", n)
		}
		r.agent.Fault(other, ut.Fault{})
		sleep(2 * pause)
		r.works(tenant)
		r.works(other)
	})
}

func TestCloseEndsTheProbes(t *testing.T) {
	for name, after := range map[string]time.Duration{"waiting": time.Second, "running": pause} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Attempts: 1, FetchTimeout: time.Hour}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, ut.Fault{Status: 503})
				r.fails(5, tenant, fault.UpstreamError)
				r.agent.Fault(tenant, ut.Fault{Hang: true})
				sleep(after)
				calls, start := r.agent.Calls(tenant), time.Now()
				r.client.Close()
				if took := time.Since(start); took != 0 {
					t.Errorf("Close took %v", took)
				}
				sleep(time.Hour)
				if n := r.agent.Calls(tenant) - calls; n != 0 {
					t.Errorf("%d probes after Close", n)
				}
				r.client.Close() // again: nothing happens
			})
		})
	}
}

// TestProbesAreFew: when a hundred tenants' probes come due together, only some
// run at a time.
func TestProbesAreFew(t *testing.T) {
	var now, most atomic.Int32
	var slow atomic.Bool
	transport := func(r *http.Request) (*http.Response, error) {
		if !slow.Load() {
			return respond(200, "{}"), nil
		}
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		select {
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		}
		return respond(200, document()), nil
	}
	alone(t, upstream.Config{Attempts: 1}, transport, func(t *testing.T, r *rig) {
		for i := range 100 {
			r.fails(5, fmt.Sprint("tnt_", i), fault.UpstreamInvalidResponse)
		}
		slow.Store(true)
		sleep(2 * time.Minute)
		if n := most.Load(); n != 16 {
			t.Errorf("%d probes at once", n)
		}
		if n := len(r.recoveries()); n != 100 {
			t.Errorf("%d recoveries", n)
		}
	})
}
