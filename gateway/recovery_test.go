package gateway_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// many is a world with more managed sources: their status paths, in order.
func many(n int) (s setup, paths []string) {
	for i := range n {
		id := fmt.Sprintf("many-%02d", i)
		s.sources = append(s.sources, registry.ConfigSource{CustomerID: customer, SourceID: id, Name: id, TenantID: "tnt_" + id})
		paths = append(paths, "/api/v2/storefront/inventory-sources/"+id+"/status")
	}
	return s, paths
}

// addTenants gives the sales agent the tenants of many's sources.
func (w *world) addTenants(s setup) {
	for _, c := range s.sources {
		w.agent.SetTenant(upstreamtest.Tenant{ID: c.TenantID, Active: true, Status: upstreamtest.Healthy()})
	}
}

// ageOf reads a status and gives the age of the copy; -1 when it was not served.
func (w *world) ageOf(path string) int {
	a := w.unchecked(path)
	if a.status != http.StatusOK {
		return -1
	}
	age, err := strconv.Atoi(a.header.Get("Age"))
	w.must(err)
	return age
}

// After an outage of up to a minute every source is served within 2 s, whether there was
// a copy of it or not, and the copies are fresh again.
func TestEverySourceIsServedSoonAfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		outage time.Duration
		hangs  bool // calls are not answered; else no connection can be made
	}{
		{2 * time.Second, false}, {10 * time.Second, false}, {25 * time.Second, false}, {time.Minute, false},
		{2 * time.Second, true}, {10 * time.Second, true}, {25 * time.Second, true}, {time.Minute, true},
	} {
		t.Run(fmt.Sprintf("%v hanging %t", c.outage, c.hangs), func(t *testing.T) {
			s, paths := many(20)
			inWorld(t, s, func(w *world) {
				w.addTenants(s)
				known, unknown := paths[:10], paths[10:]
				read := func(paths []string) {
					for _, path := range paths {
						go w.unchecked(path)
					}
				}
				read(known)
				w.pass(20 * time.Second)
				if c.hangs {
					w.agent.Fault("", upstreamtest.Fault{Hang: true})
				} else {
					w.agent.SetDown(true)
				}
				for range int(c.outage / time.Second) { // readers go on
					read(known)
					read(unknown)
					w.pass(time.Second)
				}
				w.agent.SetDown(false)
				w.agent.Fault("", upstreamtest.Fault{})
				w.pass(2 * time.Second)
				read(known) // served from the copy at once, while it is refreshed
				w.pass(100 * time.Millisecond)
				for _, path := range paths {
					if age := w.ageOf(path); age < 0 || age > 3 {
						w.Errorf("2 s after the outage %s has age %d (-1: not served)", path, age)
					}
				}
			})
		})
	}
}

// Short outages that open no breaker: the sales agent's proxy answers, or answers are cut
// short or useless, and only a few tenants are read.
func TestShortOutagesOfFewTenants(t *testing.T) {
	for name, fault := range map[string]upstreamtest.Fault{
		"502": {Status: 502}, "cut short": {CutShort: true}, "nonsense": {Body: "{}"},
		"hangs": {Hang: true},
	} {
		for _, lasts := range []time.Duration{2 * time.Second, 4 * time.Second, 15 * time.Second, 40 * time.Second} {
			t.Run(name+" for "+lasts.String(), func(t *testing.T) {
				s, paths := many(3)
				inWorld(t, s, func(w *world) {
					w.addTenants(s)
					w.agent.Fault("", fault)
					for range int(lasts / time.Second) {
						for _, path := range paths {
							go w.unchecked(path)
						}
						w.pass(time.Second)
					}
					w.agent.Fault("", upstreamtest.Fault{})
					w.pass(2 * time.Second)
					for _, path := range paths {
						if age := w.ageOf(path); age < 0 || age > 3 {
							w.Errorf("2 s after %s %s has age %d (-1: not served)", lasts, path, age)
						}
					}
				})
			})
		}
	}
}

// One tenant's failures are its own: a healthy tenant without a copy is served, and the
// copies of the others stay young.
func TestASickTenantIsAlone(t *testing.T) {
	for name, fault := range map[string]upstreamtest.Fault{
		"cut short": {CutShort: true}, "504": {Status: 504}, "hangs": {Hang: true}, "nonsense": {Body: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			s, paths := many(40)
			inWorld(t, s, func(w *world) {
				w.addTenants(s)
				w.agent.Fault("tnt_many-00", fault)
				for second := range 60 {
					go w.unchecked(paths[0])
					if age := w.ageOf(paths[1+second%39]); age < 0 {
						w.Fatalf("after %d s a healthy tenant is not served", second)
					}
					w.pass(time.Second)
				}
			})
		})
	}
}

// A fifth of busy tenants is sick: the others are refreshed as ever.
func TestSickTenantsAmongBusyOnes(t *testing.T) {
	s, paths := many(20)
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		for i := range 4 {
			w.agent.Fault(fmt.Sprintf("tnt_many-%02d", i), upstreamtest.Fault{Status: 500})
		}
		for range 60 {
			for i, path := range paths {
				age := w.ageOf(path)
				if i >= 4 && (age < 0 || age > 8) {
					w.Fatalf("%s has age %d (-1: not served)", path, age)
				}
			}
			w.pass(time.Second)
		}
	})
}

// What one customer's requests bring about at an ad server, or in a firewall, does not
// shut the sales agent for the others.
func TestOneCustomersRequestsShutNothing(t *testing.T) {
	s, paths := many(2)
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		w.agent.Fault("tnt_many-00", upstreamtest.Fault{Only: upstreamtest.RouteTestConnection, Hang: true})
		for range 10 {
			go w.write("POST", paths[0][:len(paths[0])-len("/status")]+"/test-connection", "")
		}
		w.pass(90 * time.Second)
		w.agent.Fault("tnt_many-00", upstreamtest.Fault{Only: upstreamtest.RouteSyncHistory, Status: 403, Shape: upstreamtest.ShapeHTML})
		for i := range 10 {
			a := w.get(paths[0][:len(paths[0])-len("/status")] + "/sync-history?cursor=" + strconv.Itoa(i))
			if e := a.failure(w.TB, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"); e.Details.Reason != "UPSTREAM_ERROR" {
				w.Errorf("a firewall's 403 gave %s", e.Details.Reason)
			}
		}
		if age := w.ageOf(paths[1]); age != 0 {
			w.Errorf("another source has age %d (-1: not served)", age)
		}
	})
}
