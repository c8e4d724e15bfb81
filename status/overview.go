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
	Customer int64 // 0: all customers
	Only     int64 // of this customer's sources alone; 0: of all

	States   []string // none: all
	Text     string   // part of what a row shows, in capitals or not
	AdServer string   // its type
	Issue    string   // the code of the worst

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

// Overview gives how managed sources stand, as far as that is known: it calls nobody.
func (s *Service) Overview(ctx context.Context, q OverviewQuery) (*api.Overview, error) {
	now := time.Now()
	rows, err := s.overviewRows(ctx, q, now)
	if err != nil {
		return nil, err
	}
	out := &api.Overview{Counts: countStates(rows), Items: []api.OverviewItem{}}
	out.Headline = headline(rows, out.Counts)
	rows = slices.DeleteFunc(rows, func(r overviewRow) bool { return !q.matches(&r) })
	out.Total = int64(len(rows))
	slices.SortFunc(rows, func(a, b overviewRow) int { return q.compare(&a, &b) })
	from := min(q.Skip, len(rows))
	for i := range rows[from:min(from+q.Take, len(rows))] {
		out.Items = append(out.Items, rows[from+i].item(now))
	}
	return out, nil
}

// overviewRow is a source with what is known of it.
type overviewRow struct {
	src        *registry.Source
	state      string
	since      time.Time // zero: not known
	facts      *api.OverviewFacts
	fetchedAt  api.Timestamp
	receivedAt time.Time // zero: nothing was
	stale      bool
}

func (s *Service) overviewRows(ctx context.Context, q OverviewQuery, now time.Time) (rows []overviewRow, err error) {
	if q.Only != 0 && q.Customer != 0 && q.Only != q.Customer {
		return nil, nil
	}
	for skip, total := 0, 1; skip < total; skip += registry.MaxPage {
		var page []*registry.Source
		if page, total, err = s.deps.Directory.ManagedSources(ctx, q.Customer, skip, registry.MaxPage); err != nil {
			return nil, err
		}
		for _, src := range page {
			rows = append(rows, s.overviewRow(src, now))
		}
	}
	return rows, nil
}

func (s *Service) overviewRow(src *registry.Source, now time.Time) overviewRow {
	r := overviewRow{src: src}
	var status *api.Status
	if got, ok := s.documents.Peek(src.Connection.TenantID); ok && src.Connection.TenantID != "" {
		status = got.Doc.view(s, src, viewState{}).Status
		r.fetchedAt, r.receivedAt, r.stale = status.FetchedAt, now.Add(-got.Age), got.Failed
	}
	state, facts := transform.Judge(src, status, false)
	r.state, r.facts = state, &facts
	return r
}

func (r *overviewRow) item(now time.Time) api.OverviewItem {
	c := r.src.Connection
	item := api.OverviewItem{
		SourceID: r.src.SourceID, ESAID: strconv.FormatInt(c.ID, 10), Name: r.src.Name, CustomerID: c.CustomerID,
		State: r.state, Since: api.TimestampOf(r.since), OverviewFacts: *r.facts,
		FetchedAt: r.fetchedAt, Stale: r.stale, Breaker: "closed",
	}
	if !r.receivedAt.IsZero() {
		age := int64(max(now.Sub(r.receivedAt), 0) / time.Second)
		item.Age = &age
	}
	return item
}

func countStates(rows []overviewRow) (c api.StateCounts) {
	for i := range rows {
		switch rows[i].state {
		case transform.StateDown:
			c.Down++
		case transform.StateBlocked:
			c.Blocked++
		case transform.StateUnknown:
			c.Unknown++
		case transform.StateDegraded:
			c.Degraded++
		case transform.StatePending:
			c.Pending++
		case transform.StateLive:
			c.Live++
		case transform.StateDeactivated:
			c.Deactivated++
		}
	}
	return c
}

func headline(rows []overviewRow, c api.StateCounts) string {
	if len(rows) == 0 {
		return "There are no sources yet."
	}
	return strconv.FormatInt(c.Down+c.Blocked, 10) + " of " + strconv.Itoa(len(rows)) + " sources can't sell."
}

// matches reports whether the filters let a row through.
func (q *OverviewQuery) matches(r *overviewRow) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, r.state)) &&
		(q.AdServer == "" || r.facts.AdServer != nil && *r.facts.AdServer == q.AdServer) &&
		(q.Issue == "" || r.facts.Issue != nil && r.facts.Issue.Code == q.Issue) &&
		(q.Text == "" || r.shows(strings.ToLower(q.Text)))
}

// shows reports whether a text, in lower case, is part of what the row shows.
func (r *overviewRow) shows(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	if has(r.src.Name) || has(r.src.SourceID) || has(strconv.FormatInt(r.src.Connection.ID, 10)) {
		return true
	}
	f := r.facts
	return f.AdServer != nil && has(*f.AdServer) ||
		f.Issue != nil && (has(f.Issue.Code) || has(f.Issue.Message)) ||
		slices.ContainsFunc(f.Blockers, func(b api.OverviewBlocker) bool { return has(b.Name) })
}

// compare orders two rows.
func (q *OverviewQuery) compare(a, b *overviewRow) int {
	order := 0
	switch q.Order {
	case ByName:
		order = strings.Compare(strings.ToLower(a.src.Name), strings.ToLower(b.src.Name))
	case BySince:
		order = a.since.Compare(b.since)
	case BySourceID:
		order = strings.Compare(a.src.SourceID, b.src.SourceID)
	case ByCustomer:
		order = cmp.Compare(a.src.CustomerID, b.src.CustomerID)
	case ByAge:
		order = b.receivedAt.Compare(a.receivedAt)
	default:
		order = cmp.Or(cmp.Compare(slices.Index(transform.States, a.state), slices.Index(transform.States, b.state)),
			strings.Compare(a.severity(), b.severity()), a.since.Compare(b.since))
	}
	if q.Descending {
		order = -order
	}
	return cmp.Or(order, cmp.Compare(a.src.CustomerID, b.src.CustomerID), strings.Compare(a.src.SourceID, b.src.SourceID))
}

// severity is that of the worst issue: critical, warning or, after them, none.
func (r *overviewRow) severity() string {
	if r.facts.Issue == nil {
		return "~"
	}
	return r.facts.Issue.Severity
}
