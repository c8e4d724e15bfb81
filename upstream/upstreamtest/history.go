package upstreamtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a page of history.
const (
	usualRuns = 20
	mostRuns  = 500
	// scheduledRuns is how far back a stream's own schedule is told.
	scheduledRuns = 12
)

type historyDocument struct {
	Runs       []runDocument `json:"runs"`
	Count      int           `json:"count"`
	NextCursor *string       `json:"next_cursor"`
}

type runDocument struct {
	SyncID          string  `json:"sync_id"`
	SyncType        string  `json:"sync_type"`
	StartedAt       string  `json:"started_at"`
	CompletedAt     *string `json:"completed_at"`
	Status          string  `json:"status"` // success, in_progress, failed or cancelled
	DurationSeconds *int    `json:"duration_seconds"`
	ItemsProcessed  int     `json:"items_processed"`
	ItemsFailed     int     `json:"items_failed"`
	ErrorSummary    *string `json:"error_summary"`
}

// cursorDocument is where a page ends. A cursor that can't be read is none, as
// upstream takes it: the answer is the first page.
type cursorDocument struct {
	TS time.Time `json:"ts"`
	ID string    `json:"id"`
}

// history gives a tenant's runs, newest first. It filters by the raw words for a
// run's state, which are not those that it answers with: a word it does not know
// matches nothing, nor does a stream that there is none of. A limit out of range is
// moved into it; a limit, a cursor and a parameter that it can't read are none.
func (t *tenantState) history(q url.Values, now time.Time) answer {
	limit := usualRuns
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		limit = min(max(n, 1), mostRuns)
	}
	var after cursorDocument
	if raw, err := base64.URLEncoding.DecodeString(q.Get("cursor")); err != nil || json.Unmarshal(raw, &after) != nil {
		after = cursorDocument{}
	}
	c := calendar{since: t.since, now: now, zone: t.zone()}
	d := historyDocument{Runs: []runDocument{}}
	var last run
	for _, r := range t.allRuns(c) {
		if s := q.Get("sync_type"); s != "" && s != r.Stream {
			continue
		}
		if s := q.Get("status"); s != "" && s != r.Status {
			continue
		}
		if !after.TS.IsZero() && !r.before(after) {
			continue
		}
		if len(d.Runs) == limit {
			d.NextCursor = orNull(base64.URLEncoding.EncodeToString(encode(cursorDocument{last.StartedAt.UTC(), last.ID})))
			break
		}
		d.Runs, last = append(d.Runs, r.document(c.zone)), r
	}
	d.Count = len(d.Runs)
	return ok(d)
}

// allRuns gives every run, newest first.
func (t *tenantState) allRuns(c calendar) []run {
	var all []run
	for _, s := range t.Status.Streams {
		all = append(all, s.scheduled(t.ID, c, scheduledRuns)...)
	}
	for _, r := range t.runs {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(x, y run) int {
		return cmp.Or(y.StartedAt.Compare(x.StartedAt), strings.Compare(y.ID, x.ID))
	})
	return all
}

// before reports whether a run comes after the end of a page: it is older.
func (r run) before(end cursorDocument) bool {
	return cmp.Or(r.StartedAt.Compare(end.TS), strings.Compare(r.ID, end.ID)) < 0
}

func (r run) document(z zone) runDocument {
	d := runDocument{
		SyncID: r.ID, SyncType: r.Stream, StartedAt: stamp(r.StartedAt, z),
		ItemsProcessed: r.Items, ItemsFailed: r.ItemsFailed, ErrorSummary: orNull(r.Error),
	}
	switch r.Status {
	case runPending, runRunning:
		d.Status = "in_progress"
	case runCompleted:
		d.Status = "success"
	default:
		d.Status = r.Status
	}
	if !r.CompletedAt.IsZero() {
		seconds := int(r.CompletedAt.Sub(r.StartedAt).Seconds())
		d.CompletedAt, d.DurationSeconds = orNull(stamp(r.CompletedAt, z)), &seconds
	}
	return d
}
