package transform

import (
	"slices"
	"strconv"
	"strings"

	"esagate/api"
	"esagate/registry"
)

// What an issue affects. Shared by all documents, never changed.
var (
	affectsBoth      = []string{"discovery", "delivery"}
	affectsDiscovery = affectsBoth[:1:1]
	affectsDelivery  = affectsBoth[1:]
	affectsSetup     = []string{"setup"}
)

// watched are the streams that raise issues; other streams raise none.
var watched = map[string]struct {
	label   string
	affects []string
	always  bool // raises one also when it has never run
}{
	"inventory":           {"inventory", affectsDiscovery, true},
	"customTargeting":     {"custom targeting", affectsDiscovery, true},
	"advertisers":         {"advertisers", affectsDelivery, true},
	"reporting":           {"reporting", affectsDelivery, false},
	"signalCoverage":      {"signal coverage", affectsDiscovery, false},
	"pricingAvailability": {"pricing availability", affectsDiscovery, false},
}

// operational derives the state of a document whose tasks are merged (contract 4.8).
func operational(in *StatusInput, doc *api.Status) api.Operational {
	o := api.Operational{Issues: issues(in, doc)}
	o.IsLive = in.Source.Connection.Provisioning == registry.StatusActive && doc.Adapter.Connected &&
		doc.SetupTasks.BlockerCount == 0 && (doc.Products == nil || doc.Products.ActiveCount > 0)
	if o.IsLive {
		for i := range o.Issues {
			affects := o.Issues[i].Affects
			o.DiscoveryDegraded = o.DiscoveryDegraded || slices.Contains(affects, "discovery")
			o.DeliveryDegraded = o.DeliveryDegraded || slices.Contains(affects, "delivery")
		}
	}
	switch {
	case !isSetUp(in, doc):
		o.Summary = "This source is not set up yet."
	case in.Stale:
		o.Summary = "The sales agent can't be reached at the moment. This is the last known state."
	case !o.IsLive:
		o.Summary = "This source is set up but not live."
	case o.DiscoveryDegraded || o.DeliveryDegraded:
		o.Summary = "This source is live, but not everything about it works."
	default:
		o.Summary = "This source is live."
	}
	return o
}

// isSetUp reports whether there is a tenant that was once brought up, and an ad
// server for it.
func isSetUp(in *StatusInput, doc *api.Status) bool {
	c := in.Source.Connection
	return (c.Provisioning == registry.StatusActive || c.Provisioning == registry.StatusDeactivated) &&
		c.TenantID != "" && (c.AdServer != nil || doc.Adapter.Connected)
}

// issues lists what is not well: critical first, then in the order of contract 4.8.
func issues(in *StatusInput, doc *api.Status) []api.OperationalIssue {
	list := []api.OperationalIssue{}
	if !doc.Adapter.Connected {
		list = append(list, api.OperationalIssue{
			Code: "ADAPTER_DISCONNECTED", Severity: severityCritical,
			Message: "The ad server is not connected.",
			Affects: affectsBoth, ConfigurePath: blockerPath(doc),
		})
	}
	for i := range doc.Syncs {
		if issue, ok := syncIssue(doc.Syncs[i].Name, &doc.Syncs[i].Value); ok {
			list = append(list, issue)
		}
	}
	if n := doc.SetupTasks.BlockerCount; n > 0 {
		message := "A setup task must be finished before this source can go live."
		if n > 1 {
			message = strconv.FormatInt(n, 10) + " setup tasks must be finished before this source can go live."
		}
		list = append(list, api.OperationalIssue{
			Code: "SETUP_BLOCKED", Severity: severityCritical, Message: message,
			Affects: affectsSetup, ConfigurePath: blockerPath(doc),
		})
	}
	if in.Stale {
		list = append(list, api.OperationalIssue{
			Code: "STATUS_STALE", Severity: severityWarning,
			Message: "The status could not be refreshed, so it may be out of date.",
			Affects: affectsBoth,
		})
	}
	slices.SortStableFunc(list, func(a, b api.OperationalIssue) int {
		return strings.Compare(a.Severity, b.Severity) // critical, warning
	})
	return list
}

// syncIssue gives the issue that a stream raises, if it raises one.
func syncIssue(name string, s *api.SyncBlock) (issue api.OperationalIssue, ok bool) {
	if s.Severity == severityOK {
		return issue, false
	}
	w, ok := watched[name]
	if !ok || s.Status == statusNeverRun && !w.always {
		return issue, false
	}
	message := "The " + w.label + " sync needs attention."
	switch s.Status {
	case statusFailed:
		message = "The last " + w.label + " sync failed."
	case statusNeverRun:
		message = "The " + w.label + " sync has not run yet."
	}
	return api.OperationalIssue{
		Code:     "SYNC_" + upperSnake(name) + "_" + upperSnake(s.Status),
		Severity: s.Severity, Message: message, Affects: w.affects,
	}, true
}

// blockerPath is where the first open blocker is dealt with, if it says where.
func blockerPath(doc *api.Status) *string {
	if doc.SetupTasks.BlockerCount == 0 {
		return nil
	}
	return doc.SetupTasks.Items[0].ConfigurePath // open blockers come first
}
