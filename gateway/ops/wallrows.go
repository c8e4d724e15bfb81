package ops

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/status"
	"esagate/transform"
)

// Row is a source on the wall. It is flat because templates take long to find what is deeper.
type Row struct {
	ID, Path, Name      string
	Class, Sign, Word   string // of its state
	Where               string // its ad server, and its customer where that differs
	Text, LinkURL, Link string // what is wrong, and where it is mended; Link is "" where nothing is to be done
	Age                 string // of what is known of it; "": that is as new as it gets
	Since, Strip        template.HTML
}

// Rows gives the sources of the page.
func (v *WallView) Rows() []Row {
	rows := make([]Row, len(v.Overview.Items))
	for i := range rows {
		item := &v.Overview.Items[i]
		at, look, heard := Place{item.CustomerID, item.SourceID}, LookOf(item.State), ""
		row := Row{
			ID: RowID(at), Path: at.Path(), Name: item.Name, Class: look.Class, Sign: look.Sign, Word: look.Word,
			Where: "No ad server yet", Since: Ago(v.Now, item.Since),
		}
		if item.AdServer != nil {
			row.Where = AdServerName(*item.AdServer)
		}
		if v.AllCustomers() {
			row.Where += " · customer\u00a0" + strconv.FormatInt(item.CustomerID, 10)
		}
		if item.Age != nil {
			heard = Short(time.Duration(*item.Age) * time.Second)
			if item.Stale || v.Overview.Lead.Agent != "" {
				row.Age = "answer " + heard + " old"
			}
		}
		switch {
		case item.State == transform.StateLive && heard == "":
			row.Text = "It sells."
		case item.State == transform.StateLive:
			row.Text = "It sells. Last answer " + heard + " ago."
		default:
			advice := v.Storefront.ofState(v.Now, item, at)
			row.Text, row.Link, row.LinkURL = advice.Text, advice.Link.Text, advice.Link.URL
		}
		if !v.NoHistory {
			row.Strip = Strip(v.Now, item.History)
		}
		rows[i] = row
	}
	return rows
}

// RowID gives the id that the row of a source has on the wall: letters, digits, - and _ alone.
func RowID(at Place) string {
	id := fmt.Appendf(nil, "s-%d-", at.CustomerID)
	for _, c := range []byte(at.SourceID) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			id = append(id, c)
		default:
			id = fmt.Appendf(id, "_%02x", c)
		}
	}
	return string(id)
}

// Fold stands for sources that the wall does not show by itself.
type Fold struct {
	StateLook
	Text string // what its link says
	More string // " · oldest answer 9 s"
	URL  string
}

// Unread gives the address of the sources of which nothing is known.
func (v *WallView) Unread() string {
	return v.address(status.OverviewQuery{Customer: v.Query.Customer, States: []string{transform.StateUnknown}})
}

// Calm reports whether nothing needs a hand, and nobody doubts it.
func (v *WallView) Calm() bool { return v.Overview.Counts.Unknown == 0 && v.Overview.Lead.Agent == "" }

// Folds gives what is left out of the rows.
func (v *WallView) Folds() (folds []Fold) {
	if v.Filtered() {
		return nil
	}
	f, counts := v.Overview.Facets, &v.Overview.Counts
	add := func(state string, n int64, kind string, more ...string) {
		if n == 0 {
			return
		}
		q := status.OverviewQuery{Customer: v.Query.Customer, States: []string{state}}
		text := "Show " + Plural(n, kind+" source", kind+" sources")
		folds = append(folds, Fold{LookOf(state), text, strings.Join(slices.DeleteFunc(more, func(s string) bool { return s == "" }), " · "), v.address(q)})
	}
	age := func(what string, t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return what + Short(v.Now.Sub(t))
	}
	changed := ""
	if f.NewlyLive > 0 {
		changed = Count(f.NewlyLive) + " new in the last hour"
	}
	add(transform.StatePending, counts.Pending, "pending", age("the longest for ", f.LongPending))
	add(transform.StateLive, counts.Live, "live", age("oldest answer ", f.OldestLive), changed)
	add(transform.StateDeactivated, counts.Deactivated, "deactivated")
	return folds
}

// Pager leads to the other pages of the rows.
type Pager struct {
	From, To, Total         int64
	First, Prev, Next, Last string // addresses; "": this is it
}

// Pager gives the way to the other pages; nil: there are none.
func (v *WallView) Pager() *Pager {
	total, skip := int(v.Overview.Total), v.Query.Skip
	if total <= WallRows {
		return nil
	}
	to := func(skip int) string {
		q := v.Query
		q.Skip = skip
		return v.address(q)
	}
	p := &Pager{From: int64(skip + 1), To: int64(skip + len(v.Overview.Items)), Total: int64(total)}
	last := (total - 1) / WallRows * WallRows
	if skip > 0 {
		p.First, p.Prev = to(0), to(max(skip-WallRows, 0))
	}
	if skip < last {
		p.Next, p.Last = to(skip+WallRows), to(last)
	}
	return p
}
