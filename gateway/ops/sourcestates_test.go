package ops_test

import (
	"fmt"
	"strings"
	"time"

	"esagate/api"
	"esagate/gateway/ops"
)

// aSource gives the page of a source that is live.
func aSource() ops.SourceView {
	status := &api.Status{
		Operational: api.Operational{IsLive: true, Summary: "This source is live.", Issues: []api.OperationalIssue{}},
		Adapter:     api.Adapter{Type: "google_ad_manager", Connected: true, LastTestedAt: before(72 * time.Hour)},
		Syncs: api.Syncs{
			aStream("inventory", 18240), aStream("customTargeting", 412), aStream("advertisers", 96), aStream("reporting", 0),
		},
		Workflows: api.Workflows{OpenCount: 3, OldestOpenedAt: before(5 * time.Hour), ByKind: api.ByKind{
			{Name: "creative_approval", Value: 2}, {Name: "media_buy_approval", Value: 1}}},
		Packages:          api.Packages{ActiveCount: 12, PausedCount: 2, Last24hImpressions: 1204332},
		Creatives:         api.Creatives{ActiveCount: 48, PendingReviewCount: 2, RejectedLast24hCount: 1},
		Webhooks:          &api.Webhooks{Last24h: api.WebhookCounts{Delivered: 412, Failed: 1, SuccessRate: 412.0 / 413}, LastFailureAt: before(7 * time.Hour)},
		Products:          &api.Products{ActiveCount: 9, DraftCount: 2, ArchivedCount: 4},
		InventoryProfiles: &api.InventoryProfiles{TotalCount: 14, CompleteCount: 13, IncompleteCount: 1, WholesaleOwnedCount: 2},
		SetupTasks: api.SetupTasks{Items: []api.SetupTask{
			{ID: "ad_server_connected", Name: "Ad server connected", Severity: "blocker", Scope: "platform", Description: "Connect the ad server of this source.", IsComplete: true},
			{ID: "inventory_synced", Name: "Inventory synced", Severity: "blocker", Scope: "platform", Description: "The inventory was read at least once.", IsComplete: true},
			{ID: "products_created", Name: "Products created", Severity: "warning", Scope: "publisher", Description: "There is a product to sell.", IsComplete: true},
		}},
		FetchedAt: before(4 * time.Second),
	}
	return ops.SourceView{
		Page: ops.Page{Title: "Granite Video", RequestID: "4f1d", Now: noon, Viewer: &ops.Viewer{Name: "desk", CustomerID: 4210, Write: true}},
		Item: api.OverviewItem{
			SourceID: "granite-video", ESAID: "1000", Name: "Granite Video", CustomerID: 4210, State: "live", Since: before(144 * time.Hour),
			OverviewFacts: api.OverviewFacts{AdServer: ptr("google_ad_manager"), Syncs: api.OverviewSyncs{
				{Name: "inventory", Value: api.OverviewSync{Status: "success", LastRunAt: before(18 * time.Minute), LastSuccessAt: before(18 * time.Minute), ItemCount: ptr(int64(18240))}}}},
			FetchedAt: before(4 * time.Second), Age: ptr(int64(4)), Breaker: "closed",
			ChangedBy: &api.ChangedBy{Actor: "nightly-setup", At: before(144 * time.Hour)},
			History: []api.StateSpan{
				{State: "live", From: before(24 * time.Hour), To: before(16 * time.Hour)},
				{State: "degraded", From: before(16 * time.Hour), To: before(15 * time.Hour)},
				{State: "live", From: before(15 * time.Hour)},
			},
		},
		Connection: &api.Connection{
			ID: "1000", CustomerID: 4210, ProvisioningStatus: "active", TenantID: ptr("tnt_granite"),
			MCPURL: ptr("https://sales-agent.example/mcp/"), A2AURL: ptr("https://sales-agent.example/a2a"),
			AdServer:            api.AdServer{{Name: "type", Value: "google_ad_manager"}, {Name: "networkCode", Value: "90817263"}},
			ServiceAccountEmail: ptr("esagate@operator-project.iam.gserviceaccount.example"),
			LastTestedAt:        before(72 * time.Hour), ProvisionedAt: before(960 * time.Hour), CreatedAt: before(960 * time.Hour), UpdatedAt: before(144 * time.Hour),
			SourceID: "granite-video", Name: "Granite Video",
		},
		Status:   status,
		Document: "{\n  \"operational\": {\n    \"isLive\": true,\n    \"summary\": \"This source is live.\"\n  }\n}",
		Command: `curl -H "Authorization: Bearer $ESAGATE_KEY" ` +
			`'https://gateway.example/api/v2/storefront/inventory-sources/granite-video/status?includeSyncHistory=true&syncHistoryLimit=10'`,
		Audit: []api.AuditEntry{
			{At: before(72 * time.Hour), Actor: "desk", Operation: "testInventorySourceEsaConnection", Outcome: "succeeded", Count: 1},
			{At: before(96 * time.Hour), Actor: "desk", Operation: "createEsaSignal", Outcome: "succeeded", Count: 1},
			{At: before(144 * time.Hour), Actor: "nightly-setup", Operator: true, Operation: "putInventorySourceAdServer", Outcome: "succeeded", Count: 1},
			{At: before(144 * time.Hour), Actor: "nightly-setup", Operation: "putInventorySourceAdServer", Outcome: "refused", ErrorCode: ptr("VALIDATION_ERROR"), Count: 3},
		},
		Form: ops.ActionForm{Once: "once-1", Seen: "seen-1", Wait: time.Minute},
	}
}

