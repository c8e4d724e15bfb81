package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/background"
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
func (l *Lifecycle) look(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	t, since, orgID := targetOf(m), m.Connection.UnsettledSince, l.orgIDOf(m)
	looked := now()
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.findTenant(bounded, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil && l.mayBeTaken(found, orgID == l.externalOrgID(m), since) {
		adopted, err := l.registry.ChangeConnection(ctx, t.customer, t.esaID, deciding(foundLate(foundOut(found, orgID, since), since)))
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
	if looked.Before(l.certain(m)) {
		return m, nil
	}
	return l.registry.ChangeConnection(ctx, t.customer, t.esaID, deciding(cleared(since)))
}

// deciding makes a decision of a transition that needs no operation.
func deciding(became transition) func(*registry.Source) (*registry.Connection, error) {
	return func(cur *registry.Source) (*registry.Connection, error) {
		c, err := became(*cur.Connection)
		if err != nil {
			return nil, err
		}
		return &c, nil
	}
}

// watches reports whether this process looks for a provisioning's tenant by itself.
func (l *Lifecycle) watches(p provisioned) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.watched[p]
}

// watch looks for a tenant that may still come to be, until it can't any more. What it
// can't find out is left to Settle.
func (l *Lifecycle) watch(ctx context.Context, t target, since time.Time) {
	p := provisioned{t.esaID, since.UnixNano()}
	l.mu.Lock()
	full := len(l.watched) >= maxWatches
	if !full {
		l.watched[p] = true
	}
	l.mu.Unlock()
	if full {
		return
	}
	release := func() {
		l.mu.Lock()
		delete(l.watched, p)
		l.mu.Unlock()
	}
	if !l.later(ctx, l.idle, func(ctx context.Context) {
		defer release()
		last := since.Add(l.cfg.Unsettled)
		for pause := lookFirst; ; pause = min(2*pause, lookLast) {
			if !background.Sleep(ctx, min(pause, time.Until(last))) {
				return
			}
			over := !now().Before(last)
			if l.looks(ctx, t, since) || over {
				return
			}
		}
	}) {
		release()
	}
}

// looks makes one look, and reports whether there is nothing more to look for.
func (l *Lifecycle) looks(ctx context.Context, t target, since time.Time) bool {
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
