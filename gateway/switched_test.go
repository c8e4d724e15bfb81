package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// shows checks what the gateway shows of the world's source.
func (w *world) shows(status, connection string, live bool) {
	w.Helper()
	if s := readSource(w, w.get(sourcesPath+"/"+source), 200); s.Status != status {
		w.Errorf("the source is %s, want %s", s.Status, status)
	}
	c := w.connection(w.get(esaOf), 200)
	if c.ProvisioningStatus != connection || (c.DeactivatedAt != nil) != (connection == "deactivated") {
		w.Errorf("the connection is %s since %v, want %s", c.ProvisioningStatus, c.DeactivatedAt, connection)
	}
	s := w.get(statusOf).snapshot(w)
	for _, task := range s.SetupTasks.Items {
		if task.ID == "source_provisioned" && task.IsComplete != live {
			w.Errorf("source_provisioned is complete: %t", task.IsComplete)
		}
	}
	if s.Operational.IsLive != live {
		w.Errorf("live: %t, want %t", s.Operational.IsLive, live)
	}
}

// recorded gives who did what to the world's source, oldest first.
func (w *world) recorded() (all []string) {
	w.Helper()
	type page struct {
		Entries []struct {
			Actor, Operation, Outcome string
			SourceID, ESAID           string
			RequestID, Status         any
		}
	}
	for _, e := range decode[page](w, w.writeAs(writeKey, "GET", auditPath+"?sourceId="+source, ""), 200).Entries {
		text := fmt.Sprintf("%s: %s %s", e.Actor, e.Operation, e.Outcome)
		theirs := e.Actor == "sales agent"
		if e.ESAID != w.connectionID(esaOf) || (e.RequestID == nil) != theirs || (e.Status == nil) != theirs {
			w.Errorf("%+v", e)
		}
		all = append([]string{text}, all...)
	}
	return all
}

// calls counts the calls of a route of the sales agent's.
func (w *world) calls(route upstreamtest.Route) (n int) {
	for _, r := range w.agent.Requests() {
		if r.Route == route {
			n++
		}
	}
	return n
}

// That a tenant was switched off or on at the sales agent is seen within a quarter of an hour,
// through every replica.
func TestATenantIsSwitchedAtTheSalesAgent(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		other := w.replica()
		defer other.stop()
		w.learn()
		w.pass(time.Minute)
		w.shows("ACTIVE", "active", true)
		other.shows("ACTIVE", "active", true)
		w.agent.SetActive(tenant, false)
		w.pass(13 * time.Minute)
		w.shows("DISABLED", "deactivated", false)
		other.shows("DISABLED", "deactivated", false)
		w.write("POST", sourcesPath+"/"+source+"/refresh", "").failure(t, 409, "CONFLICT")
		w.pass(time.Hour)
		w.shows("DISABLED", "deactivated", false)
		w.agent.SetActive(tenant, true)
		w.pass(13 * time.Minute)
		w.shows("ACTIVE", "active", true)
		other.shows("ACTIVE", "active", true)
		const want = "sales agent: tenantDeactivated succeeded; writer: refreshInventorySourceEsa refused; " +
			"sales agent: tenantReactivated succeeded"
		if got := strings.Join(w.recorded(), "; "); got != want {
			w.Errorf("the audit says\n%s, want\n%s", got, want)
		}
	})
}

// Each tenant is asked about every ten minutes, and not more often while upstream is away.
func TestPaceOfQuestionsAboutTenants(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.learn()
		w.pass(4 * time.Hour)
		if n := w.calls(upstreamtest.RouteTenant); n < 4*60/12 || n > 4*60/8+1 {
			w.Errorf("asked %d times in four hours", n)
		}
		before := w.agent.Calls("")
		w.agent.SetDown(true)
		w.agent.SetActive(tenant, false)
		w.pass(time.Hour)
		if n := w.agent.Calls("") - before; n > 3*(60/8+1) {
			w.Errorf("%d attempts in an hour's outage", n)
		}
		if c := w.connection(w.get(esaOf), 200); c.ProvisioningStatus != "active" {
			w.Errorf("in the outage %s", c.ProvisioningStatus)
		}
		w.agent.SetDown(false)
		w.pass(13 * time.Minute)
		if c := w.connection(w.get(esaOf), 200); c.ProvisioningStatus != "deactivated" {
			w.Errorf("after the outage %s", c.ProvisioningStatus)
		}
	})
}

// After a status that contradicts what is known of the source the tenant is asked about at once,
// once in five minutes, and no reader waits for it.
func TestAStatusThatContradictsItsSource(t *testing.T) {
	noConfig := func(w *world, active bool) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: active, Status: upstreamtest.NeverRun()})
	}
	for name, x := range map[string]struct {
		off  bool // the source is deactivated here at first
		now  func(w *world)
		want string
	}{
		"the config is gone":       {false, func(w *world) { noConfig(w, false) }, "deactivated"},
		"the config alone is gone": {false, func(w *world) { noConfig(w, true) }, "active"},
		"refused": {false, func(w *world) {
			w.agent.SetActive(tenant, false)
			w.agent.Fault(tenant, upstreamtest.Fault{
				Only: upstreamtest.RouteStatus, Status: 404, Body: `{"error":"tenant_not_found"}`,
			})
		}, "deactivated"},
		"syncs run again": {true, func(w *world) {
			w.agent.SetActive(tenant, true)
			w.agent.FinishRun(tenant, "inventory", 7)
		}, "active"},
		"syncs run still": {true, func(w *world) { w.agent.FinishRun(tenant, "inventory", 7) }, "deactivated"},
		"as ever":         {false, func(w *world) { w.agent.SetActive(tenant, false) }, "active"},
		"off as ever":     {true, func(w *world) { w.agent.SetActive(tenant, true) }, "deactivated"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				w.get(statusOf)
				if x.off {
					w.write("POST", sourcesPath+"/"+source+"/deactivate", "")
					w.get(statusOf)
				}
				w.pass(time.Minute)
				x.now(w)
				w.agent.Script(tenant, upstreamtest.Fault{Only: upstreamtest.RouteTenant, Delay: 2 * time.Second})
				for range 20 {
					begun := time.Now()
					w.unchecked(statusOf)
					if took := time.Since(begun); took != 0 {
						w.Fatalf("a reader waited %s", took)
					}
					w.pass(11 * time.Second)
				}
				if c := w.connection(w.get(esaOf), 200); c.ProvisioningStatus != x.want {
					w.Errorf("%s, want %s", c.ProvisioningStatus, x.want)
				}
				if n := w.calls(upstreamtest.RouteTenant); n > 1 || strings.HasSuffix(name, "as ever") && n > 0 {
					w.Errorf("asked about %d times", n)
				}
			})
		})
	}
}
