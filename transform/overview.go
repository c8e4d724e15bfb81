package transform

import (
	"slices"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/registry"
)

// States of a source in an overview.
const (
	StateDown        = "down"        // its ad server is not connected, or the sales agent has no such tenant
	StateBlocked     = "blocked"     // something has to be done before it can sell
	StateUnknown     = "unknown"     // nothing is known of it, or nothing that still counts
	StateDegraded    = "degraded"    // it sells, but not everything about it works
	StatePending     = "pending"     // it is being connected
	StateLive        = "live"        // it sells
	StateDeactivated = "deactivated" // it was switched off
)

// Codes of issues that no status document has.
const (
	IssueTenantNotFound   = "TENANT_NOT_FOUND"
	IssueNoActiveProducts = "NO_ACTIVE_PRODUCTS"
	IssueConnectionFailed = "CONNECTION_FAILED" // where the connection has no lastErrorCode
	IssueNoNews           = "NO_NEWS"
)

// States lists the states of a source, the worst first.
var States = []string{StateDown, StateBlocked, StateUnknown, StateDegraded, StatePending, StateLive, StateDeactivated}

// Judge gives the state of a source, and what an overview shows of its status. That is as it is
// without a failed refresh: whether a copy is stale is no state. A status of nil is not known or,
// if gone, there is none because the sales agent has no such tenant.
func Judge(s *registry.Source, status *api.Status, gone bool) (state string, facts api.OverviewFacts) {
	c := s.Connection
	facts = overviewFacts(c, status)
	switch {
	case c.Provisioning == registry.StatusDeactivated: // on purpose: nothing is to be mended
		facts.Issue, facts.IssueCount, facts.Blockers, facts.BlockerCount = nil, 0, []api.OverviewBlocker{}, 0
		return StateDeactivated, facts
	case c.Provisioning == registry.StatusFailed:
		if facts.Issue == nil {
			facts.Issue, facts.IssueCount = refusedIssue(s), 1
		}
		return StateBlocked, facts
	case c.Provisioning != registry.StatusActive || c.TenantID == "":
		return StatePending, facts
	case gone:
		facts.Issue, facts.IssueCount = issueOf(IssueTenantNotFound, "The sales agent has no tenant of this source."), 1
		return StateDown, facts
	case status == nil:
		return StateUnknown, facts
	case !status.Adapter.Connected && c.AdServer != nil:
		return StateDown, facts
	case !status.Operational.IsLive:
		if facts.Issue == nil {
			facts.Issue, facts.IssueCount = issueOf(IssueNoActiveProducts, "There is no active product to sell."), 1
		}
		return StateBlocked, facts
	case status.Operational.DiscoveryDegraded || status.Operational.DeliveryDegraded:
		return StateDegraded, facts
	}
	return StateLive, facts
}

// WithoutNews gives facts of a source as they are shown once nothing was heard of it for so long that its
// last state counts no more.
func WithoutNews(facts api.OverviewFacts) api.OverviewFacts {
	facts.Issue = issueOf(IssueNoNews, "Nothing was heard of this source for so long that its last state counts no more.")
	facts.Issue.Severity = severityWarning
	facts.IssueCount = 1
	return facts
}

// overviewFacts gives what a status says in short.
func overviewFacts(c *registry.Connection, status *api.Status) api.OverviewFacts {
	facts := api.OverviewFacts{Blockers: []api.OverviewBlocker{}, Syncs: api.OverviewSyncs{}}
	if c.AdServer != nil {
		facts.AdServer = optional(adserver.TypeName(c.AdServer))
	}
	if status == nil {
		return facts
	}
	if t := status.Adapter.Type; facts.AdServer == nil && t != noAdServer && t != unknownWord {
		facts.AdServer = &t
	}
	if issues := status.Operational.Issues; len(issues) > 0 {
		facts.IssueCount = int64(len(issues))
		facts.Issue = &api.OverviewIssue{
			Code: issues[0].Code, Severity: issues[0].Severity, Message: issues[0].Message, ConfigurePath: issues[0].ConfigurePath,
		}
	}
	facts.BlockerCount = status.SetupTasks.BlockerCount
	for _, task := range status.SetupTasks.Items[:facts.BlockerCount] { // open blockers come first
		facts.Blockers = append(facts.Blockers, api.OverviewBlocker{ID: task.ID, Name: task.Name, ConfigurePath: task.ConfigurePath})
	}
	facts.Syncs = slices.Grow(facts.Syncs, len(status.Syncs))
	for i := range status.Syncs {
		s := &status.Syncs[i].Value
		facts.Syncs = append(facts.Syncs, api.Member[api.OverviewSync]{Name: status.Syncs[i].Name, Value: api.OverviewSync{
			Status: s.Status, LastRunAt: s.LastRunAt, LastSuccessAt: s.LastSuccessAt, ItemCount: s.ItemCount,
		}})
	}
	return facts
}

// refusedIssue is the issue of a connection whose ad server refused it.
func refusedIssue(s *registry.Source) *api.OverviewIssue {
	said := Connection(s)
	issue := issueOf(IssueConnectionFailed, "The ad server could not be connected.")
	if said.LastErrorCode != nil {
		issue.Code = *said.LastErrorCode
	}
	if said.LastError != nil {
		issue.Message = *said.LastError
	}
	return issue
}

func issueOf(code, message string) *api.OverviewIssue {
	return &api.OverviewIssue{Code: code, Severity: severityCritical, Message: message}
}
