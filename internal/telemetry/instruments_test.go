package telemetry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/auth"
	"esagate/internal/telemetry"
)

func instruments(t testing.TB) (*telemetry.Instruments, func() string) {
	t.Helper()
	tel, _ := start(t, telemetry.Config{})
	in, err := telemetry.NewInstruments(tel.MeterProvider)
	must(t, err)
	return in, func() string {
		t.Helper()
		_, page := scrape(t, tel, "")
		return page
	}
}

// total is how many series of a metric the page has.
func total(page, metric string) (n int) {
	for l := range strings.Lines(page) {
		if strings.HasPrefix(l, metric+"{") {
			n++
		}
	}
	return n
}

func TestFixedWordsStartAtZero(t *testing.T) {
	_, page := instruments(t)
	p := page()
	for metric, words := range map[string]int{
		"esagate_snapshot_reads_total": 6, "esagate_snapshot_refreshes_total": 6, "esagate_auth_refusals_total": 12,
		"esagate_agents_consents_total": 6, "esagate_auth_issuer_fetches_total": 2, "esagate_reconcile_reads_total": 2,
		"esagate_connections_operations_total": 28,
		"esagate_webhooks_deliveries_total":    13, "esagate_webhooks_subscriptions_total": 6,
	} {
		if n := total(p, metric); n != words {
			t.Errorf("%s: %d words, want %d", metric, n, words)
		}
	}
	has(t, p, `esagate_snapshot_reads_total{result="none"} 0`)
	has(t, p, "esagate_snapshot_coalesced_total 0")
	has(t, p, "esagate_panics_total 0")
	for _, absent := range []string{"esagate_snapshot_entries", "esagate_store_available", "esagate_ready", "esagate_leader",
		"esagate_config_last_reload_successful", "esagate_sources"} {
		if strings.Contains(p, absent) {
			t.Errorf("%s before it has a source", absent)
		}
	}
}

// TestReasonsOfTokensAreCounted: the words of package auth are labels here.
func TestReasonsOfTokensAreCounted(t *testing.T) {
	in, page := instruments(t)
	reasons := []auth.Reason{auth.Unknown, auth.Malformed, auth.BadSignature, auth.Expired, auth.NotYetValid,
		auth.WrongIssuer, auth.WrongAudience, auth.BadClaims}
	for _, r := range reasons {
		in.AuthRefusal(telemetry.Refusal(r))
	}
	p := page()
	for _, r := range reasons {
		has(t, p, `esagate_auth_refusals_total{reason="`+string(r)+`"} 1`)
	}
}

func TestInstrumentsAreExposed(t *testing.T) {
	in, page := instruments(t)
	in.SnapshotRead(telemetry.ReadHit)
	in.SnapshotRead(telemetry.ReadNone)
	in.SnapshotRead(telemetry.ReadNone)
	in.SnapshotRefresh(telemetry.RefreshNotFound)
	in.SnapshotCoalesced()
	in.SnapshotAge(7 * time.Second)
	in.SnapshotEntries(func() int { return 12 })
	in.SnapshotMemory(func() map[string]telemetry.Memory {
		return map[string]telemetry.Memory{"open": {Bytes: 4096, Evictions: 3}}
	})
	in.AuthRefusal(telemetry.RefusalReadOnly)
	in.IssuerFetched(true)
	in.Consent(telemetry.ConsentStale)
	in.Panic()
	in.UnknownField("media_buys")
	in.MalformedField("setup_tasks.items[].is_complete")
	in.TaskEvaluationError("payout-details")
	in.Operation("provision", "refused")
	in.Delivery("recorded")
	in.Subscription("dead", true)
	in.Reconciled(false)
	ready := false
	in.Ready(func() bool { return ready })
	in.StoreAvailable(func() bool { return true })
	in.RedisAvailable(func() bool { return true })
	in.Leads(func() bool { return true })
	// What is no word is not counted.
	in.SnapshotRead("CANARY")
	in.Operation("provision", "CANARY")
	in.Delivery("CANARY")
	p := page()
	for _, line := range []string{
		`esagate_snapshot_reads_total{result="hit"} 1`,
		`esagate_snapshot_reads_total{result="none"} 2`,
		`esagate_snapshot_refreshes_total{outcome="not_found"} 1`,
		`esagate_snapshot_coalesced_total 1`,
		`esagate_snapshot_age_seconds_bucket{le="5"} 0`,
		`esagate_snapshot_age_seconds_bucket{le="10"} 1`,
		`esagate_snapshot_age_seconds_sum 7`,
		`esagate_snapshot_age_seconds_bucket{le="900"} 1`,
		`esagate_snapshot_entries 12`,
		`esagate_snapshot_memory_bytes{part="open"} 4096`,
		`esagate_snapshot_evictions_total{part="open"} 3`,
		`esagate_auth_refusals_total{reason="read_only"} 1`,
		`esagate_auth_issuer_fetches_total{outcome="ok"} 1`,
		`esagate_agents_consents_total{outcome="stale"} 1`,
		`esagate_panics_total 1`,
		`esagate_upstream_unknown_fields_total{path="media_buys"} 1`,
		`esagate_upstream_malformed_fields_total{path="setup_tasks.items[].is_complete"} 1`,
		`esagate_tasks_evaluation_errors_total{task="payout-details"} 1`,
		`esagate_connections_operations_total{operation="provision",outcome="refused"} 1`,
		`esagate_webhooks_deliveries_total{outcome="recorded"} 1`,
		`esagate_webhooks_subscriptions_total{operation="dead",outcome="ok"} 1`,
		`esagate_reconcile_reads_total{outcome="failed"} 1`,
		`esagate_ready 0`,
		`esagate_store_available 1`,
		`esagate_leader 1`,
	} {
		has(t, p, line)
	}
	if strings.Contains(p, "CANARY") {
		t.Error("what is no word was counted")
	}
	ready = true
	has(t, page(), "esagate_ready 1")
}

