// Package leader lets one of several replicas do the work that only one should do.
// It stands on leases that the registry's store keeps, and on each process's own
// clock: a leader that can't extend its lease stops before others may take it.
package leader

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

// Options say what is led, and how. Zero values take their defaults.
type Options struct {
	Name   string        // of the lease; every replica uses the same
	Holder string        // the name of this process; random, so that no two share one
	TTL    time.Duration // how long a lease holds that is not extended: 30 s
	Logger *slog.Logger  // nil: nothing is logged
	// Changed is called when this process begins to lead and when it has ceased to. It
	// must not block. May be nil.
	Changed func(leads bool)
}

// Leader tries to be the one that leads. Run may be called once.
type Leader struct {
	store registry.UpkeepStore
	opts  Options
}

// New makes a Leader; it does nothing before Run.
func New(store registry.UpkeepStore, opts Options) *Leader {
	if opts.Holder == "" {
		opts.Holder = rand.Text()
	}
	if opts.TTL <= 0 {
		opts.TTL = 30 * time.Second
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Changed == nil {
		opts.Changed = func(bool) {}
	}
	return &Leader{store: store, opts: opts}
}

// Times are parts of the TTL, so that one number says all.
func (l *Leader) pause() time.Duration  { return l.opts.TTL / 3 }  // between two tries, and two extensions
func (l *Leader) hurry() time.Duration  { return l.opts.TTL / 15 } // before a failed extension is tried again
func (l *Leader) limit() time.Duration  { return l.opts.TTL / 6 }  // of one call of the store
func (l *Leader) margin() time.Duration { return l.opts.TTL / 6 }  // left for the work to end in when it has to

// Run tries to lead until ctx ends, and while it leads runs work. The context of work
// ends with ctx, and before the lease runs out that could not be extended: work has to
// end within a sixth of the TTL then, since another may lead after that. When it ends
// by itself, the lease is given back and tried for again later. Run returns once work
// has ended and the lease is given back.
func (l *Leader) Run(ctx context.Context, work func(ctx context.Context)) {
	for ctx.Err() == nil {
		began := time.Now()
		held, err := l.lease(ctx, l.limit())
		if held {
			l.lead(ctx, began, work)
		}
		if held || err != nil { // after an error we may hold it
			l.unlease(ctx)
		}
		background.Sleep(ctx, background.Jitter(l.pause()))
	}
}

// lead runs work while the lease holds that was asked for at a moment.
func (l *Leader) lead(ctx context.Context, began time.Time, work func(context.Context)) {
	until := began.Add(l.opts.TTL - l.margin())
	if !time.Now().Before(until) { // the answer came too late to be worth anything
		return
	}
	working, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	l.opts.Changed(true)
	l.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "this replica leads", slog.String("scope", l.opts.Name))
	go func() { // ends with working; lead waits for it
		defer close(done)
		_ = background.Guard(working, l.opts.Logger, l.opts.Name, func(ctx context.Context) error { work(ctx); return nil })
	}()
	reason := l.keep(ctx, until, done)
	stop()
	<-done
	l.opts.Changed(false)
	l.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "this replica leads no longer",
		slog.String("scope", l.opts.Name), slog.String("reason", reason))
}

// keep extends the lease until it is lost, can't be extended in time, work is done, or
// ctx ends, and says which. The end of the lease is counted from before each call, so
// that it lies before the store's, however long the answer took.
func (l *Leader) keep(ctx context.Context, until time.Time, done <-chan struct{}) (reason string) {
	next := background.Jitter(l.pause())
	for {
		timer := time.NewTimer(max(min(next, time.Until(until)), 1)) // see background.Sleep on timers that are due at once
		select {
		case <-timer.C:
		case <-done:
			timer.Stop()
			return "done"
		case <-ctx.Done():
			timer.Stop()
			return "stopped"
		}
		began := time.Now()
		left := until.Sub(began)
		if left <= 0 {
			return "expired"
		}
		switch held, err := l.lease(ctx, min(l.limit(), left)); {
		case err != nil:
			next = background.Jitter(l.hurry())
		case !held:
			return "lost"
		default:
			until = began.Add(l.opts.TTL - l.margin())
			next = background.Jitter(l.pause())
		}
	}
}

func (l *Leader) lease(ctx context.Context, limit time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return l.store.Lease(ctx, l.opts.Name, l.opts.Holder, l.opts.TTL)
}

// unlease gives the lease back, also when ctx has ended. That it fails costs the
// others the rest of its time, no more.
func (l *Leader) unlease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.limit())
	defer cancel()
	_ = l.store.Unlease(ctx, l.opts.Name, l.opts.Holder)
}
