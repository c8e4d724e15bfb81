package adserver

// The sales agent knows no client credentials, sandbox or currency of FreeWheel (contract 5.9);
// the currency is kept in the registry alone.
var freeWheel = &Type{
	Name: "freewheel", Title: "FreeWheel", Login: "username", Advertisers: AtVendor, Probes: 2,
	Fields: []Field{
		{Name: "clientId", Use: Kept, Max: maxLogin},
		{Name: "username", Use: Sent | Kept | Taken, Min: 1, Max: maxLogin},
		password,
		apiToken,
		environment([]string{production, "staging", "sandbox"}, "sandbox"),
		{Name: "defaultAdvertiserId", Use: Sent | Kept | Taken | Setting, Max: maxID},
		{Name: "executionCurrency", Form: Currency, Use: Sent | Kept},
	},
	Refused: []string{"clientId", "clientSecret"}, Why: untaken,
}
