package clustertest_test

import (
	"crypto/rand"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"esagate/internal/cluster"
	"esagate/internal/redistest"
	"esagate/snapshot"
)

const (
	leaseFor   = time.Second           // how long a lease lasts (decision 53)
	leaseSlack = 20 * time.Millisecond // between Redis' clock, of whole milliseconds, and ours
	format     = 1
)

// asked is one exchange about a tenant. The zero answer is none: whether it was done is not known.
type asked struct {
	kind      string // "claim" a lease, "publish" a document and end the lease, "end" the lease
	token     string
	at        int64 // of the document that is published
	call, ret int64
}

type answered struct {
	known  bool
	held   bool
	waits  bool
	stored bool
	at     int64 // of the newest document
}

// tenantState is what Redis knows of a tenant: who has the lease, when it ends by itself, at the soonest and the
// latest, and the newest document.
type tenantState struct {
	holder          string
	soonest, latest int64
	newest          int64
}

// leases is the lease and the document of a tenant as replicas may see them: nobody gets a lease that another has
// and could still have, nobody is told to wait for a lease that nobody has, and no document is replaced by an older one.
var leases = porcupine.NondeterministicModel{
	Init: func() []any { return []any{tenantState{}} },
	Step: func(state, input, output any) []any {
		s, q, a := state.(tenantState), input.(asked), output.(answered)
		done, ok := s.after(q, a)
		switch {
		case !a.known && ok:
			return []any{s, done}
		case !a.known:
			return []any{s}
		case ok:
			return []any{done}
		}
		return nil
	},
}

// after is the state after an exchange that was done; ok is false where it can't have been answered so.
func (s tenantState) after(q asked, a answered) (next tenantState, ok bool) {
	free := s.holder == "" || s.soonest <= q.ret
	switch {
	case q.kind == "claim" && (a.held || !a.known):
		if !free || a.known && a.at != s.newest {
			return s, false
		}
		s.holder, s.soonest, s.latest = q.token, q.call+int64(leaseFor-leaseSlack), math.MaxInt64
		if a.known {
			s.latest = q.ret + int64(leaseFor+leaseSlack)
		}
		return s, true
	case q.kind == "claim" && a.waits:
		return s, a.at == s.newest && s.holder != "" && s.latest > q.call
	case q.kind == "claim":
		return s, a.at == s.newest && free // answered by a fresh document
	}
	if q.kind == "publish" && (a.stored || !a.known) {
		if q.at < s.newest {
			return s, false
		}
		s.newest = q.at
	}
	if s.holder == q.token {
		s.holder = ""
	}
	return s, true
}

// TestLeasesAndDocuments: replicas that claim leases, publish, hang and die, over a Redis that hangs now and then, see
// what one Redis that did one thing after the other would show them.
func TestLeasesAndDocuments(t *testing.T) {
	server := redistest.Own(t)
	const replicas, keys = 5, 6
	var (
		mu        sync.Mutex
		histories [keys][]porcupine.Operation
		wg        sync.WaitGroup
	)
	began := time.Now()
	note := func(client, k int, q asked, a answered) {
		ret := time.Since(began).Nanoseconds()
		q.ret = ret
		if !a.known {
			q.ret, ret = math.MaxInt64, math.MaxInt64
		}
		mu.Lock()
		defer mu.Unlock()
		histories[k] = append(histories[k], porcupine.Operation{ClientId: client, Input: q, Call: q.call, Output: a, Return: ret})
	}
	for i := range replicas {
		r, err := cluster.Open(cluster.Options{URL: server.URL()})
		must(t, err)
		t.Cleanup(r.Close)
		wg.Go(func() {
			client := i
			for time.Since(began) < 6*time.Second {
				if !work(t, r.Snapshots(), client, began, mathrand.IntN(keys), note) {
					client += replicas // porcupine wants a client of its own for what goes on after an exchange without an answer
				}
				time.Sleep(time.Duration(mathrand.IntN(8)) * time.Millisecond)
			}
		})
	}
	for range 3 {
		time.Sleep(1200 * time.Millisecond)
		must(t, server.Pause())
		time.Sleep(150 * time.Millisecond)
		must(t, server.Resume())
	}
	wg.Wait()
	exchanges, unknown := 0, 0
	for k, history := range histories {
		for _, o := range history {
			exchanges++
			if !o.Output.(answered).known {
				unknown++
			}
		}
		if result := porcupine.CheckOperationsTimeout(leases.ToModel(), history, patience); result != porcupine.Ok {
			t.Errorf("tenant %d: %v, after %d exchanges", k, result, len(history))
		}
	}
	t.Logf("%d exchanges, %d without an answer", exchanges, unknown)
	if exchanges < 100 {
		t.Error("too few to say anything")
	}
}

// work claims a lease, and ends it in one way or another; false: an exchange had no answer.
func work(t *testing.T, s *cluster.Snapshots, client int, began time.Time, k int, note func(client, k int, q asked, a answered)) bool {
	key, none := fmt.Sprintf("tenant-%d", k), -time.Second
	claim := asked{kind: "claim", token: rand.Text(), call: time.Since(began).Nanoseconds()}
	known, err := s.Look(t.Context(), key, snapshot.Question{Lease: claim.token, Format: format, Expired: none, Retried: none})
	if err == cluster.ErrAway { // it was not asked
		return true
	}
	note(client, k, claim, answered{known: err == nil, held: known.Held, waits: known.Waits, at: known.Stamp.At})
	if err != nil {
		return false
	}
	late := !known.Held && mathrand.IntN(16) == 0 // a document of a holder that has lost its lease long ago
	if !known.Held && !late || mathrand.IntN(24) == 0 {
		return true // it waits, or it dies
	}
	at := time.Since(began).Microseconds() - int64(mathrand.IntN(3000)) // documents can come out of order
	time.Sleep(time.Duration(mathrand.IntN(5)) * time.Millisecond)
	q := asked{kind: "publish", token: claim.token, at: at, call: time.Since(began).Nanoseconds()}
	if mathrand.IntN(4) == 0 {
		q.kind = "end"
		known, err = s.End(t.Context(), key, q.token, snapshot.Finding{})
	} else {
		known, err = s.Publish(t.Context(), key, snapshot.Publication{Lease: q.token, At: at, Format: format, Body: []byte("x"),
			Fresh: 3 * time.Millisecond, Lifetime: time.Minute})
	}
	if err == cluster.ErrAway {
		return true
	}
	note(client, k, q, answered{known: err == nil, stored: known.Stored})
	return err == nil
}
