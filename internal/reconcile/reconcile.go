// Package reconcile reads the status of managed sources whose news has become old.
// Deliveries of the sales agent can be lost; what they would have told is found here,
// at the latest.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/wait"
	"esagate/registry"
)

// Config says how often and how hard. Concurrency and Timeout take defaults.
type Config struct {
	Interval    time.Duration // how old news may be (contract, `reconcile.interval`); 0: nothing is read
	Concurrency int           // how many reads at once: 4
	Timeout     time.Duration // of one read: 15 s
}

// Deps are what a Reconciler works with.
type Deps struct {
	Store registry.UpkeepStore
	// Read reads a source's status, anew, and records what it tells.
	Read    func(ctx context.Context, m *registry.ManagedSource) error
	Logger  *slog.Logger  // nil: nothing is logged
	Counted func(ok bool) // told of each read; may be called at once from several goroutines; nil: nobody
}

// Reconciler reads what nobody has told of for a while.
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
		cfg.Timeout = 15 * time.Second
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Counted == nil {
		deps.Counted = func(bool) {}
	}
	return &Reconciler{cfg: cfg, deps: deps}
}

// Run makes a round every half of the interval, give or take a fifth, until ctx ends;
// what it began has ended when it returns. With an Interval of 0 it returns at once.
func (r *Reconciler) Run(ctx context.Context) {
	if r.cfg.Interval <= 0 {
		return
	}
	for ctx.Err() == nil {
		next := time.Now().Add(wait.Jittered(r.cfg.Interval / 2))
		r.round(ctx)
		wait.For(ctx, time.Until(next))
	}
}
