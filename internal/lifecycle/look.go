package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// find looks a tenant up by its external_org_id; nil when there is none, or none that
// could be kept.
func (l *Lifecycle) find(ctx context.Context, op registry.Operation, orgID string) (*wire.Tenant, error) {
	ctx, cancel := within(ctx, op, lookTimeout)
	defer cancel()
	return l.findTenant(ctx, orgID)
}

func (l *Lifecycle) findTenant(ctx context.Context, orgID string) (*wire.Tenant, error) {
	found, err := l.upstream.FindTenant(ctx, l.cfg.ExternalSource, orgID)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !registry.StorableID(found.TenantID):
		return nil, nil
	}
	return found, nil
}

// look looks for the tenant of a connection whose last provisioning, begun at
// UnsettledSince, may have made one. It gives the connection as it then stands: with
// the tenant, or settled otherwise, or still unsettled.
func (l *Lifecycle) look(ctx context.Context, m *registry.ManagedSource) (*registry.ManagedSource, error) {
	t, since, orgID := targetOf(m), m.Connection.UnsettledSince, l.orgIDOf(m)
	looked := now()
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.findTenant(bounded, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil {
		adopted, err := l.registry.ChangeConnection(ctx, t.customer, t.esaID, adoptLate(tenantOf(found, orgID), since))
		switch {
		case err == nil:
			l.finish(ctx, t, registry.OperationProvision, OutcomeAdopted, nil)
			l.changed(adopted)
			return adopted, nil
		case errors.Is(err, errMoved):
			return l.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
		case !errors.Is(err, registry.ErrTenantTaken): // else it is not ours
			return nil, err
		}
	}
	if looked.Sub(since) < l.cfg.Unsettled {
		return m, nil
	}
	return l.registry.ChangeConnection(ctx, t.customer, t.esaID, func(cur *registry.ManagedSource) (*registry.Connection, error) {
		c, err := cleared(since)(cur.Connection)
		return &c, err
	})
}

func adoptLate(t tenant, since time.Time) func(*registry.ManagedSource) (*registry.Connection, error) {
	return func(cur *registry.ManagedSource) (*registry.Connection, error) {
		c, err := foundLate(t, since, now())(cur.Connection)
		if err != nil {
			return nil, err
		}
		return &c, nil
	}
}

// orgIDOf gives what a tenant of this connection was, or would be, known by.
func (l *Lifecycle) orgIDOf(m *registry.ManagedSource) string {
	if id := m.Connection.ExternalOrgID; id != "" {
		return id
	}
	return l.externalOrgID(m)
}

// How often a late tenant is looked for.
const (
	watchFirst = 5 * time.Second
	watchLast  = 30 * time.Second
)

// watch looks for a tenant that may still come to be, until it can't any more. What it
// can't find out is left to Settle.
func (l *Lifecycle) watch(ctx context.Context, t target, since time.Time, orgID string) {
	l.mu.Lock()
	full := l.watches >= maxWatches
	if !full {
		l.watches++
	}
	l.mu.Unlock()
	if full {
		return
	}
	release := func() {
		l.mu.Lock()
		l.watches--
		l.mu.Unlock()
	}
	if !l.later(ctx, l.idle, func(ctx context.Context) {
		defer release()
		last := since.Add(l.cfg.Unsettled)
		for pause := watchFirst; ; pause = min(2*pause, watchLast) {
			if !sleep(ctx, min(pause, time.Until(last))) {
				return
			}
			over := !now().Before(last)
			if l.watched(ctx, t, since) || over {
				return
			}
		}
	}) {
		release()
	}
}

// watched makes one look, and reports whether there is nothing more to look for.
func (l *Lifecycle) watched(ctx context.Context, t target, since time.Time) bool {
	m, err := l.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
	if err != nil {
		return fault.Is(err, fault.NotFound)
	}
	if !m.Connection.UnsettledSince.Equal(since) || m.Connection.Operation != nil {
		return true
	}
	m, err = l.look(ctx, m)
	if err != nil {
		l.note(ctx, slog.LevelInfo, "a tenant that may be there can't be looked for yet", t, slog.Any("error", err))
		return false
	}
	return m.Connection.UnsettledSince.IsZero()
}
