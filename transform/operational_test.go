package transform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

const fineSyncs = `,"syncs":{"inventory":{"status":"success"},"custom_targeting":{"status":"success"},"advertisers":{"status":"success"}}`

// state puts the operational block on one line.
func state(o api.Operational) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v %v %q", o.IsLive, o.DiscoveryDegraded, o.DeliveryDegraded, o.Summary)
	for _, i := range o.Issues {
		fmt.Fprintf(&b, "\n%s %s %s", i.Code, i.Severity, strings.Join(i.Affects, ","))
		if i.ConfigurePath != nil {
			b.WriteString(" " + *i.ConfigurePath)
		}
		if i.Message == "" {
			b.WriteString(" without a message")
		}
	}
	return b.String()
}

const (
	notSetUp    = `"This source is not set up yet."`
	notLive     = `"This source is set up but not live."`
	live        = `"This source is live."`
	degraded    = `"This source is live, but not everything about it works."`
	unreachable = `"The sales agent can't be reached at the moment. This is the last known state."`
)

func other(adServer string) string { return `,"adapter":{"type":` + adServer + `,"connected":true}` }

func TestOperational(t *testing.T) {
	for name, c := range map[string]struct {
		members string
		change  func(*transform.StatusInput)
		want    string
	}{
		"live":               {fineSyncs, nil, `true false false ` + live},
		"live with products": {fineSyncs + `,"products":{"active_count":1}`, nil, `true false false ` + live},
		"no active product":  {fineSyncs + `,"products":{"active_count":0}`, nil, `false false false ` + notLive},
		"deactivated": {fineSyncs, func(in *transform.StatusInput) { in.Source.Connection.Provisioning = registry.StatusDeactivated },
			"false false false " + notLive + "\nSETUP_BLOCKED critical setup"},
		"provisioning": {fineSyncs, func(in *transform.StatusInput) { in.Source.Connection.Provisioning = registry.StatusProvisioning },
			"false false false " + notSetUp + "\nSETUP_BLOCKED critical setup"},
		"stale": {fineSyncs, func(in *transform.StatusInput) { in.Stale = true },
			"true true true " + unreachable + "\nSTATUS_STALE warning discovery,delivery"},
		"disconnected": {fineSyncs + `,"adapter":{"type":"mock","connected":false}`, nil,
			"false false false " + notLive + "\nADAPTER_DISCONNECTED critical discovery,delivery"},
		"blocked with a path": {fineSyncs + `,"adapter":{"type":"mock","connected":false},"setup_tasks":{"items":[{"id":"a","severity":"blocker","configure_path":"/a"},{"id":"b","severity":"blocker","configure_path":"/b"}]}`, nil,
			"false false false " + notLive + "\nADAPTER_DISCONNECTED critical discovery,delivery /a\nSETUP_BLOCKED critical setup /a"},
		"first blocker without a path": {fineSyncs + `,"setup_tasks":{"items":[{"id":"a","severity":"blocker"},{"id":"b","severity":"blocker","configure_path":"/b"}]}`, nil,
			"false false false " + notLive + "\nSETUP_BLOCKED critical setup"},
		"critical before warning": {`,"syncs":{"inventory":{"status":"never_run"},"custom_targeting":{"status":"failed"},"advertisers":{"status":"success"}}`, nil,
			"true true false " + degraded + "\nSYNC_CUSTOM_TARGETING_FAILED critical discovery\nSYNC_INVENTORY_NEVER_RUN warning discovery"},
		"delivery alone": {`,"syncs":{"inventory":{"status":"success"},"custom_targeting":{"status":"success"},"advertisers":{"status":"failed","severity":"warning"}}`, nil,
			"true false true " + degraded + "\nSYNC_ADVERTISERS_FAILED warning delivery"},
		"every watched stream": {`,"syncs":{"inventory":{"status":"running","severity":"warning"},"custom_targeting":{"status":"inProgress","severity":"odd"},"advertisers":{"status":"never_run"},
			"reporting":{"status":"failed"},"signal_coverage":{"status":"failed","severity":"warning"},"pricing_availability":{"status":"failed","severity":"ok"},"audience":{"status":"failed"}}`, nil,
			"true true true " + degraded + "\nSYNC_REPORTING_FAILED critical delivery\nSYNC_CUSTOM_TARGETING_IN_PROGRESS warning discovery\nSYNC_ADVERTISERS_NEVER_RUN warning delivery\nSYNC_SIGNAL_COVERAGE_FAILED warning discovery"},
		"never run raises nothing for the others": {fineSyncs[:len(fineSyncs)-1] + `,"reporting":{"status":"never_run"},"signal_coverage":{"status":"never_run","severity":"critical"}}`, nil,
			`true false false ` + live},
		"running for an hour": {`,"syncs":{"inventory":{"status":"running","severity":"critical","last_run_at":"2026-03-09T13:00:00Z"},"custom_targeting":{"status":"success"},"advertisers":{"status":"running"},
			"reporting":{"status":"running","last_run_at":"2026-03-09T15:00:00Z"},"signal_coverage":{"status":"success","last_run_at":"2026-03-08T13:00:00Z"}}`, nil, `true false false ` + live},
		"running for longer": {`,"syncs":{"inventory":{"status":"running","severity":"critical","last_run_at":"2026-03-09T12:59:59.999Z"},"custom_targeting":{"status":"running","last_run_at":"2026-03-08T13:00:00Z"},
			"advertisers":{"status":"success"},"audience":{"status":"running","last_run_at":"2026-03-08T13:00:00Z"}}`, nil,
			"true true false " + degraded + "\nSYNC_INVENTORY_STALLED warning discovery\nSYNC_CUSTOM_TARGETING_STALLED warning discovery"},
		"another ad server": {other(`"freewheel"`) + `,"syncs":{"inventory":{"status":"failed"},"custom_targeting":{"status":"running","last_run_at":"2026-03-08T13:00:00Z"},"advertisers":{"status":"failed"},"reporting":{"status":"failed"}}`, nil,
			"true true true " + degraded + "\nSYNC_INVENTORY_FAILED critical discovery\nSYNC_REPORTING_FAILED critical delivery"},
		"another ad server, never run": {other(`"a_new_one"`), nil, "true true false " + degraded + "\nSYNC_INVENTORY_NEVER_RUN warning discovery"},
		"another ad server, once well": {other(`"mock"`) + `,"syncs":{"inventory":{"status":"success"},"custom_targeting":{"status":"failed","last_success_at":"2026-03-01T09:00:00Z"},"advertisers":{"status":"success","severity":"warning"}}`, nil,
			"true true true " + degraded + "\nSYNC_CUSTOM_TARGETING_FAILED critical discovery\nSYNC_ADVERTISERS_SUCCESS warning delivery"},
		"an ad server without a readable type": {other(`"a b"`), func(in *transform.StatusInput) { in.Source.Connection.AdServer = nil },
			"true true true " + degraded + "\nSYNC_INVENTORY_NEVER_RUN warning discovery\nSYNC_CUSTOM_TARGETING_NEVER_RUN warning discovery\nSYNC_ADVERTISERS_NEVER_RUN warning delivery"},
		"an ad server whose saved type counts": {other(`"a b"`), func(in *transform.StatusInput) {
			in.Source.Connection.AdServer = &registry.AdServer{Type: "springserve"}
		},
			"true true false " + degraded + "\nSYNC_INVENTORY_NEVER_RUN warning discovery"},
	} {
		t.Run(name, func(t *testing.T) {
			in := with(t, c.members)
			if c.change != nil {
				c.change(&in)
			}
			doc, _ := newTasks(t).Status(in)
			if got := state(doc.Operational); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWithoutATenant(t *testing.T) {
	in := connected()
	in.Source.Connection = &registry.Connection{ID: 5, CustomerID: 33, Provisioning: registry.StatusPending}
	in.Webhooks = api.Webhooks{}
	in.Now = now.Add(123456789 * time.Nanosecond)
	doc, _ := newTasks(t).Status(in)
	const want = "false false false " + notSetUp +
		"\nADAPTER_DISCONNECTED critical discovery,delivery\nSETUP_BLOCKED critical setup" +
		"\nSYNC_INVENTORY_NEVER_RUN warning discovery\nSYNC_CUSTOM_TARGETING_NEVER_RUN warning discovery\nSYNC_ADVERTISERS_NEVER_RUN warning delivery"
	if got := state(doc.Operational); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	answer := api.Encode(doc)
	for _, part := range []string{
		`"adapter":{"type":"none","connected":false,"lastTestedAt":null,"lastTestError":null}`,
		`"fetchedAt":"2026-03-09T14:00:00.123Z"`, `"byKind":{}`, `"delivered":0,"failed":0,"successRate":1}`, `"blockerCount":3`,
	} {
		if !strings.Contains(string(answer), part) {
			t.Errorf("no %s in %s", part, answer)
		}
	}
	in.Source.Connection.AdServer = &registry.AdServer{Type: "springserve"}
	if doc, _ = newTasks(t).Status(in); doc.Adapter.Type != "springserve" || doc.Adapter.Connected {
		t.Errorf("the saved config's type: %+v", doc.Adapter)
	}
}

// What upstream does for another ad server than Google Ad Manager is said where it matters.
func TestMessagesOfIssues(t *testing.T) {
	const failed = `,"syncs":{"inventory":{"status":"failed"},"custom_targeting":{"status":"running","last_success_at":"2026-03-01T09:00:00Z","last_run_at":"2026-03-08T13:00:00Z"},"advertisers":{"status":"success"}}`
	for members, want := range map[string][]string{
		failed: {"The last inventory sync failed.", "The custom targeting sync has been running for over an hour."},
		other(`"freewheel"`) + failed: {
			"The last inventory sync failed. For this ad server too the sales agent starts workers that are made for Google Ad Manager; its own schedule reads the inventory later.",
			"The custom targeting sync has been running for over an hour. For this ad server too the sales agent starts workers that are made for Google Ad Manager.",
		},
	} {
		doc, _ := newTasks(t).Status(with(t, members))
		var got []string
		for _, issue := range doc.Operational.Issues {
			got = append(got, issue.Message)
		}
		if !slices.Equal(got, want) {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	}
}
