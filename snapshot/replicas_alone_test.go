package snapshot_test

import (
	"testing"
	"time"

	"esagate/snapshot"
)

// TestReplicasComeTogetherAgain: what a replica has fetched without Redis is compared with what others have before it is
// served again.
func TestReplicasComeTogetherAgain(t *testing.T) {
	for name, body := range map[string]func(r *replicas, a, b *node){
		"a copy that was fetched alone is compared once Redis is back": func(r *replicas, a, b *node) {
			a.line.set(true)
			a.read("first", snapshot.Miss)
			r.pass(time.Second)
			r.u.set(now("second"))
			b.read("second", snapshot.Miss)
			a.read("first", snapshot.Hit)
			a.line.set(false)
			r.pass(2 * time.Second)
			a.read("second", snapshot.Miss)
			looks := r.looks()
			a.read("second", snapshot.Hit)
			b.read("second", snapshot.Hit)
			if r.looks() != looks {
				r.Error("a copy that was compared is looked for again")
			}
			r.wantCalls(2)
		},
		"what was fetched alone and is the newest is published": func(r *replicas, a, b *node) {
			a.read("first", snapshot.Miss)
			b.read("first", snapshot.Miss)
			a.line.set(true)
			r.pass(limits.Fresh + time.Second)
			r.u.set(now("second"))
			a.read("first", snapshot.Stale)
			r.pass(0)
			a.read("second", snapshot.Hit)
			a.line.set(false)
			r.pass(2 * time.Second)
			a.read("second", snapshot.Miss)
			b.read("second", snapshot.Miss)
			r.wantCalls(2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicas(t, 2, func(r *replicas) { body(r, r.nodes[0], r.nodes[1]) })
		})
	}
}
