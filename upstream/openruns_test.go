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
		page.Runs = append(page.Runs, wire.SyncRun{SyncID: r.id, SyncType: "inventory", Status: status, StartedAt: wire.Time{Time: time.Unix(int64(r.start), 0).UTC()}})
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
		given, last, changes := map[string]bool{}, 1_000_000, 0
		for pages := 0; ; pages++ {
			a.calls = 0
			page, err := openRuns(a.fetch, q)
			if err != nil || a.calls > 2*openCalls || len(page.Runs) > q.Limit || pages > 100 {
				t.Fatalf("page %d: %d runs in %d calls, %v", pages, len(page.Runs), a.calls, err)
			}
			if len(page.Runs) < q.Limit && page.NextCursor.Set && changes == 0 && !a.deaf {
				t.Fatalf("page %d is short: %d of %d", pages, len(page.Runs), q.Limit)
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
					changes++
				case 1:
					if r.raw == "pending" {
						r.raw = "running"
						changes++
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

func TestOpenCursors(t *testing.T) {
	c := openCursor{places: [2]string{"eyJ0cyI6Mn0=", ""}, start: time.Unix(1_700_000_000, 250_000_000).UTC(), ids: []uint32{7, 1 << 31}}
	if back, ok := parseOpenCursor(c.String()); !ok || back.String() != c.String() || !back.start.Equal(c.start) || back.places != c.places {
		t.Errorf("%+v became %+v", c, back)
	}
	good := c.String()
	for _, text := range []string{"garbage", "eyJ0cyI6Mn0=", "open", good + ".", strings.Replace(good, "open", "closed", 1), good[:len(good)-1] + "!", good[:len(good)-3]} {
		_, err := openRuns(new(agentHistory).fetch, HistoryQuery{Limit: 1, Cursor: text})
		if f := (*fault.Error)(nil); !errors.As(err, &f) || f.Kind != fault.Validation {
			t.Errorf("%q: %v", text, err)
		}
	}
}
