package gateway

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
)

const maxTake = 200

func (g *Gateway) getConnection(w http.ResponseWriter, r *request, m *registry.ManagedSource) error {
	if err := parseQuery(r.URL.RawQuery).err(); err != nil {
		return err
	}
	m = g.withAdServer(r.Context(), m)
	if err := r.Context().Err(); err != nil {
		return err
	}
	newBody(g.enveloped(transform.AppendConnection(nil, transform.Connection(m)))).write(w, r)
	return nil
}

func (g *Gateway) listConnections(w http.ResponseWriter, r *request) error {
	q := parseQuery(r.URL.RawQuery, "skip", "take")
	skip := q.integer("skip", 0, math.MaxInt32, 0)
	take := q.integer("take", 1, maxTake, maxTake)
	if err := q.err(); err != nil {
		return err
	}
	list, total, err := g.deps.Directory.ManagedSources(r.Context(), r.caller.CustomerID, skip, take)
	if err != nil {
		return err
	}
	encoded := []byte{'['}
	for i, m := range list {
		if i > 0 {
			encoded = append(encoded, ',')
		}
		encoded = transform.AppendConnection(encoded, transform.Connection(m))
	}
	encoded = append(encoded, ']')
	if g.cfg.Envelope {
		encoded = envelopedPage(encoded, skip, take, total, skip+len(list) < total)
	}
	newBody(encoded).write(w, r)
	return nil
}

// envelopedPage wraps one page of a list (contract, "Envelope").
func envelopedPage(list []byte, skip, take, total int, more bool) []byte {
	b := append([]byte(`{"data":`), list...)
	b = append(b, `,"error":null,"meta":{"pagination":{"skip":`...)
	b = strconv.AppendInt(b, int64(skip), 10)
	b = append(b, `,"take":`...)
	b = strconv.AppendInt(b, int64(take), 10)
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	b = append(b, `,"hasMore":`...)
	b = strconv.AppendBool(b, more)
	return append(b, "}}}"...)
}

// adapterDoc says that upstream's ad-server config was read, whatever it
// held: the registry keeps that.
type adapterDoc struct {
	at time.Time
}

// FetchedAt implements snapshot.Document; upstream's config has no time of its own.
func (d *adapterDoc) FetchedAt() time.Time { return d.at }

// newAdapterCache learns ad-server views that the registry lacks, with the
// snapshot cache's sharing, backing off and bounds. A reader waits for one no
// longer than Patience: the connection is served without it.
func (g *Gateway) newAdapterCache() *snapshot.Cache[*adapterDoc] {
	limits := g.cfg.Snapshot
	limits.Timeout = limits.Patience
	return snapshot.New(limits, snapshot.Options[*adapterDoc]{
		Fetch:      g.fetchAdapter,
		Gone:       func(err error) bool { return fault.Is(err, fault.NotFound) },
		RetryAfter: func(err error) time.Duration { return fault.As(err).RetryAfter },
	})
}

func (g *Gateway) fetchAdapter(ctx context.Context, tenantID string) (*adapterDoc, error) {
	config, err := g.deps.Upstream.AdapterConfig(ctx, tenantID)
	if err != nil {
		g.logRefresh(ctx, "adapter_config", tenantID, err)
		return nil, err
	}
	doc := &adapterDoc{at: time.Now()}
	view, email := transform.AdServer(config)
	if view == nil {
		return doc, nil
	}
	m, ok := ctx.Value(sourceKey{}).(*registry.ManagedSource)
	if !ok {
		return doc, nil
	}
	_, err = g.deps.Directory.LearnAdServer(ctx, m.Connection.CustomerID, m.Connection.ID, *view, email)
	return doc, err
}

// withAdServer completes a connection whose ad server the registry does not
// know yet, if upstream says it soon enough.
func (g *Gateway) withAdServer(ctx context.Context, m *registry.ManagedSource) *registry.ManagedSource {
	c := &m.Connection
	if c.TenantID == "" || c.AdServer != nil {
		return m
	}
	if _, err := g.adapters.Get(withSource(ctx, m), c.TenantID); err != nil {
		return m
	}
	if learned, err := g.deps.Directory.ManagedSourceByID(ctx, c.CustomerID, c.ID); err == nil {
		return learned
	}
	return m
}
