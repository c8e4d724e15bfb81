package gateway

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
)

const (
	learnFirst = 5 * time.Second // after the first failure; doubling
	learnLast  = 5 * time.Minute
)

// LearnTenants asks upstream, in the background and one at a time, for what the
// config could not say of its tenants: their external_org_id and whether they
// are active. A failure changes nothing; what can't be reached is asked again
// until Close.
func (g *Gateway) LearnTenants(sources []*registry.ManagedSource) {
	g.background.Go(func() {
		wait := learnFirst
		for len(sources) > 0 {
			var again []*registry.ManagedSource
			for i, m := range sources {
				if g.life.Err() != nil {
					return
				}
				if m.Connection.TenantID == "" {
					continue
				}
				err := g.learnTenant(g.life, m)
				if err == nil {
					continue
				}
				if away(err) { // perhaps for the others as well: they come first the next time
					again = append(append(again, sources[i+1:]...), m)
					break
				}
				again = append(again, m)
			}
			sources = again
			if len(sources) == 0 {
				return
			}
			if wait == learnFirst {
				g.log.LogAttrs(g.life, slog.LevelWarn, "the sales agent can't be asked about the config's tenants yet: asking again later",
					slog.Int("count", len(sources)))
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
				wait = min(2*wait, learnLast)
			case <-g.life.Done():
				timer.Stop()
				return
			}
		}
	})
}

// away reports whether an error may be about the whole of upstream.
func away(err error) bool {
	switch fault.As(err).Reason {
	case fault.UpstreamUnreachable, fault.UpstreamTimeout, fault.UpstreamUnauthorized, fault.CircuitOpen:
		return true
	}
	return false
}

// learnTenant gives nil when there is nothing more to ask.
func (g *Gateway) learnTenant(ctx context.Context, m *registry.ManagedSource) error {
	c := &m.Connection
	tenant, err := g.deps.Upstream.Tenant(upstream.Once(ctx), c.TenantID)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			g.log.LogAttrs(ctx, slog.LevelWarn, "a configured tenant does not exist", slog.String("tenant", c.TenantID))
			return nil
		}
		return err
	}
	facts := registry.TenantFacts{ExternalOrgID: tenant.ExternalOrgID.Value}
	if tenant.IsActive.Set {
		facts.Active = &tenant.IsActive.Value
	}
	_, err = g.deps.Directory.LearnTenant(ctx, c.CustomerID, c.ID, facts)
	return err
}
