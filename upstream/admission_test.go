package upstream_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// outcomes are how calls of one kind ended.
type outcomes struct {
	mu              sync.Mutex
	served, refused []time.Duration // how long each took
}

func (o *outcomes) add(t testing.TB, took time.Duration, e *fault.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case e == nil:
		o.served = append(o.served, took)
	case e.Kind == fault.Unavailable && e.Reason == "" && e.RetryAfter >= time.Second && e.RetryAfter <= time.Minute:
		o.refused = append(o.refused, took)
	default:
		t.Errorf("%+v", e)
	}
}

// within counts those that took no longer.
func within(all []time.Duration, most time.Duration) (n int) {
	for _, took := range all {
		if took <= most {
			n++
		}
	}
	return n
}

// A customer asks for many times what the agent can do. What can't be served in its reader's time is refused at
// once, nearly all that is let in is served, the agent is kept as busy as it can be, and another customer hardly
// notices.
func TestAFloodIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workersOf, each = 8, 150 * time.Millisecond
		const lasts, begins = 20 * time.Second, 5 * time.Second // what came before begins is not looked at
		r := newRigAlone(t, upstream.Config{}, workers(workersOf, each))
		var flood, other outcomes
		var all sync.WaitGroup
		read := func(o *outcomes, customer int64, after time.Duration, id string) {
			all.Go(func() {
				time.Sleep(after)
				start := time.Now()
				e := r.statusFor(upstream.Demand{Customer: customer}, id)
				if after >= begins {
					o.add(t, time.Since(start), e)
				}
			})
		}
		for i := range int(lasts / (2 * time.Millisecond)) { // 500 a second, where 53 can be served
			read(&flood, 1, time.Duration(i)*2*time.Millisecond, fmt.Sprintf("tnt_flood_%d", i))
		}
		for i := range int(lasts / (200 * time.Millisecond)) {
			read(&other, 2, time.Duration(i)*200*time.Millisecond, fmt.Sprintf("tnt_other_%d", i))
		}
		all.Wait()
		can := int((lasts - begins) / each * workersOf)
		if n := len(flood.served) + len(other.served); n < can*95/100 {
			t.Errorf("%d were served, where %d could be", n, can)
		}
		if n, at := len(flood.refused), within(flood.refused, 0); at < n*97/100 {
			t.Errorf("%d of %d were refused at once, one after %v", at, n, slices.Max(flood.refused))
		}
		// The slots are held by calls that the agent has taken and not begun, eight times what it works on.
		if n := within(other.served, 1500*time.Millisecond); n != int((lasts-begins)/(200*time.Millisecond)) {
			t.Errorf("of another customer's %d were served, %d soon, one after %v", len(other.served), n, slices.Max(other.served))
		}
	})
}

// The agent begins to hang: who comes later and can't be served by what is seen is refused at once, and when the agent
// is back all are served.
func TestReadersOfAnAgentThatHangs(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(400)
		r.agent.Fault("", ut.Fault{Hang: true})
		var all sync.WaitGroup
		all.Go(func() {
			many(ids[:58], func(id string) { r.statusFor(upstream.Demand{Customer: 1, CopyFrom: time.Now()}, id) })
		})
		synctest.Wait()
		sleep(4 * time.Second)
		var late outcomes
		many(ids[58:258], func(id string) {
			start := time.Now()
			e := r.statusFor(upstream.Demand{Customer: 1}, id)
			late.add(t, time.Since(start), e)
		})
		if at := within(late.refused, 0); at < 150 || len(late.refused) != 200 {
			t.Errorf("%d were refused, %d at once", len(late.refused), at)
		}
		r.agent.Fault("", ut.Fault{})
		all.Wait()
		sleep(2 * time.Second)
		many(ids, func(id string) {
			if e := r.statusFor(upstream.Demand{Customer: 1}, id); e != nil {
				t.Errorf("%+v", e)
			}
		})
	})
}

// Polling takes none of the slots that are kept for customers with hardly any call under way.
func TestPollingLeavesTheLastSlotsToReaders(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(80)
		r.agent.Fault("", ut.Fault{Hang: true})
		ctx, stop := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i, id := range ids[:79] {
			all.Go(func() {
				d := upstream.Demand{Customer: 1, CopyFrom: time.Now()}
				if i >= 60 {
					time.Sleep(time.Second)
					d.Customer, d.Background = int64(i), true
				}
				_, _ = r.client.Status(upstream.WithDemand(ctx, d), id)
			})
		}
		sleep(2 * time.Second)
		r.agent.Fault(ids[79], ut.Fault{Delay: time.Millisecond})
		start := time.Now()
		if e := r.statusFor(upstream.Demand{Customer: 2}, ids[79]); e != nil || time.Since(start) > time.Second {
			t.Errorf("%v after %v", e, time.Since(start))
		}
		stop()
		all.Wait()
	})
}
