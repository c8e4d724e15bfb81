package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/internal/background"
	"esagate/registry"
	"esagate/upstream"
)

const (
	kickers     = 4      // connections that are settled at once, in a round and by kicks each
	maxKicks    = 256    // kicks that wait; the next round finds the others
	maxRemember = 10_000 // connections whose runs and failures are remembered
)

// SubscriberConfig says where deliveries should go. A Subscriber that is not Enabled
// does nothing at all: subscriptions that were made before stay.
type SubscriberConfig struct {
	URL     string // where deliveries should go: public_url and the path of the route
	Enabled bool   // by webhooks.subscribe of the config
}

// SubscriberDeps are what a Subscriber works with.
type SubscriberDeps struct {
	Store     registry.UpkeepStore
	Directory *registry.Directory
	Upstream  *upstream.Client
	Logger    *slog.Logger // nil: nothing is logged
	// Refresh reads the status of a source whose subscription was just made, as others do who read
	// it (contract 5.12). May be nil.
	Refresh func(ctx context.Context, src *registry.Source) error
	// Counted is called for each subscription that was made or ended, or could not be,
	// from several goroutines at once. May be nil.
	Counted func(step Step, ok bool)
}

// Step is what a Subscriber does with a subscription.
type Step string

// The steps.
const (
	StepSubscribe   Step = "subscribe"
	StepUnsubscribe Step = "unsubscribe"
	StepDead        Step = "dead" // one that does not deliver was found
)

// Subscriber keeps one subscription for each connection that is active, and none for
// the others. Close ends it.
type Subscriber struct {
	cfg  SubscriberConfig
	deps SubscriberDeps

	failures *lru.Cache[int64, int]       // by esaId: in a row
	checked  *lru.Cache[int64, time.Time] // by esaId: the end of the newest run that was checked

	turns  chan struct{} // of kicks
	work   *background.Group
	mu     sync.Mutex          // guards what follows
	queued map[target]struct{} // kicks that wait
}

// target is a connection.
type target struct{ customer, esaID int64 }

// NewSubscriber makes a Subscriber.
func NewSubscriber(cfg SubscriberConfig, deps SubscriberDeps) *Subscriber {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Counted == nil {
		deps.Counted = func(Step, bool) {}
	}
	if deps.Refresh == nil {
		deps.Refresh = func(context.Context, *registry.Source) error { return nil }
	}
	s := &Subscriber{cfg: cfg, deps: deps, work: background.NewGroup(deps.Logger),
		turns: make(chan struct{}, kickers), queued: make(map[target]struct{})}
	s.failures, _ = lru.New[int64, int](maxRemember) // fails for no size only
	s.checked, _ = lru.New[int64, time.Time](maxRemember)
	return s
}

// Close ends what runs in the background and waits for it.
func (s *Subscriber) Close() {
	_ = s.work.Close(context.Background()) // no error: the context has no end
}

// Kick has the subscription of a source settled soon, after the source became active or
// ceased to be. It does not wait. What it misses the next Round finds.
func (s *Subscriber) Kick(src *registry.Source) {
	if !s.cfg.Enabled {
		return
	}
	to := target{src.Connection.CustomerID, src.Connection.ID}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waits := s.queued[to]; waits || len(s.queued) == maxKicks {
		return
	}
	s.queued[to] = struct{}{}
	s.work.Go(context.Background(), "subscribe", func(ctx context.Context) {
		select {
		case s.turns <- struct{}{}:
			defer func() { <-s.turns }()
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		delete(s.queued, to) // first: a change from now on is another kick
		s.mu.Unlock()
		src, err := s.deps.Directory.ManagedSourceByID(ctx, to.customer, to.esaID)
		if err == nil {
			err = s.settle(ctx, src)
		}
		if err != nil && ctx.Err() == nil {
			s.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "a webhook subscription can't be brought up to date: trying again later",
				slog.Int64("esa_id", to.esaID), slog.Any("error", err))
		}
	})
}

// settle brings a connection's subscription in line with its state.
func (s *Subscriber) settle(ctx context.Context, src *registry.Source) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	ctx = upstream.WithDemand(ctx, upstream.Demand{Customer: src.Connection.CustomerID, Background: true})
	return background.Guard(ctx, s.deps.Logger, "subscribe", func(ctx context.Context) error {
		if active(src) {
			return s.subscribe(ctx, src)
		}
		return s.unsubscribe(ctx, src)
	})
}

// active reports whether a source should have a subscription.
func active(src *registry.Source) bool {
	return src.Connection.Provisioning == registry.StatusActive && src.Connection.TenantID != ""
}
