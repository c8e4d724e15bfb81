package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// statusFor reads a tenant's status for somebody.
func (r *rig) statusFor(d upstream.Demand, id string) *fault.Error {
	r.t.Helper()
	_, err := r.client.Status(upstream.WithDemand(context.Background(), d), id)
	return r.fault(err)
}

// atOnce asserts how many requests were under way at the same time, at most. The agent would
// count those that were given up, too: it sees later that a client has left.
func (r *rig) atOnce(least, most int) {
	r.t.Helper()
	if n := r.calls.most; n < least || n > most {
		r.t.Errorf("%d requests at once, want %d to %d", n, least, most)
	}
}

// many makes a call for each id at the same time, and waits for all.
func many(ids []string, call func(id string)) {
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { call(id) })
	}
	all.Wait()
}

// names are those of n tenants that there need be no agent for.
func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("tnt_%04d", i)
	}
	return ids
}

// workers is a transport to an agent that serves so many calls at once, each in this time. It
// is made in the bubble that it is used in.
func workers(n int, takes time.Duration) roundTrip {
	idle, body := make(chan struct{}, n), document()
	return func(q *http.Request) (*http.Response, error) {
		select {
		case idle <- struct{}{}:
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
		defer func() { <-idle }()
		select {
		case <-time.After(takes):
			return respond(200, body), nil
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
	}
}

// Many sources that nobody has read yet are asked for at once: all are served, by a bounded
// number of calls at a time. One customer alone has nearly all of them.
func TestManyColdSources(t *testing.T) {
	for concurrency, sources := range map[int]int{0: 2000, 8: 500} {
		synctest.Test(t, func(t *testing.T) {
			r := newRigAlone(t, upstream.Config{Concurrency: concurrency}, workers(sources, 5*time.Millisecond))
			many(names(sources), func(id string) {
				if e := r.statusFor(upstream.Demand{Customer: 1}, id); e != nil {
					t.Error(e)
				}
			})
			if concurrency == 0 {
				r.atOnce(58, 64)
			} else {
				r.atOnce(6, 8)
			}
		})
	}
}

// The sources of one customer hang, more than there are slots: those of others are served at
// once.
func TestAHangingCustomerKeepsNoOtherWaiting(t *testing.T) {
	run(t, upstream.Config{Attempts: 1}, func(t *testing.T, r *rig) {
		ids := r.publishers(120)
		for _, id := range ids[:100] {
			r.agent.Fault(id, ut.Fault{Hang: true})
		}
		var all sync.WaitGroup
		all.Go(func() {
			many(ids[:100], func(id string) { r.statusFor(upstream.Demand{Customer: 1, CopyFrom: time.Now()}, id) })
		})
		for range 25 {
			sleep(200 * time.Millisecond)
			start := time.Now()
			many(ids[100:], func(id string) {
				if e := r.statusFor(upstream.Demand{Customer: 2}, id); e != nil {
					t.Error(e)
				}
			})
			if took := time.Since(start); took > 0 {
				t.Fatalf("it took %v", took)
			}
		}
		all.Wait()
		r.atOnce(60, 64)
	})
}

// Where customers compete the slots are shared evenly.
func TestCustomersShareTheSlots(t *testing.T) {
	run(t, upstream.Config{}, func(t *testing.T, r *rig) {
		r.agent.Fault("", ut.Fault{Delay: 100 * time.Millisecond})
		ids := r.publishers(660)
		var greedy, modest atomic.Int32
		var all sync.WaitGroup
		all.Go(func() {
			many(ids[:600], func(id string) { r.statusFor(upstream.Demand{Customer: 1}, id); greedy.Add(1) })
		})
		synctest.Wait()
		all.Go(func() {
			many(ids[600:], func(id string) { r.statusFor(upstream.Demand{Customer: 2}, id); modest.Add(1) })
		})
		sleep(350 * time.Millisecond)
		if g, m := greedy.Load(), modest.Load(); m < 55 || g < 100 {
			t.Errorf("of the customer with 600 calls %d were made, of the one with 60 %d", g, m)
		}
		all.Wait()
	})
}

// Calls other than status reads have bounds of a tenant's and of a customer's own. Beyond
// them they wait for a while, and are then refused as too many; status reads go on.
func TestBoundsOfOtherCalls(t *testing.T) {
	for name, c := range map[string]struct {
		tenants, most int
	}{"a tenant": {1, 4}, "a customer": {20, 32}} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{}, func(t *testing.T, r *rig) {
				r.agent.Fault("", ut.Fault{Only: ut.RouteSyncHistory, Hang: true})
				ids := r.publishers(c.tenants)
				var all sync.WaitGroup
				var refused atomic.Int32
				start := time.Now()
				for i := range 300 {
					all.Go(func() {
						ctx := upstream.WithDemand(context.Background(), upstream.Demand{Customer: 1})
						_, err := r.client.SyncHistory(ctx, ids[i%len(ids)], upstream.HistoryQuery{})
						if !upstream.IsBusy(err) {
							return
						}
						refused.Add(1)
						if e := r.fault(err); e.Kind != fault.RateLimited || e.RetryAfter < time.Second || !upstream.NotSent(err) {
							t.Errorf("%+v", e)
						}
						if took := time.Since(start); took > 3*time.Second {
							t.Errorf("refused after %v", took)
						}
					})
				}
				sleep(time.Second)
				r.atOnce(c.most, c.most)
				if e := r.statusFor(upstream.Demand{Customer: 1}, ids[0]); e != nil || time.Since(start) > time.Second {
					t.Errorf("a status read: %v after %v", e, time.Since(start))
				}
				if e := r.statusFor(upstream.Demand{Customer: 2}, tenant); e != nil || time.Since(start) > time.Second {
					t.Errorf("another customer's: %v", e)
				}
				all.Wait()
				if n := int(refused.Load()); n != 300-c.most {
					t.Errorf("%d were refused", n)
				}
				r.metric("esagate.upstream.queue_refusals{reason=customer}", float64(300-c.most))
				r.metric("esagate.upstream.calls{operation=sync_history,outcome=busy}", float64(300-c.most))
			})
		})
	}
}

