package adserver

// The storefront's own contract does not have this type: its view is the gateway's.
var broadstreet = &Type{
	Name: "broadstreet", Title: "Broadstreet", Probes: 1,
	Fields: []Field{
		{Name: "networkId", Use: Sent | Kept | Taken, Required: true, Min: 1, Max: maxID, FileMax: 255},
		{Name: "apiKey", Form: Secret, Use: Sent | Taken, Required: true},
		{Name: "defaultAdvertiserId", Use: Taken | Setting, Max: maxID},
		{Name: "campaignNameTemplate", Use: Taken | Setting, Max: 500, Default: `"AdCP-{po_number}-{product_name}"`},
	},
}
