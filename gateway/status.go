package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// observeTimeout bounds what a slow registry may add to a refresh.
const observeTimeout = 500 * time.Millisecond

func (g *Gateway) getStatus(w http.ResponseWriter, r *request, m *registry.ManagedSource) error {
	runs, err := statusQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return g.serveStatus(w, r, m, runs)
}

// statusQuery reads the status parameters: how many runs of each stream to list, 0
// when histories are not asked for.
func statusQuery(raw string) (runs int, err error) {
	if raw == "" {
		return 0, nil
	}
	q := parseQuery(raw, "includeSyncHistory", "syncHistoryLimit")
	wanted := q.boolean("includeSyncHistory", false)
	runs = q.integer("syncHistoryLimit", 1, 10, 5)
	if !wanted {
		runs = 0
	}
	return runs, q.err()
}

// serveStatus answers with the newest snapshot that the limits allow.
func (g *Gateway) serveStatus(w http.ResponseWriter, r *request, m *registry.ManagedSource, runs int) error {
	cache, key, epoch := g.statuses, m.Connection.TenantID, m.Connection.Epoch
	if key == "" { // not provisioned yet: nobody to ask (rule 9)
		cache, key, runs = g.pendings, strconv.FormatInt(m.Connection.ID, 10), 0
	}
	got, err := cache.GetSince(withSource(r.Context(), m), key, epoch)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			g.ins.SnapshotRead(telemetry.ReadNegative)
		} else {
			g.ins.SnapshotRead(telemetry.ReadError)
		}
		return snapshotError(err)
	}
	if got.State == snapshot.Miss { // the refresh may have brought news of the connection
		if m, err = g.deps.Directory.ManagedSourceByID(r.Context(), m.Connection.CustomerID, m.Connection.ID); err != nil {
			return err
		}
	}
	if cache == g.pendings {
		g.ins.SnapshotRead(telemetry.ReadNone)
	} else {
		g.countRead(got.State, got.Collapsed, got.Age)
	}
	of := rendering{m: m, stale: got.Failed}
	if runs > 0 {
		of.histories, of.runs = g.recentHistories(r.Context(), m, got.Doc), runs
		if err := r.Context().Err(); err != nil {
			return err
		}
	}
	body := got.Doc.body(g, of)
	status := cacheHit // made here, and nobody asked
	if cache != g.pendings {
		status = cacheStatus(got.State, got.Fresh, got.Replaced, got.Collapsed)
	}
	h := w.Header()
	h["Age"] = ageHeader(got.Age)
	h["Cache-Status"] = status
	body.write(w, r)
	return nil
}

func (g *Gateway) countRead(state snapshot.State, collapsed bool, age time.Duration) {
	switch state {
	case snapshot.Hit:
		g.ins.SnapshotRead(telemetry.ReadHit)
	case snapshot.Stale:
		g.ins.SnapshotRead(telemetry.ReadStale)
	default:
		g.ins.SnapshotRead(telemetry.ReadMiss)
	}
	if collapsed {
		g.ins.SnapshotCoalesced()
	}
	g.ins.SnapshotAge(age)
}

var refreshWord = [...]telemetry.RefreshOutcome{
	snapshot.Stored: telemetry.RefreshStored, snapshot.Discarded: telemetry.RefreshDiscarded,
	snapshot.NotFound: telemetry.RefreshNotFound, snapshot.Failed: telemetry.RefreshFailed,
}

func (g *Gateway) newStatusCache() *snapshot.Cache[*statusDoc] {
	return snapshot.New(g.cfg.Snapshot, snapshot.Options[*statusDoc]{
		Fetch:      g.fetchStatus,
		Gone:       func(err error) bool { return fault.Is(err, fault.NotFound) },
		RetryAfter: func(err error) time.Duration { return fault.As(err).RetryAfter },
		Refreshed: func(o snapshot.Outcome) {
			g.ins.SnapshotRefresh(refreshWord[o])
		},
	})
}

