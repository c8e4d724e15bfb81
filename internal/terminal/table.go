package terminal

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/api"
)

// View says how a wall is shown.
type View struct {
	Width  int  // columns of the terminal; 0: it is none, and nothing is cut
	Colour bool // with colours
	Live   bool // it is followed: how old a copy is is not known then, but whether it is stale
	Most   int  // rows; 0: all
	Now    time.Time
}

// column is a column of the table.
type column struct {
	title string
	least int // columns of the terminal that it may be cut to; 0: it is not cut
	less  int // the higher, the sooner it is left out; 0: never
	cells []string
	paint func(row int) string
}

// gap is between two columns of the table.
const gap = 2

// Table writes the headline, the counts and a row for each source.
func (w *Wall) Table(out io.Writer, v View) error {
	var b strings.Builder
	s := style(v.Colour)
	if w.Headline != "" {
		b.WriteString(s.paint(bold, v.fit(Safe(w.Headline))) + "\n")
	}
	counts := countsOf(w.Counts)
	if counts != "" {
		b.WriteString(v.fit(counts) + "\n")
	}
	if len(w.Rows) == 0 {
		if counts != "" { // else the headline says that there are none
			b.WriteString("No source to show.\n")
		}
		_, err := io.WriteString(out, b.String())
		return err
	}
	b.WriteString("\n")
	rows, left := w.Rows, 0
	if v.Most > 0 && len(rows) > v.Most {
		rows, left = rows[:v.Most], len(rows)-v.Most
	}
	columns, widths := v.layout(v.columns(rows))
	v.writeRow(&b, s, columns, widths, -1)
	for i := range rows {
		v.writeRow(&b, s, columns, widths, i)
	}
	if left > 0 {
		b.WriteString(v.fit(fmt.Sprintf("and %d more, none of them worse", left)) + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (v View) fit(text string) string {
	if v.Width <= 0 {
		return text
	}
	return clip(text, v.Width)
}

// countsOf gives the states that there are sources in, with how many.
func countsOf(c api.StateCounts) string {
	var parts []string
	for i, n := range []int64{c.Down, c.Blocked, c.Unknown, c.Degraded, c.Pending, c.Live, c.Deactivated} {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, States[i]))
		}
	}
	return strings.Join(parts, ", ")
}

// columns gives the table's cells, all of them in full.
func (v View) columns(rows []Row) []column {
	state := column{title: "STATE", paint: func(i int) string { return colours[rows[i].State] }}
	source := column{title: "SOURCE", least: 12}
	name := column{title: "NAME", least: 10, less: 4}
	customer := column{title: "CUSTOMER", less: 2}
	since := column{title: "SINCE", less: 3}
	issue := column{title: "ISSUE", least: 20, less: 1}
	copied := column{title: "AGE", less: 5, paint: func(i int) string {
		if rows[i].Stale {
			return yellow
		}
		return ""
	}}
	synced := column{title: "INVENTORY", less: 6}
	customers := false
	for i := range rows {
		r := &rows[i]
		customers = customers || r.CustomerID != rows[0].CustomerID
		state.cells = append(state.cells, Safe(r.State))
		source.cells = append(source.cells, Safe(r.SourceID))
		name.cells = append(name.cells, Safe(r.Name))
		customer.cells = append(customer.cells, strconv.FormatInt(r.CustomerID, 10))
		since.cells = append(since.cells, v.ago(r.Since))
		issue.cells = append(issue.cells, issueOf(r))
		copied.cells = append(copied.cells, v.copyOf(r))
		synced.cells = append(synced.cells, v.syncOf(r))
	}
	if v.Live {
		copied.title = "COPY"
	}
	if !customers {
		customer.cells = nil
	}
	return slices.DeleteFunc([]column{state, source, name, customer, since, issue, copied, synced}, func(c column) bool {
		return !slices.ContainsFunc(c.cells, func(cell string) bool { return cell != "" })
	})
}

// issueOf gives the worst issue in short.
func issueOf(r *Row) string {
	if r.Issue == nil {
		return ""
	}
	text := Safe(r.Issue.Code + " " + r.Issue.Message)
	if r.IssueCount > 1 {
		text = fmt.Sprintf("(%d) %s", r.IssueCount, text)
	}
	return text
}

// copyOf says how old the gateway's copy of a source's status is, and whether it is stale.
func (v View) copyOf(r *Row) string {
	stale := ""
	if r.Stale {
		stale = "stale"
	}
	if v.Live || r.Age == nil {
		return stale
	}
	age := short(time.Duration(*r.Age)*time.Second + v.Now.Sub(r.readAt))
	if stale != "" {
		age += " " + stale
	}
	return age
}

// syncOf gives when the inventory was last synced, and where that was no success how it ended.
func (v View) syncOf(r *Row) string {
	at := r.Syncs.Index("inventory")
	if at < 0 {
		return ""
	}
	sync := &r.Syncs[at].Value
	last := sync.LastRunAt
	if last.IsZero() {
		last = sync.LastSuccessAt
	}
	switch text := v.ago(last); {
	case sync.Status == "success":
		return text
	case text == "":
		return Safe(sync.Status)
	default:
		return text + " " + Safe(sync.Status)
	}
}

func (v View) ago(t api.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return short(v.Now.Sub(t.Time))
}

// short gives a duration as people say it: 12s, 5m, 3h, 4d.
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(d/time.Second, 0))
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// layout gives the columns that fit the terminal, and their widths: first the texts are cut, the
// longest most, and where that is not enough columns are left out before.
func (v View) layout(columns []column) ([]column, []int) {
	for {
		widths, least, total := make([]int, len(columns)), 0, -gap
		for i := range columns {
			widths[i] = width(columns[i].title)
			for _, cell := range columns[i].cells {
				widths[i] = max(widths[i], width(cell))
			}
			total += widths[i] + gap
			least += gap + widths[i]
			if cut := columns[i].least; cut > 0 {
				least -= max(widths[i]-cut, 0)
			}
		}
		if v.Width <= 0 || total <= v.Width {
			return columns, widths
		}
		if least-gap > v.Width {
			most := 0
			for i := range columns {
				if columns[i].less > columns[most].less {
					most = i
				}
			}
			if columns[most].less > 0 {
				columns = slices.Delete(columns, most, most+1)
				continue
			}
		}
		for ; total > v.Width; total-- { // the widest of those that may be cut gives one
			widest := -1
			for i := range columns {
				if cut := columns[i].least; cut > 0 && widths[i] > cut && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
		}
		return columns, widths
	}
}

// writeRow writes a row, or with -1 the titles.
func (v View) writeRow(out *strings.Builder, s style, columns []column, widths []int, row int) {
	var b strings.Builder
	used := 0
	for i := range columns {
		text, colour := columns[i].title, dim
		if row >= 0 {
			text, colour = columns[i].cells[row], ""
			if columns[i].paint != nil {
				colour = columns[i].paint(row)
			}
		}
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
			used += gap
		}
		room := widths[i]
		if v.Width > 0 {
			room = min(room, max(v.Width-used, 0)) // a terminal of a few columns
		}
		b.WriteString(s.paint(colour, clip(text, room)) + strings.Repeat(" ", max(room-width(text), 0)))
		used += room
	}
	out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}
