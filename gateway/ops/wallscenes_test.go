package ops_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/status"
	"esagate/transform"
)

var (
	operator = &ops.Viewer{Name: "on-call", Operator: true, Write: true}
	customer = &ops.Viewer{Name: "storefront", CustomerID: 4210}
)

// source is a row of the wall that has been in its state for so long; the changes are those of the last 24 hours before.
func source(customer int64, name, state string, since time.Duration, changes ...api.StateSpan) api.OverviewItem {
	item := api.OverviewItem{
		SourceID: strings.ReplaceAll(strings.ToLower(name), " ", "-"), ESAID: "1024", Name: name, CustomerID: customer,
		State: state, Breaker: "closed", Since: before(since),
		OverviewFacts: api.OverviewFacts{AdServer: ptr("google_ad_manager"), Blockers: []api.OverviewBlocker{}, Syncs: api.OverviewSyncs{}},
		FetchedAt:     before(9 * time.Second), Age: ptr(int64(9)),
		History: append(changes, span(state, min(since, 24*time.Hour), 0)),
	}
	if len(changes) == 0 && since < 24*time.Hour {
		item.History = []api.StateSpan{span(transform.StateLive, 24*time.Hour, since), span(state, since, 0)}
	}
	return item
}

func withIssue(item api.OverviewItem, code, message string) api.OverviewItem {
	item.Issue, item.IssueCount = &api.OverviewIssue{Code: code, Severity: "critical", Message: message}, 1
	return item
}

func withBlockers(item api.OverviewItem, tasks ...string) api.OverviewItem {
	item = withIssue(item, "SETUP_BLOCKED", "A setup task must be finished before this source can go live.")
	for _, id := range tasks {
		item.Blockers = append(item.Blockers, api.OverviewBlocker{ID: id, Name: id, ConfigurePath: ptr("/setup/" + id)})
	}
	item.BlockerCount = int64(len(tasks))
	return item
}

func withSync(item api.OverviewItem, stream, status string, good time.Duration) api.OverviewItem {
	item.Syncs = append(item.Syncs, api.Member[api.OverviewSync]{Name: stream, Value: api.OverviewSync{Status: status, LastSuccessAt: before(good)}})
	return item
}

func from(item api.OverviewItem, adServer string) api.OverviewItem {
	item.AdServer = nil
	if adServer != "" {
		item.AdServer = &adServer
	}
	return item
}

func old(item api.OverviewItem, age time.Duration) api.OverviewItem {
	item.Age, item.FetchedAt, item.Stale = ptr(int64(age/time.Second)), before(age), true
	return item
}

// troubled are sources that need a hand, the worst first.
func troubled() []api.OverviewItem {
	const m, h, d = time.Minute, time.Hour, 24 * time.Hour
	flicker := []api.StateSpan{span("live", d, 19*h), span("degraded", 19*h, 18*h), span("live", 18*h, 9*h), span("degraded", 9*h, 8*h)}
	return []api.OverviewItem{
		withIssue(source(4210, "Granite Video", transform.StateDown, 2*h, append(flicker, span("live", 8*h, 2*h))...), "ADAPTER_INVALID_CREDENTIALS", ""),
		from(withIssue(source(4388, "Quarry FM", transform.StateDown, 9*h), "ADAPTER_CONNECTION_FAILED", ""), "springserve"),
		from(withBlockers(source(4210, "Loft Living", transform.StateBlocked, 6*d), "ad_server_configured", "connection_verified"), ""),
		withBlockers(source(4391, "Alder Press", transform.StateBlocked, 30*h), "gam_default_advertiser"),
		withSync(withIssue(source(4210, "Summit Sports", transform.StateDegraded, 97*m, append(flicker, span("live", 8*h, 97*m))...), "SYNC_INVENTORY_FAILED", "Inventory sync failed."), "inventory", "failed", 41*h),
		from(old(withIssue(source(4388, "Lighthouse Radio", transform.StateDegraded, 4*m), "STATUS_STALE", ""), 4*m), "freewheel"),
	}
}

