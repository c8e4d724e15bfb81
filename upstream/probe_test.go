package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// opening is a breaker that opens when tenant's reads fail so, and its OnRecover.
type opening struct {
	fault     ut.Fault
	recovered string
}

var openings = map[string]opening{
	"tenant":   {ut.Fault{Status: 500}, tenant},
	"upstream": {ut.Fault{Status: 401}, ""},
}

// open opens a breaker.
func (r *rig) open(c opening) {
	r.agent.Fault(tenant, c.fault)
	for range 5 {
		r.status(tenant)
	}
}

// mend ends tenant's failing.
func (r *rig) mend() { r.agent.Fault(tenant, ut.Fault{}) }

// Probes start a second after the opening, about one a second for a minute, each a single
// attempt. Then they become rarer, and they stop once the breaker has closed.
func TestProbeSchedule(t *testing.T) {
	runEach(t, openings, upstream.Config{Attempts: 3}, func(t *testing.T, r *rig, c opening) {
		opening := time.Now() // the first failed read may begin the probing
		r.open(c)
		if e := r.must(tenant, fault.CircuitOpen); e.RetryAfter < time.Second || e.RetryAfter > 1250*time.Millisecond {
			t.Errorf("retry after %v", e.RetryAfter)
		}
		probes := len(r.agent.Requests())
		sleep(30 * time.Minute)
		if e := r.must(tenant, fault.CircuitOpen); e.RetryAfter < time.Second || e.RetryAfter > 30*time.Second {
			t.Errorf("later: retry after %v", e.RetryAfter)
		}
		var at []time.Duration
		for _, q := range r.agent.Requests()[probes:] {
			at = append(at, q.At.Sub(opening))
		}
		last := time.Duration(0)
		for i, d := range at {
			least, most := time.Second, 1250*time.Millisecond
			switch {
			case i == 0:
				most += 300 * time.Millisecond // of retries
			case d > 3*time.Minute:
				least, most = 24*time.Second, 30*time.Second
			case d > 65*time.Second:
				most = 30 * time.Second
			}
			if d-last < least || d-last > most {
				t.Fatalf("probe %d comes at %v, %v after the one before", i, d, d-last)
			}
			last = d
		}
		if got := r.recoveries(); len(got) != 0 {
			t.Errorf("recovered: %q", got)
		}
		r.mend()
		sleep(30 * time.Second)
		if got := r.recoveries(); !slices.Equal(got, []string{c.recovered}) {
			t.Errorf("recovered: %q", got)
		}
		calls := r.agent.Calls(tenant)
		r.works(tenant)
		sleep(5 * time.Minute)
		if n := r.agent.Calls(tenant) - calls; n != 1 {
			t.Errorf("%d calls: probing goes on", n)
		}
		r.metric("esagate.upstream.calls{operation=probe,outcome=ok}", 1)
	})
}

// While a breaker is open no reader reaches upstream, and none waits, also during a probe.
func TestReadersNeverProbe(t *testing.T) {
	runEach(t, openings, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, c opening) {
		r.open(c)
		calls := r.agent.Calls(tenant)
		r.agent.Fault(tenant, ut.Fault{Delay: 800 * time.Millisecond})
		for len(r.recoveries()) == 0 {
			start := time.Now()
			if r.must(tenant, fault.CircuitOpen); time.Since(start) != 0 {
				t.Fatalf("a reader waited %v", time.Since(start))
			}
			sleep(100 * time.Millisecond)
		}
		if n := r.agent.Calls(tenant) - calls; n != 1 {
			t.Errorf("%d calls, want the probe's alone", n)
		}
	})
}

// The next probe does not wait for one that hangs, a 429 decides nothing, and an upstream that
// needs longer than a quick probe may take is found well all the same.
func TestProbesThatDecideNothing(t *testing.T) {
	runEach(t, openings, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, c opening) {
		for _, f := range []ut.Fault{{Hang: true}, {Status: 429, RetryAfter: "1"}} {
			r.open(c)
			r.agent.Fault(tenant, f)
			sleep(15 * time.Second)
			r.must(tenant, fault.CircuitOpen)
			r.mend()
			sleep(2 * time.Second)
			r.works(tenant)
			sleep(10 * time.Second) // the hung one ends
		}
		r.open(c)
		r.agent.Fault(tenant, ut.Fault{Delay: 4 * time.Second})
		sleep(6 * time.Second)
		r.works(tenant)
	})
}

// A reader's call that hangs is made again once a probe beside it was answered. An upstream
// that is always slow is not probed.
func TestAHungCall(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		r.agent.Script(tenant, ut.Fault{Hang: true})
		start := time.Now()
		r.works(tenant)
		if took := time.Since(start); took > 2200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if n := r.agent.Calls(tenant); n != 3 {
			t.Errorf("%d calls, want the hung one, a probe and the second", n)
		}

		r.agent.Fault(tenant, ut.Fault{Delay: 3 * time.Second})
		r.works(tenant) // probed, in vain
		calls := r.agent.Calls(tenant)
		r.works(tenant)
		r.works(tenant)
		sleep(time.Minute)
		if n := r.agent.Calls(tenant) - calls; n != 2 {
			t.Errorf("%d calls for two slow readers", n)
		}
	})
}

