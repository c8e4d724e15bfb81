package transform

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/adserver"
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
	nameOfInventory:       {"inventory", affectsDiscovery, true},
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
	isOther := isOtherAdServer(in, doc)
	for i := range doc.Syncs {
		if issue, ok := syncIssue(doc.Syncs[i].Name, &doc.Syncs[i].Value, isOther, in.Now); ok {
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

// syncIssue gives the issue that a stream raises, if it raises one. isOther is [isOtherAdServer].
func syncIssue(name string, s *api.SyncBlock, isOther bool, now time.Time) (issue api.OperationalIssue, ok bool) {
	w, ok := watched[name]
	status, severity := s.Status, s.Severity
	switch {
	case !ok, s.Status == statusNeverRun && !w.always:
		return issue, false
	case isOther && w.always && name != nameOfInventory && s.LastSuccessAt.IsZero() && s.Status != statusSuccess:
		return issue, false // the ad server has no such stream, as far as is known
	case isStalled(s, now):
		status, severity = statusStalled, severityWarning
	case s.Status == statusRunning, s.Severity == severityOK:
		return issue, false
	}
	message := "The " + w.label + " sync needs attention."
	switch status {
	case statusFailed:
		message = "The last " + w.label + " sync failed."
	case statusNeverRun:
		message = "The " + w.label + " sync has not run yet."
	case statusStalled:
		message = "The " + w.label + " sync has been running for over an hour."
	}
	if isOther && w.always && (status == statusFailed || status == statusStalled) {
		message += " For this ad server too the sales agent starts workers that are made for Google Ad Manager"
		if name == nameOfInventory {
			message += "; its own schedule reads the inventory later"
		}
		message += "."
	}
	return api.OperationalIssue{
		Code:     "SYNC_" + upperSnake(name) + "_" + upperSnake(status),
		Severity: severity, Message: message, Affects: w.affects,
	}, true
}

// isOtherAdServer reports whether the ad server is known to be another than Google Ad Manager, whose workers
// upstream runs for every ad server (contract 2.9). Where the type can't be read, the saved config's counts.
func isOtherAdServer(in *StatusInput, doc *api.Status) bool {
	name := doc.Adapter.Type
	if saved := in.Source.Connection.AdServer; saved != nil && name == unknownWord {
		name = adserver.TypeName(saved)
	}
	return name != googleAdManager && name != unknownWord && name != noAdServer
}

// stalledAfter is how long a run may take before that is an issue (contract 4.8).
const stalledAfter = time.Hour

// Stalled counts the streams that have been running for too long at a time by our clock. The document of a
// snapshot changes with the clock only when this number does.
func Stalled(syncs api.Syncs, now time.Time) (n int) {
	for i := range syncs {
		if isStalled(&syncs[i].Value, now) {
			n++
		}
	}
	return n
}

func isStalled(s *api.SyncBlock, now time.Time) bool {
	if s.Status != statusRunning {
		return false
	}
	start := lastStart(s)
	return !start.IsZero() && now.Sub(start) > stalledAfter
}

// lastStart gives when the last run began. Where upstream does not say, it is LastRunAt, which for a running one
// is the same; zero if neither is known.
func lastStart(s *api.SyncBlock) time.Time {
	if s.LastStartedAt.IsZero() {
		return s.LastRunAt.Time
	}
	return s.LastStartedAt.Time
}

// blockerPath is where the first open blocker is dealt with, if it says where.
func blockerPath(doc *api.Status) *string {
	if doc.SetupTasks.BlockerCount == 0 {
		return nil
	}
	return doc.SetupTasks.Items[0].ConfigurePath // open blockers come first
}
