package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"esagate/gateway"
	"esagate/internal/config"
	"esagate/internal/leader"
	"esagate/internal/lifecycle"
	"esagate/internal/reconcile"
	"esagate/internal/serviceaccount"
	"esagate/internal/telemetry"
	"esagate/internal/webhooks"
	"esagate/registry"
)

// Intervals of the work that one replica does for all, and how long a run may take.
const (
	settleInterval    = 5 * time.Second
	settleFirst       = 3 * time.Minute // after the start, by every replica: the one that led may have crashed
	subscribeInterval = 30 * time.Second
	sweepInterval     = time.Hour
	settleTimeout     = 2 * time.Minute
	subscribeTimeout  = 5 * time.Minute
	sweepTimeout      = 10 * time.Minute
)

// connections makes the parts that change tenants and hear of them.
func (a *app) connections(cfg *config.Config) error {
	instruments := a.instruments
	var err error
	if a.accounts, err = serviceaccount.New(cfg.ServiceAccounts); err != nil {
		return err
	}
	a.receiver = webhooks.NewReceiver(webhooks.ReceiverDeps{
		Directory: a.directory, Logger: a.telemetry.Logger,
		Counted: func(o webhooks.Outcome) { instruments.Delivery(string(o)) },
	})
	a.subscriber = webhooks.NewSubscriber(
		webhooks.SubscriberConfig{URL: cfg.Server.PublicURL + gateway.WebhookPath, Enabled: cfg.Subscribes()},
		webhooks.SubscriberDeps{
			Store: a.store, Directory: a.directory, Upstream: a.upstream, Logger: a.telemetry.Logger,
			Counted: func(step webhooks.Step, ok bool) { instruments.Subscription(string(step), ok) },
		})
	p := cfg.Provisioning
	a.lifecycle = lifecycle.New(lifecycle.Config{
		ExternalSource: p.ExternalSource, ExternalOrgID: p.ExternalOrgID, ContactEmail: p.ContactEmail,
		PublicAgentURL: p.PublicAgentURL, BaseURL: cfg.Upstream.BaseURL, ProbeTimeout: cfg.Upstream.ProbeTimeout,
	}, lifecycle.Deps{
		Directory: a.directory, Store: a.store, Upstream: a.upstream, Account: a.accounts.For, Logger: a.telemetry.Logger,
		Done:    func(op registry.OperationKind, o lifecycle.Outcome) { instruments.Operation(string(op), string(o)) },
		Changed: a.subscriber.Kick,
	})
	return nil
}

// background is the work that nobody asks for. It runs from begin to end.
type background struct {
	leads atomic.Bool
	end   context.CancelFunc
	work  sync.WaitGroup
}

// begin starts the work: what a crash left undone is looked at by each replica that
// starts, the rest is done by the one that leads.
func (b *background) begin(a *app, cfg *config.Config, instruments *telemetry.Instruments) {
	ctx, end := context.WithCancel(context.Background())
	b.end = end
	instruments.Leads(b.leads.Load)
	log := a.telemetry.Logger
	news := reconcile.New(reconcile.Config{Interval: cfg.Reconcile.Interval, Concurrency: cfg.Reconcile.Concurrency}, reconcile.Deps{
		Store: a.store, Refresh: a.status.Load().Refresh, Logger: log, Counted: instruments.Reconciled,
	})
	lead := leader.New(a.store, leader.Options{Name: "upkeep", Logger: log, Changed: b.leads.Store})
	settle := leader.Task{Name: "settle", Interval: settleInterval, Timeout: settleTimeout, Do: a.lifecycle.Settle, Logger: log}
	b.work.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, settleFirst)
		defer cancel()
		leader.Every(ctx, settle)
	})
	b.work.Go(func() {
		lead.Run(ctx, func(ctx context.Context) {
			var tasks sync.WaitGroup
			for _, t := range []leader.Task{
				settle,
				{Name: "subscribe", Interval: subscribeInterval, Timeout: subscribeTimeout, Do: a.subscriber.Round},
				{Name: "sweep", Interval: sweepInterval, Timeout: sweepTimeout, Do: a.sweep},
			} {
				t.Logger = log
				tasks.Go(func() { leader.Every(ctx, t) })
			}
			tasks.Go(func() { news.Run(ctx) })
			tasks.Wait()
		})
	})
}

// sweep removes what has had its time, some rows after others.
func (a *app) sweep(ctx context.Context) error {
	for {
		more, err := a.store.Sweep(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// stop has the work end, wait waits until it has, or ctx ends: giving the lease back
// takes longer while the store is away, and runs out by itself.
func (b *background) stop() {
	if b.end != nil {
		b.end()
	}
}

func (b *background) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); b.work.Wait() }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
