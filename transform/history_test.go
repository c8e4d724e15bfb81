package transform_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/internal/word"
	"esagate/transform"
	"esagate/upstream/wire"
)

func some[T any](v T) wire.Opt[T] { return wire.Opt[T]{Value: v, Set: true} }

func at(minute int) wire.Time { return wire.Time{Time: now.Add(time.Duration(minute) * time.Minute)} }

// runs gives a stream's runs, the newest first and an hour apart, by their statuses.
// One that ends in * is over, half an hour after it began.
func runs(statuses ...string) *wire.SyncHistory {
	h := new(wire.SyncHistory)
	for i, status := range statuses {
		run := wire.SyncRun{SyncID: fmt.Sprintf("sync_%d", i), SyncType: "inventory", StartedAt: at(-60 * i)}
		if name, over := strings.CutSuffix(status, "*"); over {
			status, run.CompletedAt = name, at(30-60*i)
		}
		run.Status = status
		run.ErrorSummary = some("Error of " + run.SyncID)
		h.Runs = append(h.Runs, run)
	}
	return h
}

func TestStreamHistory(t *testing.T) {
	for _, c := range []struct {
		statuses string
		want     string // runs, failures, in a row, the latest failure's time and error
	}{
		{"", "0 0 0 - -"},
		{"success* success*", "2 0 0 - -"},
		{"failed*", "1 1 1 14:30 sync_0"},
		{"failed", "1 1 1 14:00 sync_0"},
		{"running", "1 0 0 - -"},
		{"running pending failed* in_progress failed* success* failed*", "7 3 2 12:30 sync_2"},
		{"success* failed failed*", "3 2 0 13:00 sync_1"},
		{"cancelled failed*", "2 1 0 13:30 sync_1"},
		{"failed* cancelled* failed*", "3 2 1 14:30 sync_0"},
		{"queued failed*", "2 1 1 13:30 sync_1"},
		{"timed_out* failed*", "2 1 0 13:30 sync_1"},
		{strings.Repeat("failed* ", 9) + "success* failed*", "10 9 9 14:30 sync_0"},
		{strings.Repeat("failed* ", 30), "10 10 10 14:30 sync_0"},
		{strings.Repeat("running ", 10) + "failed*", "10 0 0 - -"},
	} {
		h := transform.StreamHistory(runs(strings.Fields(c.statuses)...))
		failure, errorOf := "-", "-"
		if !h.LatestFailureAt.IsZero() {
			failure = h.LatestFailureAt.Time.Format("15:04")
		}
		if h.LatestError != nil {
			errorOf = strings.TrimPrefix(*h.LatestError, "Error of ")
		}
		got := fmt.Sprintf("%d %d %d %s %s", h.RecentRunCount, h.RecentFailureCount, h.ConsecutiveFailureCount, failure, errorOf)
		if got != c.want || h.RecentRuns == nil || int64(len(h.RecentRuns)) != h.RecentRunCount {
			t.Errorf("%s: got %s with %d runs, want %s", c.statuses, got, len(h.RecentRuns), c.want)
		}
	}
}

// Whatever order upstream gives them in, the newest ten count.
func TestStreamHistoryOfAnyOrder(t *testing.T) {
	h := runs(strings.Fields(strings.Repeat("success* ", 10) + "failed* failed*")...)
	want := transform.StreamHistory(h)
	slices.Reverse(h.Runs)
	if got := transform.StreamHistory(h); !reflect.DeepEqual(got, want) || h.Runs[0].SyncID != "sync_11" {
		t.Errorf("%+v", got)
	}
}

