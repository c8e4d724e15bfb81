package upstream

import (
	"context"
	"net/url"
	"strconv"

	"esagate/upstream/wire"
)

// HistoryQuery says which sync runs are wanted, in upstream's own words. A zero field
// is left out, and has upstream's default.
type HistoryQuery struct {
	SyncType string // snake_case
	Status   string
	Cursor   string
	Limit    int
}

// SyncHistory reads a page of a tenant's sync runs, newest first.
func (c *Client) SyncHistory(ctx context.Context, tenantID string, q HistoryQuery) (*wire.SyncHistory, error) {
	cl := tenantCall(opSyncHistory, tenantID, "sync-history")
	cl.query = url.Values{}
	add := func(name, value string) {
		if value != "" {
			cl.query.Set(name, value)
		}
	}
	add("sync_type", q.SyncType)
	add("status", q.Status)
	add("cursor", q.Cursor)
	if q.Limit != 0 {
		add("limit", strconv.Itoa(q.Limit))
	}
	return ask(ctx, c, cl, wire.DecodeSyncHistory)
}
