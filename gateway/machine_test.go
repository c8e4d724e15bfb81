package gateway_test

import (
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// TestFiguresOfLate counts calls of the sales agent and the share of statuses that could not be refreshed.
func TestFiguresOfLate(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for range 3 {
			w.get(statusOf)
			w.pass(6 * time.Second)
		}
		before := w.recent.Figures()
		if calls := before.CallsPerSecond * before.Over.Seconds(); calls < 3 || before.StaleShare != 0 || before.CallP95 == 0 {
			t.Errorf("while the sales agent is well: %+v", before)
		}
		w.agent.Fault(tenant, upstreamtest.Fault{Status: 500})
		w.get(statusOf) // the copy, while it is tried to refresh it
		w.pass(4 * time.Second)
		w.get(statusOf)
		if got := w.recent.Figures(); got.StaleShare <= 0 || got.StaleShare > .5 {
			t.Errorf("while it fails: %+v", got)
		}
	})
}
