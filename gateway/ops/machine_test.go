package ops_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"esagate/gateway/ops"
	"esagate/status"
)

// machine is how the gateway does that has such an overview, as somebody may see it.
func machine(viewer *ops.Viewer, o *status.Overview) *ops.Machine {
	m := &ops.Machine{Agent: "ok", Breaker: "closed"}
	if o.Lead.Agent != "" {
		m.Agent, m.Breaker, m.Since = "circuit_open", "open", before(6*time.Minute)
	}
	if viewer.Operator {
		m.Replica = &ops.Replica{OpenTenants: 1, Over: 5 * time.Minute, CallsPerSecond: 94.2, CallP95: 41 * time.Millisecond, StaleShare: .004,
			DeliveriesOver: 24*time.Hour + 3*time.Minute, Taken: 1412, Refused: 2}
	}
	return m
}

// lastLine gives the text of the wall's part about the gateway itself.
func lastLine(t *testing.T, m *ops.Machine) string {
	t.Helper()
	page := string(ops.Wall(ops.WallView{
		Page:     ops.Page{Title: "Sources", Viewer: operator, Now: noon},
		Overview: overview(manyCounts, manyLead, nil, 0), Machine: m,
	}))
	_, part, ok := strings.Cut(page, `<section class="machine`)
	if !ok {
		return ""
	}
	part, _, _ = strings.Cut(part, "</section>")
	_, part, _ = strings.Cut(part, ">")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(part, "")), " ")
}

func TestMachine(t *testing.T) {
	full := machine(operator, overview(manyCounts, manyLead, nil, 0))
	young := ops.Machine{Agent: "unknown", Breaker: "closed", Replica: &ops.Replica{Over: 12 * time.Second, DeliveriesOver: 12 * time.Second}}
	for want, m := range map[string]*ops.Machine{
		"": nil,
		"Sales agent answering Breaker closed, 1 tenant open Calls 94 /s p95 41 ms Stale answers 0.4 % " +
			"Webhooks 1,412 in 24 h, 2 refused Counted this replica, 5 min": full,
		"Sales agent not asked yet Breaker closed Calls 0 /s Stale answers 0 % Webhooks 0 in 12 s, 0 refused " +
			"Counted this replica, 12 s": &young,
		"Sales agent away Breaker open for 6 min":                          {Agent: "circuit_open", Breaker: "open", Since: before(6 * time.Minute)},
		"Sales agent refuses the gateway&#39;s key Breaker open for 6 min": {Agent: "key_refused", Breaker: "open", Since: before(6 * time.Minute)},
	} {
		if got := lastLine(t, m); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

// TestTheAgentIsAway: the wall says what is done about it.
func TestTheAgentIsAway(t *testing.T) {
	for agent, want := range map[string]string{
		"circuit_open": "The gateway keeps asking it. As last known, 4 of 2,000 sources can't sell. 2 have lost their ad servers, 2 wait for setup tasks.",
		"key_refused":  "Correct its key in the gateway's configuration. As last known, 4 of 2,000 sources can't sell. 2 have lost their ad servers, 2 wait for setup tasks.",
	} {
		o := overview(manyCounts, manyLead, nil, 0)
		o.Lead.Agent = "It is away"
		v := ops.WallView{Overview: o, Machine: &ops.Machine{Agent: agent}}
		if got := v.Lead(); got != (ops.Lead{Mood: "away", Text: "It is away.", Reason: want}) {
			t.Errorf("%s: %+v", agent, got)
		}
	}
}
