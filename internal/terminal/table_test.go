package terminal

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"esagate/api"
)

var update = flag.Bool("update", false, "write testdata anew")

// golden holds an output against the file that has it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

var noon = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) api.Timestamp { return api.TimestampOf(noon.Add(-d)) }

func text(s string) *string { return &s }

func number(n int64) *int64 { return &n }

// someSources has one source of each state, with names that terminals find hard.
func someSources() *Wall {
	synced := func(status string, ago time.Duration) api.OverviewSyncs {
		return api.OverviewSyncs{{Name: "inventory", Value: api.OverviewSync{
			Status: status, LastRunAt: before(ago), LastSuccessAt: before(26 * time.Hour), ItemCount: number(1204)}}}
	}
	w := &Wall{
		Headline: "3 of 7 sources can't sell.",
		Counts:   api.StateCounts{Down: 1, Blocked: 2, Unknown: 1, Degraded: 1, Pending: 1, Live: 1},
		Rows: []Row{
			{OverviewItem: api.OverviewItem{SourceID: "pier-video", Name: "Pier Video", CustomerID: 4210, State: "live",
				Since: before(50 * 24 * time.Hour), Age: number(3), OverviewFacts: api.OverviewFacts{Syncs: synced("success", 20*time.Minute)}}},
			{OverviewItem: api.OverviewItem{SourceID: "harbour", ESAID: "1001", Name: "港口新聞 🚢", CustomerID: 4210, State: "blocked",
				Since: before(3 * time.Hour), Age: number(95), Stale: true, Breaker: "open", FetchedAt: before(2 * time.Minute),
				ChangedBy: &api.ChangedBy{Actor: "desk", Operator: true, At: before(time.Hour)},
				OverviewFacts: api.OverviewFacts{
					AdServer:   text("google_ad_manager"),
					Issue:      &api.OverviewIssue{Code: "NO_ACTIVE_PRODUCTS", Severity: "critical", Message: "There is no active product to sell.", ConfigurePath: text("/products")},
					IssueCount: 3, BlockerCount: 2,
					Blockers: []api.OverviewBlocker{{ID: "a", Name: "Add a product", ConfigurePath: text("/products")}, {ID: "b", Name: "Verify the connection"}},
					Syncs:    synced("failed", 10*time.Minute)},
				History: []api.StateSpan{{State: "live", From: before(24 * time.Hour), To: before(3 * time.Hour)},
					{State: "blocked", Issue: text("NO_ACTIVE_PRODUCTS"), From: before(3 * time.Hour)}},
			}},
			{OverviewItem: api.OverviewItem{SourceID: "evil", Name: "\x1b]0;gone\x07\x1b[2Jevil\u202e\nname", CustomerID: 7, State: "down",
				Since: before(40 * time.Second), OverviewFacts: api.OverviewFacts{
					Issue:      &api.OverviewIssue{Code: "TENANT_NOT_FOUND", Severity: "critical", Message: "The sales agent has no tenant of this source.\x9b31m"},
					IssueCount: 1, Syncs: synced("\x1b[5m", time.Minute)}}},
			{OverviewItem: api.OverviewItem{SourceID: "meadow", Name: "Meadow", CustomerID: 7, State: "blocked", OverviewFacts: api.OverviewFacts{
				Issue: &api.OverviewIssue{Code: "SYNC_STALE", Severity: "warning", Message: "Synced long ago."}, IssueCount: 1}}},
			{OverviewItem: api.OverviewItem{SourceID: "lighthouse", Name: "Lighthouse", CustomerID: 7, State: "unknown"}},
			{OverviewItem: api.OverviewItem{SourceID: "summit", Name: "Summit", CustomerID: 7, State: "degraded", Since: before(5 * time.Minute)}},
			{OverviewItem: api.OverviewItem{SourceID: "loft", Name: "Loft", CustomerID: 7, State: "pending", Since: before(-time.Minute)}},
		},
	}
	for i := range w.Rows {
		w.Rows[i].readAt = noon
	}
	w.sort()
	return w
}

func TestTable(t *testing.T) {
	for name, v := range map[string]View{
		"plain.txt": {}, "colour.txt": {Colour: true}, "wide.txt": {Width: 120, Live: true}, "narrow.txt": {Width: 60}, "tiny.txt": {Width: 24, Most: 2},
	} {
		v.Now = noon
		var out bytes.Buffer
		if err := someSources().Table(&out, v); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if !v.Colour && Safe(line) != line {
				t.Errorf("%s: %q is not for a terminal", name, line)
			}
			if v.Width > 0 && width(line) > v.Width {
				t.Errorf("%s: %q takes %d columns", name, line, width(line))
			}
		}
	}
}

func TestDetails(t *testing.T) {
	w := someSources()
	for name, at := range map[string]int{"harbour.txt": 1, "evil.txt": 0} {
		var out bytes.Buffer
		if err := w.Rows[at].Details(&out, View{Now: noon}); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 59 * time.Second: "59s", time.Minute: "1m", 59 * time.Minute: "59m", 90 * time.Minute: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
	} {
		if got := short(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
