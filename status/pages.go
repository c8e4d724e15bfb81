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

// Pages keeps answers of the sales agent about tenants that have no time of their own, encoded. One call is made for
// all who ask the same at once. It is safe for concurrent use.
type Pages struct {
	service *Service
	name    string
	cache   *snapshot.Cache[*page]
}

// NewPages makes Pages that are asked again at once when their tenant is well again, and end with the Service. It is
// called before the Service is used. The name, a constant, is that of log lines.
func (s *Service) NewPages(name string, limits snapshot.Limits) *Pages {
	limits.QueueTimeout = upstream.LongestWait
	p := &Pages{s, name, snapshot.New[*page](limits, snapshot.Options{
		Gone: aboutTheQuestion, ForgetGone: true, Busy: upstream.IsBusy, RetryAfter: func(err error) time.Duration { return fault.As(err).RetryAfter },
		Waits: s.waits,
	})}
	s.kept = append(s.kept, p)
	return p
}

// page is a page, encoded. It never changes.
type page struct {
	body *api.Body
	at   time.Time // when it was asked for: it has no time of its own
}

// Older implements snapshot.Document.
func (p *page) Older(than *page) bool { return p.at.Before(than.at) }

// Size is the bytes that it takes at most, with its compressed form.
func (p *page) Size() int { return 2*len(p.body.Plain) + pageOverhead }

// pageOverhead is what a page takes beside its text.
const pageOverhead = 512

// PageAnswer is a page for one reader.
type PageAnswer struct {
	Body *api.Body
	Age  time.Duration
	snapshot.State
	Fresh               time.Duration
	Replaced, Collapsed bool
}

// Get gives the answer to a question about a connection, which key stands for, and has it asked where none is kept that
// the limits allow. Its errors are those of [Service.Get], and those of ask that are about the question, which are not
// remembered.
func (p *Pages) Get(ctx context.Context, c *registry.Connection, key []string, ask func(ctx context.Context) (*api.Body, error)) (PageAnswer, error) {
	key = append([]string{c.TenantID, strconv.FormatInt(c.ID, 10)}, key...)
	got, err := p.cache.GetFor(ctx, c.CustomerID, strings.Join(key, pageKeySeparator), c.Epoch, guarded(p.service, "fetch_"+p.name,
		func(ctx context.Context, d snapshot.Demand) (*page, error) {
			asked := time.Now()
			body, err := ask(demanded(ctx, c, d, false))
			if err != nil && !aboutTheQuestion(err) {
				p.service.logRefresh(ctx, p.name, c.TenantID, err)
			}
			return &page{body, asked}, err
		}))
	if err != nil {
		return PageAnswer{}, unavailable(err)
	}
	return PageAnswer{Body: got.Doc.body, Age: got.Age, State: got.State, Fresh: got.Fresh,
		Replaced: got.Replaced, Collapsed: got.Collapsed}, nil
}

// SyncHistory gives a page of the sync runs of a source, kept like its status; an empty one if
// it has no tenant. Its errors are those of Get, and Validation where the sales agent does not
// take the question.
func (s *Service) SyncHistory(ctx context.Context, src *registry.Source, q upstream.HistoryQuery) (PageAnswer, error) {
	c := src.Connection
	if c.TenantID == "" {
		return PageAnswer{Body: s.pageBody(&api.SyncRunPage{Runs: []api.SyncRun{}})}, nil
	}
	key := []string{q.SyncType, q.Status, strconv.Itoa(q.Limit), q.Cursor}
	return s.pagesOf(src, q).Get(ctx, c, key, func(ctx context.Context) (*api.Body, error) {
		runs, err := s.deps.Upstream.SyncHistory(ctx, c.TenantID, q)
		if err != nil {
			return nil, err
		}
		return s.pageBody(transform.SyncHistory(runs)), nil
	})
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
func (s *Service) pagesOf(src *registry.Source, q upstream.HistoryQuery) *Pages {
	if q.Cursor != "" || q.Limit > commonRuns || q.SyncType != "" && !s.hasStream(src, q.SyncType) {
		return s.rarePages
	}
	return s.pages
}

// hasStream reports whether the last status of a source has a stream, by upstream's name.
func (s *Service) hasStream(src *registry.Source, name string) bool {
	last, ok := s.documents.Peek(src.Connection.TenantID)
	if !ok {
		return false
	}
	says := s.opened.contents(last.Doc, time.Now())
	if says.Status == nil {
		return false
	}
	for i := range says.Status.Syncs {
		if says.Streams.Upstream(says.Status.Syncs[i].Name) == name {
			return true
		}
	}
	return false
}

// pageKeySeparator can't stand in an id or a parameter.
const pageKeySeparator = "\x00"

// aboutTheQuestion reports whether an error is an answer about what was asked for, and none
// about the sales agent: it is for those who asked, and not remembered.
func aboutTheQuestion(err error) bool {
	switch fault.As(err).Kind {
	case fault.Unavailable, fault.RateLimited, fault.Internal:
		return false
	}
	return true
}
