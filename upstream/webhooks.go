package upstream

import (
	"context"
	"net/http"

	"esagate/upstream/wire"
)

// Webhooks reads a tenant's subscriptions.
func (c *Client) Webhooks(ctx context.Context, tenantID string) ([]wire.Webhook, error) {
	return ask(ctx, c, tenantCall(opWebhooks, tenantID, "webhooks"), wire.DecodeWebhooks)
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
			if p, err := wire.DecodeError(a.body); err == nil && p.Code != tenantNotFound {
				return nil
			}
		}
		return answered(a)
	}
	return c.do(ctx, cl)
}
