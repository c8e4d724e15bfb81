package wire

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxRunIDs = 64  // streams of one refresh
	maxRuns   = 500 // runs of one page, the most that may be asked for
)

// DecodeRefresh reads the answer to `POST T/refresh`, a 202 or a 409
// sync_already_running. It needs sync_run_ids, an object, or a readable started_at.
// The error is always an [*InvalidError].
func DecodeRefresh(body []byte) (*Refresh, error) {
	f := new(Refresh)
	var problem Opt[string]
	counts := false
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "error":
			r.word(&problem, "error")
		case "sync_run_ids":
			f.SyncRunIDs, counts = r.runIDs()
		case "running_sync_types":
			f.RunningSyncTypes = r.words("running_sync_types", maxRunIDs)
		case "started_at":
			r.time(&f.StartedAt, "started_at")
		default:
			r.skip()
		}
	})
	switch {
	case err != nil:
		return nil, err
	case !counts && f.StartedAt.Time.IsZero():
		return nil, &InvalidError{"it names no sync runs"}
	}
	f.AlreadyRunning = problem.Value == "sync_already_running"
	return f, nil
}

// runIDs reads the object of run ids that stands next; ok is false when it is none.
func (r *reader) runIDs() (ids []SyncRunID, ok bool) {
	ok = r.members("sync_run_ids", func(name []byte) {
		stream := intern(name)
		var id string
		r.id(&id, "*")
		ids = slices.DeleteFunc(ids, func(have SyncRunID) bool { return have.SyncType == stream })
		if stream != "" && id != "" && len(ids) < maxRunIDs {
			ids = append(ids, SyncRunID{SyncType: stream, ID: id})
		}
	})
	return ids, ok
}

// words reads the list of words that stands next, as many as limit.
func (r *reader) words(list string, limit int) (words []string) {
	r.items(list, func() {
		var w string
		if r.label(&w, "[]"); w != "" && len(words) < limit {
			words = append(words, w)
		}
	})
	return words
}

// DecodeSyncHistory reads `GET T/sync-history`. It needs runs, a list. The error is
// always an [*InvalidError].
func DecodeSyncHistory(body []byte) (*SyncHistory, error) {
	h := new(SyncHistory)
	listed := false
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "runs":
			h.Runs, listed = r.runs()
		case "count":
			r.count(&h.Count, "count")
		case "next_cursor":
			r.text(&h.NextCursor, "next_cursor")
		default:
			r.skip()
		}
	})
	switch {
	case err != nil:
		return nil, err
	case !listed:
		return nil, &InvalidError{"it has no list of runs"}
	}
	return h, nil
}

// runs reads the list of runs that stands next; ok is false when it is none.
func (r *reader) runs() (runs []SyncRun, ok bool) {
	ok = r.items("runs", func() {
		if len(runs) == maxRuns || r.peek() != jsontext.KindBeginObject {
			r.skip()
			return
		}
		var run SyncRun
		r.members("[]", func(name []byte) { r.run(&run, name) })
		if run.SyncID != "" && run.SyncType != "" && run.Status != "" {
			runs = append(runs, run)
		}
	})
	return runs, ok
}

// run reads one member of a run.
func (r *reader) run(run *SyncRun, name []byte) {
	switch string(name) {
	case "sync_id":
		r.id(&run.SyncID, "sync_id")
	case "sync_type":
		r.label(&run.SyncType, "sync_type")
	case "status":
		r.label(&run.Status, "status")
	case "started_at":
		r.time(&run.StartedAt, "started_at")
	case "completed_at":
		r.time(&run.CompletedAt, "completed_at")
	case "duration_seconds":
		r.count(&run.DurationSeconds, "duration_seconds")
	case "items_processed":
		r.count(&run.ItemsProcessed, "items_processed")
	case "items_failed":
		r.count(&run.ItemsFailed, "items_failed")
	case "error_summary":
		r.text(&run.ErrorSummary, "error_summary")
	default:
		r.skip()
	}
}