func aStream(name string, items int64) api.Member[api.SyncBlock] {
	var runs []api.SyncRun
	for i := range 10 {
		end := time.Duration(18+60*i) * time.Minute
		runs = append(runs, api.SyncRun{
			SyncType: name, StartedAt: before(end + time.Duration(60+40*(i*7%5))*time.Second), CompletedAt: before(end), Status: "success", ItemsProcessed: items,
		})
	}
	return api.Member[api.SyncBlock]{Name: name, Value: api.SyncBlock{
		Status: "success", Severity: "ok", LastSuccessAt: before(18 * time.Minute), LastRunAt: before(18 * time.Minute), ItemCount: &items,
		History: api.SyncHistory{RecentRunCount: 10, RecentRuns: runs},
	}}
}

// fails has the last runs of a stream of a page fail.
func fails(v *ops.SourceView, stream, message string) {
	s := &v.Status.Syncs[v.Status.Syncs.Index(stream)].Value
	s.Status, s.Severity, s.LastSuccessAt, s.Error = "failed", "critical", before(198*time.Minute), &message
	s.Issue = &api.SyncIssue{Code: "gam_timeout", Category: "timeout", Message: "The ad server did not answer in time.", Retryable: true, Action: ptr("retry_sync")}
	for i := range 3 {
		s.History.RecentRuns[i].Status, s.History.RecentRuns[i].ErrorSummary = "failed", &message
	}
	s.History.RecentFailureCount, s.History.ConsecutiveFailureCount = 3, 3
}

// unread takes the status from a page.
func unread(v *ops.SourceView) {
	v.Status, v.Document, v.Item.Age, v.Item.FetchedAt = nil, "", nil, api.Timestamp{}
}

// stands sets in what state a source is since when.
func stands(v *ops.SourceView, state string, since time.Duration, code, message string) {
	v.Item.State, v.Item.Since = state, before(since)
	n := len(v.Item.History)
	v.Item.History[n-1].To = before(min(since, 14*time.Hour))
	v.Item.History = append(v.Item.History, api.StateSpan{State: state, From: before(min(since, 14*time.Hour))})
	if code == "" {
		return
	}
	v.Item.Issue, v.Item.IssueCount = &api.OverviewIssue{Code: code, Severity: "critical", Message: message}, 1
	if v.Status != nil {
		v.Status.Operational.Issues = append(v.Status.Operational.Issues,
			api.OperationalIssue{Code: code, Severity: "critical", Message: message, Affects: []string{"discovery", "delivery"}})
	}
}

