package ops

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"esagate/api"
)

// The chart of a stream's last runs: a bar for each, the oldest first, as tall as the run was long.
const (
	runsMost   = 20
	runsWidth  = 8 // of a bar
	runsStep   = 12
	runsHeight = 32
	runsLeast  = 8 // of a bar: with less, the cut of one that failed is not seen
)

// runStates say how a run is called and drawn, by its status; the last is what no other is. Bars differ in shape
// too: full, full with a cut through it, in outline, or a line at the bottom.
var runStates = [...]struct{ status, class, word string }{
	{"success", "good", "succeeded"},
	{"failed", "bad", "failed"},
	{"in_progress", "running", "running"},
	{"cancelled", "other", "cancelled"},
	{"", "other", "ended in another way"},
}

// Runs draws the last runs of a stream, which are given the newest first, and says them in words; "" for none.
// Like [Strip] it has no styles. Nothing of a run but its times and counts is in it.
func Runs(now time.Time, runs []api.SyncRun) template.HTML {
	runs = runs[:min(len(runs), runsMost)]
	if len(runs) == 0 {
		return ""
	}
	longest := time.Second
	var counts [len(runStates)]int64
	for i := range runs {
		longest = max(longest, runTime(now, &runs[i]))
		counts[runState(runs[i].Status)]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="runs" role="img" aria-label="%s" viewBox="0 0 %d %d" width="%[2]d" height="%[3]d">`,
		runsLabel(now, &runs[0], len(runs), counts), (len(runs)-1)*runsStep+runsWidth, runsHeight)
	for i := range runs {
		run := &runs[i]
		state := &runStates[runState(run.Status)]
		x := (len(runs) - 1 - i) * runsStep
		tall := runsLeast + int((runsHeight-runsLeast)*runTime(now, run).Seconds()/longest.Seconds())
		top := runsHeight - tall
		bar := fmt.Sprintf("M%d %dh%dv%dh-%dz", x, top, runsWidth, tall, runsWidth)
		switch state.class {
		case "bad": // a cut from corner to corner: two triangles
			bar = fmt.Sprintf("M%d %dh%dl-%d %dzM%d %dv%dh-%dz", x, top, runsWidth-2, runsWidth-2, tall-1,
				x+runsWidth, top+1, tall-1, runsWidth-2)
		case "running": // an outline, drawn within the bar
			bar += fmt.Sprintf("m1 1v%dh%dv-%dz", tall-2, runsWidth-2, tall-2)
		case "other":
			bar = fmt.Sprintf("M%d %dh%dv2h-%dz", x, runsHeight-2, runsWidth, runsWidth)
		}
		fmt.Fprintf(&b, `<path class="%s" d="%s"><title>%s</title></path>`, state.class, bar, runLabel(now, run))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// runState gives the place of a run's status in runStates.
func runState(status string) int {
	for i := range runStates[:len(runStates)-1] {
		if runStates[i].status == status {
			return i
		}
	}
	return len(runStates) - 1
}

// runTime gives how long a run took, or has been running; 0 where that is not known.
func runTime(now time.Time, run *api.SyncRun) time.Duration {
	const most = 100 * day // a number that no run has would overflow
	switch {
	case run.DurationSeconds != nil:
		return min(time.Duration(min(max(*run.DurationSeconds, 0), int64(most/time.Second)))*time.Second, most)
	case run.StartedAt.IsZero():
		return 0
	case !run.CompletedAt.IsZero():
		now = run.CompletedAt.Time
	case run.Status != "in_progress":
		return 0
	}
	return min(max(now.Sub(run.StartedAt.Time), 0), most)
}

// runLabel says how a run went: "Failed 2 h ago, after 3 min, 120 items".
func runLabel(now time.Time, run *api.SyncRun) string {
	state := &runStates[runState(run.Status)]
	said := strings.ToUpper(state.word[:1]) + state.word[1:]
	took := runTime(now, run)
	if state.class == "running" {
		return said + " for " + Long(took)
	}
	if at := cmp.Or(run.CompletedAt, run.StartedAt); !at.IsZero() {
		said += " " + Short(now.Sub(at.Time)) + " ago"
	}
	if took > 0 {
		said += ", after " + Long(took)
	}
	if run.ItemsProcessed > 0 {
		said += ", " + Plural(run.ItemsProcessed, "item", "items")
	}
	if run.ItemsFailed > 0 {
		said += ", " + Count(run.ItemsFailed) + " of them failed"
	}
	return said
}

// runsLabel says what became of the runs, and of the newest.
func runsLabel(now time.Time, newest *api.SyncRun, n int, counts [len(runStates)]int64) string {
	if n == 1 {
		return "The only run known: " + lowerFirst(runLabel(now, newest))
	}
	var said []string
	for i, count := range counts {
		if count > 0 {
			said = append(said, Count(count)+" "+runStates[i].word)
		}
	}
	return fmt.Sprintf("Last %d runs: %s. The newest %s", n, strings.Join(said, ", "), lowerFirst(runLabel(now, newest)))
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
