package adserver

import (
	"esagate/api"
	"esagate/registry"
)

// The sales agent knows no client credentials, sandbox or currency of FreeWheel (contract 5.9);
// the currency is kept in the registry alone.
func init() {
	describe(&Type{
		Order: 2, Name: "freewheel", Title: "FreeWheel", Login: "username", Probes: 2,
		Fields: []Field{
			{Name: "username", Use: Sent | Kept | Taken, Min: 1, Max: maxLogin},
			password,
			apiToken,
			environment([]string{production, "staging", "sandbox"}, "sandbox"),
			{Name: "defaultAdvertiserId", Use: Sent | Kept | Taken | Setting, Max: maxID},
			{Name: "executionCurrency", Form: Currency, Use: Sent | Kept},
			{Name: "clientId", Use: Kept, Max: maxLogin},
		},
		Refused: []Refusal{{"clientId", untaken}, {"clientSecret", untaken}},
		View: func(s *registry.AdServer) api.AdServer {
			return api.FreeWheel{
				Type:                s.Type,
				ClientID:            optional(s.ClientID),
				Username:            optional(s.Username),
				Environment:         environmentOf(s),
				DefaultAdvertiserID: optional(s.DefaultAdvertiserID),
				ExecutionCurrency:   optional(s.ExecutionCurrency),
			}
		},
	})
}
