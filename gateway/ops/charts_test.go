package ops_test

import (
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/transform"
)

func span(state string, from, to time.Duration) api.StateSpan {
	s := api.StateSpan{State: state, From: before(from)}
	if to > 0 {
		s.To = before(to)
	}
	return s
}

// drawn gives the paths of an SVG by their class, and its label.
func drawn(fatalf func(string, ...any), svg template.HTML) (paths map[string][]string, label string) {
	paths = map[string][]string{}
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return paths, label
		}
		if err != nil {
			fatalf("no XML: %v\n%s", err, svg)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		at := map[string]string{}
		for _, a := range start.Attr {
			at[a.Name.Local] = a.Value
		}
		switch start.Name.Local {
		case "svg":
			label = at["aria-label"]
			if at["role"] != "img" || label == "" {
				fatalf("nobody who does not see it is told: %s", svg)
			}
		case "path":
			paths[at["class"]] = append(paths[at["class"]], at["d"])
		case "title":
		default:
			fatalf("there is a %s", start.Name.Local)
		}
		for _, not := range []string{"style", "href", "id", "onload"} {
			if _, ok := at[not]; ok {
				fatalf("%s has %s", start.Name.Local, not)
			}
		}
	}
}

func TestStrip(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for name, c := range map[string]struct {
		spans []api.StateSpan
		label string
		paths map[string]string // the first of each class
	}{
		"nothing is known": {nil, "Last 24 hours: no record", nil},
		"live": {[]api.StateSpan{span("live", 24*hour, 0)}, "Last 24 hours: live",
			map[string]string{"live": "M0 14.5h143"}},
		"long live": {[]api.StateSpan{{State: "live"}}, "Last 24 hours: live", map[string]string{"live": "M0 14.5h143"}},
		"went down": {[]api.StateSpan{span("live", 30*hour, 2*hour+50*minute), span("down", 2*hour+50*minute, 0)},
			"Last 24 hours: live 21 h 10 min, down 2 h 50 min",
			map[string]string{"live": "M0 14.5h125", "down": "M126 9h17"}},
		"a moment counts for its half hour": {
			[]api.StateSpan{span("live", 24*hour, 10*hour+minute), span("down", 10*hour+minute, 10*hour+50*time.Second), span("live", 10*hour+50*time.Second, 0)},
			"Last 24 hours: live 23 h 59 min, down 10 s",
			map[string]string{"live": "M0 14.5h80M84 14.5h59", "down": "M81 9h2"}},
		"young": {[]api.StateSpan{span("pending", hour, 30*minute), span("blocked", 30*minute, 0)},
			"Last 24 hours: no record 23 h, blocked 30 min, pending 30 min",
			map[string]string{"pending": "M138 16.5h2", "blocked": "M141 6h2"}},
		"a state of a later version": {[]api.StateSpan{span(`<b>"`, 24*hour, 0)}, "Last 24 hours: not known",
			map[string]string{"unknown": "M0 9.5h143"}},
		"what begins later or ended before is not in it": {[]api.StateSpan{span("down", 40*hour, 25*hour), span("down", -hour, 0)},
			"Last 24 hours: no record", nil},
	} {
		svg := ops.Strip(noon, c.spans)
		paths, label := drawn(t.Fatalf, svg)
		if label != c.label {
			t.Errorf("%s: it says %q, want %q", name, label, c.label)
		}
		if len(paths) != len(c.paths) {
			t.Errorf("%s: %s", name, svg)
		}
		for class, want := range c.paths {
			if len(paths[class]) == 0 || paths[class][0] != want {
				t.Errorf("%s: %s is drawn %q, want %q", name, class, paths[class], want)
			}
		}
	}
}

// TestStripStatesDifferInShape: without colours too one sees which state it was.
func TestStripStatesDifferInShape(t *testing.T) {
	classes, seen := regexp.MustCompile(` class="[a-z]+"`), map[string]string{}
	titles := regexp.MustCompile(`aria-label="[^"]*"|<title>[^<]*`)
	for _, state := range transform.States {
		svg := string(ops.Strip(noon, []api.StateSpan{{State: state}}))
		if !strings.Contains(svg, ` class="`+state+`"`) {
			t.Errorf("%s has no colour of its own: %s", state, svg)
		}
		shape := titles.ReplaceAllString(classes.ReplaceAllString(svg, ""), "")
		if other, ok := seen[shape]; ok {
			t.Errorf("%s looks like %s", state, other)
		}
		seen[shape] = state
	}
}

