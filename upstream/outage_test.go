package upstream_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// failures are the ways in which one tenant's reads can fail.
var failures = map[string]ut.Fault{
	"500":       {Status: 500},
	"504":       {Status: 504},
	"cut short": {CutShort: true},
	"closed":    {Drop: true},
	"hung":      {Hang: true},
	"no JSON":   {Body: "<p>", ContentType: "text/html"},
	"403":       {Status: 403, Shape: ut.ShapeHTML},
}

// One tenant or four fail, of twenty that are known, busy or not read for minutes. All others
// are served, also those that were never read.
func TestFailingTenants(t *testing.T) {
	for name, f := range failures {
		for _, c := range []struct {
			known, sick int
			busy        bool
		}{{20, 1, false}, {20, 4, false}, {20, 4, true}, {1, 1, false}} {
			if name == "403" && c.known == 1 {
				continue // the only known tenant is refused: that counts as our key refused
			}
			t.Run(name, func(t *testing.T) {
				run(t, upstream.Config{FetchTimeout: 2 * time.Second}, func(t *testing.T, r *rig) {
					ids := r.publishers(c.known + 5)
					for _, id := range ids[:c.known] {
						r.works(id)
						sleep(time.Millisecond) // probes prefer the one that was read last
					}
					sleep(time.Minute)
					for _, id := range ids[:c.sick] {
						r.agent.Fault(id, f)
					}
					for _, cold := range ids[c.known:] {
						for range 2 {
							for _, id := range ids[:c.sick] {
								r.status(id)
							}
						}
						if c.busy {
							r.works(ids[c.sick:c.known]...)
						}
						r.works(cold)
						sleep(10 * time.Second)
					}
				})
			})
		}
	}
}

// outages are the ways in which the whole upstream can be away.
var outages = map[string]outage{
	"refused": {network: refused},
	"silent":  {network: silent},
	"closed":  {down: true},
	"hung":    {fault: ut.Fault{Hang: true}},
	"504":     {fault: ut.Fault{Status: 504}},
	"the key": {fault: ut.Fault{Status: 401}},
}

type outage struct {
	network int32
	down    bool
	fault   ut.Fault
}

// suffer begins an outage; outage{} ends it.
func (r *rig) suffer(o outage) {
	r.network.Store(o.network)
	r.agent.SetDown(o.down)
	r.agent.Fault("", o.fault)
}

// readers reads each tenant, as a cache does: at once again after five seconds when it
// went well, later each time when it did not, at once after a recovery.
func (r *rig) readers(ids []string, until time.Duration) {
	var all sync.WaitGroup
	end := time.Now().Add(until)
	for _, id := range ids {
		all.Go(func() {
			next := 5 * time.Second
			for time.Now().Before(end) {
				known, pause := len(r.recoveries()), 5*time.Second
				if r.status(id) == nil {
					next = pause
				} else {
					pause, next = next, min(2*next, 15*time.Second)
				}
				for due := time.Now().Add(pause); time.Now().Before(due) && time.Now().Before(end); {
					time.Sleep(100 * time.Millisecond)
					if len(r.recoveries()) > known {
						break
					}
				}
			}
		})
	}
	all.Wait()
}

// Within two seconds of upstream's return every tenant is served again, also one that was
// never read, and OnRecover was called.
func TestRecovery(t *testing.T) {
	for name, o := range outages {
		for _, tenants := range []int{1, 3, 12} {
			for _, lasts := range []time.Duration{2 * time.Second, 10 * time.Second, time.Minute} {
				t.Run(name, func(t *testing.T) {
					run(t, upstream.Config{}, func(t *testing.T, r *rig) {
						ids := r.publishers(tenants)
						r.works(ids...)
						r.suffer(o)
						r.readers(ids, lasts)
						synctest.Wait()
						before := len(r.recoveries())
						r.suffer(outage{})
						sleep(2 * time.Second)
						r.works(append(ids, tenant)...)
						got := r.recoveries()[before:]
						for _, id := range ids {
							if !slices.Contains(got, "") && !slices.Contains(got, id) {
								t.Errorf("%d tenants, %v: no call of OnRecover for %s: %q", tenants, lasts, id, got)
							}
						}
						calls := len(r.agent.Requests())
						sleep(5 * time.Minute)
						if n := len(r.agent.Requests()) - calls; n > 3 { // hung ones may follow
							t.Errorf("%d tenants, %v: %d calls: probing goes on", tenants, lasts, n)
						}
					})
				})
			}
		}
	}
}

// Nearly all tenants failing opens the whole upstream's breaker, once a probe of a tenant that
// was not failing has failed too. Readers are then refused at once.
func TestNearlyAllTenantsFailing(t *testing.T) {
	runEach(t, failures, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, f ut.Fault) {
		ids := r.publishers(20)
		r.works(ids...)
		r.agent.Fault("", f)
		for range 2 {
			var all sync.WaitGroup
			for _, id := range ids[:19] {
				all.Go(func() { r.status(id) })
			}
			all.Wait()
			sleep(15 * time.Second)
		}
		r.metric("esagate.upstream.breaker_state{breaker=upstream}", 2)
		start := time.Now()
		if r.must(tenant, fault.CircuitOpen); time.Since(start) != 0 {
			t.Error("a reader waited")
		}
		r.agent.Fault("", ut.Fault{})
		sleep(2 * time.Second)
		r.works(ids...)
	})
}

// Four failing tenants open no breaker but their own, though no others are known.
func TestFewTenantsDoNotOpenTheUpstreams(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault("", ut.Fault{Status: 503})
		for _, id := range r.publishers(4) {
			r.fails(5, id, fault.UpstreamError)
			r.must(id, fault.CircuitOpen)
		}
		r.agent.Fault("", ut.Fault{})
		r.works(tenant)
	})
}

// Reads that began before the last recovery and fail after it count for no breaker.
func TestReadsFromBeforeARecoveryDoNotCount(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(10)
		r.agent.Fault("", ut.Fault{Hang: true})
		var all sync.WaitGroup
		for _, id := range ids {
			for range 5 {
				all.Go(func() { r.status(id) })
			}
		}
		synctest.Wait()
		r.network.Store(refused)
		r.fails(5, tenant, fault.UpstreamUnreachable)
		sleep(3 * time.Second)
		r.must(ids[0], fault.CircuitOpen)
		r.network.Store(up)
		r.agent.Fault("", ut.Fault{})
		sleep(2 * time.Second)
		all.Wait()
		sleep(0)
		if h := r.client.Health(); h.Breaker != "closed" {
			t.Errorf("%+v", h)
		}
		r.works(other)
	})
}
