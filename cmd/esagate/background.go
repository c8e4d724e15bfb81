package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/gateway"
	"esagate/internal/background"
	"esagate/internal/leader"
	"esagate/internal/lifecycle"
	"esagate/internal/reconcile"
	"esagate/internal/serviceaccount"
	"esagate/internal/webhooks"
	"esagate/registry"
)

// Intervals of the work that one replica does for all, and how long a run may take.
const (
	settleInterval    = 5 * time.Second
	settleFirst       = 3 * time.Minute // after the start every replica settles all: the one that led may have crashed
	subscribeInterval = 30 * time.Second
	sweepInterval     = time.Hour
	tenantsInterval   = 20 * time.Minute // at most; in it each tenant is asked about twice
	settleTimeout     = 2 * time.Minute
	subscribeTimeout  = 5 * time.Minute
	sweepTimeout      = 10 * time.Minute
	countFirst        = 15 * time.Second // after the start: by then what nobody had read is read
	countInterval     = time.Minute
	countTimeout      = 30 * time.Second
)

// newLifecycle makes the parts that change tenants and have them send webhooks.
func (a *app) newLifecycle(accounts *serviceaccount.Accounts) {
	cfg, log := a.cfg, a.telemetry.Logger
	a.subscriber = webhooks.NewSubscriber(
		webhooks.SubscriberConfig{URL: cfg.Server.PublicURL + gateway.WebhookPath, Enabled: cfg.Subscribes()},
		webhooks.SubscriberDeps{
			Store: a.store, Directory: a.directory, Upstream: a.upstream, Logger: log,
			Refresh: func(ctx context.Context, src *registry.Source) error { return a.status.Load().Refresh(ctx, src) },
			Counted: func(step webhooks.Step, ok bool) { a.instruments.Subscription(string(step), ok) },
		})
	p := cfg.Provisioning
	a.lifecycle = lifecycle.New(lifecycle.Config{
		ExternalSource: p.ExternalSource, ExternalOrgID: p.ExternalOrgID, ContactEmail: p.ContactEmail,
		PublicAgentURL: p.PublicAgentURL, BaseURL: cfg.Upstream.BaseURL, ProbeTimeout: cfg.Upstream.ProbeTimeout,
	}, lifecycle.Deps{
		Directory: a.directory, Store: a.store, Upstream: a.upstream, Account: accounts.For, Logger: log,
		Done:    func(op registry.OperationKind, o lifecycle.Outcome) { a.instruments.Operation(string(op), string(o)) },
		Changed: a.subscriber.Kick,
	})
}

// startWork starts the work beside the requests: each replica counts sources, and looks up what it was not
// answered, and after its start what a crash left undone; the rest is done by the one that
// leads.
func (a *app) startWork() {
	a.instruments.Leads(a.leads.Load)
	log := a.telemetry.Logger
	statuses := reconcile.New(reconcile.Config{
		Kind: registry.UpkeepStale, Interval: a.cfg.Reconcile.Interval, Concurrency: a.cfg.Reconcile.Concurrency,
	}, reconcile.Deps{
		Store: a.store, Refresh: a.status.Load().Refresh, Counted: a.instruments.Reconciled,
		Logger: log.With(slog.String("kind", "status")),
	})
	tenants := reconcile.New(reconcile.Config{
		Kind: registry.UpkeepTenants, Interval: tenantsEvery(a.cfg.Reconcile.Interval), Concurrency: a.cfg.Reconcile.Concurrency,
	}, reconcile.Deps{Store: a.store, Refresh: a.lifecycle.Check, Logger: log.With(slog.String("kind", "tenant"))})
	task := func(name string, interval, timeout time.Duration, do func(context.Context) error) background.Task {
		return background.Task{Name: name, Interval: interval, Timeout: timeout, Do: do, Logger: log}
	}
	started := time.Now()
	settle := func(ctx context.Context) error {
		if a.leads.Load() || time.Since(started) < settleFirst {
			return a.lifecycle.Settle(ctx)
		}
		return a.lifecycle.SettleOwn(ctx)
	}
	a.work.Go(context.Background(), "settle", func(ctx context.Context) {
		background.Every(ctx, task("settle", settleInterval, settleTimeout, settle))
	})
	a.work.Go(context.Background(), "count", func(ctx context.Context) {
		if background.Sleep(ctx, countFirst) {
			background.Every(ctx, task("count", countInterval, countTimeout, a.status.Load().CountSources))
		}
	})
	lead := leader.New(a.store, leader.Options{Name: "upkeep", Logger: log, Changed: a.leads.Store})
	a.work.Go(context.Background(), "lead", func(ctx context.Context) {
		lead.Run(ctx, func(ctx context.Context) {
			var tasks sync.WaitGroup
			for _, t := range []background.Task{
				task("subscribe", subscribeInterval, subscribeTimeout, a.subscriber.Round),
				task("sweep", sweepInterval, sweepTimeout, a.sweep),
			} {
				tasks.Go(func() { background.Every(ctx, t) })
			}
			tasks.Go(func() { statuses.Run(ctx) })
			tasks.Go(func() { tenants.Run(ctx) })
			tasks.Wait()
		})
	})
}

// tenantsEvery gives the time in which each tenant is asked about twice, where statuses are
// polled at an interval: four of those, because statuses are worth more calls.
func tenantsEvery(polled time.Duration) time.Duration {
	if polled <= 0 {
		return tenantsInterval
	}
	return min(4*polled, tenantsInterval)
}

// sweep removes what has expired, some rows at a time.
func (a *app) sweep(ctx context.Context) error {
	for {
		more, err := a.store.Sweep(ctx)
		if err != nil || !more {
			return err
		}
	}
}
