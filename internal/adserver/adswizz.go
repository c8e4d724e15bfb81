package adserver

// The sales agent does not know AdsWizz yet (contract 5.9).
var adsWizz = &Type{
	Name: "adswizz", Title: "AdsWizz", Advertisers: AtVendor, Untaken: true,
	Fields: []Field{
		{Name: "agencyId", Form: Integer, Use: Kept},
		{Name: "environment", Form: Word, Use: Kept, Words: []string{"AUDIOSERVE", production}},
		{Name: "baseUrl", Form: URL, Use: Kept},
		{Name: "forecastingBaseUrl", Form: URL, Use: Kept},
		{Name: "defaultCurrency", Form: Currency, Use: Kept},
		{Name: "cpmLimit", Form: Number, Use: Kept},
		{Name: "defaultAdvertiserId", Use: Kept, Max: maxID},
	},
}
