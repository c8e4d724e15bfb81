package upstream

import (
	"context"
	"net/http"

	"esagate/upstream/wire"
)

// Refresh starts a tenant's syncs. Those that run already (a 409
// sync_already_running) are a result with AlreadyRunning.
func (c *Client) Refresh(ctx context.Context, tenantID string) (*wire.Refresh, error) {
	cl := tenantWrite(opRefresh, http.MethodPost, tenantID, "refresh")
	cl.accept = []int{http.StatusAccepted, http.StatusOK}
	var running *wire.Refresh
	cl.judge = func(a answer) *failure {
		if a.status == http.StatusConflict {
			if doc, err := wire.DecodeRefresh(a.body); err == nil && doc.AlreadyRunning {
				running = doc
				return nil
			}
		}
		return answered(a)
	}
	doc, err := ask(ctx, c, cl, wire.DecodeRefresh)
	if running != nil {
		return running, nil
	}
	return doc, err
}

// Deactivate switches a tenant off. A success may come with an empty Tenant: it is
// told by the status alone.
func (c *Client) Deactivate(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return c.switched(ctx, opDeactivate, tenantID)
}

// Reactivate switches a tenant on again, as Deactivate does off.
func (c *Client) Reactivate(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return c.switched(ctx, opReactivate, tenantID)
}

func (c *Client) switched(ctx context.Context, op operation, tenantID string) (*wire.Tenant, error) {
	cl := tenantWrite(op, http.MethodPost, tenantID, string(op))
	cl.done = true
	t, err := ask(ctx, c, cl, wire.DecodeTenant)
	if err == nil && t == nil {
		t = &wire.Tenant{}
	}
	return t, err
}
