package adserver

import (
	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/upstream/wire"
)

// The types that the storefront's own contract does not have: their views are ours.

// broadstreet is Broadstreet.
type broadstreet struct {
	networkID string
	apiKey    wire.Secret
}

var broadstreetShape = shape{
	name:    typeBroadstreet,
	members: []string{"networkId", "apiKey"},
	read: func(r *reader) kind {
		return &broadstreet{
			networkID: r.Need(r.Text("networkId", jsonbody.Length(1, maxID))),
			apiKey:    r.secret("apiKey"),
		}
	},
}

func (*broadstreet) name() string    { return typeBroadstreet }
func (b *broadstreet) label() string { return "Broadstreet " + b.networkID }

func (b *broadstreet) view(*registry.AdServer, *wire.Settings) registry.AdServer {
	return registry.AdServer{NetworkID: b.networkID}
}

func (b *broadstreet) request(_ *Account, kept *wire.Settings) wire.AdapterRequest {
	return wire.BroadstreetRequest{
		Type: typeBroadstreet, NetworkID: b.networkID, APIKey: b.apiKey,
		DefaultAdvertiserID:  kept.DefaultAdvertiserID.Value,
		CampaignNameTemplate: kept.CampaignNameTemplate.Value,
	}
}

func (*broadstreet) settings() []setting { return nil }

// mock is the sales agent's simulated ad server.
type mock struct{}

var mockShape = shape{name: typeMock, read: func(*reader) kind { return mock{} }}

func (mock) name() string  { return typeMock }
func (mock) label() string { return "Mock ad server" }

func (mock) view(*registry.AdServer, *wire.Settings) registry.AdServer { return registry.AdServer{} }

func (mock) request(*Account, *wire.Settings) wire.AdapterRequest {
	return wire.MockRequest{Type: typeMock}
}

func (mock) settings() []setting { return nil }
