package lifecycle_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// TestLongProbeTimeout: a gateway that gives upstream longer than two minutes waits longer
// until it asks again.
func TestLongProbeTimeout(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.ProbeTimeout = 5 * time.Minute
		w.restart()
		// Something that stands before upstream gives up, and upstream does not.
		w.agent.next("provision", behaviour{before: 5*time.Minute + 30*time.Second})
		m := w.connect(freewheel)
		id, begun := m.Connection.ID, time.Now().Add(-25*time.Second)
		w.pass(4*time.Minute + 40*time.Second)
		c := w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.Equal(begun) || !strings.Contains(c.LastError, "6 minutes") {
			w.Errorf("unsettled since %s, begun at %s: %s", c.UnsettledSince, begun, c.LastError)
		}
		if f := w.saveFails(id, freewheelNew, fault.Conflict); f.RetryAfter != time.Until(begun.Add(345*time.Second)) {
			w.Errorf("come again in %s", f.RetryAfter)
		}
		w.rounds(time.Minute)
		w.is(w.stored(id), registry.StatusActive, "")
		w.calls("provision", 1)
	})
}

// TestUnknownOutcomeRetryAfter: when it is worth trying again, and in the end that
// nothing came of it.
func TestUnknownOutcomeRetryAfter(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{nothing: true, before: 5 * time.Second, status: 502, body: `{}`})
		f := w.connectFails(freewheel, nil, fault.Unavailable)
		if f.RetryAfter != 115*time.Second {
			w.Errorf("come again in %s", f.RetryAfter)
		}
		c := w.stored(f.ESAID)
		if !strings.Contains(c.LastError, "saved again in 2 minutes") {
			w.Errorf("lastError %q", c.LastError)
		}
		w.rounds(2 * time.Minute)
		c = w.stored(f.ESAID)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.IsZero() || c.LastError != "The sales agent did not set up the source. Save the configuration to try again." {
			w.Errorf("since %s: %q", c.UnsettledSince, c.LastError)
		}
	})
}

// TestSkewOfAnotherReplica: another replica's clock is not this one's: what it recorded is
// taken to be certain a minute later.
func TestSkewOfAnotherReplica(t *testing.T) {
	type test struct {
		b     behaviour
		until time.Duration // from the beginning
	}
	inWorlds(t, map[string]test{
		"under way": {behaviour{nothing: true, after: time.Hour}, 190 * time.Second},
		"unsettled": {behaviour{nothing: true, cut: true}, 180 * time.Second},
	}, func(w *world, x test) {
		id, begun := w.pending("weekly").Connection.ID, time.Now()
		w.crashOn("provision", x.b, "save", id)
		for {
			w.must(w.one.Settle(w.Context()))
			if c := w.stored(id); c.Operation == nil && c.UnsettledSince.IsZero() {
				break
			}
			w.pass(5 * time.Second)
		}
		if took := time.Since(begun); took < x.until || took > x.until+5*time.Second {
			w.Errorf("settled after %s, want %s", took, x.until)
		}
		w.is(w.stored(id), registry.StatusFailed, "INTERNAL_ERROR")
	})
}

// TestOutcomeIsReportedOnce: of two that write down how an operation ended, one counts it.
func TestOutcomeIsReportedOnce(t *testing.T) {
	inWorlds(t, map[string]behaviour{
		"made":    {before: time.Second, after: 10 * time.Second},
		"unknown": {before: time.Second, after: 10 * time.Second, status: 500, body: `{}`},
	}, func(w *world, b behaviour) {
		w.agent.next("provision", b)
		go func() { _, _ = w.one.Connect(w.Context(), customer, w.parseConnect(freewheel), nil) }()
		w.pass(5 * time.Second)
		two := w.start()
		w.must(two.Settle(w.Context()))
		w.pass(10 * time.Second)
		w.one.reported()
		two.reported("provision adopted")
	})
}

// TestTwoReplicasSettle: two replicas that settle the same at the same time count it once.
func TestTwoReplicasSettle(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.crashOn("provision", behaviour{after: 10 * time.Second}, "save", id)
		two := w.start()
		w.agent.all("list", behaviour{after: time.Second})
		var rounds sync.WaitGroup
		for _, r := range []*replica{w.one, two} {
			rounds.Go(func() { w.must(r.Settle(w.Context())) })
		}
		rounds.Wait()
		w.is(w.stored(id), registry.StatusActive, "")
		if told := append(w.one.outcomes, two.outcomes...); len(told) != 1 || told[0] != "provision adopted" {
			w.Errorf("told %q", told)
		}
	})
}

// TestPromiseHoldsAtOtherReplica: after the time that a caller was told, another replica,
// which leads, takes the save as well, because the replica that asked ends its attempt then.
func TestPromiseHoldsAtOtherReplica(t *testing.T) {
	inWorlds(t, map[string]time.Duration{
		"when promised":                0,
		"when upstream can be read of": 30 * time.Second, // the pause between two lookups
	}, func(w *world, late time.Duration) {
		one, two := w.one, w.start()
		w.agent.next("provision", behaviour{nothing: true, before: 5 * time.Second, status: 502, body: `{}`})
		f := w.connectFails(freewheel, nil, fault.Unavailable)
		settle := func(end time.Time) {
			for time.Now().Before(end) {
				w.pass(min(5*time.Second, time.Until(end)))
				w.must(two.Settle(w.Context()))
				w.must(one.SettleOwn(w.Context()))
			}
		}
		promised := time.Now().Add(f.RetryAfter)
		settle(promised.Add(-time.Second))
		if late > 0 {
			w.agent.all("list", refuse(503, `{}`))
		}
		w.pass(time.Second)
		w.agent.all("list", behaviour{})
		settle(promised.Add(late))
		m, err := two.Save(w.Context(), customer, f.ESAID, w.parse(freewheelNew))
		w.must(err)
		w.is(*m.Connection, registry.StatusActive, "")
		w.provisionedTwice()
		one.reported("provision unknown")
		two.reported("provision done")
	})
}

// TestSettleOwn: what another process was not answered is left to the replica that leads.
func TestSettleOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.unsettled(1)
		two := w.start()
		before := len(w.agent.made("list"))
		w.pass(10 * time.Second)
		w.must(two.SettleOwn(w.Context()))
		w.calls("list", before)
		w.must(w.one.SettleOwn(w.Context()))
		w.calls("list", before+1)
	})
}
