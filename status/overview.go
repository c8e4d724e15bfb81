package status

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// OverviewQuery says of which sources an overview is, and which part of it is wanted.
type OverviewQuery struct {
	Customer int64  // whose sources; 0: all customers'
	Only     int64  // as if there were this customer's alone; 0: all that there are
	SourceID string // as if there were this source alone; "": all that there are

	States   []string // none: all
	Text     string   // part of what a row shows, in capitals or not
	AdServer string   // its type
	Issue    string   // the code of the worst

	NeedsHand bool // what works, waits its turn or was switched off is left out
	Facets    bool // say what there is to filter by

	Order      OverviewOrder
	Descending bool
	Skip, Take int
	History    bool
}

// OverviewOrder is what an overview is ordered by. What is equal in it is in the order of customers
// and sourceIds.
type OverviewOrder string

// Orders of an overview.
const (
	ByState    OverviewOrder = "state" // the worst first, and of these the longest in its state
	ByName     OverviewOrder = "name"
	BySince    OverviewOrder = "since"
	BySourceID OverviewOrder = "sourceId"
	ByCustomer OverviewOrder = "customerId"
	ByAge      OverviewOrder = "age"
)

// OverviewOrders lists them.
var OverviewOrders = []OverviewOrder{ByState, ByName, BySince, BySourceID, ByCustomer, ByAge}

// Overview is how managed sources stand.
type Overview struct {
	*api.Overview
	Lead        *Headline // Headline, in its parts
	Facets      *Facets   // nil unless the query asked for them
	historyFrom time.Time // zero: without history
}

// Steady gives the overview, encoded, without what changes with time alone: two that differ in that
// only are alike here.
func (o *Overview) Steady() []byte {
	still := *o.Overview
	still.Items = slices.Clone(o.Items)
	for i := range still.Items {
		item := &still.Items[i]
		item.Age = nil
		if h := item.History; len(h) > 0 && h[0].From.Time.Equal(o.historyFrom) {
			item.History = slices.Clone(h)
			item.History[0].From = api.Timestamp{}
		}
	}
	return api.Encode(&still)
}

// Overview gives how managed sources stand, as far as that is known: it calls nobody. What is not
// known of them is read in the background. Its errors are those of [registry.Directory.Overview].
func (s *Service) Overview(ctx context.Context, q OverviewQuery) (*Overview, error) {
	now := time.Now()
	rows, err := s.overviewRows(ctx, &q)
	if err != nil {
		return nil, err
	}
	var t tally
	agent := s.deps.Upstream.Health()
	for i := range rows {
		open := agent.OpenTenants > 0 && s.deps.Upstream.BreakerOpen(rows[i].Connection.TenantID)
		t.add(rows[i].Source, rows[i].state, &rows[i].facts, open)
	}
	issues, err := s.agentIssues(ctx, &q)
	if err != nil {
		return nil, err
	}
	lead := t.headline(agent)
	lead.refused(len(issues))
	out := &Overview{Overview: &api.Overview{
		Headline: lead.String(), Counts: t.StateCounts, Items: []api.OverviewItem{}, AgentIssues: issues,
	}, Lead: lead}
	if q.Facets {
		out.Facets = facetsOf(rows, now)
	}
	rows = slices.DeleteFunc(rows, func(r overviewRow) bool { return !q.matches(&r) })
	out.Total = int64(len(rows))
	slices.SortFunc(rows, q.compare)
	from := min(q.Skip, len(rows))
	rows = rows[from:min(from+q.Take, len(rows))]
	for i := range rows {
		out.Items = append(out.Items, s.overviewItem(&rows[i], now))
	}
	if q.History {
		return out, s.addHistory(ctx, &q, out, rows, now)
	}
	return out, nil
}

// CountSources counts the sources of all customers by their states, as overviews do, for the metrics.
// Unlike those it has nothing read.
func (s *Service) CountSources(ctx context.Context) error {
	all, err := s.deps.Directory.Overview(ctx, registry.OperatorID)
	if err != nil {
		return err
	}
	var t tally
	for i := range all {
		k, _ := s.board.standing(all[i].Source, &all[i].Standing)
		t.add(all[i].Source, k.state, &k.facts, false)
	}
	for _, state := range transform.States {
		s.ins.Sources(state, *t.Of(state))
	}
	return nil
}

// overviewRow is a source with what is known of it.
type overviewRow struct {
	*registry.Source
	*known
	rank int    // of its state, the worst first
	name string // in lower case; "": it is not ordered by that
}

