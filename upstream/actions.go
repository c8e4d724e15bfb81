package upstream

import (
	"context"
	"errors"
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

// Deactivate switches a tenant off, and gives it as it then is. An answer that is no
// document of this tenant leaves open whether it was done.
func (c *Client) Deactivate(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return c.setActive(ctx, opDeactivate, tenantID)
}

// Reactivate switches a tenant on again, as Deactivate does off.
func (c *Client) Reactivate(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return c.setActive(ctx, opReactivate, tenantID)
}

// errOtherTenant: upstream answered with another tenant's document.
var errOtherTenant = errors.New("the answer is about another tenant")

func (c *Client) setActive(ctx context.Context, op operation, tenantID string) (*wire.Tenant, error) {
	cl := tenantWrite(op, http.MethodPost, tenantID, string(op))
	return ask(ctx, c, cl, func(body []byte) (*wire.Tenant, error) {
		t, err := wire.DecodeTenant(body)
		if err == nil && t.TenantID != tenantID {
			err = errOtherTenant
		}
		return t, err
	})
}
