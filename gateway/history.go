package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// Bounds of a sync history's parameters; upstream has the same.
const (
	maxRuns     = 500
	defaultRuns = 20
	maxCursor   = 1024 // bytes
	maxSyncType = 64
)

func (g *Gateway) getSyncHistory(w http.ResponseWriter, r *request, m *registry.ManagedSource) error {
	q := parseQuery(r.URL.RawQuery, "syncType", "status", "limit", "cursor")
	query := upstream.HistoryQuery{
		SyncType: q.translated("syncType", "syncType is not the name of a sync stream.", transform.SyncTypeToUpstream),
		Status: q.translated("status", "status must be success, in_progress, pending, failed or cancelled.",
			transform.HistoryStatusToUpstream),
		Limit:  q.integer("limit", 1, maxRuns, defaultRuns),
		Cursor: q.cursor(),
	}
	if err := q.err(); err != nil {
		return err
	}
	page := &api.SyncRunPage{Runs: []api.SyncRun{}}
	if m.Connection.TenantID != "" {
		runs, err := g.deps.Upstream.SyncHistory(r.Context(), m.Connection.TenantID, query)
		if err != nil {
			return inQuery(err)
		}
		page = transform.SyncHistory(runs)
	}
	newBody(g.enveloped(transform.AppendSyncRunPage(nil, page))).write(w, r)
	return nil
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
	hidden := func(c rune) bool { return c < '!' || c > '~' }
	if c := given[0]; c == "" || len(c) > maxCursor || strings.ContainsFunc(c, hidden) {
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

// historyDoc is what each stream's last runs come to, by its name in a status. It
// never changes.
type historyDoc struct {
	streams map[string]api.SyncHistory
	at      time.Time
}

// FetchedAt implements snapshot.Document; histories have no time of their own.
func (d *historyDoc) FetchedAt() time.Time { return d.at }

// Bounds of the calls for one tenant's histories: runs looked at (rule 4), calls at
// once, and streams.
const (
	historyRuns    = 10
	historiesAtOne = 3
	maxHistories   = 24
)

// newHistoryCache keeps histories per tenant, as the status is kept.
func (g *Gateway) newHistoryCache() *snapshot.Cache[*historyDoc] {
	return snapshot.New(g.cfg.Snapshot, snapshot.Options[*historyDoc]{
		Fetch:      g.fetchHistories,
		RetryAfter: func(err error) time.Duration { return fault.As(err).RetryAfter },
	})
}

type streamsKey struct{}

// fetchHistories asks for the runs of each stream. A stream that can't be had is left
// out; when none can, that is the failure.
func (g *Gateway) fetchHistories(ctx context.Context, tenantID string) (*historyDoc, error) {
	names, _ := ctx.Value(streamsKey{}).([]string)
	doc := &historyDoc{streams: make(map[string]api.SyncHistory, len(names)), at: time.Now()}
	var mu sync.Mutex
	var last error
	var calls errgroup.Group
	calls.SetLimit(historiesAtOne)
	for _, name := range names {
		calls.Go(func() error {
			runs, err := g.deps.Upstream.SyncHistory(ctx, tenantID,
				upstream.HistoryQuery{SyncType: transform.SyncTypeToUpstream(name), Limit: historyRuns})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				last = err
				return nil
			}
			doc.streams[name] = transform.StreamHistory(runs)
			return nil
		})
	}
	_ = calls.Wait() // none gives an error
	if last != nil {
		g.logRefresh(ctx, "sync_history", tenantID, last)
		if len(doc.streams) == 0 {
			return nil, last
		}
	}
	return doc, nil
}

// recentHistories gives the histories of a document's streams, nil when there are none
// to be had: the zeros stay then.
func (g *Gateway) recentHistories(ctx context.Context, m *registry.ManagedSource, doc *statusDoc) *historyDoc {
	if doc.snapshot == nil {
		return nil
	}
	var names []string
	for _, s := range doc.snapshot.Syncs {
		if len(names) < maxHistories && transform.SyncTypeToUpstream(s.Name) != "" {
			names = append(names, s.Name)
		}
	}
	ctx = context.WithValue(ctx, streamsKey{}, names)
	got, err := g.histories.GetSince(ctx, m.Connection.TenantID, m.Connection.Epoch)
	if err != nil {
		return nil
	}
	return got.Doc
}

// withHistories gives a document whose streams have their histories. The document
// itself is shared, and stays as it is.
func withHistories(doc *api.Status, histories *historyDoc, runs int) *api.Status {
	if doc == nil || histories == nil {
		return doc
	}
	with := *doc
	with.Syncs = slices.Clone(doc.Syncs)
	for i := range with.Syncs {
		s := &with.Syncs[i]
		history, ok := histories.streams[s.Name]
		if !ok {
			continue
		}
		history.RecentRuns = history.RecentRuns[:min(runs, len(history.RecentRuns))]
		s.Block.History = history
	}
	return &with
}
