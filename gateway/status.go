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
)

// observeTimeout bounds what a slow registry may add to a refresh.
const observeTimeout = 500 * time.Millisecond

func (g *Gateway) getSourceStatus(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return err
	}
	if err := statusQuery(r.URL.RawQuery); err != nil {
		return err
	}
	m, err := g.deps.Directory.ManagedSource(r.Context(), r.caller.CustomerID, sourceID)
	if err != nil {
		return err
	}
	return g.serveStatus(w, r, m)
}

func (g *Gateway) getStatus(w http.ResponseWriter, r *request) error {
	esaID, err := parseESAID(r.vars["esaId"])
	if err != nil {
		return err
	}
	if err := statusQuery(r.URL.RawQuery); err != nil {
		return err
	}
	m, err := g.deps.Directory.ManagedSourceByID(r.Context(), r.caller.CustomerID, esaID)
	if err != nil {
		return err
	}
	return g.serveStatus(w, r, m)
}

// statusQuery checks the status parameters. Histories are zeros in this version,
// whatever is asked for.
func statusQuery(raw string) error {
	if raw == "" {
		return nil
	}
	q := parseQuery(raw, "includeSyncHistory", "syncHistoryLimit")
	q.boolean("includeSyncHistory", false)
	q.integer("syncHistoryLimit", 1, 10, 5)
	return q.err()
}

// serveStatus answers with the newest snapshot that the limits allow.
func (g *Gateway) serveStatus(w http.ResponseWriter, r *request, m *registry.ManagedSource) error {
	cache, key := g.statuses, m.Connection.TenantID
	if key == "" { // not provisioned yet: nobody to ask (rule 9)
		cache, key = g.pendings, strconv.FormatInt(m.Connection.ID, 10)
	}
	got, err := cache.Get(withSource(r.Context(), m), key)
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
	body := got.Doc.body(g, m, got.Failed)
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
			return &statusDoc{at: time.Now()}, nil
		},
	})
}

// fetchStatus asks the sales agent once and takes in what it says.
func (g *Gateway) fetchStatus(ctx context.Context, tenantID string) (*statusDoc, error) {
	doc, err := g.deps.Upstream.Status(ctx, tenantID)
	if err != nil {
		g.logRefresh(ctx, "status", tenantID, err)
		return nil, err
	}
	snap, malformed := transform.Snapshot(doc)
	for _, path := range doc.Notes.Unknown {
		g.ins.UnknownField(path)
	}
	for _, path := range malformed {
		g.ins.MalformedField(path)
	}
	g.observe(ctx, tenantID, snap)
	return &statusDoc{snapshot: snap, at: doc.FetchedAt.Time}, nil
}

// observe follows the inventory sync that a snapshot tells of. Its failure
// costs nothing but the news.
func (g *Gateway) observe(ctx context.Context, tenantID string, snap *api.Status) {
	m, ok := ctx.Value(sourceKey{}).(*registry.ManagedSource)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	_, err := g.deps.Directory.ObserveInventorySync(ctx, m.Connection.CustomerID, m.Connection.ID, transform.InventorySync(snap))
	if err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "inventory sync not recorded",
			slog.String("tenant", tenantID), slog.Any("error", err))
	}
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