// Beside a reader's call that hangs no probe takes longer than a quick one may.
func TestProbesBesideAHungCallAreQuick(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Hang: true})
		r.status(tenant)
		if _, most := r.agent.InFlightStatus(tenant); most != 2 {
			t.Errorf("%d status calls at once", most)
		}
	})
}

// When many calls have hung each is made again, however few retries the budget allows.
func TestManyHungCalls(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		ids := r.publishers(200)
		r.agent.Fault("", ut.Fault{Hang: true})
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() {
				ctx := upstream.WithDemand(context.Background(), upstream.Demand{CopyFrom: time.Now()}) // or it waits for 3 s at most
				if _, err := r.client.Status(ctx, id); err != nil {
					t.Error(err)
				}
			})
		}
		sleep(4 * time.Second)
		r.agent.Fault("", ut.Fault{})
		start := time.Now()
		all.Wait()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Probes of the whole upstream read the tenant that succeeded last, then the others in turn,
// so that no failing tenant keeps the breaker open.
func TestWhichTenantsUpstreamProbesRead(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(6)
		for _, id := range ids {
			r.works(id)
			time.Sleep(time.Second)
		}
		r.agent.Fault("", ut.Fault{Status: 401})
		for _, id := range ids[:2] { // they fail last, and are probed last
			r.fails(4, id, fault.UpstreamUnauthorized)
		}
		sleep(7 * time.Second)
		var probed []string
		for _, q := range r.agent.Requests()[14:] {
			if len(probed) > 0 || !slices.Contains(ids[:2], q.TenantID) { // at first the failing tenants themselves are probed
				probed = append(probed, q.TenantID)
			}
		}
		if want := []string{ids[5], ids[4], ids[3], ids[2]}; len(probed) < 5 || !slices.Equal(probed[:4], want) {
			t.Errorf("probed %q", probed)
		}
		r.must(tenant, fault.CircuitOpen)
		for _, id := range ids[1:] {
			r.agent.Fault(id, ut.Fault{Drop: true})
		}
		r.agent.Fault("", ut.Fault{})
		sleep(8 * time.Second)
		r.works(ids[0])
	})
}

// When upstream could not be reached, or refused our key, any other answer to a probe
// shows that it is back, even if this tenant still fails.
func TestAnyAnswerClosesTheUpstreamsBreaker(t *testing.T) {
	runEach(t, map[string]ut.Fault{
		"500": {Status: 500},
		"404": {Status: 404, Shape: ut.ShapeProblem, Code: "tenant_not_found"},
		"{}":  {Body: "{}"},
	}, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, f ut.Fault) {
		r.network.Store(refused)
		r.fails(5, tenant, fault.UpstreamUnreachable)
		r.agent.Fault(tenant, f)
		r.network.Store(up)
		sleep(2 * time.Second)
		r.works(other)
	})
}

// A tenant's probe is not made while the whole upstream's breaker is open.
func TestNoTenantProbesWhileTheUpstreamIsOpen(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.open(openings["tenant"])
		r.agent.Fault(other, ut.Fault{Status: 401})
		r.fails(5, other, fault.UpstreamUnauthorized)
		r.agent.Fault(tenant, ut.Fault{Status: 401})
		sleep(5 * time.Second)
		r.must(other, fault.CircuitOpen)
		r.metric("esagate.upstream.calls{operation=probe,outcome=circuit_open}", 0)
		r.mend()
		sleep(3 * time.Second)
		r.works(tenant)
	})
}

func TestCloseEndsTheProbes(t *testing.T) {
	cfg := upstream.Config{Attempts: 1, FetchTimeout: time.Hour}
	runEach(t, map[string]time.Duration{
		"waiting": 500 * time.Millisecond,
		"running": 2 * time.Second,
	}, cfg, func(t *testing.T, r *rig, after time.Duration) {
		r.open(openings["upstream"])
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
}

// Of many hanging tenants a bounded number is probed at the same time, and when they are
// well all are served again at once.
func TestConcurrentProbesAreBounded(t *testing.T) {
	var now, most atomic.Int32
	var broken, hanging atomic.Bool
	transport := func(r *http.Request) (*http.Response, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		switch {
		case hanging.Load():
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		case broken.Load():
			return respond(200, "{}"), nil
		}
		return respond(200, document()), nil
	}
	alone(t, upstream.Config{Attempts: 1}, transport, func(t *testing.T, r *rig) {
		for i := range 2000 { // or the whole upstream's breaker would open
			r.works(fmt.Sprint("well_", i))
		}
		broken.Store(true)
		for i := range 200 {
			r.fails(5, fmt.Sprint("tnt_", i), fault.UpstreamInvalidResponse)
		}
		hanging.Store(true)
		sleep(30 * time.Second)
		if n := most.Load(); n != 32 { // 16 that may take as long as a read
			t.Errorf("%d probes at once", n)
		}
		hanging.Store(false)
		broken.Store(false)
		sleep(2500 * time.Millisecond)
		if n := len(r.recoveries()); n != 200 {
			t.Errorf("%d recoveries", n)
		}
	})
}
