package status

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
)

const (
	recordTimeout = 10 * time.Second // of one record
	recordsAtOnce = 8
	maxRecords    = 2048 // that are under way or wait; beyond, the tenant's next status will do

	countTimeout = 500 * time.Millisecond // of the read of the deliveries' count, which runs beside the call of the sales agent

	// recordGrace is how long a fetch waits, after the call, for what it has recorded and for
	// the count: usually the registry is quicker, and who then reads the connection sees both.
	recordGrace = 25 * time.Millisecond
)

// recorder records in the registry what statuses say, while their readers are answered. Of a
// tenant one record runs at a time; of those that come meanwhile the last is kept.
type recorder struct {
	group *background.Group
	log   *slog.Logger
	write func(context.Context, *lesson)
	slots chan struct{}

	mu   sync.Mutex
	next map[int64]*lesson // by connection, while a record is under way; nil: none waits
}

type lesson struct {
	src    *registry.Source
	signal registry.InventorySync
	heard  bool          // it was recorded not long ago
	done   chan struct{} // closed when it is recorded, or will not be
}

func newRecorder(log *slog.Logger, write func(context.Context, *lesson)) *recorder {
	return &recorder{
		group: background.NewGroup(log), log: log, write: write, slots: make(chan struct{}, recordsAtOnce), next: map[int64]*lesson{},
	}
}

// record has a signal recorded, and returns what is closed when it is. If that fails, the
// next status will do.
func (r *recorder) record(ctx context.Context, l *lesson) <-chan struct{} {
	id := l.src.Connection.ID
	l.done = make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	last, running := r.next[id]
	switch {
	case running:
		if last != nil {
			l.heard = l.heard && last.heard
			close(last.done)
		}
		r.next[id] = l
	case len(r.next) >= maxRecords || !r.group.Go(ctx, "record_sync", func(ctx context.Context) { r.run(ctx, id, l) }):
		close(l.done)
	default:
		r.next[id] = nil
	}
	return l.done
}

// run records for a connection until nothing waits.
func (r *recorder) run(ctx context.Context, id int64, l *lesson) {
	for ; l != nil; l = r.take(id) {
		_ = background.Guard(ctx, r.log, "record_sync", func(ctx context.Context) error {
			defer close(l.done)
			select {
			case r.slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			defer func() { <-r.slots }()
			ctx, cancel := context.WithTimeout(ctx, recordTimeout)
			defer cancel()
			r.write(ctx, l)
			return nil
		})
	}
}

// take gives what waits for a connection. If that is nothing, its next record starts anew.
func (r *recorder) take(id int64) *lesson {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.next[id]
	r.next[id] = nil
	if l == nil {
		delete(r.next, id)
	}
	return l
}

// recordSync records the inventory sync that a status shows.
func (s *Service) recordSync(ctx context.Context, l *lesson) {
	c := l.src.Connection
	if !l.heard {
		if _, err := s.deps.Directory.ObserveInventorySync(ctx, c.CustomerID, c.ID, l.signal); err != nil && ctx.Err() != context.Canceled {
			s.log.LogAttrs(ctx, slog.LevelWarn, "inventory sync not recorded",
				slog.String("tenant", c.TenantID), slog.Any("error", err))
		}
	}
	s.deps.SyncFinished(ctx, l.src, l.signal.CompletedAt, l.signal.ObservedAt)
}

// taught gives a source with what a document says of its last inventory sync, which the
// registry may not have recorded yet.
func (c *contents) taught(src *registry.Source) *registry.Source {
	last := src.Connection.InventorySync
	if c.signal.ObservedAt.IsZero() || last != nil && !c.signal.ObservedAt.After(last.ObservedAt) {
		return src
	}
	sync := c.signal.Kept().Following(last)
	with, connection := *src, *src.Connection
	connection.InventorySync = &sync
	with.Connection = &connection
	return &with
}

// countDeliveries begins to read the gateway's own count of a tenant's webhook deliveries
// (contract 4.6), nil if unknown, and whether the tenant is subscribed, nil if unknown or not
// wanted; counted gives both, and waits no longer than its context. While the registry is away or slow they are as they were last known.
func (s *Service) countDeliveries(ctx context.Context, src *registry.Source) (counted func(context.Context) (*api.Webhooks, *bool)) {
	c := src.Connection
	read := make(chan *registry.DeliveryCounts, 1)
	s.recorder.group.Go(ctx, "count_deliveries", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		known, err := s.deps.Directory.DeliveryCounts(ctx, c.CustomerID, c.ID)
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelDebug, "webhook deliveries not counted", slog.String("tenant", c.TenantID), slog.Any("error", err))
			close(read)
			return
		}
		read <- &known
	})
	return func(ctx context.Context) (*api.Webhooks, *bool) {
		select {
		case known := <-read:
			if known != nil {
				return s.deliveries(known)
			}
		case <-ctx.Done():
		}
		if last, ok := s.documents.Peek(c.TenantID); ok {
			says := s.opened.contents(last.Doc, time.Now())
			return says.Webhooks, says.Subscribed
		}
		return nil, nil
	}
}

// deliveries gives counts as a document shows them.
func (s *Service) deliveries(known *registry.DeliveryCounts) (*api.Webhooks, *bool) {
	counts := api.WebhookCounts{Delivered: known.Delivered, Failed: known.Failed, SuccessRate: 1}
	if all := known.Delivered + known.Failed; all > 0 {
		counts.SuccessRate = float64(known.Delivered) / float64(all)
	}
	block := &api.Webhooks{Last24h: counts, LastFailureAt: api.TimestampOf(known.LastFailureAt.Truncate(time.Millisecond))}
	if !known.Subscribed && !s.cfg.Subscribes {
		return block, nil // the operator wants no subscription: none is missing
	}
	return block, &known.Subscribed
}
