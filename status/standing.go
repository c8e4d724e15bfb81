package status

import (
	"strconv"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// known is how a source stood when it was last judged. It is shared and never changes.
type known struct {
	src        *registry.Source
	version    int64 // of the connection that it was judged by
	state      string
	since      time.Time // when it entered state; zero: not known
	facts      api.OverviewFacts
	documentAt time.Time // the own time of the document that it was judged by; zero: none
	receivedAt time.Time // when that was received; without one, when it was judged
	gone       bool      // the sales agent has no such tenant
	stale      bool      // a refresh has failed since
	refused    bool      // a breaker keeps calls for the tenant back
	changedBy  *api.ChangedBy
}

// Breaker words.
const (
	breakerClosed = "closed"
	breakerOpen   = "open"
)

// item gives a source's row of an overview, without Age and History.
func (k *known) item() api.OverviewItem {
	row := api.OverviewItem{
		SourceID: k.src.SourceID, ESAID: k.esaID(), Name: k.src.Name, CustomerID: k.src.CustomerID,
		State: k.state, Since: api.TimestampOf(k.since.UTC().Truncate(time.Millisecond)), OverviewFacts: k.facts,
		FetchedAt: api.TimestampOf(k.documentAt.UTC()), Stale: k.stale, Breaker: breakerClosed, ChangedBy: k.changedBy,
	}
	if k.refused {
		row.Breaker = breakerOpen
	}
	return row
}

func (k *known) esaID() string { return strconv.FormatInt(k.src.Connection.ID, 10) }

// issue gives the code of the worst issue; "": there is none.
func (k *known) issue() string {
	if k.facts.Issue == nil {
		return ""
	}
	return k.facts.Issue.Code
}

// changedAt is when the source was last changed by a caller; zero if that is not known.
func (k *known) changedAt() time.Time {
	if k.changedBy == nil {
		return time.Time{}
	}
	return k.changedBy.At.Time
}

// lapsed gives what is left of it at a time: what was learned of the sales agent counts for so long
// alone.
func (k *known) lapsed(after time.Duration, now time.Time) *known {
	end := k.receivedAt.Add(after)
	if !k.hasLapsed(after, now) {
		return k
	}
	old := *k
	old.state, old.since, old.gone = transform.StateUnknown, end, false
	old.facts = transform.WithoutNews(k.facts)
	return &old
}

func (k *known) hasLapsed(after time.Duration, now time.Time) bool {
	return k.ofTenant() && now.After(k.receivedAt.Add(after))
}

// isLost reports whether it has lapsed although the sales agent was asked: that is a new state. Where nobody
// has asked, the next answer says whether it is one.
func (k *known) isLost(after time.Duration, now time.Time) bool {
	return k.stale && k.hasLapsed(after, now)
}

// isAhead reports whether it was judged, not long ago, by a newer document: another replica had that. k
// may be nil.
func (k *known) isAhead(of *document, lapse time.Duration, now time.Time) bool {
	return k != nil && k.ofTenant() && k.documentAt.After(of.at) && now.Sub(k.receivedAt) <= lapse
}

// ofTenant reports whether the state is one that the sales agent has told of.
func (k *known) ofTenant() bool {
	return k.gone || !k.documentAt.IsZero() && (k.state == transform.StateLive || k.state == transform.StateDegraded ||
		k.state == transform.StateBlocked || k.state == transform.StateDown)
}

// isNothing reports whether the sales agent has never told of it.
func (k *known) isNothing() bool { return k.state == transform.StateUnknown && !k.wasHeard() }

// wasHeard reports whether it is not known any more, but was.
func (k *known) wasHeard() bool { return k.state == transform.StateUnknown && k.facts.Issue != nil }

// standing gives it as the registry keeps it.
func (k *known) standing() registry.Standing {
	n := registry.Standing{
		CustomerID: k.src.CustomerID, ESAID: k.src.Connection.ID, State: k.state, Issue: k.issue(), Since: k.since, Version: k.version,
		DocumentAt: k.documentAt, ReceivedAt: k.receivedAt, Facts: api.Encode(k.facts),
	}
	if len(n.Facts) > registry.MaxFacts {
		facts := k.facts
		facts.Blockers = []api.OverviewBlocker{}
		if n.Facts = api.Encode(facts); len(n.Facts) > registry.MaxFacts {
			n.Facts = nil // the next document says it again
		}
	}
	return n
}

// remembered gives what the registry has kept of a source, as it counts for the source as it
// stands; nil if that is nothing.
func remembered(src *registry.Source, n *registry.Standing) *known {
	if n.State == "" {
		return nil
	}
	k := &known{src: src, version: n.Version, state: n.State, since: n.Since, documentAt: n.DocumentAt, receivedAt: n.ReceivedAt, changedBy: changedBy(n)}
	if len(n.Facts) == 0 || api.Decode(n.Facts, &k.facts) != nil { // another version's
		_, k.facts = transform.Judge(src, nil, false)
	}
	k.gone = n.State == transform.StateDown && n.DocumentAt.IsZero()
	return k
}

func changedBy(n *registry.Standing) *api.ChangedBy {
	if n.ChangedBy == "" {
		return nil
	}
	return &api.ChangedBy{Actor: n.ChangedBy, Operator: n.ByOperator, At: api.TimestampOf(n.ChangedAt.UTC())}
}

// unseen gives how a source stands, as it is now, without news of its tenant: as it was known, if
// that was learned of the sales agent and still counts. was may be nil.
func unseen(src *registry.Source, was *known, lapse time.Duration, now time.Time) *known {
	next := &known{src: src, version: src.Connection.Version, receivedAt: now}
	next.state, next.facts = transform.Judge(src, nil, false)
	if next.state != transform.StateUnknown {
		return next.after(was, now)
	}
	if was != nil && (was.ofTenant() || was.wasHeard()) {
		kept := *was
		kept.src, kept.version = src, src.Connection.Version
		return kept.lapsed(lapse, now)
	}
	next.after(was, now)
	next.receivedAt = next.since // that nothing was heard is older than what anybody hears later
	return next
}

// absent gives how a source stands whose tenant the sales agent has just not found.
func absent(src *registry.Source, was *known, now time.Time) *known {
	next := &known{src: src, version: src.Connection.Version, receivedAt: now}
	next.state, next.facts = transform.Judge(src, nil, true)
	next.gone = next.state == transform.StateDown
	return next.after(was, now)
}

// after has it take over from was, which may be nil, what lasts.
func (k *known) after(was *known, now time.Time) *known {
	switch deactivated := k.src.Connection.DeactivatedAt; {
	case was != nil && was.state == k.state:
		k.since = was.since
	case was == nil && k.state == transform.StateDeactivated && !deactivated.IsZero():
		k.since = deactivated
	default:
		k.since = now
	}
	if was != nil {
		k.changedBy = was.changedBy
	}
	return k
}
