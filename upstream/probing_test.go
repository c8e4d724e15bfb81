package upstream_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// An outage soon after a long one is a new one: it is probed from a second on, not at the
// long intervals that the first had come to.
func TestAnOutageSoonAfterALongOne(t *testing.T) {
	runEach(t, outages, upstream.Config{}, func(t *testing.T, r *rig, o outage) {
		ids := r.publishers(3)
		for _, lasts := range []time.Duration{10 * time.Minute, 5 * time.Second} {
			r.works(ids...)
			r.suffer(o)
			r.readers(ids, lasts)
			r.suffer(outage{})
			sleep(map[bool]time.Duration{true: 31 * time.Second, false: 2 * time.Second}[lasts > time.Minute])
		}
		r.works(ids...)
	})
}

// One tenant that is refused, or not connected to, disturbs no other: no back-off of others
// ends for it, and the log is not filled.
func TestATenantThatIsRefusedDisturbsNoOther(t *testing.T) {
	for _, name := range []string{"403", "closed"} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{}, func(t *testing.T, r *rig) {
				ids := r.publishers(40)
				r.works(ids...)
				r.agent.Fault(ids[0], failures[name])
				for range 24 {
					r.status(ids[0])
					r.works(ids[7])
					sleep(5 * time.Second)
				}
				if got := r.recoveries(); len(got) > 0 {
					t.Errorf("OnRecover was called: %q", got)
				}
				if n := strings.Count(r.log.String(), "API key"); n > 4 {
					t.Errorf("%d lines about the key in two minutes", n)
				}
				r.agent.Fault(ids[0], ut.Fault{})
				sleep(31 * time.Second)
				if got := r.recoveries(); !slices.Equal(got, ids[:1]) && len(got) > 0 {
					t.Errorf("OnRecover was called for %q", got)
				}
			})
		})
	}
}

// Beside the readers' call a tenant that hangs has two probes under way at most.
func TestProbesBesideAReader(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		r.works(tenant)
		r.agent.Fault(tenant, ut.Fault{Hang: true})
		for range 6 {
			r.status(tenant)
			sleep(5 * time.Second)
		}
		if _, most := r.agent.InFlightStatus(tenant); most > 3 {
			t.Errorf("%d status calls of a tenant at once", most)
		}
	})
}

// Quick probes go on while a patient one and a reader's call both hang.
func TestAReaderBesideAPatientProbe(t *testing.T) {
	run(t, upstream.Config{Attempts: 2}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Hang: true})
		r.must(tenant, fault.UpstreamTimeout)
		sleep(2 * time.Second) // a patient probe has begun
		var reader sync.WaitGroup
		reader.Go(func() { r.status(tenant) })
		sleep(5 * time.Second)
		r.mend()
		start := time.Now()
		if reader.Wait(); time.Since(start) > 2*time.Second {
			t.Errorf("the reader waited %v after the end", time.Since(start))
		}
	})
}
