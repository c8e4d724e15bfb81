package lifecycle_test

import (
	"strings"
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
// 10, 20 and then 30 seconds, and the last time when it is certain that there is no tenant.
func TestLookupsAreFew(t *testing.T) {
	type test struct {
		crash bool
		lists int // for each connection
	}
	inWorlds(t, map[string]test{
		"by the process that asked": {false, 6}, // after 5, 15, 35, 65, 95 and 120 s
		"by another process":        {true, 9},  // after 0, 5, 15, 35, 65, 95, 125, 155 and 180 s
	}, func(w *world, x test) {
		const connections = 3
		ids := w.unsettled(connections)
		if x.crash {
			w.crash()
		}
		before := len(w.agent.made("list"))
		w.must(w.one.Settle(w.Context()))
		w.rounds(3 * time.Minute)
		w.calls("list", before+connections*x.lists)
		for _, id := range ids {
			c := w.stored(id)
			w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
			if !c.UnsettledSince.IsZero() {
				w.Errorf("unsettled since %s", c.UnsettledSince)
			}
		}
		// A new attempt is looked for at once.
		w.unsettled(1)
		w.crash()
		before = len(w.agent.made("list"))
		w.must(w.one.Settle(w.Context()))
		w.calls("list", before+1)
	})
}

// TestOneRoundAtATime: while a round is under way Settle does nothing.
func TestOneRoundAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		w.unsettled(1)
		w.crash()
		w.agent.next("list", behaviour{after: 20 * time.Second})
		before := len(w.agent.made("list"))
		go func() { _ = w.one.Settle(w.Context()) }()
		for _, x := range []struct {
			pause time.Duration
			lists int
		}{{10 * time.Second, 1}, {11 * time.Second, 2}} { // the round ends after 20 s
			w.pass(x.pause)
			w.takes(0, func() { w.must(w.one.Settle(w.Context())) })
			w.calls("list", before+x.lists)
		}
	})
}

// TestLookupsKeepNothingWaiting: while many lookups hang, a switch is settled. Lookups that
// fail are no warnings.
func TestLookupsKeepNothingWaiting(t *testing.T) {
	inWorld(t, func(w *world) {
		w.unsettled(20)
		id := w.connected(freewheel).Connection.ID
		w.crashOn("deactivate", behaviour{after: time.Minute}, "deactivate", id)
		w.pass(90 * time.Second)
		w.agent.all("list", behaviour{before: 10 * time.Second, nothing: true, status: 503, body: `{}`})
		go func() { w.must(w.one.Settle(w.Context())) }()
		w.pass(time.Second)
		w.is(w.stored(id), registry.StatusDeactivated, "")
		w.pass(time.Minute)
		const line = `msg="a connection can't be settled yet"`
		if logs := w.logs.String(); !strings.Contains(logs, "level=INFO "+line) || strings.Contains(logs, "level=WARN "+line) {
			w.Error("a lookup that fails is not one line of INFO")
		}
	})
}