func TestRequests(t *testing.T) {
	in, page := instruments(t)
	in.Request("/api/v2/things/{thingId}", "GET", 200, 400*time.Microsecond)
	in.Request("/api/v2/things/{thingId}", "GET", 200, 2*time.Second)
	in.Request("", "BREW", 404, time.Millisecond)
	in.Request("/api/v2/things/{thingId}", "GET", 70000, time.Millisecond)
	p := page()
	const series = `http_request_method="GET",http_response_status_code="200",http_route="/api/v2/things/{thingId}"`
	has(t, p, `http_server_request_duration_seconds_count{`+series+`} 2`)
	has(t, p, `http_server_request_duration_seconds_bucket{`+series+`,le="0.0005"} 1`)
	has(t, p, `http_server_request_duration_seconds_bucket{`+series+`,le="10"} 2`)
	has(t, p, `http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="404"} 1`)
	has(t, p, `http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="500",http_route="/api/v2/things/{thingId}"} 1`)
}

func TestRequestSeriesAreBounded(t *testing.T) {
	in, page := instruments(t)
	for route := range 20 {
		for status := 100; status < 600; status++ {
			in.Request(fmt.Sprintf("/r%d", route), "GET", status, time.Millisecond)
		}
	}
	p := page()
	if n := total(p, "http_server_request_duration_seconds_count"); n != 1501 {
		t.Errorf("%d series, want 1501", n)
	}
	has(t, p, `http_server_request_duration_seconds_count{http_request_method="_OTHER",http_route="(other)"} 8500`)
}

func TestLabelsFromOutsideAreBounded(t *testing.T) {
	in, page := instruments(t)
	for i := range 300 {
		in.UnknownField(fmt.Sprintf("block.field_%d", i))
		in.MalformedField(fmt.Sprintf("block.field_%d", i))
		in.TaskEvaluationError(fmt.Sprintf("task_%d", i))
	}
	in.UnknownField("block.field_0") // one that is known already is still counted by its name
	p := page()
	for metric, limit := range map[string]int{
		"esagate_upstream_unknown_fields_total":   200,
		"esagate_upstream_malformed_fields_total": 200,
		"esagate_tasks_evaluation_errors_total":   100,
	} {
		if n := total(p, metric); n != limit+1 {
			t.Errorf("%s: %d series, want %d and (other)", metric, n, limit)
		}
	}
	has(t, p, `esagate_upstream_unknown_fields_total{path="(other)"} 100`)
	has(t, p, `esagate_tasks_evaluation_errors_total{task="(other)"} 200`)
	has(t, p, `esagate_upstream_unknown_fields_total{path="block.field_0"} 2`)
}

func TestOnlyPlainPathsAreShown(t *testing.T) {
	shown := []string{"a", "_links.self", "packages.last_24h_impressions", "syncs.customTargeting.x", "items[].id", "a[][].b", "by_kind.*", "?.?",
		"setup_tasks.items[].configuration_path_of_2026", "24h"}
	hidden := []string{"", "a..b", ".a", "a b", "a-b", "a.\"b\"", "a\n", "é", "a/b", "[]", "a.[]", "x=y", "a@b",
		"a.0123456789abcdef0123", "tenants." + canary, strings.Repeat("a.", 70) + "a"}
	in, page := instruments(t)
	for _, path := range append(shown, hidden...) {
		in.UnknownField(path)
	}
	in.TaskEvaluationError(canary)
	in.TaskEvaluationError("two words")
	p := page()
	for _, path := range shown {
		has(t, p, `esagate_upstream_unknown_fields_total{path="`+path+`"} 1`)
	}
	has(t, p, fmt.Sprintf(`esagate_upstream_unknown_fields_total{path="(other)"} %d`, len(hidden)))
	has(t, p, `esagate_tasks_evaluation_errors_total{task="(other)"} 2`)
}

func TestInstrumentsFromManyGoroutines(t *testing.T) {
	in, page := instruments(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 300 {
				in.Request("/r", "GET", 200+(i+g)%50, time.Millisecond)
				in.UnknownField(fmt.Sprintf("f_%d", (i*g)%250))
			}
		})
	}
	wg.Wait()
	p := page()
	if n := total(p, "http_server_request_duration_seconds_count"); n != 50 {
		t.Errorf("%d series of requests, want 50", n)
	}
	if n := total(p, "esagate_upstream_unknown_fields_total"); n > 201 {
		t.Errorf("%d paths", n)
	}
}

func TestRecordingCostsNoAllocation(t *testing.T) {
	in, _ := instruments(t)
	for name, record := range map[string]func(){
		"request":   func() { in.Request("/api/v2/things/{thingId}", "GET", 200, time.Millisecond) },
		"read":      func() { in.SnapshotRead(telemetry.ReadHit) },
		"age":       func() { in.SnapshotAge(time.Second) },
		"coalesced": func() { in.SnapshotCoalesced() },
		"path":      func() { in.UnknownField("syncs.inventory.item_count") },
	} {
		record()
		if n := testing.AllocsPerRun(200, record); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
