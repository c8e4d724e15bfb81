package transform

import (
	"slices"

	"esagate/api"
	"esagate/upstream/wire"
)

// Refresh gives the answer to a refresh. Streams whose names can't be
// read are left out.
func Refresh(r *wire.Refresh) *api.RefreshResult {
	out := &api.RefreshResult{
		Status:     "started",
		SyncRunIDs: make(api.SyncRunIDs, 0, len(r.SyncRunIDs)),
		StartedAt:  api.Timestamp(r.StartedAt),
	}
	names := StreamNamesOf(r.SyncRunIDs)
	for _, run := range r.SyncRunIDs {
		if stream, ok := streamName(run.Name); ok && names[stream][0] == run.Name {
			out.SyncRunIDs = append(out.SyncRunIDs, api.Member[string]{Name: stream, Value: run.Value})
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
