package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/internal/fault"
	"esagate/registry"
)

const (
	pageSize  = 100
	givenUpAt = 8 // failures in a row after which upstream seems to be away
)

// Round settles every connection whose subscription is not as it should be, except those
// that failed lately. Its error is the store's; other failures are one log line.
func (s *Subscriber) Round(ctx context.Context) error {
	if !s.cfg.Enabled {
		return nil
	}
	r := &round{s: s}
	r.group.SetLimit(kickers)
	before := time.Now()
	err := r.each(ctx, registry.Upkeep{Kind: registry.UpkeepUnsubscribe, Before: before})
	if err == nil {
		err = r.each(ctx, registry.Upkeep{Kind: registry.UpkeepSubscribe, Before: before, URL: s.cfg.URL})
	}
	_ = r.group.Wait()
	if r.failed > 0 && ctx.Err() == nil {
		s.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "some webhook subscriptions can't be brought up to date: trying again later",
			slog.Int("count", r.failed), slog.Any("error", r.last))
	}
	return err
}

// round is one Round under way.
type round struct {
	s     *Subscriber
	group errgroup.Group

	mu     sync.Mutex // guards what follows
	failed int
	row    int // failures in a row that may concern the whole of upstream
	last   error
}

// each begins to settle the connections that are wanted, until upstream seems to be away.
func (r *round) each(ctx context.Context, want registry.Upkeep) error {
	for after := int64(0); ; {
		page, err := r.s.deps.Store.Upkeep(ctx, want, after, pageSize)
		if err != nil {
			return err
		}
		for _, src := range page {
			r.group.Go(func() error {
				if ctx.Err() == nil && !r.upstreamAway() {
					r.ended(r.s.settle(ctx, src))
				}
				return nil
			})
			after = src.Connection.ID
		}
		if len(page) < pageSize || ctx.Err() != nil || r.upstreamAway() {
			return ctx.Err()
		}
	}
}

func (r *round) upstreamAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.row >= givenUpAt
}

func (r *round) ended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed, r.last = r.failed+1, err
		switch fault.As(err).Reason {
		case fault.UpstreamUnreachable, fault.UpstreamTimeout, fault.UpstreamUnauthorized, fault.CircuitOpen:
			r.row++
			return
		}
	}
	r.row = 0
}
