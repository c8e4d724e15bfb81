package status

import (
	"context"
	"log/slog"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// recordTimeout bounds what a slow registry may add to a fetch.
const recordTimeout = 500 * time.Millisecond

// recordSync records the inventory sync that a status shows. If it fails, the next
// status will do.
func (s *Service) recordSync(ctx context.Context, src *registry.Source, status *api.Status) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	c, signal := src.Connection, transform.InventorySync(status)
	if _, err := s.deps.Directory.ObserveInventorySync(ctx, c.CustomerID, c.ID, signal); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "inventory sync not recorded",
			slog.String("tenant", c.TenantID), slog.Any("error", err))
	}
	s.deps.SyncFinished(ctx, src, signal.CompletedAt, signal.ObservedAt)
}

// deliveries gives the gateway's own count of a tenant's webhook deliveries (contract
// 4.6), nil if unknown, and whether the tenant is subscribed, nil if unknown or not
// wanted. While the registry is away both are as they were last known.
func (s *Service) deliveries(ctx context.Context, src *registry.Source) (*api.Webhooks, *bool) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	c := src.Connection
	known, err := s.deps.Directory.DeliveryCounts(ctx, c.CustomerID, c.ID)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelDebug, "webhook deliveries not counted", slog.String("tenant", c.TenantID), slog.Any("error", err))
		return nil, nil
	}
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
