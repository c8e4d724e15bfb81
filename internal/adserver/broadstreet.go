package adserver

import (
	"esagate/api"
	"esagate/registry"
)

// The storefront's own contract does not have this type: its view is the gateway's.
func init() {
	describe(&Type{
		Order: 5, Name: "broadstreet", Title: "Broadstreet", Probes: 1,
		Fields: []Field{
			{Name: "networkId", Use: Sent | Kept | Taken, Required: true, Min: 1, Max: maxID, FileMax: 255},
			{Name: "apiKey", Form: Secret, Use: Sent | Taken, Required: true},
			{Name: "defaultAdvertiserId", Use: Taken | Setting, Max: maxID},
			{Name: "campaignNameTemplate", Use: Taken | Setting, Max: 500, Default: `"AdCP-{po_number}-{product_name}"`},
		},
		View: func(s *registry.AdServer) api.AdServer {
			return api.Broadstreet{Type: s.Type, NetworkID: optional(s.NetworkID)}
		},
	})
}
