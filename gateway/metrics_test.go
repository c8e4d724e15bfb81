package gateway_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"esagate/internal/telemetry"
	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

// Every metric of ours is on the page, and every one on the page is served.
func TestMetricsPageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	broken := []transform.TaskDefinition{{ID: "broken", CompleteWhen: "snapshot.nothing"}}
	inWorld(t, setup{tasks: broken}, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.NewerBuild()})
		w.agent.Script(tenant, upstreamtest.Fault{Status: 503}, upstreamtest.Fault{Status: 503, RetryAfter: "600"})
		w.get(statusOf)
		w.get(esaOf)
		w.pass(61e9) // a probe finds it well
		w.agent.Script(tenant, upstreamtest.Fault{
			Body: `{"adapter":{"type":"mock","connected":true},"fetched_at":"1999-12-31T00:00:00Z","products":5,"rollout":1}`})
		w.get(statusOf)
		w.must(w.status.CountSources(w.Context()))
		w.counts.AgentCall(telemetry.DoorMCP, "tools/call", "get_products", true)
		w.counts.Passed(telemetry.DoorMCP, telemetry.PassDone, 1, 1, time.Second)
		w.counts.RedisAvailable(func() bool { return true }) // served where there is one
		served, metrics := map[string]bool{}, string(w.do("GET", "/metrics").body)
		if !strings.Contains(metrics, "\nesagate_requests_in_flight 1\n") {
			w.Error("in flight is not this request alone")
		}
		for _, m := range regexp.MustCompile(`(?m)^# HELP ((?:esagate|http_server)\S+)`).FindAllStringSubmatch(metrics, -1) {
			served[m[1]] = true
			if !strings.Contains(string(page), "`"+m[1]+"`") {
				w.Errorf("%s is not on the page", m[1])
			}
		}
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\S+)`").FindAllStringSubmatch(string(page), -1) {
			if !served[m[1]] {
				w.Errorf("%s is on the page and not served", m[1])
			}
		}
	})
}
