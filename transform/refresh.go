package transform

import (
	"slices"

	"esagate/api"
	"esagate/upstream/wire"
)

// Refresh gives the answer to a refresh. Streams and runs whose names or ids can't be
// read are left out.
func Refresh(r *wire.Refresh) *api.RefreshResult {
	out := &api.RefreshResult{
		Status:     "started",
		SyncRunIDs: make(api.SyncRunIDs, 0, len(r.SyncRunIDs)),
		StartedAt:  api.Timestamp(r.StartedAt),
	}
	for _, run := range r.SyncRunIDs {
		stream, ok := streamName(run.Name)
		if !ok || !runID.MatchString(run.Value) {
			continue
		}
		switch at := out.SyncRunIDs.Index(stream); {
		case at < 0:
			out.SyncRunIDs = append(out.SyncRunIDs, api.Member[string]{Name: stream, Value: run.Value})
		case isSnake(run.Name): // of both spellings the snake_case one is upstream's own
			out.SyncRunIDs[at].Value = run.Value
		}
	}
	out.SyncRunIDs.Sort()
	if !r.AlreadyRunning {
		return out
	}
	out.Status = "already_running"
	out.RunningSyncTypes = make([]string, 0, len(r.RunningSyncTypes))
	for _, name := range r.RunningSyncTypes {
		if stream, ok := streamName(name); ok && !slices.Contains(out.RunningSyncTypes, stream) {
			out.RunningSyncTypes = append(out.RunningSyncTypes, stream)
		}
	}
	return out
}
