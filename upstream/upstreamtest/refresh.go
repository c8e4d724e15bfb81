package upstreamtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// refreshWindow is how long a second refresh gives the runs of the first.
const refreshWindow = 60 * time.Second

// runIDs are run ids by stream.
type runIDs map[string]string

type refreshDocument struct {
	SyncRunIDs runIDs `json:"sync_run_ids"`
	StartedAt  string `json:"started_at"`
}

type conflictDocument struct {
	Error            string   `json:"error"`
	Message          string   `json:"message"`
	SyncRunIDs       runIDs   `json:"sync_run_ids"`
	StartedAt        string   `json:"started_at"`
	RunningSyncTypes []string `json:"running_sync_types"`
}

// refresh starts a run of each stream, or gives the one that began within the
// window, whatever has become of it. Where one has been running for longer than that
// nothing is started: the answer is a conflict of the same shape. a.mu is held, and
// advance has been called.
func (a *Agent) refresh(t *tenantState) answer {
	now := a.opts.Now()
	var old []string
	ids, began := runIDs{}, now
	for _, name := range refreshed {
		r := t.latest(name, now)
		if r != nil && r.Status == runRunning && now.Sub(r.StartedAt) > refreshWindow {
			old, ids[name] = append(old, name), r.ID
			began = earlier(began, r.StartedAt)
		}
	}
	if old != nil {
		slices.Sort(old)
		return says(http.StatusConflict, conflictDocument{
			Error:      "sync_already_running",
			Message:    fmt.Sprintf("These streams are being read already: %s. Nothing was started.", strings.Join(old, ", ")),
			SyncRunIDs: ids, StartedAt: stamp(began, t.zone()), RunningSyncTypes: old,
		})
	}
	for _, name := range refreshed {
		r := t.latest(name, now)
		if r == nil || (!r.open() && now.Sub(r.StartedAt) >= refreshWindow) {
			r = a.start(t, name, "manual")
		}
		ids[name] = r.ID
		began = earlier(began, r.StartedAt)
	}
	a.schedule()
	t.uncache()
	return says(http.StatusAccepted, refreshDocument{SyncRunIDs: ids, StartedAt: stamp(began, t.zone())})
}

func earlier(x, y time.Time) time.Time {
	if y.Before(x) {
		return y
	}
	return x
}
