package status

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// Pauses between two tries to ask about tenants: the first, doubling to the last.
const (
	firstPause = 5 * time.Second
	lastPause  = 5 * time.Minute
)

// LearnTenants asks the sales agent for what the config can't say of its tenants: their
// external_org_id and whether they are active (contract 5.13). It returns at once; the
// calls are made in the background, one at a time, and a source that can't be asked
// about is tried again until Close.
func (s *Service) LearnTenants(sources []*registry.Source) {
	s.work.Go(context.Background(), "learn_tenants", func(ctx context.Context) {
		for pause := firstPause; ; pause = min(2*pause, lastPause) {
			if sources = s.learnTenants(ctx, sources); len(sources) == 0 {
				return
			}
			if pause == firstPause {
				s.log.LogAttrs(ctx, slog.LevelWarn, "the sales agent can't be asked about the config's tenants yet: asking again later",
					slog.Int("count", len(sources)))
			}
			if !background.Sleep(ctx, pause) {
				return
			}
		}
	})
}

// learnTenants asks about each source and gives those to ask about again, none once ctx has
// ended. When the sales agent seems to be away altogether, the rest is left and comes first.
func (s *Service) learnTenants(ctx context.Context, sources []*registry.Source) (again []*registry.Source) {
	for i, src := range sources {
		if ctx.Err() != nil {
			return nil
		}
		if src.Connection.TenantID == "" {
			continue
		}
		err := s.learnTenant(ctx, src)
		switch {
		case err == nil:
		case away(err):
			return append(append(again, sources[i+1:]...), src)
		default:
			again = append(again, src)
		}
	}
	return again
}

// away reports whether an error may concern the whole of upstream.
func away(err error) bool {
	switch fault.As(err).Reason {
	case fault.UpstreamUnreachable, fault.UpstreamTimeout, fault.UpstreamUnauthorized, fault.CircuitOpen:
		return true
	}
	return false
}

// learnTenant asks about one tenant. Its error is nil too when there is no such tenant:
// asking again would not help.
func (s *Service) learnTenant(ctx context.Context, src *registry.Source) error {
	c := src.Connection
	tenant, err := s.deps.Upstream.Tenant(ctx, c.TenantID)
	if fault.Is(err, fault.NotFound) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a configured tenant does not exist", slog.String("tenant", c.TenantID))
		return nil
	}
	if err != nil {
		return err
	}
	facts := registry.TenantFacts{ExternalOrgID: tenant.ExternalOrgID.Value}
	if tenant.IsActive.Set {
		facts.Active = &tenant.IsActive.Value
	}
	_, err = s.deps.Directory.LearnTenant(ctx, c.CustomerID, c.ID, facts)
	return err
}
