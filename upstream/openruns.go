package upstream

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// InProgress is the status of runs that are not over, as histories answer it.
const InProgress = "in_progress"

// openWords are the words by which the sales agent filters the runs that it answers as in_progress. A call
// takes one (contract 2.12). A run that goes over from the first to the second between two calls is read twice.
var openWords = [...]string{"pending", "running"}

const (
	openPage  = 500 // runs of a call, the most that upstream gives
	openCalls = 3   // for each word; what is beyond is not shown
	maxRunID  = 128 // bytes; a run with a longer id can't be shown
)

// fetchHistory reads a page of one history.
type fetchHistory func(HistoryQuery) (*wire.SyncHistory, error)

// openRuns gives a page of the runs in progress, newest first. For each page all of them are read again: they are
// few, and runs may begin, end or go over from one word to the other in between.
func openRuns(fetch fetchHistory, q HistoryQuery) (*wire.SyncHistory, error) {
	after, ok := parseOpenCursor(q.Cursor)
	if !ok {
		return nil, fault.Invalid(fault.Issue{Path: "cursor",
			Message: "cursor must be the nextCursor of an earlier page of this status."})
	}
	page, seen := new(wire.SyncHistory), map[string]bool{}
	for _, word := range openWords {
		of := HistoryQuery{SyncType: q.SyncType, Status: word, Limit: openPage}
		for range openCalls {
			got, err := fetch(of)
			if err != nil {
				return nil, err
			}
			for _, r := range got.Runs {
				if isInProgress(&r) && !seen[r.SyncID] && (q.Cursor == "" || newestFirst(after, r) < 0) {
					seen[r.SyncID] = true
					page.Runs = append(page.Runs, r)
				}
			}
			if of.Cursor = got.NextCursor.Value; of.Cursor == "" {
				break
			}
		}
	}
	slices.SortFunc(page.Runs, newestFirst)
	if q.Limit > 0 && len(page.Runs) > q.Limit {
		page.Runs = page.Runs[:q.Limit]
		page.NextCursor = wire.Opt[string]{Value: openCursor(&page.Runs[q.Limit-1]), Set: true}
	}
	return page, nil
}

// isInProgress reports whether a run is one, in a raw word or the answers' own, and can be shown.
func isInProgress(r *wire.SyncRun) bool {
	return (r.Status == InProgress || slices.Contains(openWords[:], r.Status)) &&
		!r.StartedAt.Time.IsZero() && len(r.SyncID) <= maxRunID
}

// newestFirst is the order of the sales agent's own pages.
func newestFirst(a, b wire.SyncRun) int {
	return cmp.Or(b.StartedAt.Time.Compare(a.StartedAt.Time), strings.Compare(b.SyncID, a.SyncID))
}

// openCursor gives the cursor of a page that ends with a run.
func openCursor(last *wire.SyncRun) string {
	return base64.RawURLEncoding.EncodeToString([]byte(last.StartedAt.Time.Format(time.RFC3339Nano) + " " + last.SyncID))
}

// parseOpenCursor gives what openCursor was made of; nothing for "".
func parseOpenCursor(cursor string) (last wire.SyncRun, ok bool) {
	if cursor == "" {
		return last, true
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return last, false
	}
	start, id, ok := strings.Cut(string(text), " ")
	last.SyncID = id
	last.StartedAt.Time, err = time.Parse(time.RFC3339Nano, start)
	return last, ok && err == nil
}