// overview makes an overview of a wall.
func overview(counts api.StateCounts, lead status.Headline, items []api.OverviewItem, total int) *status.Overview {
	return &status.Overview{
		Overview: &api.Overview{Headline: lead.String(), Counts: counts, Items: items, Total: int64(total)}, Lead: &lead,
		Facets: &status.Facets{
			AdServers: []status.Facet{{Value: "freewheel", Count: 312}, {Value: "google_ad_manager", Count: 1204}, {Value: "springserve", Count: 484}},
			Issues:    []status.Facet{{Value: "ADAPTER_DISCONNECTED", Count: 2}, {Value: "SETUP_BLOCKED", Count: 7}},
			Customers: []status.Facet{{Value: "4210", Count: 803}, {Value: "4388", Count: 640}, {Value: "4391", Count: 557}},
		},
	}
}

var (
	manyCounts = api.StateCounts{Down: 2, Blocked: 2, Degraded: 2, Pending: 4, Live: 1950, Deactivated: 40}
	manyLead   = status.Headline{Main: "4 of 2,000 sources can't sell", Reason: "2 have lost their ad servers, 2 wait for setup tasks", Well: true}
)

func wall(name string, viewer *ops.Viewer, q status.OverviewQuery, o *status.Overview) scene {
	q.Take = ops.WallRows
	return scene{name, ops.Wall(ops.WallView{
		Page:     ops.Page{Title: "Sources", Viewer: viewer, RequestID: "req-gallery", Now: noon},
		Overview: o, Query: q, Storefront: "https://storefront.example", Machine: machine(viewer, o),
	})}
}

func withoutRedis(viewer *ops.Viewer, o *status.Overview) []byte {
	return ops.Wall(ops.WallView{Page: ops.Page{Title: "Sources", Viewer: viewer, RequestID: "req-gallery", Now: noon}, Overview: o, RedisAway: true})
}

// TestWallWithoutRedis: an operator is told that replicas go on alone; a customer has nothing to do about it.
func TestWallWithoutRedis(t *testing.T) {
	o := overview(manyCounts, manyLead, troubled(), 6)
	for viewer, told := range map[*ops.Viewer]bool{operator: true, customer: false} {
		if strings.Contains(string(withoutRedis(viewer, o)), "Redis can't be used") != told {
			t.Errorf("operator %v: told or not: want %v", viewer.Operator, told)
		}
	}
}