// sourceStates are the pages of sources in all their states.
var sourceStates = map[string]func(v *ops.SourceView){
	"live":    func(*ops.SourceView) {},
	"reading": func(v *ops.SourceView) { unread(v); v.Reading = true; stands(v, "unknown", time.Minute, "", "") },
	"reader": func(v *ops.SourceView) {
		v.Viewer.Write, v.Audit = false, nil
	},
	"down": func(v *ops.SourceView) {
		v.Status.Adapter.Connected = false
		stands(v, "down", 38*time.Minute, "ADAPTER_DISCONNECTED", "The ad server is not connected.")
		v.Connection.LastErrorCode, v.Connection.LastError = ptr("ADAPTER_INVALID_CREDENTIALS"), ptr("The ad server refused the credentials.")
		v.Storefront = "https://host.example"
	},
	"blocked": func(v *ops.SourceView) {
		stands(v, "blocked", 26*time.Hour, "SETUP_BLOCKED", "2 setup tasks must be finished before this source can go live.")
		v.Status.SetupTasks = api.SetupTasks{BlockerCount: 2, WarningCount: 1, Items: append([]api.SetupTask{
			{ID: "gam_default_advertiser", Name: "Default advertiser", Severity: "blocker", Scope: "publisher", Description: "Orders can't be booked without an advertiser.", ConfigurePath: ptr("/settings/ad-server#advertiser")},
			{ID: "currency_limits", Name: "Currency limits", Severity: "blocker", Scope: "publisher", Description: "Allow at least one currency.", ConfigurePath: ptr("/settings/currencies")},
			{ID: "sync_webhook_subscribed", Name: "Sync notifications", Severity: "warning", Scope: "platform", Description: "Syncs are not announced: they are noticed later."},
		}, v.Status.SetupTasks.Items...)}
		for _, task := range v.Status.SetupTasks.Items[:2] {
			v.Item.Blockers = append(v.Item.Blockers, api.OverviewBlocker{ID: task.ID, Name: task.Name, ConfigurePath: task.ConfigurePath})
		}
		v.Item.BlockerCount = 2
	},
	"degraded": func(v *ops.SourceView) {
		fails(v, "inventory", "GAM API: deadline exceeded while reading ad units (page 14)")
		stands(v, "degraded", 17*time.Minute, "SYNC_INVENTORY_FAILED", "The last inventory sync failed.")
		v.Item.Syncs[0].Value.LastSuccessAt = before(198 * time.Minute)
	},
	"unsynced": func(v *ops.SourceView) {
		stands(v, "blocked", 5*time.Hour, "SETUP_BLOCKED", "A setup task must be finished before this source can go live.")
		v.Status.SetupTasks = api.SetupTasks{BlockerCount: 1, Items: []api.SetupTask{{ID: "inventory_synced", Name: "First inventory sync", Severity: "blocker",
			Scope: "publisher", Description: "No inventory has been read so far.", ConfigurePath: ptr("/inventory")}}}
		v.Item.Blockers, v.Item.BlockerCount = []api.OverviewBlocker{{ID: "inventory_synced", Name: "First inventory sync", ConfigurePath: ptr("/inventory")}}, 1
		v.Status.Syncs[0].Value = api.SyncBlock{Status: "never_run", Severity: "warning"}
		zero := int64(0)
		v.Status.Syncs[3].Value = api.SyncBlock{Status: "success", Severity: "ok", ItemCount: &zero}
	},
	"refused": func(v *ops.SourceView) {
		fails(v, "inventory", "The ad server refused the saved credentials.")
		stands(v, "degraded", 17*time.Minute, "SYNC_INVENTORY_FAILED", "The last inventory sync failed.")
		v.Status.Syncs[0].Value.Issue = &api.SyncIssue{Message: "The ad server no longer accepts the saved account.", Action: ptr("reconnect_adapter")}
	},
	"running": func(v *ops.SourceView) {
		for i := range v.Status.Syncs[:3] {
			s := &v.Status.Syncs[i].Value
			s.Status, s.LastStartedAt = "running", before(40*time.Second)
			s.History.RecentRuns = append([]api.SyncRun{{Status: "in_progress", StartedAt: before(40 * time.Second)}}, s.History.RecentRuns[:9]...)
		}
		v.Outcome = &ops.Outcome{Good: true, Text: "The syncs have been started.", More: []string{"Started: inventory, custom targeting, advertisers."}}
	},
	"stale": func(v *ops.SourceView) {
		v.Item.Age, v.Item.Stale = ptr(int64(260)), true
		v.Trouble = "The sales agent can't be reached."
	},
	"outage": func(v *ops.SourceView) {
		unread(v)
		stands(v, "unknown", 20*time.Minute, "NO_NEWS", "Nothing was heard of this source for so long that its last state counts no more.")
		v.Trouble = "The sales agent can't be reached."
		v.NoAudit = "The record can't be read at the moment: the registry can't be reached."
	},
	"pending": func(v *ops.SourceView) {
		stands(v, "pending", 2*time.Minute, "", "")
		v.Connection.TenantID, v.Connection.MCPURL, v.Connection.A2AURL, v.Connection.ProvisioningStatus = nil, nil, nil, "provisioning"
		v.Connection.ProvisionedAt, v.Connection.LastTestedAt = api.Timestamp{}, api.Timestamp{}
		v.Item.Age, v.Item.Syncs = nil, nil
		v.Status.Syncs = nil
		v.Status.SetupTasks = api.SetupTasks{BlockerCount: 1, Items: []api.SetupTask{{ID: "source_provisioned", Name: "Source set up",
			Severity: "blocker", Scope: "platform", Description: "The sales agent is setting the source up."}}}
		v.Status.Products, v.Status.InventoryProfiles = nil, nil
		v.Status.Packages, v.Status.Creatives, v.Status.Workflows = api.Packages{}, api.Creatives{}, api.Workflows{}
		v.Status.Webhooks = &api.Webhooks{Last24h: api.WebhookCounts{SuccessRate: 1}}
		v.Audit = v.Audit[:0]
	},
	"failed": func(v *ops.SourceView) {
		stands(v, "blocked", 5*time.Minute, "ADAPTER_PERMISSION_DENIED", "The ad server gives no access.")
		v.Connection.ProvisioningStatus = "failed"
		v.Connection.LastErrorCode, v.Connection.LastError = ptr("ADAPTER_PERMISSION_DENIED"), ptr("The service account has no access to network 90817263.")
	},
	"deactivated": func(v *ops.SourceView) {
		stands(v, "deactivated", 3*time.Hour, "", "")
		v.Connection.ProvisioningStatus, v.Connection.DeactivatedAt = "deactivated", before(3*time.Hour)
	},
	"tested-bad": func(v *ops.SourceView) {
		stands(v, "down", 3*time.Second, "ADAPTER_DISCONNECTED", "The ad server is not connected.")
		v.Outcome, _ = ops.OutcomeOf([]byte(`{"success":false,"errorCode":"ADAPTER_INVALID_CREDENTIALS","error":"403 from the ad server: account is suspended"}`))
		v.Outcome.Took = 12 * time.Second
	},
	"odd": func(v *ops.SourceView) { // long names, great numbers, words that nobody knows, and nothing that need not be there
		word := strings.Repeat("wordWithoutBlanks", 8)[:128]
		v.Status.Products, v.Status.InventoryProfiles = nil, nil
		v.Status.Packages.Last24hImpressions = 1 << 53
		v.Status.Workflows.ByKind = nil
		for i := range 40 {
			v.Status.Workflows.ByKind = append(v.Status.Workflows.ByKind, api.Member[int64]{Name: fmt.Sprintf("%s_%03d", word, i)[8:], Value: 1 << 53})
		}
		for i := range 8 {
			severity := []string{"info", "warning", "blocker", "odd"}[i%4]
			v.Status.SetupTasks.Items = append(v.Status.SetupTasks.Items, api.SetupTask{ID: fmt.Sprintf("%s%03d", word, i), Name: word, Severity: severity, Scope: "publisher"})
		}
		for i := range 4 {
			v.Status.Syncs = append(v.Status.Syncs, aStream(fmt.Sprintf("%s%03d", word, i), 1<<53))
			v.Status.Syncs[4+i].Value.Status = []string{"success", "failed", "odd", ""}[i%4]
		}
		stands(v, "blocked", 400*24*time.Hour, "", "")
	},
	"hostile": func(v *ops.SourceView) {
		evil := `<script>alert(1)</script><img src=x onerror=alert(2)>"'` + strings.Repeat("veryLongWordWithoutBlanks", 8)
		v.Item.Name, v.Title, v.Connection.Name = evil, evil, evil
		v.Item.SourceID = `a"b'<c>&d é`
		fails(v, "inventory", evil)
		stands(v, "degraded", time.Minute, "SOMETHING_ODD", evil)
		v.Status.SetupTasks.Items = append(v.Status.SetupTasks.Items, api.SetupTask{ID: "odd.task:1", Name: evil, Severity: "info", Scope: "publisher", Description: evil,
			ConfigurePath: ptr("javascript:alert(1)")})
		v.Audit[0].Actor, v.Audit[0].Operation = evil, evil
		v.Document, v.Command = evil, evil
		v.Connection.LastError, v.Connection.MCPURL = &evil, ptr("javascript:alert(1)")
		v.Outcome = &ops.Outcome{Text: evil, More: []string{evil}}
	},
}
