package ops

import (
	"cmp"
	"strings"
	"time"

	"esagate/api"
)

const syncPrefix = "SYNC_"

// syncTexts say what it means for the business when a stream is not synced: with the time of the last good
// sync for %, where there was none, and where that is not known. Other streams raise no issues.
var syncTexts = map[string]struct{ code, label, old, none, unknown string }{
	"inventory": {"INVENTORY_", "inventory",
		"buyers see the ad units of % ago", "buyers see no ad units yet", "buyers may see old ad units"},
	"customTargeting": {"CUSTOM_TARGETING_", "custom targeting",
		"buyers target by the keys of % ago", "buyers can't target by keys yet", "buyers may target by old keys"},
	"advertisers": {"ADVERTISERS_", "advertisers",
		"orders are booked with the advertisers of % ago", "no advertisers are known to book orders for", "orders may be booked with old advertisers"},
	"reporting": {"REPORTING_", "reporting",
		"delivery figures are of % ago", "there are no delivery figures yet", "delivery figures may be old"},
	"signalCoverage": {"SIGNAL_COVERAGE_", "signal coverage",
		"buyers see the signals of % ago", "buyers see no signals yet", "buyers may see old signals"},
	"pricingAvailability": {"PRICING_AVAILABILITY_", "pricing availability",
		"buyers see prices and availability of % ago", "buyers see no prices and availability yet", "buyers may see old prices"},
}

// syncProblems say what is wrong with a sync and how that is mended, by the end of an issue's code.
var syncProblems = map[string]struct{ text, link string }{
	"FAILED":    {"failed", "Retry the sync"},
	"NEVER_RUN": {"has not run yet", "Start the sync"},
	"STALLED":   {"has been running for over an hour", "See the sync"},
}

// ofSyncIssue says what the issue of a stream means; false for other issues.
func (s Storefront) ofSyncIssue(is *issue) (Advice, bool) {
	of, ok := strings.CutPrefix(is.code, syncPrefix)
	if !ok {
		return Advice{}, false
	}
	for name, stream := range syncTexts {
		status, ok := strings.CutPrefix(of, stream.code)
		if !ok {
			continue
		}
		problem, ok := syncProblems[status]
		if !ok {
			problem.text, problem.link = "needs attention", "See the sync"
		}
		link := s.link(problem.link, is.path, is.at, "streams")
		if _, rest, _ := strings.Cut(is.message, ". "); rest != "" { // it says why: trying again would not help
			link.Text = "See the sync"
			return Advice{sentence(is.message), link}, true
		}
		last, known := is.good(name)
		if status == "NEVER_RUN" {
			last, known = api.Timestamp{}, true
		}
		return Advice{"The " + stream.label + " sync " + problem.text + ": " + since(is.now, name, last, known) + ".", link}, true
	}
	return Advice{}, false
}

// since says what buyers and orders go by, with the last good sync of a stream.
func since(now time.Time, stream string, last api.Timestamp, known bool) string {
	texts := syncTexts[stream]
	switch {
	case !known:
		return texts.unknown
	case last.IsZero():
		return texts.none
	}
	return strings.Replace(texts.old, "%", Short(now.Sub(last.Time)), 1)
}

// OfSync says how a stream stands, by its name and block.
func (s Storefront) OfSync(now time.Time, at Place, name string, sync *api.SyncBlock) Advice {
	advice := Advice{Link: Link{"Retry the sync", at.at("streams"), false}}
	switch sync.Status {
	case "success":
		advice.Text, advice.Link.Text = "It was synced.", "See the sync"
		if !sync.LastSuccessAt.IsZero() {
			advice.Text = "It was synced " + Short(now.Sub(sync.LastSuccessAt.Time)) + " ago"
			if sync.ItemCount != nil {
				advice.Text += ", with " + Plural(*sync.ItemCount, "item", "items")
			}
			advice.Text += "."
		}
	case "running":
		advice.Text, advice.Link.Text = "It is being synced.", "See the sync"
		if start := cmp.Or(sync.LastStartedAt, sync.LastRunAt); !start.IsZero() {
			advice.Text = "It has been syncing for " + Long(now.Sub(start.Time)) + "."
		}
	case "never_run":
		advice.Text, advice.Link.Text = "It was never synced"+consequence(now, name, sync)+".", "Start the sync"
	case "failed":
		advice.Text = "The last sync failed"
		if n := sync.History.ConsecutiveFailureCount; n > 1 {
			advice.Text = "The last " + inWords(int(n)) + " syncs failed"
		}
		advice.Text += consequence(now, name, sync) + "."
	default:
		advice.Text, advice.Link.Text = "How the last sync ended is not known"+consequence(now, name, sync)+".", "See the sync"
	}
	if sync.Issue != nil {
		advice.Text += " " + sentence(sync.Issue.Message)
		s.ofAction(&advice.Link, at, sync.Issue)
	}
	return advice
}

func consequence(now time.Time, name string, sync *api.SyncBlock) string {
	if _, ok := syncTexts[name]; !ok {
		return ""
	}
	return ": " + since(now, name, sync.LastSuccessAt, true)
}

// ofAction leads to what the sales agent says that a person can do about a stream.
func (s Storefront) ofAction(link *Link, at Place, is *api.SyncIssue) {
	action := ""
	if is.Action != nil {
		action = *is.Action
	}
	switch {
	case action == "reconnect_adapter":
		*link = Link{"Reconnect the ad server", at.at("connection"), false}
	case action != "retry_sync" && !is.Retryable && link.Text == "Retry the sync": // it would fail again
		link.Text = "See what it says"
	}
}
