package gateway_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"esagate/internal/ratelimit"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// overviewBench makes a world of so many sources that are all known.
func overviewBench(b *testing.B, n int) *world {
	s := setup{database: filepath.Join(b.TempDir(), "bench.db"), fresh: time.Hour, logLevel: "info",
		limits: ratelimit.Limits{Reads: ratelimit.Limit{Rate: 1e9, Burst: 1e9}}}
	agent := upstreamtest.New(upstreamtest.Options{APIKey: agentKey})
	b.Cleanup(agent.Close)
	w := start(b, s, agent)
	b.Cleanup(w.stop)
	states := []string{"live", "live", "live", "degraded", "blocked", "live", "down", "pending"}
	var batch []registry.Standing
	keep := func() {
		w.must(w.directory.Snapshots().KeepStandings(b.Context(), batch, time.Now().Add(-15*time.Minute)))
		batch = batch[:0]
	}
	for i := range n {
		id := fmt.Sprintf("bench-%05d", i)
		a, err := w.store.Adopt(b.Context(), registry.ConfigSource{CustomerID: customer, SourceID: id, Name: "Source " + id, TenantID: "tnt_" + id,
			AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "90817263"}})
		w.must(err)
		now := time.Now()
		batch = append(batch, registry.Standing{
			CustomerID: customer, ESAID: a.Managed.Connection.ID, State: states[i%len(states)], Issue: "SETUP_BLOCKED", Since: now.Add(-time.Duration(i) * time.Second),
			Version: a.Managed.Connection.Version, DocumentAt: now, ReceivedAt: now, Facts: []byte(benchFacts),
		})
		if len(batch) == registry.MaxPage {
			keep()
		}
	}
	return w
}

// inTurns measures a request beside another one, and reports the ratio of the two as unit, and how long the answer is.
func (w *world) inTurns(b *testing.B, r, beside *http.Request, unit string) {
	out := &discard{header: http.Header{}}
	for out.status != http.StatusOK { // until the database was read, which takes its time with many
		w.gateway.ServeHTTP(out, r)
	}
	w.gateway.ServeHTTP(out, beside)
	b.ReportAllocs()
	var its, others time.Duration
	length := 0
	for b.Loop() {
		begun := time.Now()
		clear(out.header)
		w.gateway.ServeHTTP(out, r)
		its += time.Since(begun)
		if out.status != http.StatusOK {
			b.Fatal(out.status)
		}
		b.StopTimer()
		length, _ = strconv.Atoi(out.header.Get("Content-Length"))
		begun = time.Now()
		clear(out.header)
		w.gateway.ServeHTTP(out, beside)
		others += time.Since(begun)
		b.StartTimer()
	}
	b.ReportMetric(float64(its)/float64(others), unit)
	b.ReportMetric(float64(length), "bytes")
}

// BenchmarkOverview is one overview through the whole edge, of sources that are all known, beside a page of the
// list of connections. It reports the ratio of the two, taken in turns.
func BenchmarkOverview(b *testing.B) {
	for _, n := range []int{200, 2_000, 20_000} {
		w := overviewBench(b, n)
		for _, query := range []string{"", "?state=down", "?q=bench-001", "?sort=name&skip=100", "?include=history"} {
			b.Run(fmt.Sprintf("%d sources/%s", n, query), func(b *testing.B) {
				w.inTurns(b, request("GET", overviewPath+query, readKey, ""), request("GET", esaPath, readKey, ""), "of-list")
			})
		}
	}
}

// BenchmarkWall is the page of all sources, of a hundred rows, beside the overview that it shows. It reports the
// ratio of the two, taken in turns.
func BenchmarkWall(b *testing.B) {
	w := overviewBench(b, 2_000)
	person := w.signedIn(readKey)
	for _, query := range []string{"", "?state=live", "?q=bench-001", "?sort=name&page=10"} {
		for _, coding := range []string{"", "gzip"} {
			b.Run(query+"/"+coding, func(b *testing.B) {
				w.inTurns(b, person.request("GET", "/ops"+query, "", "Accept-Encoding", coding),
					request("GET", overviewPath+"?include=history&take=100", readKey, ""), "of-overview")
			})
		}
	}
}

// benchFacts are those of a source with an open blocker.
const benchFacts = `{"adServer":"google_ad_manager","issue":{"code":"SETUP_BLOCKED","severity":"critical","message":"A setup task must be finished before this source can go live.","configurePath":"/products"},` +
	`"issueCount":1,"blockers":[{"id":"products_created","name":"Create a product","configurePath":"/products"}],"blockerCount":1,` +
	`"syncs":{"inventory":{"status":"success","lastRunAt":"2026-03-19T05:02:31Z","lastSuccessAt":"2026-03-19T05:02:31Z","itemCount":612},` +
	`"customTargeting":{"status":"success","lastRunAt":"2026-03-19T05:02:31Z","lastSuccessAt":"2026-03-19T05:02:31Z","itemCount":274},` +
	`"advertisers":{"status":"success","lastRunAt":"2026-03-19T05:02:31Z","lastSuccessAt":"2026-03-19T05:02:31Z","itemCount":83}}}`
