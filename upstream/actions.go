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
	return setActive(ctx, c, opDeactivate, tenantID)
}

// Reactivate switches a tenant on again, as Deactivate does off.
func (c *Client) Reactivate(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return setActive(ctx, c, opReactivate, tenantID)
}

func setActive(ctx context.Context, c *Client, op operation, tenantID string) (*wire.Tenant, error) {
	cl := tenantWrite(op, http.MethodPost, tenantID, string(op))
	return ask(ctx, c, cl, func(body []byte) (*wire.Tenant, error) {
		t, err := wire.DecodeTenant(body)
		if err == nil && t.TenantID != tenantID {
			return nil, errors.New("the answer is about another tenant")
		}
		return t, err
	})
}

// CreateWebhook subscribes to a tenant's events. UPSTREAM_INVALID_RESPONSE here means
// that there may be a subscription whose id is not known.
func (c *Client) CreateWebhook(ctx context.Context, tenantID string, req wire.WebhookRequest) (*wire.Webhook, error) {
	cl := tenantWrite(opCreateWebhook, http.MethodPost, tenantID, "webhooks")
	cl.accept = []int{http.StatusCreated, http.StatusOK}
	if err := cl.encode(req); err != nil {
		return nil, err
	}
	return ask(ctx, c, cl, func(body []byte) (*wire.Webhook, error) {
		w, err := wire.DecodeWebhook(body)
		if err != nil {
			return nil, err
		}
		e := credentialsOf(cl.secrets)
		if e.inID(w.WebhookID) {
			return nil, errCredential
		}
		if e.inID(w.URL) {
			w.URL = ""
		}
		return w, nil
	})
}

// DeleteWebhook ends a subscription. One that is gone already is a success; a tenant
// that is gone is not.
func (c *Client) DeleteWebhook(ctx context.Context, tenantID, webhookID string) error {
	cl := tenantWrite(opDeleteWebhook, http.MethodDelete, tenantID, "webhooks", webhookID)
	cl.done = true
	cl.judge = func(a answer) *failure {
		if a.status == http.StatusNotFound {
			// A page of HTML says nothing of the webhook: it comes from something before upstream.
			if a.problem != nil && a.problem.Code != tenantNotFound {
				return nil
			}
		}
		return answered(a)
	}
	return c.do(ctx, cl)
}
