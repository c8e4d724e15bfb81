package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/internal/word"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream"
)

// Bounds of a sync history's parameters; upstream has the same.
const (
	maxRuns     = 500
	defaultRuns = 20
	maxSyncType = 64
)

func (g connections) getSyncHistory(w http.ResponseWriter, r *request, src *registry.Source) error {
	q := parseQuery(r.URL.RawQuery, "syncType", "status", "limit", "cursor")
	query := upstream.HistoryQuery{
		SyncType: q.translated("syncType", "syncType is not the name of a sync stream.", func(name string) string {
			return g.deps.Status.SyncType(src, name)
		}),
		Status: q.translated("status", "status must be success, in_progress, pending, failed or cancelled.",
			transform.HistoryStatusToUpstream),
		Limit:  q.integer("limit", 1, maxRuns, defaultRuns),
		Cursor: q.cursor(),
	}
	if err := q.err(); err != nil {
		return err
	}
	page, err := g.deps.Status.SyncHistory(r.Context(), src, query)
	if err != nil {
		return inQuery(err)
	}
	h := w.Header()
	h["Age"] = []string{strconv.Itoa(int(page.Age / time.Second))}
	h["Cache-Status"] = []string{cacheStatus(page.State, page.Fresh, page.Replaced, page.Collapsed)}
	return writeBody(w, r, page.Body, time.Time{})
}

// translated reads a word in either spelling and gives upstream's; empty when absent.
func (q *query) translated(name, message string, translate func(string) string) string {
	given, ok := q.values[name]
	if !ok {
		return ""
	}
	word := ""
	if len(given[0]) <= maxSyncType {
		word = translate(given[0])
	}
	if word == "" {
		q.fail("query."+name, message)
	}
	return word
}

const badCursor = "cursor must be the nextCursor of an earlier page."

// cursor reads the place to go on from; empty when absent.
func (q *query) cursor() string {
	given, ok := q.values["cursor"]
	if !ok {
		return ""
	}
	if !word.Cursor.Is(given[0]) {
		q.fail("query.cursor", badCursor)
		return ""
	}
	return given[0]
}

// inQuery says of a value that upstream does not take that it stood in the query.
func inQuery(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Validation {
		return err
	}
	issues := slices.Clone(f.Issues)
	for i, issue := range issues {
		switch path := "query." + strings.TrimPrefix(issue.Path, "query."); path {
		case "query.syncType", "query.status", "query.limit", "query.cursor":
			issues[i].Path = path
		default:
			issues[i].Path = "query"
		}
	}
	if len(issues) == 0 {
		issues = []fault.Issue{{Path: "query", Message: f.Message}}
	}
	bad := fault.Invalid(issues...)
	bad.Cause = f
	return bad
}
