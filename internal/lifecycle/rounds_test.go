package lifecycle_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// unsettled gives connections of which it is not known whether they have a tenant.
func (w *world) unsettled(n int) (ids []int64) {
	w.Helper()
	for range n {
		w.agent.next("provision", behaviour{nothing: true, cut: true})
		ids = append(ids, w.connectFails(freewheel, nil, fault.Unavailable).ESAID)
	}
	return ids
}

// TestLookupsAreFew: the list of tenants can be long. A connection is looked for after 5,
// 10, 20 and then 30 seconds, by the replica that watches it or else by rounds of Settle.
func TestLookupsAreFew(t *testing.T) {
	const first, others = 3, 6 // after 5, 15, 35, 65, 95 and 120 s
	inWorld(t, func(w *world) {
		ids := w.unsettled(first)
		for range 36 {
			w.pass(5 * time.Second)
			w.must(w.one.Settle(w.Context()))
		}
		if n := len(w.agent.made("list")); n != first*(1+others) {
			w.Errorf("watched: %d lists for %d connections", n, first)
		}
		w.is(w.stored(ids[0]), registry.StatusFailed, "INTERNAL_ERROR")
	})
	inWorld(t, func(w *world) {
		ids := w.unsettled(first)
		w.crash() // nobody watches
		before := len(w.agent.made("list"))
		for range 36 { // after 0, 5, 15, 35, 65, 95, 125, 155 s
			w.must(w.one.Settle(w.Context()))
			w.pass(5 * time.Second)
		}
		if n := len(w.agent.made("list")) - before; n != first*8 {
			w.Errorf("settled: %d lists for %d connections", n, first)
		}
		w.must(w.one.Settle(w.Context())) // it is certain now, whatever the pause
		for _, id := range ids {
			if c := w.stored(id); !c.UnsettledSince.IsZero() {
				w.Errorf("unsettled since %s", c.UnsettledSince)
			}
		}
		// A new attempt is looked for at once.
		w.unsettled(1)
		w.crash()
		before = len(w.agent.made("list"))
		w.must(w.one.Settle(w.Context()))
		if n := len(w.agent.made("list")) - before; n != 1 {
			w.Errorf("%d lists", n)
		}
	})
}

// TestOneRoundAtATime, and the next some time after it.
func TestOneRoundAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		w.unsettled(1)
		w.crash()
		w.agent.next("list", behaviour{after: 20 * time.Second})
		before := len(w.agent.made("list"))
		looked := func() int { return len(w.agent.made("list")) - before }
		go func() { _ = w.one.Settle(w.Context()) }()
		w.pass(10 * time.Second)
		begun := time.Now()
		w.must(w.one.Settle(w.Context()))
		if n := looked(); n != 1 || time.Since(begun) != 0 {
			w.Errorf("%d looks, after %s", n, time.Since(begun))
		}
		w.pass(11 * time.Second) // the round has ended a second ago
		w.must(w.one.Settle(w.Context()))
		if n := looked(); n != 1 {
			w.Errorf("%d looks", n)
		}
		w.pass(time.Second)
		w.must(w.one.Settle(w.Context()))
		if n := looked(); n != 2 {
			w.Errorf("%d looks", n)
		}
	})
}
