package operations

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform/shape"
	"esagate/upstream/wire"
)

// adServer gives the type of a source's ad server; "" where it is not known.
func adServer(source *registry.Source) string {
	if source.Connection.AdServer == nil {
		return ""
	}
	return source.Connection.AdServer.Type
}

// advertisers says where the advertisers of a source are listed.
func advertisers(source *registry.Source) adserver.Advertisers {
	if t := adserver.Find(adServer(source)); t != nil {
		return t.Advertisers
	}
	return adserver.Nowhere
}

// notSupported is the answer where the sales agent has no such operation.
func notSupported(message string) error {
	return &fault.Error{Kind: fault.Conflict, Reason: fault.NotSupported, Message: message}
}

// dispatchAdvertisers lets those sources go on whose advertisers the sales agent lists (contract 12.13).
func dispatchAdvertisers(_ context.Context, x *exchange) ([]byte, error) {
	switch where := advertisers(x.source); {
	case where == adserver.Synced, x.source.Connection.AdServer == nil: // which it has could not be learned: the sales agent knows
		return nil, nil
	case where == adserver.AtVendor:
		return nil, notSupported("The sales agent can't list the advertisers of this ad server.")
	}
	return nil, NotOfAdServer("The ad server of this source has no list of advertisers.")
}

// composeAdvertisers gives what the roster says of itself (contract 12.13).
func composeAdvertisers(_ context.Context, x *exchange, document []byte) ([]shape.Given, error) {
	page, err := decoded[struct {
		NextCursor jsontext.Value `json:"next_cursor"`
		SyncedAt   jsontext.Value `json:"synced_at"`
	}](document)
	if err != nil {
		return nil, err
	}
	truncated := len(page.NextCursor) > 0 && page.NextCursor.Kind() != 'n'
	_, synced := wire.ParseTime(text(page.SyncedAt))
	whole := !truncated && synced && x.query.Get("cursor") == "" && adServer(x.source) != "" && x.advertisersSynced()
	return []shape.Given{
		{Name: "adapterType", Value: api.Encode(adserver.TypeName(&registry.AdServer{Type: adServer(x.source)}))},
		{Name: "authoritative", Value: api.Encode(whole)},
		{Name: "truncated", Value: api.Encode(truncated)},
		{Name: "errors", Value: []byte("[]")},
	}, nil
}

// advertisersSynced reports whether the last sync of the source's advertisers is known to have succeeded.
func (x *exchange) advertisersSynced() bool {
	known, ok := x.service.deps.Status.Known(x.source)
	if !ok {
		return false
	}
	i := known.Status.Syncs.Index("advertisers")
	return i >= 0 && known.Status.Syncs[i].Value.Status == "success"
}

// confirmDefaultAdvertiser holds the tenant as it is now against what was sent: with another advertiser in it, nobody
// knows what was written (contract 12.14).
func confirmDefaultAdvertiser(_ context.Context, x *exchange, document []byte) ([]shape.Given, error) {
	type tenant struct {
		Default jsontext.Value `json:"default_gam_advertiser_id"`
	}
	wanted, err := decoded[tenant](x.sent)
	if err != nil {
		return nil, err
	}
	stored, err := decoded[tenant](document)
	if err != nil || text(stored.Default) != text(wanted.Default) {
		return nil, shape.ErrMalformed
	}
	return nil, nil
}

// refuseAXEKeys: the sales agent keeps none of these (contract 12.16).
func refuseAXEKeys(context.Context, *exchange) ([]byte, error) {
	return nil, notSupported("The sales agent has no operation that sets AXE keys.")
}