// overviewRows gives all sources of a query before its filters.
func (s *Service) overviewRows(ctx context.Context, q *OverviewQuery) ([]overviewRow, error) {
	customer := cmp.Or(q.Customer, q.Only)
	if q.Only != 0 && q.Only != customer {
		return nil, nil
	}
	all, err := s.deps.Directory.Overview(ctx, customer)
	if err != nil {
		return nil, err
	}
	rows := make([]overviewRow, 0, len(all))
	for i := range all {
		if q.SourceID != "" && all[i].SourceID != q.SourceID {
			continue
		}
		k, ok := s.board.standing(all[i].Source, &all[i].Standing)
		if !ok {
			s.want(all[i].Source)
		}
		row := overviewRow{Source: all[i].Source, known: k, rank: slices.Index(transform.States, k.state)}
		if q.Order == ByName {
			row.name = strings.ToLower(all[i].Name)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// overviewItem gives a row as it is shown. Its source can be newer than what it was judged by.
func (s *Service) overviewItem(r *overviewRow, now time.Time) api.OverviewItem {
	item := r.item()
	item.Name, item.Breaker = r.Name, breakerClosed
	if s.deps.Upstream.BreakerOpen(r.Connection.TenantID) {
		item.Breaker = breakerOpen
	}
	if at := r.heardAt(); !at.IsZero() {
		age := int64(max(now.Sub(at), 0) / time.Second)
		item.Age = &age
	}
	return item
}

// addHistory adds to a page the states of the last time.
func (s *Service) addHistory(ctx context.Context, q *OverviewQuery, o *Overview, page []overviewRow, now time.Time) error {
	o.historyFrom = shownTime(now.Add(-historySpan))
	changes, err := s.deps.Directory.StateChanges(ctx, cmp.Or(q.Customer, q.Only), o.historyFrom)
	if err != nil {
		return err
	}
	for i := range page {
		o.Items[i].History = page[i].spans(ofConnection(changes, page[i].Connection.ID), o.historyFrom)
	}
	return nil
}

// matches reports whether the filters let a row through.
func (q *OverviewQuery) matches(r *overviewRow) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, r.state)) &&
		(!q.NeedsHand || r.needsHand()) &&
		(q.AdServer == "" || r.facts.AdServer != nil && *r.facts.AdServer == q.AdServer) &&
		(q.Issue == "" || r.issue() == q.Issue) &&
		(q.Text == "" || r.shows(strings.ToLower(q.Text)))
}

// shows reports whether a text, in lower case, is part of what the row shows.
func (r *overviewRow) shows(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	f := &r.facts
	return has(r.Name) || has(r.SourceID) || has(strconv.FormatInt(r.Connection.ID, 10)) ||
		f.AdServer != nil && has(*f.AdServer) ||
		f.Issue != nil && (has(f.Issue.Code) || has(f.Issue.Message)) ||
		slices.ContainsFunc(f.Blockers, func(b api.OverviewBlocker) bool { return has(b.Name) })
}

// compare orders rows.
func (q *OverviewQuery) compare(a, b overviewRow) int {
	order := 0
	switch q.Order {
	case ByName:
		order = strings.Compare(a.name, b.name)
	case BySince:
		order = compareSince(a, b)
	case BySourceID:
		order = strings.Compare(a.SourceID, b.SourceID)
	case ByCustomer:
		order = cmp.Compare(a.CustomerID, b.CustomerID)
	case ByAge:
		order = b.heardAt().Compare(a.heardAt())
	default:
		if order = a.rank - b.rank; order == 0 {
			order = cmp.Or(strings.Compare(a.severity(), b.severity()), compareSince(a, b))
		}
	}
	if q.Descending {
		order = -order
	}
	return cmp.Or(order, cmp.Compare(a.CustomerID, b.CustomerID), strings.Compare(a.SourceID, b.SourceID))
}

// compareSince puts those first that are the longest in their state. Where that is not known, they
// are taken for new.
func compareSince(a, b overviewRow) int {
	if a.since.IsZero() != b.since.IsZero() {
		if a.since.IsZero() {
			return 1
		}
		return -1
	}
	return a.since.Compare(b.since)
}

// heardAt is when what is known was received of the sales agent; zero: nothing was.
func (r *overviewRow) heardAt() time.Time {
	if r.documentAt.IsZero() {
		return time.Time{}
	}
	return r.receivedAt
}

// severity is that of the worst issue: critical, warning or, after them, none.
func (r *overviewRow) severity() string {
	if r.facts.Issue == nil {
		return "~"
	}
	return r.facts.Issue.Severity
}
