package leader_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/leader"
)

const name = "upkeep"

// replica is a process that tries to lead.
type replica struct {
	mu      sync.Mutex
	leads   bool
	begun   int       // how often work began
	stopped time.Time // when work was last told to end
	told    []bool    // what Changed was told
	stop    context.CancelFunc
	done    chan struct{}
	work    func(ctx context.Context) // nil: until ctx ends
}

func (r *replica) is() (leads bool, begun int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leads, r.begun
}

func (r *replica) run(t *testing.T, store *leases, holder string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r.stop, r.done = stop, make(chan struct{})
	l := leader.New(store, leader.Options{Name: name, Holder: holder, TTL: ttl, Changed: func(leads bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, leads)
	}})
	go func() {
		defer close(r.done)
		l.Run(ctx, func(ctx context.Context) {
			r.mu.Lock()
			r.leads, r.begun = true, r.begun+1
			r.mu.Unlock()
			defer func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.leads, r.stopped = false, time.Now()
			}()
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

func TestOneLeadsAndAnotherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLeases()
		var all []*replica
		for i := range 3 {
			r := &replica{}
			r.run(t, store, fmt.Sprint("replica-", i))
			all = append(all, r)
		}
		pass(time.Minute)
		for len(all) > 0 {
			var leads *replica
			var others []*replica
			for _, r := range all {
				if is, _ := r.is(); !is {
					others = append(others, r)
				} else if leads != nil {
					t.Fatal("two lead")
				} else {
					leads = r
				}
			}
			if leads == nil {
				t.Fatal("nobody leads")
			}
			pass(10 * ttl)
			if is, begun := leads.is(); !is || begun != 1 {
				t.Fatalf("it leads: %v, begun %d times; want it to lead on", is, begun)
			}
			leads.stop()
			<-leads.done
			if is, _ := leads.is(); is {
				t.Fatal("Run returned before work ended")
			}
			pass(ttl/3*12/10 + time.Second) // given back, so that nobody waits for it to run out
			all = others
		}
	})
}

// TestNeverTwoWhateverTheStoreDoes has a store that fails, hangs, loses answers and is
// slow by turns. The rule is the one that matters: never two at once.
func TestNeverTwoWhateverTheStoreDoes(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 4))
			store := newLeases()
			var mu sync.Mutex
			working, most, begun := 0, 0, 0
			for i := range 3 {
				r := &replica{work: func(ctx context.Context) {
					mu.Lock()
					working, begun = working+1, begun+1
					most = max(most, working)
					mu.Unlock()
					<-ctx.Done()
					time.Sleep(ttl / 10) // it does not end at once
					mu.Lock()
					working--
					mu.Unlock()
				}}
				r.run(t, store, fmt.Sprint("replica-", i))
			}
			for range 60 {
				pass(time.Duration(dice.Int64N(int64(ttl))))
				store.is(mode(dice.IntN(4)), time.Duration(dice.Int64N(int64(ttl/5))))
			}
			store.is(healthy, 0)
			pass(3 * ttl)
			mu.Lock()
			defer mu.Unlock()
			if most != 1 || working != 1 || begun < 2 {
				t.Errorf("seed %d: at most %d at once, %d now, begun %d times", seed, most, working, begun)
			}
		})
	}
}

func TestStepsDownBeforeTheLeaseRunsOut(t *testing.T) {
	for how, m := range map[string]mode{"the store fails": failing, "the store hangs": hanging} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newLeases()
				r := &replica{}
				r.run(t, store, "mine")
				pass(5 * ttl)
				store.is(m, 0)
				_, until := store.runsOut(name)
				pass(ttl)
				if is, _ := r.is(); is {
					t.Fatal("it leads without a lease")
				}
				if left := until.Sub(r.stopped); left < ttl/12 || left > ttl/2 {
					t.Errorf("it stepped down %v before its lease ran out", left)
				}
				store.is(healthy, 0)
				pass(ttl)
				if is, begun := r.is(); !is || begun != 2 {
					t.Errorf("leads %v, begun %d times; want it to lead again", is, begun)
				}
			})
		})
	}
}

// TestOneFailureIsNoReason: a lease that could not be extended once is tried again
// while there is time.
func TestOneFailureIsNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLeases()
		r := &replica{}
		r.run(t, store, "mine")
		for range 10 {
			pass(ttl)
			store.is(failing, 0)
			pass(ttl / 3)
			store.is(healthy, 0)
		}
		if is, begun := r.is(); !is || begun != 1 {
			t.Errorf("leads %v, begun %d times; want it never to have stopped", is, begun)
		}
	})
}

func TestALostLeaseEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLeases()
		r := &replica{}
		r.run(t, store, "mine")
		pass(ttl)
		store.steal(name, "another", 3*ttl)
		pass(ttl/3*12/10 + time.Second)
		if is, _ := r.is(); is {
			t.Fatal("it leads with another's lease")
		}
		if holder, until := store.runsOut(name); holder != "another" || !until.After(time.Now()) {
			t.Error("another's lease was given back")
		}
		pass(4 * ttl)
		if is, begun := r.is(); !is || begun != 2 {
			t.Errorf("leads %v, begun %d times; want it to lead again", is, begun)
		}
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
			synctest.Test(t, func(t *testing.T) {
				store := newLeases()
				r := &replica{work: work}
				r.run(t, store, "mine")
				pass(0)
				if _, until := store.runsOut(name); until.After(time.Now()) {
					t.Error("the lease was not given back")
				}
				pass(ttl)
				if _, begun := r.is(); begun < 2 || begun > 5 {
					t.Errorf("begun %d times in %v", begun, ttl)
				}
			})
		})
	}
}

// TestALeaseOfUnknownOutcomeIsGivenBack: it may have been taken.
func TestALeaseOfUnknownOutcomeIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLeases()
		store.is(losing, 0)
		first, second := &replica{}, &replica{}
		first.run(t, store, "first")
		pass(0)
		first.stop()
		<-first.done
		store.is(healthy, 0)
		second.run(t, store, "second")
		pass(0)
		if is, _ := second.is(); !is {
			t.Error("nobody leads until the lease runs out that nobody has")
		}
	})
}

func TestWaitsAreJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLeases()
		store.steal(name, "another", 1000*ttl)
		r := &replica{}
		r.run(t, store, "mine")
		pass(100 * ttl)
		calls := store.calls()
		seen := map[time.Duration]bool{}
		for i := range calls[1:] {
			gap := calls[i+1].Sub(calls[i])
			if seen[gap] = true; gap < ttl/3*8/10 || gap > ttl/3*12/10 {
				t.Fatalf("%v between two tries", gap)
			}
		}
		if len(seen) < 100 {
			t.Errorf("%d different waits in %d tries", len(seen), len(calls))
		}
	})
}