// A few slow workers are asked for more than they can do, all the time. Each source has its
// turn, nothing times out, and what is read for the first time is served or refused soon.
func TestAnAgentWithFewWorkers(t *testing.T) {
	for sources, turn := range map[int]time.Duration{500: 11 * time.Second, 1500: 31 * time.Second} {
		t.Run(fmt.Sprint(sources), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRigAlone(t, upstream.Config{}, workers(8, 150*time.Millisecond))
				end := time.Now().Add(2*turn + 10*time.Second) // each has had a turn when the measured ones begin
				var all sync.WaitGroup
				var longest, failed, calls atomic.Int64
				for i, id := range names(sources) {
					all.Go(func() {
						copyFrom := time.Time{}
						for time.Now().Before(end) {
							start := time.Now()
							e := r.statusFor(upstream.Demand{Customer: int64(i % 20), CopyFrom: copyFrom}, id)
							calls.Add(1)
							switch {
							case e == nil:
								if !copyFrom.IsZero() && time.Until(end) < turn {
									age := int64(time.Since(copyFrom))
									for was := longest.Load(); age > was && !longest.CompareAndSwap(was, age); was = longest.Load() {
									}
								}
								copyFrom = time.Now()
								time.Sleep(5 * time.Second)
							case e.Kind == fault.Unavailable && e.Reason == "" && e.RetryAfter >= time.Second:
								if took := time.Since(start); copyFrom.IsZero() && took > 3*time.Second {
									t.Errorf("refused after %v", took)
								}
								time.Sleep(e.RetryAfter)
							default:
								failed.Add(1)
							}
						}
						if copyFrom.IsZero() {
							t.Errorf("%s was never served", id)
						}
					})
				}
				all.Wait()
				if d := time.Duration(longest.Load()); d > turn {
					t.Errorf("a source waited %v for its turn", d)
				}
				if n := failed.Load(); n > 0 {
					t.Errorf("%d of %d calls failed", n, calls.Load())
				}
				r.atOnce(55, 64)
			})
		})
	}
}

// While every slot is held by a call that hangs probes go out, and within two seconds of
// upstream's return all are served.
func TestRecoveryWhenEverySlotHangs(t *testing.T) {
	for _, concurrency := range []int{8, 64} {
		for _, lasts := range []time.Duration{2 * time.Second, 8 * time.Second, 25 * time.Second} {
			run(t, upstream.Config{Concurrency: concurrency}, func(t *testing.T, r *rig) {
				ids := r.publishers(2 * concurrency)
				many(ids, func(id string) { r.statusFor(upstream.Demand{CopyFrom: time.Now()}, id) })
				r.agent.Fault("", ut.Fault{Hang: true})
				var all sync.WaitGroup
				end := time.Now().Add(lasts)
				all.Go(func() {
					many(ids, func(id string) {
						for time.Now().Before(end) {
							r.statusFor(upstream.Demand{CopyFrom: time.Now()}, id)
							time.Sleep(time.Second)
						}
					})
				})
				time.Sleep(lasts)
				r.agent.Fault("", ut.Fault{})
				sleep(2 * time.Second)
				start := time.Now()
				many(ids, func(id string) {
					if e := r.statusFor(upstream.Demand{}, id); e != nil {
						t.Errorf("after %v: %v", lasts, e)
					}
				})
				if took := time.Since(start); took > 0 {
					t.Errorf("it took %v", took)
				}
				all.Wait()
				r.atOnce(concurrency-4, concurrency)
			})
		}
	}
}

