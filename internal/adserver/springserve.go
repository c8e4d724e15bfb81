package adserver

var springServe = &Type{
	Name: "springserve", Title: "SpringServe", Login: "email", Probes: 1,
	Fields: []Field{
		{Name: "email", Form: Email, Use: Sent | Kept | Taken, Min: 1, Max: maxLogin},
		password,
		apiToken,
		environment([]string{production}),
		{Name: "defaultDemandPartnerId", Form: Integer, Use: Sent | Kept | Taken | Setting},
		{Name: "demandClass", Form: Word, Use: Taken | Setting, Words: []string{"line_item", "tag"}, Default: `"line_item"`},
		{Name: "enableKeyValueTargeting", Form: Flag, Use: Taken | Setting, Default: "false"},
		{Name: "rateCurrency", Form: Currency, Use: Sent | Kept | Taken | Setting, Default: `"USD"`},
	},
}