// TestChartsOfAnything: whatever the spans and runs, each chart is XML of a bounded size that says something.
func TestChartsOfAnything(t *testing.T) {
	moment := rapid.Custom(func(t *rapid.T) api.Timestamp {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			return api.Timestamp{}
		case 1:
			return api.TimestampOf(time.Unix(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "s"), 0))
		}
		return before(time.Duration(rapid.Int64Range(-5e12, 100e12).Draw(t, "ns")))
	})
	word := func(t *rapid.T, words ...string) string {
		return rapid.OneOf(rapid.SampledFrom(words), rapid.String()).Draw(t, "word")
	}
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) api.StateSpan {
			return api.StateSpan{State: word(t, transform.States...), From: moment.Draw(t, "from"), To: moment.Draw(t, "to")}
		}), 0, 200).Draw(t, "spans")
		svg := ops.Strip(noon, spans)
		if drawn(t.Fatalf, svg); len(svg) > 2500 {
			t.Fatalf("a strip of %d bytes: %s", len(svg), svg)
		}
		runs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) api.SyncRun {
			return api.SyncRun{SyncID: rapid.String().Draw(t, "id"), Status: word(t, "success", "failed", "in_progress", "cancelled"),
				StartedAt: moment.Draw(t, "started"), CompletedAt: moment.Draw(t, "completed"),
				DurationSeconds: rapid.Ptr(rapid.Int64(), true).Draw(t, "took"),
				ItemsProcessed:  rapid.Int64().Draw(t, "items"), ItemsFailed: rapid.Int64().Draw(t, "failed")}
		}), 1, 60).Draw(t, "runs")
		svg = ops.Runs(noon, runs)
		paths, _ := drawn(t.Fatalf, svg)
		if len(svg) > 5000 {
			t.Fatalf("a chart of %d bytes: %s", len(svg), svg)
		}
		for _, bars := range paths {
			for _, bar := range bars {
				if regexp.MustCompile(`^M\d+ -|^M\d+ \d{3}`).MatchString(bar) {
					t.Fatalf("a bar out of its chart: %s", bar)
				}
			}
		}
	})
}

func TestRuns(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	secret := "secret"
	failed := api.SyncRun{SyncID: secret, Status: "failed", StartedAt: before(2 * time.Hour), DurationSeconds: seconds(90), ErrorSummary: &secret}
	good := api.SyncRun{Status: "success", StartedAt: before(3 * time.Hour), CompletedAt: before(3*time.Hour - 3*time.Minute), ItemsProcessed: 1204, ItemsFailed: 4}
	running := api.SyncRun{Status: "in_progress", StartedAt: before(60 * time.Second)}
	strange := api.SyncRun{Status: "<i>"}
	for name, c := range map[string]struct {
		runs  []api.SyncRun
		label string
		texts []string // of bars, from left to right
	}{
		"one": {[]api.SyncRun{good}, "The only run known: succeeded 2 h ago, after 3 min, 1,204 items, 4 of them failed",
			[]string{"M0 0h8v32h-8z"}},
		"all kinds": {[]api.SyncRun{running, failed, good, strange},
			"Last 4 runs: 1 succeeded, 1 failed, 1 running, 1 ended in another way. The newest running for 1 min",
			[]string{"M0 30h8v2h-8z", "M12 0h8v32h-8z", "M24 12h6l-6 19zM32 13v19h-6z", "M36 16h8v16h-8zm1 1v14h6v-14z"}},
	} {
		svg := ops.Runs(noon, c.runs)
		_, label := drawn(t.Fatalf, svg)
		if label != c.label {
			t.Errorf("%s: it says %q, want %q", name, label, c.label)
		}
		for _, want := range c.texts {
			if !strings.Contains(string(svg), `d="`+want+`"`) {
				t.Errorf("%s: no bar %s in %s", name, want, svg)
			}
		}
		if strings.Contains(string(svg), secret) {
			t.Errorf("%s: other systems' text is in it: %s", name, svg)
		}
	}
	if svg := ops.Runs(noon, nil); svg != "" {
		t.Errorf("no runs are drawn: %s", svg)
	}
}

// TestStripIsSmall: a page has a hundred of them.
func TestStripIsSmall(t *testing.T) {
	svg := ops.Strip(noon, []api.StateSpan{span("live", 24*time.Hour, 2*time.Hour), span("down", 2*time.Hour, 0)})
	if len(svg) > 500 {
		t.Errorf("%d bytes: %s", len(svg), svg)
	}
}

func BenchmarkStrip(b *testing.B) {
	spans := []api.StateSpan{span("live", 24*time.Hour, 2*time.Hour), span("down", 2*time.Hour, 0)}
	for b.Loop() {
		ops.Strip(noon, spans)
	}
}