func wallScenes() []scene {
	any := status.OverviewQuery{}
	many := overview(manyCounts, manyLead, troubled(), 6)
	many.Facets.OldestLive, many.Facets.NewlyLive = noon.Add(-9*time.Second), 3
	many.Facets.LongPending = noon.Add(-17 * time.Minute)

	away := overview(manyCounts, manyLead, troubled(), 6)
	away.Lead.Agent, away.Lead.Well, away.Facets.OldestLive = "The sales agent can't be reached", false, noon.Add(-6*time.Minute)
	for i := range away.Items {
		away.Items[i] = old(away.Items[i], time.Duration(5+i%2)*time.Minute)
	}

	well := overview(api.StateCounts{Live: 2000}, status.Headline{Main: "all 2,000 sources sell", Well: true}, nil, 0)
	well.Facets.OldestLive = noon.Add(-9 * time.Second)

	starting := overview(api.StateCounts{Unknown: 2000}, status.Headline{Main: "it is not known whether 2,000 of 2,000 sources can sell",
		Agent: "The sales agent has not answered since the gateway was started"}, nil, 0)
	starting.Facets.NotRead = 2000
	reading := overview(api.StateCounts{Blocked: 1, Live: 8, Unknown: 3}, status.Headline{Main: "1 of 12 sources can't sell", Reason: "1 waits for a setup task; of 3 it is not known", Well: true}, troubled()[3:4], 1)
	reading.Facets.NotRead = 3

	empty := func() *status.Overview {
		o := overview(api.StateCounts{}, status.Headline{Main: "there are no sources yet"}, nil, 0)
		o.Facets = &status.Facets{}
		return o
	}
	unknown := withIssue(source(4391, "Far Away", transform.StateUnknown, 22*time.Minute), "NO_NEWS", "")
	unknown.Age = nil

	return []scene{
		wall("wall-many", operator, any, many),
		wall("wall-customer", customer, any, overview(api.StateCounts{Down: 1, Blocked: 1, Degraded: 1, Live: 9},
			status.Headline{Main: "2 of 12 sources can't sell", Reason: "1 has lost its ad server, 1 waits for a setup task", Well: true},
			[]api.OverviewItem{troubled()[0], troubled()[2], troubled()[4]}, 3)),
		wall("wall-filtered", operator, status.OverviewQuery{Customer: 4210, States: []string{"down", "blocked"}, Text: "granite", AdServer: "google_ad_manager", Order: status.ByState},
			overview(manyCounts, manyLead, troubled()[:1], 1)),
		wall("wall-page", operator, status.OverviewQuery{States: []string{"live"}, Order: status.ByState, Skip: 1800}, overview(manyCounts, manyLead, liveRows(ops.WallRows), 1950)),
		wall("wall-every-state", operator, status.OverviewQuery{Order: status.ByName}, overview(api.StateCounts{Down: 1, Blocked: 1, Unknown: 2, Degraded: 1, Pending: 1, Live: 1, Deactivated: 1},
			status.Headline{Main: "2 of 8 sources can't sell", Reason: "1 has lost its ad server, 1 waits for a setup task; of 2 it is not known", Well: true}, everyState(), 8)),
		wall("wall-nothing-matches", operator, status.OverviewQuery{Text: "harbour light", Order: status.ByState}, overview(manyCounts, manyLead, nil, 0)),
		wall("wall-well", operator, any, well),
		wall("wall-away", operator, any, away),
		{"wall-redis-away", withoutRedis(operator, many)},
		wall("wall-starting", operator, any, starting),
		wall("wall-reading", operator, any, reading),
		wall("wall-unknown", operator, any, overview(api.StateCounts{Unknown: 1, Live: 11}, status.Headline{Main: "it is not known whether 1 of 12 sources can sell"}, []api.OverviewItem{unknown}, 1)),
		wall("wall-empty", customer, any, empty()),
		wall("wall-empty-operator", operator, any, empty()),
		wall("wall-empty-customer", operator, status.OverviewQuery{Customer: 77}, empty()),
		wall("wall-names", operator, any, overview(api.StateCounts{Down: 1, Blocked: 2, Degraded: 2},
			status.Headline{Main: "3 of 5 sources can't sell", Reason: "2 wait for setup tasks, 1 has lost its ad server", Well: true}, oddNames(), 5)),
	}
}

func liveRows(n int) (rows []api.OverviewItem) {
	for i := range n {
		rows = append(rows, source(int64(4210+i%7), fmt.Sprintf("Harbour Weekly %d", i+1801), transform.StateLive, time.Duration(i+1)*time.Hour))
	}
	return rows
}

func everyState() []api.OverviewItem {
	rows := troubled()
	unread := source(4210, "Brand New", transform.StateUnknown, 0)
	unread.Age, unread.FetchedAt, unread.Since, unread.History = nil, api.Timestamp{}, api.Timestamp{}, nil
	lost := withIssue(source(4210, "Lost Track", transform.StateUnknown, 22*time.Minute), "NO_NEWS", "")
	return []api.OverviewItem{rows[0], rows[2], lost, unread, rows[4],
		source(4388, "On Its Way", transform.StatePending, 3*time.Minute),
		source(4391, "Evening Post", transform.StateLive, 40*24*time.Hour),
		source(4391, "Old Theatre", transform.StateDeactivated, 90*24*time.Hour),
	}
}

// oddNames are sources whose names and texts test the page.
func oddNames() []api.OverviewItem {
	rows := troubled()
	rows[0].Name, rows[0].SourceID = hostile, "a b/<i>"+`"'&?#`
	rows[0] = withIssue(rows[0], "VENDOR_SAYS", hostile)
	rows[1].Name = strings.Repeat("A Very Long Name of a Source ", 9)
	rows[2].Name = strings.Repeat("Donaudampfschifffahrtsgesellschaft", 7)
	rows[3].Name = "صحيفة الصباح (1)"
	rows[4].Name, rows[4].AdServer = "\u202eevil\u202c 🦊 ñandú", ptr(hostile)
	rows[4] = withIssue(rows[4], strings.Repeat("LONG_CODE_", 20), strings.Repeat("The ad server said something long. ", 20))
	return rows[:5]
}
