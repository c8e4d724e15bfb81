package snapshot_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"esagate/snapshot"
)

// TestReplicasShareOneCall: readers of all replicas cost one call, and a fresh copy no look.
func TestReplicasShareOneCall(t *testing.T) {
	inReplicas(t, 3, func(r *replicas) {
		r.u.set(after(time.Second, now("one")))
		var readers sync.WaitGroup
		for i := range 30 {
			readers.Go(func() { r.nodes[i%3].read("one", snapshot.Miss) })
		}
		readers.Wait()
		r.wantCalls(1)
		looks := r.looks()
		r.pass(limits.Fresh / 2)
		for _, n := range r.nodes {
			if got := n.read("one", snapshot.Hit); got.Age < limits.Fresh/2 || got.Age > limits.Fresh/2+longestPoll {
				r.Errorf("age %s", got.Age)
			}
		}
		if r.looks() != looks {
			r.Error("fresh copies were looked for")
		}
	})
}

// longestPoll is how long after its publication a replica that waits for a document looks again, at most.
const longestPoll = 200 * time.Millisecond

// TestReplicasCallOnceAnInterval: at replicas that are read all the time, copies end together.
func TestReplicasCallOnceAnInterval(t *testing.T) {
	inReplicas(t, 3, func(r *replicas) {
		r.u.set(after(100*time.Millisecond, now("doc")))
		const intervals = 20
		for range intervals * int(limits.Fresh/(100*time.Millisecond)) {
			for _, n := range r.nodes {
				if _, err := n.get(0); err != nil {
					r.Fatal(err)
				}
			}
			r.pass(100 * time.Millisecond)
		}
		// A copy is fresh for 5 s from its receipt, and a call takes 0.1 s.
		if calls := r.u.calls.Load(); calls > intervals || calls < intervals-2 {
			r.Errorf("%d calls in %d intervals", calls, intervals)
		}
	})
}

