package upstream_test

import (
	"context"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// All connections of the pool have died without a sign. A status read that nobody has a copy
// of is served within a reader's time, and other calls at their next attempt.
func TestSilentlyDeadConnections(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		r.transport.DisableKeepAlives, r.transport.MaxIdleConnsPerHost = false, 64
		ids := r.publishers(30)
		fill := func() {
			r.agent.Fault("", ut.Fault{Delay: 100 * time.Millisecond}) // so that each call has a connection of its own
			many(ids, func(id string) { r.works(id) })
			r.agent.Fault("", ut.Fault{})
			if r.silence(); len(r.conns) < len(ids) {
				t.Fatalf("%d connections", len(r.conns))
			}
		}
		fill()
		start := time.Now()
		if r.works(tenant); time.Since(start) > 2500*time.Millisecond {
			t.Errorf("a status read took %v", time.Since(start))
		}
		fill()
		_, err := r.client.AdapterConfig(context.Background(), tenant)
		if e := r.fault(err); e == nil || e.Reason != fault.UpstreamTimeout {
			t.Errorf("%v", e)
		}
		start = time.Now()
		if _, err := r.client.AdapterConfig(context.Background(), tenant); err != nil || time.Since(start) != 0 {
			t.Errorf("the next one: %v after %v", err, time.Since(start))
		}
	})
}
