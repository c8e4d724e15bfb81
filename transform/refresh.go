package transform

import (
	"slices"
	"strings"

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
		stream, ok := streamName(run.SyncType)
		if !ok || !isRunID(run.ID) {
			continue
		}
		at := slices.IndexFunc(out.SyncRunIDs, func(s api.SyncRunID) bool { return s.SyncType == stream })
		switch {
		case at < 0:
			out.SyncRunIDs = append(out.SyncRunIDs, api.SyncRunID{SyncType: stream, ID: run.ID})
		case isSnake(run.SyncType): // of both spellings the snake_case one is upstream's own
			out.SyncRunIDs[at].ID = run.ID
		}
	}
	slices.SortFunc(out.SyncRunIDs, func(a, b api.SyncRunID) int { return strings.Compare(a.SyncType, b.SyncType) })
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

// AppendRefreshResult appends the document as JSON.
func AppendRefreshResult(dst []byte, r *api.RefreshResult) []byte { return appendDocument(dst, r) }