// TestReplicas lists what a replica makes of what happens at others.
func TestReplicas(t *testing.T) {
	for name, body := range map[string]func(r *replicas, a, b *node){
		"a stale copy is not served where a newer one is known": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.pass(30 * time.Second)
			r.u.set(now("second"))
			a.read("first", snapshot.Stale)
			r.pass(0)
			a.read("second", snapshot.Hit)
			b.read("second", snapshot.Miss)
			r.wantCalls(2)
		},
		"a stale copy is served at once while another replica calls": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.pass(30 * time.Second)
			r.u.set(after(2*time.Second, now("second")))
			for range 3 {
				a.read("first", snapshot.Stale)
				b.read("first", snapshot.Stale)
			}
			r.pass(2*time.Second + longestPoll)
			b.read("second", snapshot.Hit)
			r.wantCalls(2)
		},
		"a replica that is gone is waited for for a second": func(r *replicas, a, b *node) {
			r.u.set(hangs)
			go func() { _, _ = a.get(0) }()
			r.pass(2 * time.Second) // the lease is extended
			r.u.set(now("second"))
			a.line.set(true)
			begun := time.Now()
			b.read("second", snapshot.Miss)
			if took := time.Since(begun); took > time.Second+longestPoll {
				r.Errorf("it took %s", took)
			}
			r.wantCalls(2)
		},
		"a failure is backed off by all": func(r *replicas, a, b *node) {
			r.u.set(fails)
			_, err := a.get(0)
			_, other := b.get(0)
			var one, two *snapshot.UnavailableError
			if !errors.As(err, &one) || !errors.As(other, &two) || !errors.Is(other, errDown) || two.RetryAfter > one.RetryAfter {
				r.Fatalf("%v, then %v", err, other)
			}
			r.pass(4 * time.Second)
			_, _ = a.get(0)
			_, _ = b.get(0)
			r.wantCalls(1)
			b.wantTook(snapshot.Failed)
		},
		"during a back-off a stale copy costs no look": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.u.set(fails)
			r.pass(30 * time.Second)
			a.read("first", snapshot.Stale)
			r.pass(time.Second)
			b.read("first", snapshot.Stale)
			looks := r.looks()
			for range 5 {
				a.read("first", snapshot.Stale)
				if read := b.read("first", snapshot.Stale); !read.Failed {
					r.Error("a copy whose refresh failed elsewhere counts as good")
				}
			}
			if r.looks() != looks {
				r.Error("they looked")
			}
			r.wantCalls(2)
		},
		"what ends a back-off here is told": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.u.set(fails)
			r.pass(30 * time.Second)
			a.read("first", snapshot.Stale)
			r.pass(time.Second)
			b.read("first", snapshot.Stale)
			r.u.set(now("second"))
			a.c.RetryNow("k")
			a.read("first", snapshot.Stale)
			r.pass(0)
			b.read("second", snapshot.Hit)
			r.wantCalls(3)
		},
		"a failure that is this replica's alone is not shared": func(r *replicas, a, b *node) {
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errHere })
			if _, err := a.get(0); !errors.Is(err, errHere) {
				r.Fatal(err)
			}
			r.pass(time.Millisecond)
			r.u.set(now("second"))
			b.read("second", snapshot.Miss)
			a.read("second", snapshot.Miss)
			r.wantCalls(2)
		},
		"one that had no room leaves the call to another": func(r *replicas, a, b *node) {
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errBusy })
			if _, err := a.get(0); !errors.Is(err, errBusy) {
				r.Fatal(err)
			}
			r.u.set(now("second"))
			b.read("second", snapshot.Miss)
		},
		"one whose call waits for its turn leaves it to another": func(r *replicas, a, b *node) {
			r.u.set(func(ctx context.Context, d snapshot.Demand) (*doc, error) {
				d.Queued(true)
				return hangs(ctx, d)
			})
			go func() { _, _ = a.get(0) }()
			r.pass(time.Second / 2)
			r.u.set(now("second"))
			begun := time.Now()
			b.read("second", snapshot.Miss)
			if took := time.Since(begun); took > time.Second {
				r.Errorf("it took %s", took)
			}
		},
		"that there is no such thing is known to all": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.pass(2 * time.Minute)
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone })
			for _, n := range []*node{a, b} {
				if _, err := n.get(0); !errors.Is(err, errGone) {
					r.Fatal(err)
				}
			}
			r.wantCalls(2)
			b.wantTook(snapshot.Stored, snapshot.NotFound)
			r.u.set(now("again"))
			if read, err := b.get(1); err != nil || read.Doc.name != "again" { // since a write
				r.Error(read, err)
			}
		},
		"a copy of an earlier epoch is not good enough": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			r.pass(time.Millisecond)
			r.u.set(now("second"))
			if read, err := b.get(1); err != nil || read.Doc.name != "second" {
				r.Fatal(read, err)
			}
			r.pass(0)
			a.read("second", snapshot.Hit) // a hint said so
			r.wantCalls(2)
		},
		"a hint that is lost costs nothing once the epoch is known": func(r *replicas, a, b *node) {
			r.mute.Store(true)
			a.read("first", snapshot.Miss)
			r.pass(time.Millisecond)
			r.u.set(now("second"))
			_, _ = b.get(1)
			a.read("first", snapshot.Hit)
			if read, err := a.get(1); err != nil || read.Doc.name != "second" {
				r.Fatal(read, err)
			}
			r.wantCalls(2)
		},
		"a key that was expired here is asked for anew": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			r.pass(time.Second)
			b.c.Expire("k")
			b.read("first", snapshot.Miss)
			b.c.Expire("k")
			r.u.set(now("second"))
			b.read("second", snapshot.Miss)
			r.wantCalls(2)
		},
		"an older answer counts as one for all": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.pass(30 * time.Second)
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) {
				return &doc{time.Now().Add(-time.Minute), "old"}, nil
			})
			for range 4 {
				a.read("first", snapshot.Stale)
				r.pass(time.Second)
				b.read("first", snapshot.Stale)
			}
			r.wantCalls(2)
		},
		"who lost the lease publishes nothing while another's is fresh": func(r *replicas, a, b *node) {
			late := func(ctx context.Context, d snapshot.Demand) (*doc, error) {
				time.Sleep(4 * time.Second)
				return &doc{time.Now(), "late"}, nil
			}
			r.u.set(late)
			go func() { _, _ = a.get(0) }()
			r.pass(time.Second)
			a.line.set(true)
			r.u.set(now("second"))
			b.read("second", snapshot.Miss)
			a.line.set(false)
			r.pass(4 * time.Second)
			a.read("second", snapshot.Hit)
			b.read("second", snapshot.Hit)
		},
		"another version's are as good as none, and not replaced by older ones": func(r *replicas, a, b *node) {
			c := r.node(2)
			defer c.close()
			a.read("first", snapshot.Miss)
			r.u.set(now("second"))
			r.pass(time.Millisecond)
			c.read("second", snapshot.Miss)
			r.wantCalls(2)
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) {
				return &doc{time.Now().Add(-time.Minute), "old"}, nil
			})
			b.read("old", snapshot.Miss) // nothing that it could read is newer
			r.pass(2 * limits.Fresh)
			r.u.set(fails)
			c.read("second", snapshot.Stale)
		},
		"without Redis each is alone, and with it again none is": func(r *replicas, a, b *node) {
			for _, n := range r.nodes {
				n.line.set(true)
			}
			r.pass(3 * time.Second)
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.wantCalls(2)
			r.pass(30 * time.Second)
			begun := time.Now()
			a.read("first", snapshot.Stale)
			if time.Since(begun) != 0 {
				r.Error("a reader waited for Redis")
			}
			for _, n := range r.nodes {
				n.line.set(false)
			}
			r.pass(30 * time.Second)
			r.u.set(now("second"))
			a.read("first", snapshot.Stale)
			r.pass(0)
			b.read("second", snapshot.Miss)
			r.wantCalls(4)
		},
		"a Redis that is emptied is filled again": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			r.server.FlushAll()
			b.read("first", snapshot.Miss)
			r.wantCalls(2)
			a.read("first", snapshot.Hit)
		},
		"what Redis has lost is published again before it is served": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.pass(2 * limits.Fresh)
			r.u.set(now("second"))
			a.read("first", snapshot.Stale)
			r.pass(2 * limits.Fresh)
			r.server.FlushAll()
			r.u.set(hangs)
			a.read("second", snapshot.Stale)
			b.read("second", snapshot.Stale)
		},
		"what was expired here is published again as that": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			r.server.FlushAll()
			r.pass(time.Millisecond)
			r.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errHere })
			if read, err := a.get(1); err != nil || read.State != snapshot.Stale {
				r.Fatal(read, err)
			}
			r.u.set(now("second"))
			if read, err := b.get(1); err != nil || read.Doc.name != "second" {
				r.Fatal(read, err)
			}
		},
		"a replica that waits for another ends at once": func(r *replicas, a, b *node) {
			r.u.set(hangs)
			for _, n := range r.nodes {
				go func() { _, _ = n.get(0) }()
				r.pass(time.Millisecond)
			}
			begun := time.Now()
			b.c.Close()
			if took := time.Since(begun); took != 0 {
				r.Errorf("it took %s", took)
			}
		},
		"a Redis that refuses writes is none": func(r *replicas, a, b *node) {
			r.server.SetError("OOM command not allowed when used memory > 'maxmemory'.")
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			r.wantCalls(2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicas(t, 2, func(r *replicas) { body(r, r.nodes[0], r.nodes[1]) })
		})
	}
}

// looks counts the looks of all replicas.
func (r *replicas) looks() (sum int32) {
	for _, n := range r.nodes {
		for i := range n.looks {
			sum += n.looks[i].Load()
		}
	}
	return sum
}

// wantTook wants these answers of other replicas to have been taken in, in this order.
func (n *node) wantTook(want ...snapshot.Outcome) {
	n.all.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.took, want) {
		n.all.Errorf("took in %v, want %v", n.took, want)
	}
}

var errHere = errors.New("refused here alone")
