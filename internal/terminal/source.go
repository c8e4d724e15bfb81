package terminal

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"esagate/api"
	"esagate/internal/word"
)

// maxFilter is the longest text that the gateway looks for, in characters.
const maxFilter = 100

// Source reads how one source stands, with the states of its last day. It is named by its sourceId
// or, where none has that, by its esaId.
func (c *Client) Source(ctx context.Context, name string) (*Row, error) {
	text := []rune(name)
	wall, err := c.Overview(ctx, nil, string(text[:min(len(text), maxFilter)]), true)
	if err != nil {
		return nil, err
	}
	for _, is := range []func(*Row) bool{
		func(r *Row) bool { return r.SourceID == name },
		func(r *Row) bool { return r.ESAID == name },
	} {
		rows := slices.DeleteFunc(slices.Clone(wall.Rows), func(r Row) bool { return !is(&r) })
		switch {
		case len(rows) == 1:
			return &rows[0], nil
		case len(rows) > 1:
			return nil, &Problem{text: fmt.Sprintf("%d customers have a source %s: say with --customer whose is meant", len(rows), Safe(name))}
		}
	}
	p := &Problem{text: "there is no source " + clip(Safe(name), maxTold)}
	if all, err := c.Overview(ctx, nil, "", false); err == nil {
		names := make([]string, len(all.Rows))
		for i := range all.Rows {
			names[i] = all.Rows[i].SourceID
		}
		if near := word.Closest(name, names); near != "" {
			p.text += ": did you mean " + Safe(near) + "?"
		}
	}
	return nil, p
}

// Details writes all that is known of a source.
func (r *Row) Details(out io.Writer, v View) error {
	d := details{view: v, style: style(v.Colour)}
	d.line(d.style.paint(bold, d.view.fit(Safe(r.SourceID+"  "+r.Name))))
	d.field("state", d.style.paint(colours[r.State], Safe(r.State))+d.since(r.Since))
	if r.Issue != nil {
		d.field("issue", Safe(r.Issue.Severity+" "+r.Issue.Code+": "+r.Issue.Message)+path(r.Issue.ConfigurePath))
	}
	if r.IssueCount > 1 {
		d.field("", fmt.Sprintf("and %d more, not as bad", r.IssueCount-1))
	}
	for i, b := range r.Blockers {
		title := ""
		if i == 0 {
			title = "blockers"
		}
		d.field(title, Safe(b.Name)+path(b.ConfigurePath))
	}
	for i := range r.Syncs {
		d.stream = max(d.stream, width(Safe(r.Syncs[i].Name)))
	}
	for i := range r.Syncs {
		title := ""
		if i == 0 {
			title = "syncs"
		}
		d.field(title, d.sync(r.Syncs[i].Name, &r.Syncs[i].Value))
	}
	if r.AdServer != nil {
		d.field("ad server", Safe(*r.AdServer))
	}
	d.field("copy", d.copied(r))
	if r.Breaker == "open" {
		d.field("breaker", d.style.paint(yellow, "open"))
	}
	if c := r.ChangedBy; c != nil {
		by := Safe(c.Actor)
		if c.Operator {
			by += " (operator)"
		}
		d.field("changed", v.ago(c.At)+" ago by "+by)
	}
	d.field("customer", strconv.FormatInt(r.CustomerID, 10))
	d.field("esaId", Safe(r.ESAID))
	for i, span := range slices.Backward(r.History) {
		title := ""
		if i == len(r.History)-1 {
			title = "history"
		}
		d.field(title, d.span(span))
	}
	_, err := io.WriteString(out, d.b.String())
	return err
}

// details collects the lines about a source.
type details struct {
	view   View
	style  style
	stream int // columns of the longest name
	b      strings.Builder
}

func (d *details) line(text string) { d.b.WriteString(text + "\n") }

// field writes a title and what belongs to it. Long text is wrapped by the terminal: all of it is
// wanted here.
func (d *details) field(title, text string) {
	d.line(d.style.paint(dim, fmt.Sprintf("%-10s", title)) + text)
}

func (d *details) since(t api.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return " for " + d.view.ago(t) + " (since " + t.String() + ")"
}

// sync gives the last sync of a stream in one line.
func (d *details) sync(stream string, s *api.OverviewSync) string {
	text := Safe(stream)
	text += strings.Repeat(" ", d.stream-width(text)+gap) + Safe(s.Status)
	if !s.LastRunAt.IsZero() {
		text += ", run " + d.view.ago(s.LastRunAt) + " ago"
	}
	if !s.LastSuccessAt.IsZero() && s.Status != "success" {
		text += ", good " + d.view.ago(s.LastSuccessAt) + " ago"
	}
	if s.ItemCount != nil {
		text += fmt.Sprintf(", %d items", *s.ItemCount)
	}
	return text
}

func (d *details) copied(r *Row) string {
	if r.FetchedAt.IsZero() {
		return "none yet"
	}
	text := "of " + r.FetchedAt.String()
	if age := d.view.copyOf(r); age != "" {
		text += ", " + age
	}
	return text
}

// span gives a time in one state.
func (d *details) span(s api.StateSpan) string {
	to := "now"
	if !s.To.IsZero() {
		to = s.To.Time.UTC().Format("01-02 15:04")
	}
	text := fmt.Sprintf("%s to %-11s  %s", s.From.Time.UTC().Format("01-02 15:04"), to, d.style.paint(colours[s.State], Safe(s.State)))
	if s.Issue != nil {
		text += " " + Safe(*s.Issue)
	}
	return text
}

// path shows where something can be mended.
func path(p *string) string {
	if p == nil {
		return ""
	}
	return "  " + Safe(*p)
}

// Bad reports whether the source is blocked or down.
func (r *Row) Bad() bool { return isBad(r.State) }
