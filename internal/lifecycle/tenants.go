package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// tenants finds the tenants of connections upstream: one that existed before, or that a
// provisioning of unknown outcome has made (contract 5.7).
type tenants struct {
	*core
	mu      sync.Mutex
	watched map[provisionKey]bool // what this process watches for; guarded by mu
}

// How often a tenant is looked up that may have been made: each time the list of
// upstream's tenants is read.
const (
	lookupFirst = 5 * time.Second // after the first; doubling
	lookupLast  = 30 * time.Second
	maxWatches  = 256
)

func newTenants(c *core) *tenants { return &tenants{core: c, watched: map[provisionKey]bool{}} }

// provisionKey names one provisioning.
type provisionKey struct {
	esaID int64
	began int64 // Unix nanoseconds: a time.Time is no key
}

// provisionKeyOf gives the provisioning of a connection whose outcome is open; false if
// there is none.
func provisionKeyOf(c *registry.Connection) (provisionKey, bool) {
	switch op := c.Operation; {
	case op != nil && op.Kind == registry.OperationProvision:
		return provisionKey{c.ID, op.Begun.UnixNano()}, true
	case op == nil && !c.UnsettledSince.IsZero():
		return provisionKey{c.ID, c.UnsettledSince.UnixNano()}, true
	}
	return provisionKey{}, false
}

// find looks a tenant up by its external_org_id; nil when there is none, or none that
// can be stored.
func (s *tenants) find(ctx context.Context, orgID string) (*wire.Tenant, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := s.upstream.FindTenant(ctx, s.cfg.ExternalSource, orgID)
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

// check looks up the tenant of a connection whose last provisioning, begun at
// UnsettledSince, may have made one. It gives the connection as it then is: with the
// tenant, or settled otherwise, or still unsettled.
func (s *tenants) check(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	t, since, orgID := targetOf(m), m.Connection.UnsettledSince, s.orgIDOf(m)
	asked := now()
	found, err := s.find(ctx, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil && s.mayAdopt(found, orgID == s.externalOrgID(m), since) {
		adopted, err := s.registry.ChangeConnection(ctx, t.customer, t.esaID, deciding(foundLate(becomeFound(found, orgID, since), since)))
		switch {
		case err == nil:
			s.report(ctx, t, registry.OperationProvision, OutcomeAdopted, nil)
			s.changed(adopted)
			return adopted, nil
		case errors.Is(err, errMoved):
			return s.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
		case !errors.Is(err, registry.ErrTenantTaken): // else it is not ours
			return nil, err
		}
	}
	if asked.Before(s.certainFor(m)) {
		return m, nil
	}
	return s.registry.ChangeConnection(ctx, t.customer, t.esaID, deciding(nothingMade(since)))
}

// settle checks whether an unfinished provisioning has made a tenant. Its config is
// the one that was sent with it, unless the tenant existed before.
func (s *tenants) settle(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	t, op, orgID := targetOf(m), m.Connection.Operation, s.orgIDOf(m)
	asked, text := now(), textCutShort
	found, err := s.find(ctx, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil {
		text = textTaken
		if s.mayAdopt(found, orgID == s.externalOrgID(m), op.Begun) {
			w, err := s.write(ctx, t, op.ID, ending{became: becomeFound(found, orgID, op.Begun)})
			if !errors.Is(err, registry.ErrTenantTaken) {
				if w.held && err == nil {
					s.report(ctx, t, op.Kind, OutcomeAdopted, nil)
				}
				return w.source, err
			}
		}
	}
	if inProgress(m.Connection) || asked.Before(s.certainFor(m)) {
		return m, nil
	}
	w, err := s.write(ctx, t, op.ID, ending{became: failed(codeInternal, text, time.Time{})})
	if w.held && err == nil {
		s.report(ctx, t, op.Kind, OutcomeLost, nil)
	}
	return w.source, err
}

// certainFor is when the outcome can't change any more of a connection's provisioning that
// nobody followed to its end. If another process recorded its beginning, that is the time
// of another clock.
func (s *tenants) certainFor(m *registry.Source) time.Time {
	if op := m.Connection.Operation; op != nil {
		return s.certainAt(op).Add(skew)
	}
	certain := m.Connection.UnsettledSince.Add(s.cfg.Unsettled)
	if key, _ := provisionKeyOf(m.Connection); s.watches(key) {
		return certain
	}
	return certain.Add(skew)
}

// watches reports whether this process watches for a provisioning's tenant.
func (s *tenants) watches(key provisionKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[key]
}

// watch looks for a tenant that may still appear, in the background and until it can't any
// more. What is still open then is left to Settle.
func (s *tenants) watch(ctx context.Context, t target, since time.Time) {
	key := provisionKey{t.esaID, since.UnixNano()}
	s.mu.Lock()
	full := len(s.watched) >= maxWatches
	if !full {
		s.watched[key] = true
	}
	s.mu.Unlock()
	if full {
		return
	}
	s.checks.Go(ctx, "watch for a tenant", func(ctx context.Context) {
		defer func() {
			s.mu.Lock()
			delete(s.watched, key)
			s.mu.Unlock()
		}()
		last := since.Add(s.cfg.Unsettled)
		for pause := lookupFirst; background.Sleep(ctx, min(pause, time.Until(last))); pause = min(2*pause, lookupLast) {
			over := !now().Before(last)
			if s.watchOnce(ctx, t, since) || over {
				return
			}
		}
	})
}

// watchOnce makes one lookup, and reports whether there is nothing more to watch for.
func (s *tenants) watchOnce(ctx context.Context, t target, since time.Time) (done bool) {
	m, err := s.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
	if err != nil {
		return fault.Is(err, fault.NotFound)
	}
	if !m.Connection.UnsettledSince.Equal(since) || m.Connection.Operation != nil {
		return true
	}
	m, err = s.check(ctx, m)
	if err != nil {
		s.logAbout(ctx, slog.LevelInfo, "a tenant that may exist can't be looked up yet", t, slog.Any("error", err))
		return false
	}
	return m.Connection.UnsettledSince.IsZero()
}
