package transform_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/transform"
)

// The generators of a status document: any values of the types, sensible or not.
var (
	anyText  = rapid.String().Filter(func(s string) bool { return !strings.ContainsAny(s, "\u2028\u2029") })
	anyCount = rapid.Int64()
	anyTime  = rapid.Custom(func(t *rapid.T) api.Timestamp {
		if rapid.Bool().Draw(t, "null") {
			return api.Timestamp{}
		}
		second := rapid.Int64Range(-62135596799, 253402300799).Draw(t, "second")
		nano := rapid.Int64Range(0, 999_999_999).Draw(t, "nano")
		return api.Timestamp{Time: time.Unix(second, nano), Digits: rapid.IntRange(0, 9).Draw(t, "digits")}
	})
	anyRuns = rapid.OneOf(rapid.Just([]api.SyncRun(nil)), rapid.SliceOfN(rapid.Custom(func(t *rapid.T) api.SyncRun {
		return api.SyncRun{SyncID: anyText.Draw(t, "id"), SyncType: anyText.Draw(t, "stream"), StartedAt: anyTime.Draw(t, "started"), CompletedAt: anyTime.Draw(t, "completed"),
			Status: anyText.Draw(t, "status"), DurationSeconds: maybe(anyCount).Draw(t, "seconds"), ItemsProcessed: anyCount.Draw(t, "processed"), ItemsFailed: anyCount.Draw(t, "failed"),
			ErrorSummary: maybe(anyText).Draw(t, "summary"), ErrorCategory: maybe(anyText).Draw(t, "category")}
	}), 0, 3))
	anyStream = rapid.Custom(func(t *rapid.T) api.Stream {
		return api.Stream{Name: anyText.Draw(t, "name"), Block: api.SyncBlock{
			Status: anyText.Draw(t, "status"), Severity: anyText.Draw(t, "severity"),
			LastSuccessAt: anyTime.Draw(t, "success"), LastRunAt: anyTime.Draw(t, "run"), LastStartedAt: anyTime.Draw(t, "start"),
			ItemCount: maybe(anyCount).Draw(t, "count"), Error: maybe(anyText).Draw(t, "error"),
			Issue: maybe(rapid.Custom(func(t *rapid.T) api.SyncIssue {
				return api.SyncIssue{
					Code: anyText.Draw(t, "code"), Category: anyText.Draw(t, "category"), Message: anyText.Draw(t, "message"),
					Retryable: rapid.Bool().Draw(t, "retryable"), Action: maybe(anyText).Draw(t, "action"), Capability: maybe(anyText).Draw(t, "capability"),
				}
			})).Draw(t, "issue"),
			History: rapid.OneOf(rapid.Just(api.SyncHistory{}), rapid.Custom(func(t *rapid.T) api.SyncHistory {
				return api.SyncHistory{RecentRunCount: anyCount.Draw(t, "runs"), RecentFailureCount: anyCount.Draw(t, "failures"), LatestFailureAt: anyTime.Draw(t, "failure"), LatestError: maybe(anyText).Draw(t, "latest"),
					ConsecutiveFailureCount: rapid.Int64Range(0, 1).Draw(t, "in a row"), RecentRuns: anyRuns.Draw(t, "recent")}
			})).Draw(t, "history"),
		}}
	})
	anyStatus = rapid.Custom(func(t *rapid.T) *api.Status {
		return &api.Status{
			Operational: api.Operational{
				IsLive: rapid.Bool().Draw(t, "live"), DeliveryDegraded: rapid.Bool().Draw(t, "degraded"), Summary: anyText.Draw(t, "summary"),
				Issues: rapid.SliceOf(rapid.Custom(func(t *rapid.T) api.OperationalIssue {
					return api.OperationalIssue{Code: anyText.Draw(t, "code"), Affects: rapid.SliceOf(anyText).Draw(t, "affects"), ConfigurePath: maybe(anyText).Draw(t, "path")}
				})).Draw(t, "issues"),
			},
			Adapter: api.Adapter{Type: anyText.Draw(t, "type"), Connected: true, LastTestedAt: anyTime.Draw(t, "tested"), LastTestError: maybe(anyText).Draw(t, "error")},
			Syncs:   rapid.SliceOfN(anyStream, 0, 3).Draw(t, "syncs"),
			Workflows: api.Workflows{OpenCount: anyCount.Draw(t, "open"), OldestOpenedAt: anyTime.Draw(t, "oldest"),
				ByKind: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) api.KindCount {
					return api.KindCount{Kind: anyText.Draw(t, "kind"), Count: anyCount.Draw(t, "n")}
				}), 0, 3).Draw(t, "kinds")},
			Packages:  api.Packages{ActiveCount: 1, PausedCount: 2, Last24hImpressions: anyCount.Draw(t, "impressions")},
			Creatives: api.Creatives{ActiveCount: 3, PendingReviewCount: anyCount.Draw(t, "pending"), RejectedLast24hCount: 4},
			Webhooks: maybe(rapid.Custom(func(t *rapid.T) api.Webhooks {
				return api.Webhooks{Last24h: api.WebhookCounts{Delivered: 5, Failed: 6, SuccessRate: rapid.Float64().Draw(t, "rate")}, LastFailureAt: anyTime.Draw(t, "at")}
			})).Draw(t, "webhooks"),
			FetchedAt:         anyTime.Draw(t, "fetched"),
			Products:          maybe(rapid.Just(api.Products{ActiveCount: 7, DraftCount: 8, ArchivedCount: 9})).Draw(t, "products"),
			InventoryProfiles: maybe(rapid.Just(api.InventoryProfiles{TotalCount: 10, CompleteCount: 11, IncompleteCount: 12, WholesaleOwnedCount: 13})).Draw(t, "profiles"),
			SetupTasks: api.SetupTasks{BlockerCount: 14, WarningCount: 15, Items: rapid.SliceOf(rapid.Custom(func(t *rapid.T) api.SetupTask {
				return api.SetupTask{ID: anyText.Draw(t, "id"), Name: anyText.Draw(t, "name"), Severity: "info", Scope: "platform",
					Description: anyText.Draw(t, "description"), IsComplete: rapid.Bool().Draw(t, "done"), ConfigurePath: maybe(anyText).Draw(t, "path")}
			})).Draw(t, "tasks")},
		}
	})
)

