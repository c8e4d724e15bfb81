package adserver

var googleAdManager = &Type{
	Name: "google_ad_manager", Title: "Google Ad Manager", Advertisers: Synced, Probes: 1,
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
	Refused: []string{
		accountEmail, "serviceAccountKey", accountKey, "serviceAccountJson", "refreshToken",
		"service_account_email", "service_account_key_json", "refresh_token",
	},
	Why: " can't be given: the service account is the operator's, who configures it for this gateway.",
}