// What a call waits in the queue is not taken from its time, nor counted as its duration or
// as upstream's failure.
func TestWaitsDoNotCount(t *testing.T) {
	run(t, upstream.Config{Concurrency: 1, Timeout: time.Second, FetchTimeout: time.Second, Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault("", ut.Fault{Delay: 700 * time.Millisecond}) // soon enough that no probe waits too
		many([]string{tenant, other}, func(id string) {
			if e := r.status(id); e != nil {
				t.Error(e)
			}
		})
		r.metric("esagate.upstream.duration_sum{operation=status,outcome=ok}", 2*.7)
		r.metric("esagate.upstream.queue_wait_sum{}", .7)
	})
}

// A call that nobody waits for any more when its turn comes is not made, and no failure.
func TestCallsThatNobodyWaitsForAreNotMade(t *testing.T) {
	run(t, upstream.Config{Concurrency: 1, Attempts: 1}, func(t *testing.T, r *rig) {
		r.agent.Fault(tenant, ut.Fault{Delay: 2 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { r.works(tenant) })
		synctest.Wait()
		unwanted := make(chan struct{})
		all.Go(func() {
			_, err := r.client.Status(upstream.WithDemand(context.Background(), upstream.Demand{Unwanted: unwanted}), other)
			if !upstream.IsBusy(err) || !upstream.NotSent(err) {
				t.Error(err)
			}
		})
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if _, err := r.client.Status(ctx, other); !upstream.IsBusy(err) {
				t.Errorf("its caller's time ended: %v", err)
			}
		})
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			if _, err := r.client.Status(ctx, other); err == nil || upstream.IsBusy(err) {
				t.Errorf("its caller went away: %v", err)
			}
		})
		sleep(time.Second)
		close(unwanted)
		all.Wait()
		if n := r.agent.Calls(other); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// When a breaker opens, the calls that it keeps back are refused without a turn of their
// own: a tenant's keeps back reads of its status, the whole upstream's all calls.
func TestAnOpenBreakerEndsWaits(t *testing.T) {
	breaker := upstream.BreakerConfig{ConsecutiveFailures: 1}
	read := func(r *rig, id string) *fault.Error { return r.statusFor(upstream.Demand{CopyFrom: time.Now()}, id) }
	test := func(r *rig, id string) *fault.Error {
		_, err := r.client.TestConnection(upstream.WithDemand(context.Background(), upstream.Demand{Background: true}), id)
		return r.fault(err)
	}
	for name, c := range map[string]struct {
		fault   ut.Fault
		network int32
		after   time.Duration
		waits   func(*rig, string) *fault.Error
	}{
		"a tenant's":   {fault: ut.Fault{Status: 500, Delay: time.Second, Only: ut.RouteStatus}, after: time.Second, waits: read},
		"the upstream": {network: silent, after: 5 * time.Second, waits: test},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, upstream.Config{Concurrency: 1, Attempts: 1, Timeout: 20 * time.Second, FetchTimeout: 20 * time.Second, Breaker: breaker}, func(t *testing.T, r *rig) {
				r.agent.Fault(tenant, c.fault)
				r.network.Store(c.network)
				start := time.Now()
				var all sync.WaitGroup
				all.Go(func() { read(r, tenant) }) // has the slot
				synctest.Wait()
				for range 3 {
					all.Go(func() {
						if e := c.waits(r, tenant); e == nil || e.Reason != fault.CircuitOpen || time.Since(start) != c.after {
							t.Errorf("%v after %v", e, time.Since(start))
						}
					})
				}
				if c.network == up {
					all.Go(func() {
						if e := read(r, other); e != nil {
							t.Errorf("another tenant's: %v", e)
						}
					})
				}
				all.Wait()
				if n := r.agent.Calls(tenant); n > 1 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// A call that waits for its next attempt leaves its slot to others.
func TestPausesHoldNoSlot(t *testing.T) {
	run(t, upstream.Config{Concurrency: 1}, func(t *testing.T, r *rig) {
		r.agent.Script(tenant, ut.Fault{Status: 503, RetryAfter: "2"})
		var all sync.WaitGroup
		all.Go(func() { r.works(tenant) })
		sleep(time.Second)
		start := time.Now()
		if r.works(other); time.Since(start) != 0 {
			t.Errorf("it took %v", time.Since(start))
		}
		all.Wait()
	})
}
