package status

import (
	"context"
	"time"

	"esagate/internal/adserver"
	"esagate/registry"
	"esagate/snapshot"
)

// WithAdServer gives a source whose ad server is known: where the registry does not
// know it, the sales agent is asked, once for all readers, and what it says is recorded.
// The source is given as it is if there is nothing to learn within Limits.Patience.
func (s *Service) WithAdServer(ctx context.Context, src *registry.Source) *registry.Source {
	c := src.Connection
	if c.TenantID == "" || c.AdServer != nil {
		return src
	}
	_, err := s.adServers.Get(ctx, c.TenantID, 0, guarded(s, "fetch_ad_server", func(ctx context.Context, d snapshot.Demand) (*document, error) {
		config, err := s.deps.Upstream.AdapterConfig(demanded(ctx, c, d, false), c.TenantID)
		if err != nil {
			s.logRefresh(ctx, "adapter_config", c.TenantID, err)
			return nil, err
		}
		doc := &document{at: time.Now()} // that it was read: the registry keeps what it held
		view, email := adserver.Observed(config)
		if view == nil {
			return doc, nil
		}
		_, err = s.deps.Directory.ChangeConnection(ctx, c.CustomerID, c.ID, registry.LearnAdServer(*view, email))
		return doc, err
	}))
	if err != nil {
		return src
	}
	if learned, err := s.deps.Directory.ManagedSourceByID(ctx, c.CustomerID, c.ID); err == nil {
		return learned
	}
	return src
}
