package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
)

// WebhookPath is where the sales agent's deliveries come in, behind the public URL.
const WebhookPath = "/webhooks/esa-sync"

// maxDelivery bounds a delivery in bytes: it is a small document, read before anybody
// is known.
const maxDelivery = 64 << 10

var errLargeDelivery = fault.New(fault.TooLarge, "A delivery can't be larger than 64 KiB.")

func (g *Gateway) receiveWebhook(w http.ResponseWriter, r *request) error {
	read := func() ([]byte, error) {
		if r.ContentLength > maxDelivery {
			return nil, errLargeDelivery
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxDelivery)
		body, err := readBody(r)
		if errors.Is(err, errTooLarge) {
			err = errLargeDelivery
		}
		return body, err
	}
	// Who delivers may leave as soon as the body is out: it is taken in all the same.
	if err := g.deps.Receiver.Receive(detached(r), r.Header, read); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// webhookNews gives what we count of a tenant's deliveries (rule 6), and whether it is
// subscribed; while the registry is away, as it was last known.
func (g *Gateway) webhookNews(ctx context.Context, m *registry.ManagedSource) (*api.Webhooks, *bool) {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	c := &m.Connection
	news, err := g.deps.Directory.WebhookNews(ctx, c.CustomerID, c.ID)
	if err != nil { // nor was it known before
		g.log.LogAttrs(ctx, slog.LevelDebug, "webhook deliveries not counted", slog.String("tenant", c.TenantID), slog.Any("error", err))
		return nil, nil
	}
	counts := api.WebhookCounts{Delivered: news.Delivered, Failed: news.Failed, SuccessRate: 1}
	if all := news.Delivered + news.Failed; all > 0 {
		counts.SuccessRate = float64(news.Delivered) / float64(all)
	}
	block := &api.Webhooks{Last24h: counts, LastFailureAt: api.TimestampOf(news.LastFailureAt.Truncate(time.Millisecond))}
	if !news.Subscribed && !g.cfg.Subscribes {
		return block, nil // the operator wants none: nothing is missing
	}
	return block, &news.Subscribed
}
