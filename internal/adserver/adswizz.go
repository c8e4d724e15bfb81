package adserver

import (
	"esagate/api"
	"esagate/registry"
)

// The sales agent does not know AdsWizz yet (contract 5.9).
func init() {
	describe(&Type{
		Order: 4, Name: "adswizz", Title: "AdsWizz", Untaken: true,
		Fields: []Field{
			{Name: "agencyId", Form: Integer, Use: Kept},
			{Name: "environment", Form: Word, Use: Kept, Words: []string{"AUDIOSERVE", production}},
			{Name: "baseUrl", Form: URL, Use: Kept},
			{Name: "forecastingBaseUrl", Form: URL, Use: Kept},
			{Name: "defaultCurrency", Form: Currency, Use: Kept},
			{Name: "cpmLimit", Form: Number, Use: Kept},
			{Name: "defaultAdvertiserId", Use: Kept, Max: maxID},
		},
		View: func(s *registry.AdServer) api.AdServer {
			return api.AdsWizz{
				Type:                s.Type,
				AgencyID:            s.AgencyID,
				Environment:         environmentOf(s),
				BaseURL:             optional(s.BaseURL),
				ForecastingBaseURL:  optional(s.ForecastingBaseURL),
				DefaultCurrency:     optional(s.DefaultCurrency),
				CPMLimit:            s.CPMLimit,
				DefaultAdvertiserID: optional(s.DefaultAdvertiserID),
			}
		},
	})
}
