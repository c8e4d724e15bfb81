package upstream

import (
	"context"
	"net/http"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// AdapterSettings reads the settings of a tenant's ad server. It is NotFound, without a
// Reason, when upstream has none of this type, or is of a build that has no settings.
func (c *Client) AdapterSettings(ctx context.Context, tenantID, adapterType string) (*wire.Settings, error) {
	cl := tenantCall(opAdapterSettings, tenantID, "adapters", adapterType, "config")
	cl.judge = func(a answer) *failure {
		f := answered(a)
		if a.status == http.StatusNotFound && f.outcome != outcomeNotFound {
			return &failure{outcome: outcomeNotFound,
				err: fault.Wrap(fault.NotFound, "The sales agent has no settings of this ad server.", f.err.Cause)}
		}
		return f
	}
	return ask(ctx, c, cl, wire.DecodeSettings)
}