// A history without runs is not one that is not known.
func TestRecentRunsAreThereWhenTheyAreKnown(t *testing.T) {
	const zeros = `{"recentRunCount":0,"recentFailureCount":0,"consecutiveFailureCount":0,"latestFailureAt":null,"latestError":null`
	for want, history := range map[string]api.SyncHistory{
		zeros + `}`:                 {},
		zeros + `,"recentRuns":[]}`: transform.StreamHistory(new(wire.SyncHistory)),
		`{"recentRunCount":1,"recentFailureCount":1,"consecutiveFailureCount":1,"latestFailureAt":"2026-03-09T14:00:00Z","latestError":"Error of sync_0",` +
			`"recentRuns":[{"syncId":"sync_0","syncType":"inventory","startedAt":"2026-03-09T14:00:00Z","completedAt":null,"status":"failed","durationSeconds":null,` +
			`"itemsProcessed":0,"itemsFailed":0,"errorSummary":"Error of sync_0","errorCategory":null}]}`: transform.StreamHistory(runs("failed")),
	} {
		if got := string(api.Encode(history)); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

func TestHistoryStatusToUpstream(t *testing.T) {
	for status, want := range map[string]string{
		"success": "completed", "completed": "completed", "in_progress": "in_progress", "inProgress": "in_progress", "running": "running",
		"pending": "pending", "failed": "failed", "cancelled": "cancelled", "canceled": "cancelled",
		"": "", "Failed": "", "never_run": "", "failed,running": "", "x\x00": "",
	} {
		if got := transform.HistoryStatusToUpstream(status); got != want {
			t.Errorf("%q: %q, want %q", status, got, want)
		}
	}
}

func TestSyncTypeToUpstream(t *testing.T) {
	for name, want := range map[string]string{
		"inventory": "inventory", "customTargeting": "custom_targeting", "custom_targeting": "custom_targeting", "custom_Targeting": "custom_targeting",
		"signalCoverage": "signal_coverage", "last24hPrices": "last24h_prices", "last_24h_prices": "last_24h_prices", "priceFeedV2": "price_feed_v2",
		"Inventory": "Inventory", "_x": "_x", strings.Repeat("x", 64): strings.Repeat("x", 64),
		"": "", "a b": "", "a.b": "", "a:b": "", "a/b": "", "é": "", "_": "", "_.x": "", "x\x00": "", "x&y=1": "", strings.Repeat("x", 65): "", "4ec39hqlyjwdarjtt1": "",
	} {
		if got := transform.SyncTypeToUpstream(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A name that is shown, asked for again, finds the stream that it was of.
func TestSyncTypesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		upstream := rapid.StringMatching(`[a-z]{1,8}[0-9]?(_[a-z]{1,8}[0-9]?){0,4}`).Draw(t, "upstream")
		shown := word.Camel(upstream)
		if got := transform.SyncTypeToUpstream(shown); got != upstream {
			t.Fatalf("%s is shown as %s, and that is asked for as %s", upstream, shown, got)
		}
		if got := transform.SyncTypeToUpstream(upstream); got != upstream {
			t.Fatalf("%s is asked for as %s", upstream, got)
		}
	})
}

func TestUpstreamsNamesOfStreams(t *testing.T) {
	given := func(own ...string) transform.StreamNames {
		streams := make(wire.Members[string], len(own))
		for i, name := range own {
			streams[i].Name = name
		}
		return transform.StreamNamesOf(streams)
	}
	for _, c := range []struct {
		own        []string
		name, want string
	}{
		{nil, "audience3p", "audience3p"}, {nil, "priceFeed", "price_feed"}, {nil, "a b", ""}, {nil, "", ""},
		{[]string{"audience_3p"}, "audience3p", "audience_3p"}, {[]string{"audience_3p"}, "audience_3p", "audience_3p"},
		{[]string{"priceFeed"}, "price_feed", "priceFeed"}, {[]string{"priceFeed"}, "priceFeed", "priceFeed"},
		{[]string{"a__b"}, "a_b", "a__b"},
		{[]string{"audience_3p", "audience3p"}, "audience3p", "audience3p"}, {[]string{"audience3p", "audience_3p"}, "audience_3p", "audience_3p"},
		{[]string{"customTargeting", "custom_targeting"}, "customTargeting", "custom_targeting"},
		{[]string{"inventory_", "inventory"}, "inventory", "inventory"}, {[]string{"a__b", "a___b"}, "aB", "a___b"},
		{[]string{"no word"}, "noWord", "no_word"},
	} {
		if got := given(c.own...).Upstream(c.name); got != c.want {
			t.Errorf("%q: %s is asked for as %q, want %q", c.own, c.name, got, c.want)
		}
	}
}
