package upstream

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// agentRun is a run as the sales agent keeps it, with the raw word of its state.
type agentRun struct {
	id, raw string
	start   int // seconds
}

// agentHistory answers as the sales agent does: one raw word, newest first, of equal starts the greater id, and
// a cursor that names the last run of a page.
type agentHistory struct {
	runs  []agentRun
	calls int
	deaf  bool // it does not know the filter: every run is answered
}

func (a *agentHistory) fetch(q HistoryQuery) (*wire.SyncHistory, error) {
	a.calls++
	order := func(x, y agentRun) int { return cmp.Or(y.start-x.start, strings.Compare(y.id, x.id)) }
	slices.SortFunc(a.runs, order)
	var after agentRun
	if q.Cursor != "" {
		if n, err := fmt.Sscanf(q.Cursor, "%d %s", &after.start, &after.id); n != 2 {
			return nil, err
		}
	}
	page := new(wire.SyncHistory)
	var last agentRun
	for _, r := range a.runs {
		if r.raw != q.Status && !a.deaf || q.Cursor != "" && order(after, r) >= 0 {
			continue
		}
		if len(page.Runs) == q.Limit {
			page.NextCursor = wire.Opt[string]{Value: fmt.Sprintf("%d %s", last.start, last.id), Set: true}
			break
		}
		status := r.raw
		if status == "running" || status == "pending" {
			status = "in_progress"
		}
		start := wire.Time{Time: time.Unix(int64(r.start), 0).UTC()}
		page.Runs = append(page.Runs, wire.SyncRun{SyncID: r.id, SyncType: "inventory", Status: status, StartedAt: start})
		last = r
	}
	return page, nil
}

// TestRunsInProgressAreEachGivenOnce pages through histories that change in between.
func TestRunsInProgressAreEachGivenOnce(t *testing.T) {
	raw := rapid.SampledFrom([]string{"running", "running", "pending", "completed"})
	rapid.Check(t, func(t *rapid.T) {
		a := &agentHistory{deaf: rapid.IntRange(0, 4).Draw(t, "deaf") == 0}
		for i := range rapid.IntRange(0, 25).Draw(t, "runs") {
			a.runs = append(a.runs, agentRun{fmt.Sprintf("run%02d", i), raw.Draw(t, "raw"), rapid.IntRange(100, 108).Draw(t, "start")})
		}
		still := map[string]bool{} // in progress all the time
		for _, r := range a.runs {
			still[r.id] = r.raw != "completed"
		}
		q := HistoryQuery{Limit: rapid.IntRange(1, 6).Draw(t, "limit")}
		given, last := map[string]bool{}, 1_000_000
		for pages := 0; ; pages++ {
			a.calls = 0
			page, err := openRuns(a.fetch, q)
			if err != nil || a.calls != 2 || pages > 100 ||
				len(page.Runs) > q.Limit || len(page.Runs) < q.Limit && page.NextCursor.Set {
				t.Fatalf("page %d: %d runs in %d calls, %v", pages, len(page.Runs), a.calls, err)
			}
			for _, r := range page.Runs {
				start := int(r.StartedAt.Time.Unix())
				if given[r.SyncID] || start > last || r.Status != "in_progress" {
					t.Fatalf("%s again, or out of order, or over: %+v", r.SyncID, page.Runs)
				}
				given[r.SyncID], last = true, start
			}
			if !page.NextCursor.Set {
				break
			}
			q.Cursor = page.NextCursor.Value
			for i := range a.runs {
				r := &a.runs[i]
				switch rapid.IntRange(0, 9).Draw(t, "change") {
				case 0:
					r.raw, still[r.id] = "completed", false
				case 1:
					if r.raw == "pending" {
						r.raw = "running"
					}
				}
			}
			if rapid.Bool().Draw(t, "another") {
				a.runs = append(a.runs, agentRun{fmt.Sprintf("new%02d", pages), raw.Draw(t, "raw"), 200})
			}
		}
		for id, wanted := range still {
			if wanted && !given[id] {
				t.Fatalf("%s was lost", id)
			}
		}
	})
}

// TestManyRunsInProgress: all pages of a history are read, up to a bound.
func TestManyRunsInProgress(t *testing.T) {
	for runs, want := range map[int]int{openPage + 1: openPage + 1, 4 * openPage: openCalls * openPage} {
		a := new(agentHistory)
		for i := range runs {
			a.runs = append(a.runs, agentRun{fmt.Sprintf("run%04d", i), "running", i/7 + 1})
		}
		got := 0
		for q := (HistoryQuery{Limit: openPage}); ; {
			a.calls = 0
			page, err := openRuns(a.fetch, q)
			if err != nil || a.calls > openCalls+1 {
				t.Fatalf("%d calls, %v", a.calls, err)
			}
			if got += len(page.Runs); !page.NextCursor.Set {
				break
			}
			q.Cursor = page.NextCursor.Value
		}
		if got != want {
			t.Errorf("%d of %d runs, want %d", got, runs, want)
		}
	}
}

// A run that goes over from pending to running between the two calls is given once.
func TestARunGoesOverBetweenTheCalls(t *testing.T) {
	a := &agentHistory{runs: []agentRun{{"run", "pending", 1}}}
	page, err := openRuns(func(q HistoryQuery) (*wire.SyncHistory, error) {
		page, err := a.fetch(q)
		a.runs[0].raw = "running"
		return page, err
	}, HistoryQuery{})
	if err != nil || len(page.Runs) != 1 || page.NextCursor.Set {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestOpenCursors(t *testing.T) {
	run := wire.SyncRun{SyncID: "a run", StartedAt: wire.Time{Time: time.Unix(1_700_000_000, 250_000_001).UTC()}}
	good := openCursor(&run)
	if back, ok := parseOpenCursor(good); !ok || newestFirst(back, run) != 0 {
		t.Errorf("%+v became %+v", run, back)
	}
	for _, text := range []string{"garbage", "eyJ0cyI6ICIyMDI2LTAxLTAxVDAwOjAwOjAwWiJ9", "open", good + ".", good + "=", good[:20]} {
		_, err := openRuns(new(agentHistory).fetch, HistoryQuery{Limit: 1, Cursor: text})
		if f := (*fault.Error)(nil); !errors.As(err, &f) || f.Kind != fault.Validation {
			t.Errorf("%q: %v", text, err)
		}
	}
}
