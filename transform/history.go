package transform

import (
	"slices"

	"esagate/api"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// Statuses of a run in the sync history, beside success and failed.
const (
	statusInProgress = "in_progress"
	statusCancelled  = "cancelled"
)

const historyRuns = 10 // of a stream's history (contract 4.4)

// SyncHistory gives a page of the sync history. Runs whose stream or start can't be
// read are left out.
func SyncHistory(h *wire.SyncHistory) *api.SyncRunPage {
	out := &api.SyncRunPage{Runs: make([]api.SyncRun, 0, len(h.Runs))}
	for i := range h.Runs {
		if run, ok := syncRun(&h.Runs[i]); ok {
			out.Runs = append(out.Runs, run)
		}
	}
	out.Count = int64(len(out.Runs)) // upstream's may count runs that can't be shown
	out.NextCursor = pointer(h.NextCursor)
	return out
}

func syncRun(r *wire.SyncRun) (api.SyncRun, bool) {
	stream, ok := streamName(r.SyncType)
	if !ok || r.StartedAt.Time.IsZero() {
		return api.SyncRun{}, false
	}
	return api.SyncRun{
		SyncID: r.SyncID, SyncType: stream,
		StartedAt: api.Timestamp(r.StartedAt), CompletedAt: api.Timestamp(r.CompletedAt),
		Status:         runStatus(r.Status),
		ItemsProcessed: max(r.ItemsProcessed.Value, 0), ItemsFailed: max(r.ItemsFailed.Value, 0),
		DurationSeconds: pointer(r.DurationSeconds), ErrorSummary: freeText(r.ErrorSummary, syncText("")),
	}, true
}

// runStatus gives the status of a run in the words of answers (contract 2.12). A word that is neither
// raw nor known passes.
func runStatus(status string) string {
	switch {
	case status == "completed":
		return statusSuccess
	case status == statusRunning, status == "pending":
		return statusInProgress
	case !word.Name.Is(status):
		return unknownWord
	}
	return status
}

var rawStatuses = map[string]string{
	statusSuccess: "completed", "completed": "completed",
	statusInProgress: statusInProgress, "inProgress": statusInProgress, statusRunning: statusRunning,
	"pending": "pending", statusFailed: statusFailed,
	statusCancelled: statusCancelled, "canceled": statusCancelled,
}

// HistoryStatusToUpstream gives the raw word that upstream filters a history by, for a
// word of its answers or a raw one; in_progress, for which upstream has two, stays as it is;
// "" for any other.
func HistoryStatusToUpstream(status string) string { return rawStatuses[status] }

// StreamHistory sums up the last 10 runs of a page of one stream's history, with all of
// these runs, newest first.
func StreamHistory(h *wire.SyncHistory) api.SyncHistory {
	runs := SyncHistory(h).Runs
	slices.SortStableFunc(runs, func(a, b api.SyncRun) int { return b.StartedAt.Time.Compare(a.StartedAt.Time) })
	runs = slices.Clip(runs[:min(len(runs), historyRuns)])
	out := api.SyncHistory{RecentRunCount: int64(len(runs)), RecentRuns: runs}
	streak := true
	for i := range runs {
		run := &runs[i]
		switch {
		case run.Status == statusFailed:
			if out.RecentFailureCount == 0 {
				out.LatestError, out.LatestFailureAt = run.ErrorSummary, run.CompletedAt
				if out.LatestFailureAt.IsZero() {
					out.LatestFailureAt = run.StartedAt
				}
			}
			out.RecentFailureCount++
			if streak {
				out.ConsecutiveFailureCount++
			}
		case finished(run):
			streak = false
		}
	}
	return out
}

// finished reports whether a run is over. One of a status that is unknown here is if it has an end.
func finished(r *api.SyncRun) bool {
	switch r.Status {
	case statusSuccess, statusFailed, statusCancelled:
		return true
	case statusInProgress:
		return false
	}
	return !r.CompletedAt.IsZero()
}
