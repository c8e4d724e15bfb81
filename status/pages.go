package status

import (
	"context"
	"strconv"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// Bounds of the pages that are kept. A run takes some 700 bytes at most, encoded, so that both
// kinds take 70 and 45 MB at the very most. A caller can make up cursors, streams and limits:
// what it asks for by those evicts none of the pages that others come back for.
const (
	commonPages = 2000
	commonRuns  = 50 // the largest limit of a common page
	rarePages   = 128
)

// page is a page of sync runs, encoded. It never changes.
type page struct {
	body *api.Body
	at   time.Time // when it was asked for: it has no time of its own
}

// Older implements snapshot.Document.
func (p *page) Older(than *page) bool { return p.at.Before(than.at) }

// PageAnswer is a page of sync runs for one reader.
type PageAnswer struct {
	Body *api.Body
	Age  time.Duration
	snapshot.State
	Fresh               time.Duration
	Replaced, Collapsed bool
}

// SyncHistory gives a page of the sync runs of a source, kept like its status; an empty one if
// it has no tenant. Its errors are those of Get, and Validation where the sales agent does not
// take the question.
func (s *Service) SyncHistory(ctx context.Context, src *registry.Source, q upstream.HistoryQuery) (PageAnswer, error) {
	c := src.Connection
	if c.TenantID == "" {
		return PageAnswer{Body: s.pageBody(&api.SyncRunPage{Runs: []api.SyncRun{}})}, nil
	}
	got, err := s.pagesOf(src, q).Get(ctx, pageKey(c, q), c.Epoch, guarded(s, "fetch_sync_history",
		func(ctx context.Context, d snapshot.Demand) (*page, error) {
			asked := time.Now()
			runs, err := s.deps.Upstream.SyncHistory(demanded(ctx, c, d, false), c.TenantID, q)
			if err != nil {
				if !aboutTheQuestion(err) {
					s.logRefresh(ctx, "sync_history", c.TenantID, err)
				}
				return nil, err
			}
			return &page{body: s.pageBody(transform.SyncHistory(runs)), at: asked}, nil
		}))
	if err != nil {
		return PageAnswer{}, unavailable(err)
	}
	return PageAnswer{Body: got.Doc.body, Age: got.Age, State: got.State, Fresh: got.Fresh,
		Replaced: got.Replaced, Collapsed: got.Collapsed}, nil
}

func (s *Service) pageBody(p *api.SyncRunPage) *api.Body {
	encoded := api.Encode(p)
	if s.cfg.Envelope {
		encoded = api.Enveloped(encoded)
	}
	return api.NewBody(encoded)
}

// pagesOf gives the cache in which a page is kept. Common is the first page, of a usual size,
// of all streams or of one that the last status has.
func (s *Service) pagesOf(src *registry.Source, q upstream.HistoryQuery) *snapshot.Cache[*page] {
	if q.Cursor != "" || q.Limit > commonRuns || q.SyncType != "" && !s.hasStream(src, q.SyncType) {
		return s.rarePages
	}
	return s.pages
}

// hasStream reports whether the last status of a source has a stream, by upstream's name.
func (s *Service) hasStream(src *registry.Source, name string) bool {
	last, ok := s.documents.Peek(src.Connection.TenantID)
	if !ok || last.Doc.status == nil {
		return false
	}
	for i := range last.Doc.status.Syncs {
		if last.Doc.streams.Upstream(last.Doc.status.Syncs[i].Name) == name {
			return true
		}
	}
	return false
}

// pageKeySeparator can't stand in an id or a parameter.
const pageKeySeparator = "\x00"

// pageKey is the same for equal questions about one connection.
func pageKey(c *registry.Connection, q upstream.HistoryQuery) string {
	return strings.Join([]string{c.TenantID, strconv.FormatInt(c.ID, 10), q.SyncType, q.Status, strconv.Itoa(q.Limit), q.Cursor}, pageKeySeparator)
}

// aboutTheQuestion reports whether an error is an answer about what was asked for, and none
// about the sales agent: it is for those who asked, and not remembered.
func aboutTheQuestion(err error) bool {
	switch fault.As(err).Kind {
	case fault.Unavailable, fault.RateLimited, fault.Internal:
		return false
	}
	return true
}
