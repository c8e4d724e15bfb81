package upstreamtest

import (
	"slices"
	"time"
)

const day = 24 * time.Hour

// Healthy is a tenant that sells: connected, every stream in order, one warning
// and one hint still open among its setup tasks.
func Healthy() Status {
	return Status{
		TestedAgo: 6 * time.Hour,
		Streams: []Stream{
			{Name: "inventory", Status: "success", Severity: "ok", RunAgo: 11 * time.Minute, Took: 148 * time.Second, Every: 30 * time.Minute, Items: 2316},
			{Name: "custom_targeting", Status: "success", Severity: "ok", RunAgo: 10 * time.Minute, Took: 41 * time.Second, Every: 30 * time.Minute, Items: 274},
			{Name: "advertisers", Status: "success", Severity: "ok", RunAgo: 9 * time.Minute, Took: 22 * time.Second, Every: time.Hour, Items: 83},
			inapplicable("reporting"),
			{Name: "signal_coverage", Status: "success", Severity: "ok", RunAgo: 52 * time.Minute, Took: 35 * time.Second, Every: 2 * time.Hour, Items: 19},
			{Name: "pricing_availability", Status: "success", Severity: "ok", RunAgo: 47 * time.Minute, Took: 66 * time.Second, Every: 2 * time.Hour, Items: 45},
		},
		Workflows: Workflows{OldestAgo: 17*time.Hour + 23*time.Minute, ByKind: map[string]int{"creative_review": 5, "media_buy_approval": 2}},
		MediaBuys: MediaBuys{Active: 9, PendingApproval: 2},
		Packages:  Packages{Active: 21, Paused: 4, Last24hImpressions: 418_250},
		Products:  Products{Active: 27, Draft: 6, Archived: 3},
		Profiles:  InventoryProfiles{Complete: 33, Incomplete: 7, WholesaleOwned: 27},
		Creatives: Creatives{Active: 164, PendingReview: 5, RejectedLast24h: 2},
		Tasks: []Task{
			{ID: "ad_server_connected", Name: "Ad server", Severity: "blocker", Description: "The ad server accepts our account.", Complete: true, ConfigurePath: "/settings#adserver"},
			{ID: "inventory_synced", Name: "First inventory sync", Severity: "blocker", Description: "Ad units and placements have been read.", Complete: true, ConfigurePath: "/inventory"},
			{ID: "products_created", Name: "Products on sale", Severity: "blocker", Description: "Buyers can discover at least one product.", ConfigurePath: "/products"},
			{ID: "principals_created", Name: "Buyers", Severity: "blocker", Description: "At least one buyer has an account here.", Complete: true, ConfigurePath: "/settings#advertisers"},
			{ID: "currency_limits", Name: "Currencies", Severity: "blocker", Description: "EUR can be spent.", Complete: true, ConfigurePath: "/settings#business-rules"},
			{ID: "creative_approval_guidelines", Name: "Rules for creatives", Severity: "warning", Description: "Say what reviewers should look for in a creative."},
			{ID: defaultAdvertiser, Name: "Advertiser for new buyers", Severity: "warning", Description: "Orders of unmapped buyers go to one advertiser.", Complete: true, ConfigurePath: "/buyer-routing"},
			{ID: "slack_integration", Name: "Alerts in Slack", Severity: "info", Description: "Name a channel to be told of approvals."},
		},
	}
}

// inapplicable is a stream that does not apply to a tenant: upstream says success of it.
func inapplicable(name string) Stream { return Stream{Name: name, Status: "success", Severity: "ok"} }

// NeverRun is a tenant just made: nothing connected, no sync has run, three
// blockers open. It goes with an AdServer that is not configured.
func NeverRun() Status {
	s := Status{Tasks: []Task{
		{ID: "ad_server_connected", Name: "Ad server", Severity: "blocker", Description: "Name the ad server and let us in.", ConfigurePath: "/settings#adserver"},
		{ID: "inventory_synced", Name: "First inventory sync", Severity: "blocker", Description: "No inventory has been read so far.", ConfigurePath: "/inventory"},
		{ID: "products_created", Name: "Products on sale", Severity: "blocker", Description: "There is nothing to buy yet.", ConfigurePath: "/products"},
	}}
	for _, stream := range Healthy().Streams {
		s.Streams = append(s.Streams, Stream{Name: stream.Name, Status: "never_run", Severity: "warning", Items: -1})
	}
	return s
}

// Provisioned is a tenant that was provisioned a moment ago: connected, no sync has
// run, nothing to sell. Its first good inventory run finds ad units, and makes
// products of them. Of the streams that no refresh starts none applies.
func Provisioned() Status {
	s := NeverRun()
	for i, stream := range s.Streams {
		if !slices.Contains(refreshed, stream.Name) {
			s.Streams[i] = inapplicable(stream.Name)
		}
	}
	s.complete("ad_server_connected")
	return s
}

// complete marks a setup task as done, where there is one of that id.
func (s *Status) complete(id string) {
	for i := range s.Tasks {
		if s.Tasks[i].ID == id {
			s.Tasks[i].Complete = true
		}
	}
}

// sell is what a good inventory run does to a tenant that had nothing to sell.
func (s *Status) sell() {
	s.complete("inventory_synced")
	if s.Products == (Products{}) {
		s.Products, s.Profiles = Products{Active: 4}, InventoryProfiles{Complete: 4}
	}
}

// inventoryError goes on over a second line, which no client may see.
const inventoryError = "PermissionError: the service account may not read this network\nrefresh_token=" + Canary + "-sync-error"

// InventoryFailed is a tenant whose inventory sync fails each half hour, for two
// days now, while reporting is running.
func InventoryFailed() Status {
	s := Healthy()
	s.Streams[0] = Stream{
		Name: "inventory", Status: "failed", Severity: "critical",
		RunAgo: 8 * time.Minute, Took: 7 * time.Second, Every: 30 * time.Minute, SuccessAgo: 2 * day, Items: -1,
		Error: inventoryError,
		Issue: &Issue{
			Code: "adapter_auth_failed", Category: "auth", Action: "reconnect_adapter",
			Message: "The ad server no longer accepts the saved account.",
		},
	}
	s.Streams[3] = Stream{Name: "reporting", Status: "running", Severity: "ok", RunAgo: time.Minute, SuccessAgo: day, Items: -1}
	return s
}

// Disconnected is a tenant that the ad server refuses: no connection, a test
// error, a blocker open; the syncs of yesterday still stand.
func Disconnected() Status {
	s := Healthy()
	s.Refused = "The ad server refused the account: permission denied"
	for i := range s.Streams {
		s.Streams[i].Every = 0
		if s.Streams[i].RunAgo > 0 {
			s.Streams[i].RunAgo += day
		}
	}
	s.Tasks[0].Complete = false
	s.Tasks[0].Description = "The ad server turned our account away."
	return s
}

// OlderBuild is Healthy as a build from before products and setup tasks tells it.
func OlderBuild() Status {
	s := Healthy()
	s.Build = Older
	return s
}

// NewerBuild is Healthy as a build after the published contract might tell it:
// more fields, an unknown stream and an unknown block, a workflow kind with a
// point in its name, and canaries under names that promise secrets.
func NewerBuild() Status {
	s := Healthy()
	s.Build = Newer
	s.Streams = append(s.Streams, Stream{
		Name: "deal_catalog", Status: "success", Severity: "ok", RunAgo: 20 * time.Minute, Took: 9 * time.Second, Every: time.Hour, Items: 61,
	})
	s.Workflows.ByKind["brand_safety.v3"] = 1
	return s
}