// newPendingCache keeps the documents of connections without a tenant, so that
// they too are encoded once for all readers of a moment.
func (g *Gateway) newPendingCache() *snapshot.Cache[*statusDoc] {
	limits := g.cfg.Snapshot
	limits.StaleWhileRevalidate, limits.StaleIfError = limits.Fresh, limits.Fresh
	return snapshot.New(limits, snapshot.Options[*statusDoc]{
		Fetch: func(context.Context, string) (*statusDoc, error) {
			doc := &statusDoc{at: time.Now()}
			if g.cfg.Subscribes {
				no := false
				doc.subscribed = &no
			}
			return doc, nil
		},
	})
}

// fetchStatus asks the sales agent once and takes in what it says.
func (g *Gateway) fetchStatus(ctx context.Context, tenantID string) (*statusDoc, error) {
	end, err := g.asking.begin(ctx, tenantID)
	if err != nil {
		return nil, fault.Upstream(fault.UpstreamTimeout, "The sales agent did not answer in time.", err)
	}
	defer end()
	snap, at, err := g.readStatus(ctx, tenantID)
	if err != nil {
		g.logRefresh(ctx, "status", tenantID, err)
		return nil, err
	}
	doc := &statusDoc{snapshot: snap, at: at}
	if m, ok := ctx.Value(sourceKey{}).(*registry.ManagedSource); ok {
		g.observe(ctx, m, snap)
		doc.webhooks, doc.subscribed = g.webhookNews(ctx, m)
	}
	return doc, nil
}

// readStatus gives the document of a tenant, and its own time.
func (g *Gateway) readStatus(ctx context.Context, tenantID string) (*api.Status, time.Time, error) {
	doc, err := g.deps.Upstream.Status(ctx, tenantID)
	if err != nil {
		return nil, time.Time{}, err
	}
	snap, malformed := transform.Snapshot(doc)
	for _, path := range doc.Notes.Unknown {
		g.ins.UnknownField(path)
	}
	for _, path := range malformed {
		g.ins.MalformedField(path)
	}
	return snap, doc.FetchedAt.Time, nil
}

// observe follows the inventory sync that a snapshot tells of. Its failure
// costs nothing but the news.
func (g *Gateway) observe(ctx context.Context, m *registry.ManagedSource, snap *api.Status) {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	c, signal := &m.Connection, transform.InventorySync(snap)
	if _, err := g.deps.Directory.ObserveInventorySync(ctx, c.CustomerID, c.ID, signal); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "inventory sync not recorded",
			slog.String("tenant", c.TenantID), slog.Any("error", err))
	}
	g.deps.Subscriber.Observe(ctx, m, signal.CompletedAt, signal.ObservedAt)
}

// ReadNews reads a source's status for nothing but its news, once and past the
// breakers: for background work, which must not keep readers from being served.
func (g *Gateway) ReadNews(ctx context.Context, m *registry.ManagedSource) error {
	end, _ := g.asking.try(m.Connection.TenantID)
	if end == nil {
		return nil // a reader asks, and brings the news
	}
	defer end()
	snap, _, err := g.readStatus(upstream.Once(ctx), m.Connection.TenantID)
	if err != nil {
		return err
	}
	g.observe(ctx, m, snap)
	return nil
}

// logRefresh tells of a refresh that failed; while the breaker is open the
// breaker's own line has said it.
func (g *Gateway) logRefresh(ctx context.Context, operation, tenantID string, err error) {
	f := fault.As(err)
	level := slog.LevelWarn
	if f.Reason == fault.CircuitOpen || ctx.Err() == context.Canceled {
		level = slog.LevelDebug
	}
	g.log.LogAttrs(ctx, level, "refresh failed", slog.String("operation", operation),
		slog.String("tenant", tenantID), slog.String("reason", string(f.Reason)), slog.Any("error", err))
}
