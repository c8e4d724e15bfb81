package gateway_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

// together makes equal reads at once and returns their answers.
func (w *world) together(n int, path string) []answer {
	answers := make([]answer, n)
	var readers sync.WaitGroup
	for i := range answers {
		readers.Go(func() { answers[i] = w.get(path) })
	}
	readers.Wait()
	return answers
}

// TestSyncHistoryIsKept: equal questions cost one call, a copy is served like that of a status,
// and an error about one question is no other's.
func TestSyncHistoryIsKept(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for _, query := range []string{"", "?limit=500", "?status=in_progress", "?cursor=anything"} {
			before := w.agent.Calls("")
			w.agent.Fault(tenant, upstreamtest.Fault{Delay: 100 * time.Millisecond})
			for _, a := range w.together(300, historyOf+query) {
				if a.status != 200 || a.header.Get("Age") != "0" || a.header.Get("Etag") == "" ||
					!strings.HasPrefix(a.header.Get("Cache-Status"), "esagate; fwd=miss; ") {
					t.Fatalf("%s: %d %v", query, a.status, a.header)
				}
			}
			want := 1
			if strings.Contains(query, "in_progress") {
				want = 2 // one for each of the sales agent's words
			}
			if n := w.agent.Calls("") - before; n != want {
				w.Errorf("%s: %d calls for 300 equal reads, want %d", query, n, want)
			}
		}
		w.agent.Fault(tenant, upstreamtest.Fault{})

		w.pass(20 * time.Second)
		first := w.get(historyOf)
		w.pass(2 * time.Second)
		w.write("POST", strings.TrimSuffix(historyOf, "/sync-history")+"/refresh", "")
		if a := w.get(historyOf); bytes.Equal(a.body, first.body) || a.header.Get("Cache-Status") != "esagate; fwd=stale; stored" {
			w.Errorf("after a write: %v", a.header)
		}
		before := w.agent.Calls("")
		w.get(historyOf+"?status=in_progress&cursor=bad").failure(t, 400, "VALIDATION_ERROR")
		if a := w.get(historyOf); a.status != 200 || w.agent.Calls("") != before {
			w.Errorf("beside an error: %d", a.status)
		}

		w.agent.SetDown(true)
		w.pass(10 * time.Minute)
		if a := w.get(historyOf); a.status != 200 || a.header.Get("Age") != "600" || a.took > 300*time.Millisecond {
			w.Errorf("in an outage: %d %v after %s", a.status, a.header, a.took)
		}
		w.pass(6 * time.Minute)
		w.get(historyOf).failure(t, 503, "SERVICE_UNAVAILABLE")
		w.agent.SetDown(false)
		w.pass(32 * time.Second)
		if a := w.get(historyOf); a.status != 200 {
			w.Errorf("after the outage: %d", a.status)
		}
	})
}

// TestCursorsEvictNothing: pages that somebody makes up questions for take no place of others.
func TestCursorsEvictNothing(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.get(historyOf)
		for i := range 2100 { // more than pages are kept
			if a := w.unchecked(fmt.Sprintf("%s?limit=1&cursor=c%d", historyOf, i)); a.status != 200 {
				t.Fatal(a.status)
			}
		}
		before := w.agent.Calls("")
		if a := w.get(historyOf); a.header.Get("Cache-Status") != "esagate; hit" || w.agent.Calls("") != before {
			w.Errorf("the first page: %v", a.header)
		}
	})
}

// TestASlowRegistryDelaysNoRead: what a status says is recorded beside the reads, and the
// answer shows it all the same.
func TestASlowRegistryDelaysNoRead(t *testing.T) {
	tasks := []transform.TaskDefinition{{ID: "synced", CompleteWhen: `connection.inventorySync.status == "success"`}}
	inWorld(t, setup{slow: 2 * time.Second, tasks: tasks}, func(w *world) {
		a := w.get(statusOf)
		if a.took > 50*time.Millisecond {
			w.Errorf("a cold read took %s", a.took)
		}
		for _, item := range a.snapshot(w).SetupTasks.Items {
			if item.ID == "synced" && !item.IsComplete {
				w.Error("the answer does not show the sync that it says of")
			}
		}
		w.pass(3 * time.Second)
		if s := w.get(esaOf); !bytes.Contains(s.body, []byte(`"status":"success"`)) {
			w.Errorf("not recorded: %s", s.body)
		}
	})
}

