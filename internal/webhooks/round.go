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
	givenUpAt = 8 // failures in a row that may be the whole of upstream's
)

// Round sees to every connection whose subscription is not as it should be, those that
// failed lately left out. Its error is the store's; other failures are one log line.
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
	row    int // failures in a row that may be the whole of upstream's
	last   error
}

func (r *round) each(ctx context.Context, want registry.Upkeep) error {
	for after := int64(0); ; {
		page, err := r.s.store.Upkeep(ctx, want, after, pageSize)
		if err != nil {
			return err
		}
		for _, m := range page {
			select {
			case r.turns <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			if r.hopeless() {
				<-r.turns
				return nil
			}
			r.working.Go(func() {
				defer func() { <-r.turns }()
				r.ended(r.s.settle(ctx, m))
			})
			after = m.Connection.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// hopeless reports whether upstream seems to be away: the others need not be tried.
func (r *round) hopeless() bool {
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
