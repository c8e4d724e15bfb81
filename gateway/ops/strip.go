package ops

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"esagate/api"
	"esagate/transform"
)

// The strip of the last 24 hours: cells of half an hour, the oldest first, each 2 wide with a gap of 1.
const (
	stripSpan   = day
	stripCells  = 48
	stripCell   = stripSpan / stripCells
	stripWidth  = 3*stripCells - 1
	stripHeight = 18
)

// stripStates say how a cell of each state is drawn, the worst first: lines with their height and the y of
// their middle. The worse a state, the taller its cells, and that of a source which waits for something has the
// shape of an exclamation mark: the strip says the same without its colours. Times of which no state is
// known are the last, and not drawn.
var stripStates = [...]struct {
	state, word string
	lines       []stripLine
}{
	{transform.StateDown, "down", []stripLine{{18, 9}}},
	{transform.StateBlocked, "blocked", []stripLine{{12, 6}, {3, 16.5}}},
	{transform.StateUnknown, "not known", []stripLine{{3, 9.5}, {3, 16.5}}},
	{transform.StateDegraded, "degraded", []stripLine{{12, 12}}},
	{transform.StatePending, "pending", []stripLine{{3, 16.5}}},
	{transform.StateLive, "live", []stripLine{{7, 14.5}}},
	{transform.StateDeactivated, "deactivated", []stripLine{{1, 17.5}}},
	{"", "no record", nil},
}

type stripLine struct{ height, middle float64 }

// Strip draws the states of the 24 hours before now, of spans in their order, and says them in words. A
// cell shows the worst state of its half hour. It is an SVG without styles: the style sheet colours it by classes.
func Strip(now time.Time, spans []api.StateSpan) template.HTML {
	cells, spent := stripOf(now, spans)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="strip" role="img" aria-label="%s" viewBox="0 0 %d %d" width="%[2]d" height="%[3]d">`+
		`<title>%[1]s</title>`, stripLabel(spent), stripWidth, stripHeight)
	for i := range stripStates {
		for _, line := range stripStates[i].lines {
			var path strings.Builder
			for at := 0; at < stripCells; at++ {
				from := at
				for at < stripCells && cells[at] == i {
					at++
				}
				if at > from { // the dashes begin anew with each run of cells
					fmt.Fprintf(&path, "M%d %gh%d", 3*from, line.middle, 3*(at-from)-1)
				}
			}
			if path.Len() > 0 {
				fmt.Fprintf(&b, `<path class="%s" stroke-width="%g" stroke-dasharray="2 1" d="%s"/>`,
					stripStates[i].state, line.height, &path)
			}
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// stripOf gives the worst state of each cell, and how long each state lasted: places in stripStates.
func stripOf(now time.Time, spans []api.StateSpan) (cells [stripCells]int, spent [len(stripStates)]time.Duration) {
	const none = len(stripStates) - 1
	for i := range cells {
		cells[i] = none
	}
	begin := now.Add(-stripSpan)
	seen := begin
	for i := range spans {
		from, to := spans[i].From.Time, spans[i].To.Time
		if from.Before(seen) {
			from = seen
		}
		if to.IsZero() || to.After(now) {
			to = now
		}
		if !from.Before(to) {
			continue
		}
		seen = to
		state := stripState(spans[i].State)
		spent[state] += to.Sub(from)
		for c := from.Sub(begin) / stripCell; c <= (to.Sub(begin)-1)/stripCell; c++ {
			cells[c] = min(cells[c], state)
		}
	}
	spent[none] = stripSpan
	for _, d := range spent[:none] {
		spent[none] -= d
	}
	return cells, spent
}

// stripState gives the place of a state; what is none counts as not known.
func stripState(state string) int {
	for i := range stripStates {
		if stripStates[i].state == state && state != "" {
			return i
		}
	}
	return stripState(transform.StateUnknown)
}

// stripLabel says how long each state lasted, the longest first.
func stripLabel(spent [len(stripStates)]time.Duration) string {
	type part struct {
		word string
		long time.Duration
	}
	var parts []part
	for i, long := range spent {
		if long > 0 {
			parts = append(parts, part{stripStates[i].word, long})
		}
	}
	if len(parts) == 1 {
		return "Last 24 hours: " + parts[0].word
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.long, a.long) })
	var said []string
	for _, p := range parts {
		said = append(said, p.word+" "+Long(p.long))
	}
	return "Last 24 hours: " + strings.Join(said, ", ")
}
