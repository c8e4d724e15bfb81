package adserver

import (
	"esagate/api"
	"esagate/registry"
)

// operators says why a credential of Google Ad Manager is not taken from a caller.
const operators = " can't be given: the service account is the operator's, who configures it for this gateway."

func init() {
	describe(&Type{
		Order: 1, Name: "google_ad_manager", Title: "Google Ad Manager", Probes: 1,
		Fields: []Field{
			{Name: "networkCode", Form: Digits, Use: Sent | Kept | Taken, Required: true, Min: 1, Max: 32},
			{Name: accountEmail, Use: Taken, Required: true, Min: 3, Max: 255},
			{Name: accountKey, Form: Secret, Use: Taken, Required: true},
			{Name: "refreshToken", Form: Secret, Use: Taken},
			{Name: "orderNameTemplate", Use: Setting, Max: 500},
			{Name: "lineItemNameTemplate", Use: Setting, Max: 500},
			{Name: "autoNamingEnabled", Form: Flag, Use: Setting, Default: "true"},
			{Name: "manualApprovalRequired", Form: Flag, Use: Setting, Default: "false"},
		},
		Refused: []Refusal{
			{accountEmail, operators},
			{"serviceAccountKey", operators},
			{accountKey, operators},
			{"serviceAccountJson", operators},
			{"refreshToken", operators},
			{"service_account_email", operators},
			{"service_account_key_json", operators},
			{"refresh_token", operators},
		},
		View: func(s *registry.AdServer) api.AdServer {
			return api.GoogleAdManager{Type: s.Type, NetworkCode: optional(s.NetworkCode)}
		},
	})
}
