package snapshot_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/snapshot"
)

// plant writes a value of another's at the key of "k". Fields that end in "+" are times, so many seconds from now.
func (r *replicas) plant(fields ...string) {
	for i := 0; i < len(fields); i += 2 {
		name, value := fields[i], fields[i+1]
		if field, ok := strings.CutSuffix(name, "+"); ok {
			seconds, _ := strconv.Atoi(value)
			name, value = field, strconv.FormatInt(time.Now().Add(time.Duration(seconds)*time.Second).UnixMicro(), 10)
		}
		r.server.HSet(snapshotKey, name, value)
	}
}

const (
	snapshotKey = "esagate:snapshot:{k}"
	leaseKey    = "esagate:lease:{k}"
	year        = "31536000"
)

// TestReplicasAndWhatNobodyHasWritten: whatever lies in Redis, readers without a copy get one, and soon.
func TestReplicasAndWhatNobodyHasWritten(t *testing.T) {
	for name, plant := range map[string]func(r *replicas){
		"a lease without an end":     func(r *replicas) { _ = r.server.Set(leaseKey, "x") },
		"a lease that lasts an hour": func(r *replicas) { _ = r.server.Set(leaseKey, "x"); r.server.SetTTL(leaseKey, time.Hour) },
		"a lease of another type":    func(r *replicas) { r.server.HSet(leaseKey, "x", "x") },
		"a value of another type":    func(r *replicas) { _ = r.server.Set(snapshotKey, "x") },
		"an answer of words that nobody knows": func(r *replicas) {
			r.plant("f", "1", "e", "9", "b+", "0", "g", "words", "h+", year)
		},
		"a failure of words that nobody knows": func(r *replicas) { r.plant("v", "1", "x", "words", "y+", "0", "z+", year) },
		"a document that can't be read": func(r *replicas) {
			r.plant("f", "1", "e", "9", "b+", "0", "a+", "0", "r+", "0", "d", "words", "t+", year)
		},
		"times to come": func(r *replicas) {
			r.plant("f", "1", "e", "9", "b+", year, "g", errGone.Error(), "h+", year, "v", "1", "x", errDown.Error(), "y+", year, "z+", year)
		},
		"no numbers": func(r *replicas) {
			r.plant("f", "1", "e", "nan", "b", "inf", "a", "-inf", "r", "nan", "d", "x", "t", "inf", "z", "nan")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicas(t, 2, func(r *replicas) {
				plant(r)
				begun := time.Now()
				r.nodes[0].read("first", snapshot.Miss)
				if took := time.Since(begun); took > time.Second+longestPoll {
					r.Errorf("it took %s", took)
				}
				r.nodes[1].read("first", snapshot.Miss)
			})
		})
	}
}

// TestReplicasDoNotBackOffForLongerThanOneDoes: whatever another has written.
func TestReplicasDoNotBackOffForLongerThanOneDoes(t *testing.T) {
	inReplicas(t, 1, func(r *replicas) {
		r.plant("v", "1", "x", errDown.Error(), "y+", "0", "z+", year)
		if _, err := r.nodes[0].get(0); err == nil {
			r.Error("a failure elsewhere is not heeded")
		}
		r.pass(time.Minute)
		r.nodes[0].read("first", snapshot.Miss)
	})
}

// TestReplicasWhenTheClockOfRedisGoesBack: as after a failover. Nothing is fresh, or backed off, for longer than before.
func TestReplicasWhenTheClockOfRedisGoesBack(t *testing.T) {
	back := func(r *replicas) { r.server.SetTime(time.Now().Add(-time.Hour)) }
	inReplicas(t, 2, func(r *replicas) {
		a, b := r.nodes[0], r.nodes[1]
		a.read("first", snapshot.Miss)
		back(r)
		b.read("first", snapshot.Miss)
		for range 3 {
			r.pass(2 * limits.Fresh)
			back(r)
			name := time.Now().String()
			r.u.set(now(name))
			before := r.u.calls.Load()
			if _, err := b.get(0); err != nil {
				r.Fatal(err)
			}
			r.pass(limits.Fresh / 2)
			back(r)
			b.read(name, snapshot.Hit)
			a.read(name, snapshot.Miss)
			if r.u.calls.Load() != before+1 {
				r.Errorf("%d calls", r.u.calls.Load()-before)
			}
		}
		r.u.set(fails)
		r.pass(2 * limits.Fresh)
		back(r)
		_, _ = a.get(0)
		r.pass(time.Second)
		r.server.SetTime(time.Now().Add(-2 * time.Hour))
		r.u.set(now("last"))
		_, _ = b.get(0)
		r.pass(20 * time.Second)
		r.server.SetTime(time.Now().Add(-2 * time.Hour))
		_, _ = b.get(0)
		r.pass(time.Second)
		b.read("last", snapshot.Hit)
	})
}

// TestTwoVersionsCallOnceEach: side by side, with hints between them.
func TestTwoVersionsCallOnceEach(t *testing.T) {
	inReplicas(t, 1, func(r *replicas) {
		r.nodes = append(r.nodes, r.node(2))
		r.u.set(after(100*time.Millisecond, now("doc")))
		const intervals = 10
		for range intervals * int(limits.Fresh/(100*time.Millisecond)) {
			for _, n := range r.nodes {
				if _, err := n.get(0); err != nil {
					r.Fatal(err)
				}
			}
			r.pass(100 * time.Millisecond)
		}
		if calls := r.u.calls.Load(); calls > 2*intervals {
			r.Errorf("%d calls in %d intervals", calls, intervals)
		}
	})
}

// TestHintsWithoutEnd: a reader waits for one look, however many hints come meanwhile.
func TestHintsWithoutEnd(t *testing.T) {
	inReplicas(t, 1, func(r *replicas) {
		a := r.nodes[0]
		a.read("first", snapshot.Miss)
		r.pass(2 * limits.Fresh)
		flood := true
		r.looked = func(n *node) {
			time.Sleep(20 * time.Millisecond)
			if flood {
				n.c.Hear("k", time.Now().Add(time.Hour).UnixMicro())
			}
		}
		r.u.set(hangs)
		a.c.Hear("k", time.Now().Add(time.Hour).UnixMicro())
		begun := time.Now()
		a.read("first", snapshot.Stale)
		if took := time.Since(begun); took > 100*time.Millisecond {
			r.Errorf("it took %s", took)
		}
		flood = false
	})
}

// TestAnOlderAnswerThatNobodyElseKnowsOf: a replica that has got one goes on looking, as the others do.
func TestAnOlderAnswerThatNobodyElseKnowsOf(t *testing.T) {
	inReplicas(t, 2, func(r *replicas) {
		a, b := r.nodes[0], r.nodes[1]
		a.read("first", snapshot.Miss)
		r.u.set(func(context.Context, snapshot.Demand) (*doc, error) {
			r.server.Del(leaseKey)
			return &doc{time.Now().Add(-time.Hour), "old"}, nil
		})
		r.pass(2 * limits.Fresh)
		a.read("first", snapshot.Stale)
		r.pass(time.Second)
		r.u.set(now("second"))
		b.read("first", snapshot.Stale)
		r.pass(0)
		b.read("second", snapshot.Hit)
		a.read("second", snapshot.Miss)
	})
}
