package upstream_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// replicas runs a test with three replicas' clients that tell each other what they have found. Each has
// the way to the sales agent, and the sales agent, for itself.
func replicas(t *testing.T, f func(t *testing.T, a *rig, others []*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rigs := make([]*rig, 3)
		for i := range rigs {
			rigs[i] = newRigOf(t, upstream.Config{Attempts: 1}, ut.Options{})
		}
		for _, r := range rigs {
			for _, other := range rigs {
				if other != r {
					r.others = append(r.others, other.client)
				}
			}
			r.publishers(6)
			r.works(tenant, other, "tnt_00")
		}
		f(t, rigs[0], rigs[1:])
	})
}

// tellOthers has the other replicas' clients hear what this one has found.
func (r *rig) tellOthers(began bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outages = append(r.outages, began)
	for _, o := range r.others {
		o.OutageElsewhere(began)
	}
}

// opens has the first replica find an outage.
func (r *rig) opens() {
	r.t.Helper()
	for range 100 {
		for _, id := range []string{tenant, other, "tnt_00", "tnt_01", "tnt_02", "tnt_03", "tnt_04", "tnt_05"} {
			go r.status(id)
		}
		if sleep(200 * time.Millisecond); r.client.Health().Breaker == "open" {
			return
		}
	}
	r.t.Fatal("the breaker does not open")
}

// An outage that one replica finds opens the breakers of all within a second, and what ends it for one
// ends it for all at once.
func TestAnOutageIsOneForAllReplicas(t *testing.T) {
	for name, o := range outages {
		t.Run(name, func(t *testing.T) {
			replicas(t, func(t *testing.T, a *rig, others []*rig) {
				all := append(others, a)
				for _, r := range all {
					r.suffer(o)
				}
				a.opens()
				sleep(time.Second - 200*time.Millisecond)
				for _, r := range others {
					start := time.Now()
					if r.must(tenant, fault.CircuitOpen); time.Since(start) != 0 {
						t.Error("a reader waited")
					}
					if len(r.outages) > 0 {
						t.Error("what another replica has found was told on")
					}
				}
				if !slices.Equal(a.outages, []bool{true}) {
					t.Errorf("told %v", a.outages)
				}
				if name == "504" { // without readers a probe can't tell long whether it is more than its own tenant's
					sleep(10 * time.Second)
				} else {
					sleep(5 * time.Minute) // probes have become rare
				}
				for _, r := range all {
					r.suffer(outage{})
				}
				first := func(r *rig) bool { return r.client.Health().Breaker == "closed" }
				for began := time.Now(); !slices.ContainsFunc(all, first); sleep(10 * time.Millisecond) {
					if time.Since(began) > time.Minute {
						t.Fatal("it never closes")
					}
				}
				sleep(10 * time.Millisecond)
				ends := 0
				for _, r := range all {
					if h := r.client.Health(); h.Breaker != "closed" {
						t.Errorf("%+v", h)
					}
					for _, began := range r.outages {
						if !began {
							ends++
						}
					}
				}
				if ends == 0 || ends > 2 {
					t.Errorf("the end was told %d times", ends)
				}
			})
		})
	}
}

// What goes wrong between one replica and the sales agent refuses no call of another replica's, however
// often it is told.
func TestAnotherReplicasOwnOutage(t *testing.T) {
	for name, o := range outages {
		t.Run(name, func(t *testing.T) {
			replicas(t, func(t *testing.T, a *rig, others []*rig) {
				a.suffer(o)
				a.opens()
				for range 30 {
					for _, r := range others {
						r.client.OutageElsewhere(true)
						r.works(tenant, other)
					}
					sleep(100 * time.Millisecond)
				}
				for _, r := range others {
					if len(r.recoveries()) > 0 || r.client.Health().Breaker != "closed" {
						t.Errorf("%q %+v", r.recoveries(), r.client.Health())
					}
					calls := len(r.agent.Requests())
					if calls > 3+60+31 { // a probe each time
						t.Errorf("%d calls", calls)
					}
					a.client.OutageElsewhere(false) // looked into, and not believed
				}
				sleep(time.Second)
				a.must(tenant, fault.CircuitOpen)
			})
		})
	}
}

// A replica that has read nothing yet opens its breaker too, and closes it when the sales agent is back.
func TestAnotherReplicasWordToANewClient(t *testing.T) {
	runEach(t, outages, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig, o outage) {
		r.suffer(o)
		r.client.OutageElsewhere(true)
		sleep(time.Second)
		start := time.Now()
		if r.must(tenant, fault.CircuitOpen); time.Since(start) != 0 || len(r.outages) > 0 {
			t.Errorf("a reader waited %v; told %v", time.Since(start), r.outages)
		}
		r.suffer(outage{})
		sleep(2 * time.Second)
		r.works(tenant, other)
	})
}

// Where the sales agent answers a replica that has read nothing yet, the word refuses nobody's call there, and what it
// answered says nothing of the tenants.
func TestAWrongWordToANewClient(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(5)
		r.client.OutageElsewhere(true)
		sleep(time.Second)
		if h := r.client.Health(); h.Breaker != "closed" {
			t.Errorf("%+v", h)
		}
		for _, id := range ids {
			r.agent.Fault(id, ut.Fault{Status: 504})
			r.must(id, fault.UpstreamError)
		}
		if h := r.client.Health(); h.Breaker != "open" { // all that there are fail
			t.Errorf("%+v", h)
		}
	})
}