// maybe generates a pointer to a value, or nil.
func maybe[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

func encoded(t rapid.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func TestAppendStatusIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStatus.Draw(t, "status")
		got, want := transform.AppendStatus([]byte("x"), s), append([]byte("x"), encoded(t, s)...)
		if !bytes.Equal(got, want) {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}

func TestAppendStatusOfOddText(t *testing.T) {
	for in, want := range map[string]string{
		"<a href=\"x\">&</a>": `"<a href=\"x\">&</a>"`, "a\xffb": "\"a\ufffdb\"", "\x00\x1f\x7f": "\"\\u0000\\u001f\x7f\"", "\u2028": "\"\u2028\"",
	} {
		got := transform.AppendStatus(nil, &api.Status{Adapter: api.Adapter{Type: in}})
		if !bytes.Contains(got, []byte(`"adapter":{"type":`+want+`,`)) || !json.Valid(got) {
			t.Errorf("%q: %s", in, got)
		}
	}
}

// Text is looked at eight bytes at a time, so every place counts.
func TestAppendStatusOfOddTextAtEveryPlace(t *testing.T) {
	for at := range 20 {
		for _, odd := range []string{"\x00", "\x1f", "\n", "\"", "\\", "\x7f", "é", " ", "!", "[", "]"} {
			s := &api.Status{Adapter: api.Adapter{Type: strings.Repeat("x", at) + odd + strings.Repeat("y", 19-at)}}
			if got, want := transform.AppendStatus(nil, s), encoded(t, s); !bytes.Equal(got, want) {
				t.Errorf("%q at %d:\n got %s\nwant %s", odd, at, got, want)
			}
		}
	}
}

func TestAppendStatusDoesNotAllocate(t *testing.T) {
	in := connected()
	doc, _ := newTasks(t).Status(in)
	room := make([]byte, 0, 16<<10)
	if n := testing.AllocsPerRun(100, func() { transform.AppendStatus(room, doc) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
