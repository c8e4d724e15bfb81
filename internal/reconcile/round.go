package reconcile

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/internal/background"
	"esagate/registry"
)

const (
	pageSize  = 50               // sources listed at once: few, so that each is still as it was listed
	maxGap    = 2 * time.Second  // between the starts of two refreshes: few sources need no spreading
	listLimit = 10 * time.Second // of one list
)

// round refreshes every source that is due when its turn comes, once. One that fails
// waits for the next round. The sources are counted first, so that the refreshes can be
// spread over a time.
func (r *Reconciler) round(ctx context.Context, over time.Duration) {
	_, age := r.pace()
	due := registry.Upkeep{Kind: r.cfg.Kind, Before: time.Now().Add(-age)}
	total := 0
	err := r.each(ctx, due, registry.MaxPage, func(*registry.Source) { total++ })
	var failed atomic.Int64
	if err == nil && total > 0 {
		gap := min(over/time.Duration(total), maxGap)
		err = r.refresh(ctx, due, gap, &failed)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "the sources to poll can't be listed: trying again later", slog.Any("error", err))
	case failed.Load() > 0:
		r.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "some sources could not be polled: trying again later",
			slog.Int64("count", failed.Load()), slog.Int("total", total))
	}
}

// refresh goes through the sources, with a gap between the starts of two refreshes, and
// waits for all that it began.
func (r *Reconciler) refresh(ctx context.Context, due registry.Upkeep, gap time.Duration, failed *atomic.Int64) error {
	var running errgroup.Group
	running.SetLimit(r.cfg.Concurrency)
	defer func() { _ = running.Wait() }()
	first := true
	return r.each(ctx, due, pageSize, func(src *registry.Source) {
		if !first {
			background.Sleep(ctx, background.Jitter(gap))
		}
		first = false
		running.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			err := r.refreshOne(ctx, src)
			if ctx.Err() != nil { // cut short by our own end
				return nil
			}
			if err != nil {
				failed.Add(1)
			}
			r.deps.Counted(err == nil)
			return nil
		})
	})
}

// refreshOne refreshes one source within its time.
func (r *Reconciler) refreshOne(ctx context.Context, src *registry.Source) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	return background.Guard(ctx, r.deps.Logger, "poll", func(ctx context.Context) error { return r.deps.Refresh(ctx, src) })
}

// each goes through the sources that are wanted, in the order of their ids, until ctx
// ends.
func (r *Reconciler) each(ctx context.Context, want registry.Upkeep, take int, do func(*registry.Source)) error {
	after := int64(0)
	for ctx.Err() == nil {
		page, err := r.list(ctx, want, after, take)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, src := range page {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			do(src)
			after = src.Connection.ID
		}
		if len(page) < take {
			return nil
		}
	}
	return ctx.Err()
}

func (r *Reconciler) list(ctx context.Context, want registry.Upkeep, after int64, take int) ([]*registry.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	return r.deps.Store.Upkeep(ctx, want, after, take)
}
