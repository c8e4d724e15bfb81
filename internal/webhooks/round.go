package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

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
	r := &round{s: s, turns: make(chan struct{}, kickers)}
	before := time.Now()
	err := r.each(ctx, registry.Upkeep{Kind: registry.UpkeepUnsubscribe, Before: before})
	if err == nil {
		err = r.each(ctx, registry.Upkeep{Kind: registry.UpkeepSubscribe, Before: before, URL: s.cfg.URL})
	}
	r.working.Wait()
	if r.failed > 0 && ctx.Err() == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "some webhook subscriptions can't be brought up to date: trying again later",
			slog.Int("count", r.failed), slog.Any("error", r.last))
	}
	return err
}

// round is one Round under way.
type round struct {
	s       *Subscriber
	turns   chan struct{}
	working sync.WaitGroup

	mu     sync.Mutex // guards what follows
	failed int
	row    int // failures in a row that may concern the whole of upstream
	last   error
}

func (r *round) each(ctx context.Context, want registry.Upkeep) error {
	for after := int64(0); ; {
		page, err := r.s.store.Upkeep(ctx, want, after, pageSize)
		if err != nil {
			return err
		}
		for _, src := range page {
			select {
			case r.turns <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			if r.upstreamAway() {
				<-r.turns
				return nil
			}
			r.working.Go(func() {
				defer func() { <-r.turns }()
				r.ended(r.s.settle(ctx, src))
			})
			after = src.Connection.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// upstreamAway reports whether upstream seems to be away: the others are not tried.
func (r *round) upstreamAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.row >= givenUpAt
}

func (r *round) ended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.row = 0
		return
	}
	r.failed, r.last = r.failed+1, err
	switch fault.As(err).Reason {
	case fault.UpstreamUnreachable, fault.UpstreamTimeout, fault.UpstreamUnauthorized, fault.CircuitOpen:
		r.row++
	default:
		r.row = 0
	}
}
