package wire

// words are the strings that nearly every document repeats, by length; sharing
// them saves an allocation each. Whatever is missing here is only allocated.
var words = func() (table [32][]string) {
	for _, w := range []string{
		// statuses, severities, scopes
		"success", "failed", "running", "never_run", "ok", "warning", "critical", "blocker", "info", "platform", "publisher",
		// issue categories and actions
		"auth", "transient", "permanent", "stale", "unknown", "reconnect_adapter", "retry_sync", "wait", "contact_support",
		// setup tasks of the builds known so far
		"ad_server_connected", "inventory_synced", "products_created", "principals_created", "currency_limits",
		"creative_approval_guidelines", "gam_default_advertiser", "slack_integration",
		// kinds of workflows
		"creative_review", "media_buy_approval",
	} {
		table[len(w)] = append(table[len(w)], w)
	}
	return table
}()

// intern gives b as a string, shared where it is one of words.
func intern(b []byte) string {
	if len(b) < len(words) {
		for _, w := range words[len(b)] {
			if w == string(b) {
				return w
			}
		}
	}
	return string(b)
}