// TestADocumentOfATimeToCome freezes a source no longer than it was ahead, and visibly.
func TestADocumentOfATimeToCome(t *testing.T) {
	for _, ahead := range []time.Duration{time.Minute, 4 * time.Minute} {
		inWorld(t, setup{}, func(w *world) {
			jump := time.Now().Add(ahead)
			w.agent.Fault(tenant, upstreamtest.Fault{Body: fmt.Sprintf(
				`{"adapter":{"type":"google_ad_manager","connected":true},"fetched_at":%q}`, jump.UTC().Format(time.RFC3339))})
			w.get(statusOf)
			w.agent.Fault(tenant, upstreamtest.Fault{})
			w.pass(12 * time.Second)
			w.get(statusOf)
			w.pass(time.Second)
			var last time.Time
			for time.Until(jump) > 2*time.Second {
				s := w.get(statusOf).snapshot(w)
				if !slices.Contains(s.issues(), "STATUS_STALE") || s.FetchedAt.Before(last) {
					w.Fatalf("%s before the time of the copy: %s, %v", time.Until(jump), s.FetchedAt, s.issues())
				}
				last = s.FetchedAt
				w.pass(time.Second)
			}
			w.pass(14 * time.Second) // with a try each 5.5 s at most
			w.get(statusOf)
			w.pass(time.Second)
			if s := w.get(statusOf).snapshot(w); slices.Contains(s.issues(), "STATUS_STALE") || !s.FetchedAt.After(jump) {
				w.Errorf("after it: %s, %v", s.FetchedAt, s.issues())
			}
		})
	}
}

// TestBadDocumentsEnd: after a minute of documents that do not count a source that is read is
// fresh again in no more than the longest back-off, 15 s.
func TestBadDocumentsEnd(t *testing.T) {
	good := `{"adapter":{"type":"google_ad_manager","connected":true},"fetched_at":%q}`
	for name, body := range map[string]func(now time.Time) string{
		"no fetched_at": func(time.Time) string { return `{"adapter":{"type":"google_ad_manager","connected":true}}` },
		"empty":         func(time.Time) string { return `{}` },
		"HTML":          func(time.Time) string { return `<html><body>oops</body></html>` },
		"far ahead":     func(now time.Time) string { return fmt.Sprintf(good, now.Add(3*time.Hour).UTC().Format(time.RFC3339)) },
		"going back":    func(now time.Time) string { return fmt.Sprintf(good, now.Add(-time.Hour).UTC().Format(time.RFC3339)) },
	} {
		minutesOf := []int{1}
		if name == "HTML" {
			minutesOf = append(minutesOf, 4) // probes come seldom by then
		}
		for _, minutes := range minutesOf {
			t.Run(fmt.Sprint(name, minutes), func(t *testing.T) {
				inWorld(t, setup{}, func(w *world) {
					w.get(statusOf)
					for range 60 * minutes {
						w.pass(time.Second)
						w.agent.Fault(tenant, upstreamtest.Fault{Body: body(time.Now())})
						w.get(statusOf)
					}
					w.agent.Fault(tenant, upstreamtest.Fault{})
					ended := time.Now()
					for w.get(statusOf).snapshot(w).FetchedAt.Before(ended) {
						if w.pass(time.Second); time.Since(ended) > 17*time.Second {
							w.Fatalf("still not fresh %s after", time.Since(ended))
						}
					}
				})
			})
		}
	}
}

type withRuns struct {
	Syncs map[string]struct{ History struct{ RecentRuns []any } }
}

// TestHistoriesDelayAStatusNoLonger than the sales agent's own answer may: they are left out.
func TestHistoriesDelayAStatusNoLonger(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.Fault(tenant, upstreamtest.Fault{Delay: 2 * time.Second})
		a := w.get(statusOf + "?includeSyncHistory=true")
		if a.took > 3*time.Second || len(decode[withRuns](t, a, 200).Syncs["inventory"].History.RecentRuns) > 0 {
			w.Errorf("%d after %s: %s", a.status, a.took, a.body)
		}
		w.pass(4 * time.Second) // the fetch has gone on
		a = w.get(statusOf + "?includeSyncHistory=true")
		for name, stream := range decode[withRuns](t, a, 200).Syncs {
			if a.took > 0 || name != "reporting" && len(stream.History.RecentRuns) == 0 { // it has not run yet
				w.Errorf("%s after %s: %s", name, a.took, a.body)
			}
		}
	})
}
