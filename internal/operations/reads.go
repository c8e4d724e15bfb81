package operations

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/status"
	"esagate/upstream"
)

// Answer is the answer of a read.
type Answer = status.PageAnswer

// kind is a kind of answers that are kept in the same way. Each has a cache of its own, so that none evicts another.
type kind struct {
	keep     time.Duration
	lastGood bool
	slow     bool
	rare     bool // the question is made up of a caller's words: a search, an id, a page further on
}

// Bounds of each cache. There are five, with two for what is kept briefly, so that they hold 80 MiB at the very most.
// An answer counts twice, for its compressed form. Common questions are as many as there are connections and rows. The
// questions that callers make up evict none of their answers, and take up to 4 KiB each where they were not answered.
const (
	keptBytes  = 16 << 20
	keptCommon = 10_000
	keptMadeUp = 2_000
)

// newPages makes the caches that the table needs.
func (s *Service) newPages() map[kind]*status.Pages {
	all := map[kind]*status.Pages{}
	for _, o := range rows {
		for _, rare := range []bool{false, true} {
			k := kind{o.Keep, o.LastGood, o.Slow, rare}
			if o.Keep == 0 || all[k] != nil || rare && (o.LastGood || len(o.query) == 0 && len(o.path) == 1) {
				continue
			}
			l := s.cfg.Limits
			l.Fresh, l.StaleWhileRevalidate, l.StaleIfError, l.Jitter = k.keep, k.keep, k.keep, 0
			l.Entries, l.Bytes = keptCommon, keptBytes
			if rare {
				l.Entries = keptMadeUp
			}
			if k.slow {
				l.Timeout, l.FetchTimeout = s.cfg.ProbeTimeout, s.cfg.ProbeTimeout
			}
			if k.lastGood {
				l.StaleIfError = max(s.cfg.Limits.StaleIfError, k.keep)
			} else {
				l.Patience = l.Timeout
			}
			all[k] = s.deps.Status.NewPages("ad_server", l)
		}
	}
	return all
}

// Read answers a GET.
func (s *Service) Read(ctx context.Context, o *Operation, r Request) (Answer, error) {
	x, err := s.exchange(ctx, o, r)
	if err != nil {
		return Answer{}, err
	}
	ask := func(ctx context.Context) (*api.Body, error) {
		again := *x // a row may change it
		document, err := again.run(ctx)
		if err != nil {
			return nil, err
		}
		return s.body(document), nil
	}
	// A write of the connection makes another question of each: what is being asked before it answers none after it.
	c := *x.source.Connection
	c.Epoch += s.writes(c.ID).Load()
	key := []string{o.ID, x.query.Encode()}
	for i := range o.path {
		key = append(key, x.vars[o.path[i].Name])
	}
	if pages := s.pagesOf(x); pages != nil {
		if !o.LastGood {
			key = append(key, strconv.FormatInt(c.Epoch, 10))
		}
		return pages.Get(ctx, &c, key, ask)
	}
	return s.join(ctx, &c, key, ask)
}

// pagesOf gives where the answer is kept; nil: nowhere.
func (s *Service) pagesOf(x *exchange) *status.Pages {
	rare := x.given || len(x.path) > 1
	if x.LastGood && rare {
		return nil
	}
	return s.kept[kind{x.Keep, x.LastGood, x.Slow, rare}]
}

// join asks a question, once for all callers that have it at the same time.
func (s *Service) join(ctx context.Context, c *registry.Connection, key []string, ask func(context.Context) (*api.Body, error)) (Answer, error) {
	key = append(key, c.TenantID, strconv.FormatInt(c.ID, 10), strconv.FormatInt(c.Epoch, 10))
	body, shared, err := s.joined.Do(ctx, strings.Join(key, "\x00"), func(ctx context.Context) (*api.Body, error) {
		return ask(upstream.WithDemand(ctx, upstream.Demand{Customer: c.CustomerID}))
	})
	if errors.Is(err, background.ErrClosed) {
		err = errStopping
	}
	return Answer{Body: body, State: snapshot.Miss, Collapsed: shared}, err
}

// writes counts the writes of a connection that may have arrived. There is one count for each connection that this
// process has written to.
func (s *Service) writes(esaID int64) *atomic.Int64 {
	n, ok := s.wrote.Load(esaID)
	if !ok {
		n, _ = s.wrote.LoadOrStore(esaID, new(atomic.Int64))
	}
	return n.(*atomic.Int64)
}
