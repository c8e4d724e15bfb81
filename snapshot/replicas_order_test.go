package snapshot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/snapshot"
)

// step is one thing that happens to replicas, and then a read.
type step struct {
	skew, delay, pause time.Duration // of the sales agent's clock and answers; before the step
	fail               bool
	what               string
	at, reads          int // replicas
}

var happenings = []string{"nothing", "nothing", "nothing", "write", "expire", "retry", "kill"}

func steps(cuts bool) *rapid.Generator[[]step] {
	kinds := happenings
	if cuts {
		kinds = append([]string{"cut", "mend", "empty"}, kinds...)
	}
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
		return step{
			skew:  time.Duration(rapid.IntRange(-8000, 2000).Draw(rt, "skew")) * time.Millisecond,
			delay: time.Duration(rapid.IntRange(0, 4000).Draw(rt, "delay")) * time.Millisecond,
			pause: time.Duration(rapid.IntRange(1, 12_000).Draw(rt, "pause")) * time.Millisecond,
			fail:  rapid.IntRange(0, 4).Draw(rt, "fail") == 0,
			what:  rapid.SampledFrom(kinds).Draw(rt, "what"),
			at:    rapid.IntRange(0, 2).Draw(rt, "at"), reads: rapid.IntRange(0, 2).Draw(rt, "reads"),
		}
	}), 1, 40)
}

// play lets a plan happen. read gets what each read at a replica gave.
func (r *replicas) play(plan []step, read func(s step, got snapshot.Read[*doc], err error)) {
	epoch := int64(0)
	for _, s := range plan {
		r.u.set(after(s.delay, func(context.Context, snapshot.Demand) (*doc, error) {
			if s.fail {
				return nil, errDown
			}
			return &doc{at: time.Now().Add(s.skew).Truncate(time.Microsecond)}, nil
		}))
		r.pass(s.pause)
		n := r.nodes[s.at]
		switch s.what {
		case "write":
			epoch++
		case "expire":
			n.c.Expire("k")
		case "retry":
			n.c.RetryNow("k")
		case "kill":
			n.line.set(true)
			n.close()
			next := r.node(1)
			r.changing.Lock()
			r.nodes[s.at] = next
			r.changing.Unlock()
		case "cut", "mend":
			n.line.set(s.what == "cut")
		case "empty":
			r.server.FlushAll()
		}
		got, err := r.nodes[s.reads].get(epoch)
		read(s, got, err)
	}
}

// TestReplicasNeverServeAnOlderDocument: a reader that goes from replica to replica sees no time step back, whatever
// is written, fails or is killed, and two calls run at once only when a replica was killed in one.
func TestReplicasNeverServeAnOlderDocument(t *testing.T) {
	plans := steps(false)
	rapid.Check(t, func(rt *rapid.T) {
		plan := plans.Draw(rt, "steps")
		wrong := ""
		inReplicas(t, 3, func(r *replicas) {
			var last time.Time
			killed := false
			r.play(plan, func(s step, got snapshot.Read[*doc], err error) {
				killed = killed || s.what == "kill"
				if err == nil && got.Doc.at.Before(last) {
					wrong = fmt.Sprintf("%s served after %s", got.Doc.at, last)
				}
				if err == nil {
					last = got.Doc.at
				}
			})
			if r.u.overlapped.Load() && !killed {
				wrong = "two calls ran at once"
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// TestReplicasGoOnWithoutRedis: whatever becomes of Redis, no replica fails that has a copy, or serves an older one than before.
func TestReplicasGoOnWithoutRedis(t *testing.T) {
	plans := steps(true)
	rapid.Check(t, func(rt *rapid.T) {
		plan := plans.Draw(rt, "steps")
		wrong := ""
		inReplicas(t, 3, func(r *replicas) {
			served := [3]time.Time{} // by replica
			r.play(plan, func(s step, got snapshot.Read[*doc], err error) {
				if s.what == "kill" {
					served[s.at] = time.Time{}
				}
				if err != nil {
					if got, ok := r.nodes[s.reads].c.Peek("k"); ok && got.Age <= limits.StaleIfError {
						wrong = fmt.Sprintf("%v in spite of a copy", err)
					}
					return
				}
				if got.Doc.at.Before(served[s.reads]) {
					wrong = fmt.Sprintf("%s served after %s", got.Doc.at, served[s.reads])
				}
				served[s.reads] = got.Doc.at
			})
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
