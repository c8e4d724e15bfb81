package upstreamtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestAProbeTakesItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		adapter string
		script  []ut.Probe
		status  int
		took    time.Duration
		probes  int
	}{
		"gam":                  {gamBody, nil, 201, 3 * time.Second, 1},
		"freewheel, twice":     {fwBody, nil, 201, 6 * time.Second, 2},
		"freewheel, once":      {fwBody, []ut.Probe{{Outcome: ut.PermissionDenied}}, 400, 3 * time.Second, 1},
		"freewheel, at second": {fwBody, []ut.Probe{{Takes: time.Second}, {Outcome: ut.PermissionDenied}}, 400, 4 * time.Second, 2},
		"its own time":         {gamBody, []ut.Probe{{Takes: time.Minute}}, 201, time.Minute, 1},
		"mock":                 {`{"type":"mock"}`, nil, 201, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := ut.New(ut.Options{APIKey: key, ProbeTakes: 3 * time.Second})
				_, do := pipe(t, a)
				if c.script != nil {
					a.AdServer("", c.script...)
				}
				if status, _, took := do(t.Context(), "POST", "/tenants/provision", provisionBody("1", c.adapter)); status != c.status || took != c.took {
					t.Errorf("%d after %s", status, took)
				}
				if n := a.Probes(""); n != c.probes {
					t.Errorf("%d probes", n)
				}
			})
		})
	}
}

// As upstream does, the simulator checks uniqueness before the probe and does not enforce it
// after.
func TestTwoAtOnceMakeTwoTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ut.New(ut.Options{APIKey: key, ProbeTakes: 2 * time.Second})
		_, do := pipe(t, a)
		answers := make(chan int, 2)
		for range 2 {
			go func() {
				status, _, _ := do(t.Context(), "POST", "/tenants/provision", provisionBody("1", gamBody))
				answers <- status
			}()
			time.Sleep(time.Second) // of the bubble's clock: the second begins while the first is probed
		}
		if x, y := <-answers, <-answers; x != 201 || y != 201 {
			t.Errorf("answered %d and %d", x, y)
		}
		if ids := a.TenantIDs(); len(ids) != 2 || ids[0] == ids[1] {
			t.Errorf("tenants %q", ids)
		}
		if status, _, _ := do(t.Context(), "POST", "/tenants/provision", provisionBody("1", gamBody)); status != 409 {
			t.Errorf("a third one: %d", status)
		}
	})
}

// TestFaultsBeforeAndAfterTheEffect lists the ways to lose an answer, and whether the tenant
// was made.
func TestFaultsBeforeAndAfterTheEffect(t *testing.T) {
	for name, c := range map[string]struct {
		fault  ut.Fault
		status int
		took   time.Duration
		made   int
	}{
		"500 before":           {ut.Fault{Status: 500}, 500, 0, 0},
		"500 afterwards":       {ut.Fault{Status: 500, AfterEffect: true}, 500, 2 * time.Second, 1},
		"dropped before":       {ut.Fault{Drop: true}, 0, 0, 0},
		"dropped afterwards":   {ut.Fault{Drop: true, AfterEffect: true}, 0, 2 * time.Second, 1},
		"hangs before":         {ut.Fault{Hang: true}, 0, time.Minute, 0},
		"hangs afterwards":     {ut.Fault{Hang: true, AfterEffect: true}, 0, time.Minute, 1},
		"delay before":         {ut.Fault{Delay: 3 * time.Second}, 201, 5 * time.Second, 1},
		"delay after":          {ut.Fault{Linger: 3 * time.Second}, 201, 5 * time.Second, 1},
		"both, and then a 504": {ut.Fault{Delay: time.Second, Linger: time.Second, Status: 504, AfterEffect: true}, 504, 4 * time.Second, 1},
		"cut short":            {ut.Fault{CutShort: true}, 201, 2 * time.Second, 1},
		"of this route":        {ut.Fault{Only: ut.RouteProvision, Status: 429, RetryAfter: "3"}, 429, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := ut.New(ut.Options{APIKey: key, ProbeTakes: 2 * time.Second})
				_, do := pipe(t, a)
				a.Script("", c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				status, _, took := do(ctx, "POST", "/tenants/provision", provisionBody("1", gamBody))
				synctest.Wait()
				if status != c.status || took != c.took || a.Provisions() != c.made {
					t.Errorf("%d after %s, %d made", status, took, a.Provisions())
				}
			})
		})
	}
}

// A probe outlives its client, but no outage and no closing.
func TestWhatEndsAProbe(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(a *ut.Agent, s *ut.Server, leave func())
		made int
	}{
		"client leaves": {func(_ *ut.Agent, _ *ut.Server, leave func()) { leave() }, 1},
		"outage":        {func(a *ut.Agent, _ *ut.Server, _ func()) { a.SetDown(true) }, 0},
		"agent closed":  {func(a *ut.Agent, _ *ut.Server, _ func()) { a.Close() }, 0},
		"server closed": {func(_ *ut.Agent, s *ut.Server, _ func()) { _ = s.Close() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := ut.New(ut.Options{APIKey: key, ProbeTakes: time.Minute})
				s, do := pipe(t, a)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				done := make(chan int, 1)
				go func() {
					status, _, _ := do(ctx, "POST", "/tenants/provision", provisionBody("1", gamBody))
					done <- status
				}()
				time.Sleep(10 * time.Second)
				c.end(a, s, leave)
				if status := <-done; status != 0 {
					t.Errorf("answered %d", status)
				}
				time.Sleep(time.Hour)
				if a.Provisions() != c.made {
					t.Errorf("%d made", a.Provisions())
				}
			})
		})
	}
}
