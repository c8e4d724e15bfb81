package leader_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/leader"
)

// replica is a process that tries to lead. The test reads it after pass alone, or done.
type replica struct {
	leads   bool
	begun   int       // how often work began
	stopped time.Time // when work was last told to end
	told    []bool    // what Changed was told
	stop    context.CancelFunc
	done    chan struct{}
	work    func(ctx context.Context) // nil: until ctx ends
}

func (r *replica) run(t *testing.T, store *leases, holder string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r.stop, r.done = stop, make(chan struct{})
	l := leader.New(store, leader.Options{Name: name, Holder: holder, TTL: ttl, Changed: func(leads bool) {
		r.told = append(r.told, leads)
	}})
	go func() {
		defer close(r.done)
		l.Run(ctx, func(ctx context.Context) {
			r.leads, r.begun = true, r.begun+1
			defer func() { r.leads, r.stopped = false, time.Now() }()
			if r.work != nil {
				r.work(ctx)
				return
			}
			<-ctx.Done()
		})
	}()
	t.Cleanup(func() { stop(); <-r.done })
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// alone runs a test of one replica, whose work is done until its context ends if it is nil.
func alone(t *testing.T, work func(context.Context), test func(t *testing.T, store *leases, r *replica)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, r := &leases{}, &replica{work: work}
		r.run(t, store, "mine")
		test(t, store, r)
	})
}

// hasLed checks whether a replica leads, and how often it began to.
func (r *replica) hasLed(t *testing.T, leads bool, begun int) {
	t.Helper()
	if r.leads != leads || r.begun != begun {
		t.Fatalf("leads %v, begun %d times; want %v, %d times", r.leads, r.begun, leads, begun)
	}
}

func TestOneLeadsAndAnotherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &leases{}
		var all []*replica
		for i := range 3 {
			all = append(all, &replica{})
			all[i].run(t, store, fmt.Sprint("replica-", i))
		}
		pass(time.Minute)
		for len(all) > 0 {
			leads := func(r *replica) bool { return r.leads }
			i := slices.IndexFunc(all, leads)
			if i < 0 || slices.ContainsFunc(all[i+1:], leads) {
				t.Fatal("none leads, or two do")
			}
			leader := all[i]
			all = slices.Delete(all, i, i+1)
			pass(10 * ttl)
			leader.hasLed(t, true, 1)
			leader.stop()
			<-leader.done
			leader.hasLed(t, false, 1)      // Run returns once work has ended
			pass(ttl/3*12/10 + time.Second) // given back, so that no other waits for it to run out
		}
	})
}

// TestNeverTwoWhateverTheStoreDoes has a store that fails, hangs, loses answers and is
// slow by turns. The rule is the one that matters: never two at once.
func TestNeverTwoWhateverTheStoreDoes(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 4))
			store := &leases{}
			var working, begun atomic.Int64
			for i := range 3 {
				r := &replica{work: func(ctx context.Context) {
					begun.Add(1)
					if working.Add(1) > 1 {
						t.Errorf("seed %d: two work at once", seed)
					}
					<-ctx.Done()
					time.Sleep(ttl / 10) // it does not end at once
					working.Add(-1)
				}}
				r.run(t, store, fmt.Sprint("replica-", i))
			}
			for range 60 {
				pass(time.Duration(dice.Int64N(int64(ttl))))
				store.is(mode(dice.IntN(4)), time.Duration(dice.Int64N(int64(ttl/5))))
			}
			store.is(healthy, 0)
			pass(3 * ttl)
			if working.Load() != 1 || begun.Load() < 2 {
				t.Errorf("seed %d: %d work now, begun %d times", seed, working.Load(), begun.Load())
			}
		})
	}
}

func TestStepsDownBeforeTheLeaseRunsOut(t *testing.T) {
	for how, m := range map[string]mode{"the store fails": failing, "the store hangs": hanging} {
		t.Run(how, func(t *testing.T) {
			alone(t, nil, func(t *testing.T, store *leases, r *replica) {
				pass(5 * ttl)
				store.is(m, 0)
				_, until := store.runsOut()
				pass(ttl)
				r.hasLed(t, false, 1)
				if left := until.Sub(r.stopped); left < ttl/12 || left > ttl/2 {
					t.Errorf("it stepped down %v before its lease ran out", left)
				}
				store.is(healthy, 0)
				pass(ttl)
				r.hasLed(t, true, 2)
			})
		})
	}
}

// TestOneFailureIsNoReason: a lease that could not be extended once is tried again
// while there is time.
func TestOneFailureIsNoReason(t *testing.T) {
	alone(t, nil, func(t *testing.T, store *leases, r *replica) {
		for range 10 {
			pass(ttl)
			store.is(failing, 0)
			pass(ttl / 3)
			store.is(healthy, 0)
		}
		r.hasLed(t, true, 1)
	})
}

func TestALostLeaseEndsTheWork(t *testing.T) {
	alone(t, nil, func(t *testing.T, store *leases, r *replica) {
		pass(ttl)
		store.steal("another", 3*ttl)
		pass(ttl/3*12/10 + time.Second)
		r.hasLed(t, false, 1)
		if holder, until := store.runsOut(); holder != "another" || !until.After(time.Now()) {
			t.Error("another's lease was given back")
		}
		pass(4 * ttl)
		r.hasLed(t, true, 2)
		if got := fmt.Sprint(r.told); got != "[true false true]" {
			t.Errorf("Changed was told %s", got)
		}
	})
}

func TestWorkThatEndsOrPanics(t *testing.T) {
	for how, work := range map[string]func(context.Context){
		"ends":   func(context.Context) {},
		"panics": func(context.Context) { panic("oh no") },
	} {
		t.Run(how, func(t *testing.T) {
			alone(t, work, func(t *testing.T, store *leases, r *replica) {
				pass(0)
				if _, until := store.runsOut(); until.After(time.Now()) {
					t.Error("the lease was not given back")
				}
				pass(ttl)
				if r.begun < 2 || r.begun > 5 {
					t.Errorf("begun %d times in %v", r.begun, ttl)
				}
			})
		})
	}
}

// TestALeaseOfUnknownOutcomeIsGivenBack: it may have been taken.
func TestALeaseOfUnknownOutcomeIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &leases{mode: losing}
		first, second := &replica{}, &replica{}
		first.run(t, store, "first")
		pass(0)
		first.stop()
		<-first.done
		store.is(healthy, 0)
		second.run(t, store, "second")
		pass(0)
		second.hasLed(t, true, 1)
	})
}

func TestWaitsAreJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := &leases{}, &replica{}
		store.steal("another", 1000*ttl)
		r.run(t, store, "mine")
		pass(100 * ttl)
		store.mu.Lock()
		defer store.mu.Unlock()
		seen := map[time.Duration]bool{}
		for i := range store.asked[1:] {
			gap := store.asked[i+1].Sub(store.asked[i])
			if seen[gap] = true; gap < ttl/3*8/10 || gap > ttl/3*12/10 {
				t.Fatalf("%v between two tries", gap)
			}
		}
		if len(seen) < 100 {
			t.Errorf("%d different waits in %d tries", len(seen), len(store.asked))
		}
	})
}
