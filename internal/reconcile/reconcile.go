// Package reconcile polls what the sales agent does not announce: it refreshes the status
// of managed sources of whose syncs nothing was heard for a while, because webhook
// deliveries can be lost, and asks whether tenants are still active.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

// Config says what is polled, how often and how hard. Concurrency and Timeout take defaults.
type Config struct {
	// Kind says which sources: [registry.UpkeepStale], those without news for an Interval,
	// or [registry.UpkeepTenants], each about twice in an Interval, however often it is Run.
	Kind        registry.UpkeepKind
	Interval    time.Duration // 0: nothing is polled
	Concurrency int           // how many refreshes at once: 4
	Timeout     time.Duration // of one refresh, its wait for the sales agent included: 75 s
}

// Deps are what a Reconciler works with.
type Deps struct {
	Store registry.UpkeepStore
	// Refresh reads about one source and records what it finds.
	Refresh func(ctx context.Context, m *registry.Source) error
	Logger  *slog.Logger  // nil: nothing is logged
	Counted func(ok bool) // called for each refresh, from several goroutines; may be nil
}

// Reconciler polls sources of one kind.
type Reconciler struct {
	cfg  Config
	deps Deps
}

// New makes a Reconciler; it does nothing before Run.
func New(cfg Config, deps Deps) *Reconciler {
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = 4
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 75 * time.Second
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Counted == nil {
		deps.Counted = func(bool) {}
	}
	return &Reconciler{cfg: cfg, deps: deps}
}

// Run makes a round every half of the interval, of tenants every quarter, jittered by a fifth, until ctx ends;
// the refreshes that it began have ended when it returns. With an Interval of 0 it returns at once.
func (r *Reconciler) Run(ctx context.Context) {
	if r.cfg.Interval <= 0 {
		return
	}
	pause, _ := r.pace()
	// After a start all sources may be due: the first round takes as long as two others. Those after it are
	// done before the next one, however jittered.
	for over := 2 * pause; ctx.Err() == nil; over = pause * 7 / 10 {
		next := time.Now().Add(background.Jitter(pause))
		_ = background.Guard(ctx, r.deps.Logger, "poll", func(ctx context.Context) error { r.round(ctx, over); return nil })
		background.Sleep(ctx, time.Until(next))
	}
}

// pace gives the time between two rounds, and for how long there was nothing of a source
// that is due. Of tenants every second round is that of one, wherever they come in it.
func (r *Reconciler) pace() (pause, age time.Duration) {
	if r.cfg.Kind == registry.UpkeepTenants {
		return r.cfg.Interval / 4, r.cfg.Interval * 3 / 10
	}
	return r.cfg.Interval / 2, r.cfg.Interval
}
