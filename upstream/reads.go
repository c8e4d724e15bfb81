package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// Status reads a tenant's status document.
func (c *Client) Status(ctx context.Context, tenantID string) (*wire.Status, error) {
	cl := tenantCall(opStatus, tenantID, "status")
	cl.most = maxStatus
	return ask(ctx, c, cl, decodeStatus)
}

func decodeStatus(body []byte) (*wire.Status, error) { return wire.DecodeStatus(body, time.Now()) }

// AdapterConfig reads the part of a tenant's ad-server config that is no secret.
func (c *Client) AdapterConfig(ctx context.Context, tenantID string) (*wire.AdapterConfig, error) {
	return ask(ctx, c, tenantCall(opAdapterConfig, tenantID, "adapter-config"), wire.DecodeAdapterConfig)
}

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

// Tenant reads what is known of a tenant itself.
func (c *Client) Tenant(ctx context.Context, tenantID string) (*wire.Tenant, error) {
	return ask(ctx, c, tenantCall(opTenant, tenantID), wire.DecodeTenant)
}

// Webhooks reads a tenant's subscriptions.
func (c *Client) Webhooks(ctx context.Context, tenantID string) ([]wire.Webhook, error) {
	return ask(ctx, c, tenantCall(opWebhooks, tenantID, "webhooks"), wire.DecodeWebhooks)
}

// HistoryQuery says which sync runs are wanted, in upstream's own words. A zero field
// is left out, and has upstream's default.
type HistoryQuery struct {
	SyncType string // as upstream spells it
	Status   string // a raw word (contract 2.12), or InProgress, of which no Limit means all
	Cursor   string
	Limit    int
}

// SyncHistory reads a page of a tenant's sync runs, newest first. A cursor is of pages of one
// Status; of those InProgress one that is none is a Validation error.
func (c *Client) SyncHistory(ctx context.Context, tenantID string, q HistoryQuery) (*wire.SyncHistory, error) {
	fetch := func(q HistoryQuery) (*wire.SyncHistory, error) { return c.historyPage(ctx, tenantID, q) }
	if q.Status == InProgress {
		return openRuns(fetch, q)
	}
	return fetch(q)
}

func (c *Client) historyPage(ctx context.Context, tenantID string, q HistoryQuery) (*wire.SyncHistory, error) {
	cl := tenantCall(opSyncHistory, tenantID, "sync-history")
	cl.query = url.Values{}
	for name, value := range map[string]string{"sync_type": q.SyncType, "status": q.Status, "cursor": q.Cursor} {
		if value != "" {
			cl.query.Set(name, value)
		}
	}
	if q.Limit != 0 {
		cl.query.Set("limit", strconv.Itoa(q.Limit))
	}
	return ask(ctx, c, cl, wire.DecodeSyncHistory)
}

const (
	findTimeout = 60 * time.Second
	maxList     = 64 << 20 // bytes of a list of tenants, decompressed
)

// FindTenant looks for the tenant of an external organisation in upstream's list of
// tenants, which is read as a stream. It is NotFound with Reason TENANT_NOT_FOUND only
// when the whole list was read and has none. See [wire.FindTenant].
func (c *Client) FindTenant(ctx context.Context, externalSource, externalOrgID string) (*wire.Tenant, error) {
	if externalOrgID == "" { // it would match any tenant without one
		return nil, ourFault("there is no external organisation to look for")
	}
	var found *wire.Tenant
	cl := &call{op: opFindTenant, limit: findTimeout, most: maxList}
	if externalSource != "" {
		cl.query = url.Values{"external_source": {externalSource}}
	}
	cl.decode = func(body io.Reader) (err error) {
		if found, err = wire.FindTenant(body, externalSource, externalOrgID); err == nil && found == nil {
			return noTenant(errors.New("the list of tenants has none"))
		}
		return err
	}
	if err := c.do(ctx, cl); err != nil {
		return nil, err
	}
	return found, nil
}
