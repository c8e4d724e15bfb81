package upstreamtest_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestEachProcessCachesForItself(t *testing.T) {
	for name, c := range map[string]struct {
		opts  ut.Options
		asked []time.Duration // since the start, in ms
		said  []time.Duration
	}{
		"one process":    {ut.Options{}, []time.Duration{0, 4999, 5000, 9000}, []time.Duration{0, 0, 5000, 5000}},
		"two":            {ut.Options{Processes: 2}, []time.Duration{0, 3000, 4000, 5000, 6000, 9000}, []time.Duration{0, 3000, 0, 3000, 6000, 9000}},
		"own time":       {ut.Options{CacheFor: time.Second}, []time.Duration{0, 999, 1000}, []time.Duration{0, 0, 1000}},
		"not cached":     {ut.Options{CacheFor: -1}, []time.Duration{0, 1, 2}, []time.Duration{0, 1, 2}},
		"clock set back": {ut.Options{}, []time.Duration{9000, 0}, []time.Duration{9000, 0}},
	} {
		w := newWorld(t, c.opts, ut.Healthy())
		for i, at := range c.asked {
			w.now = start.Add(at * time.Millisecond)
			want := start.Add(c.said[i] * time.Millisecond)
			var got struct {
				FetchedAt time.Time `json:"fetched_at"`
			}
			must(t, json.Unmarshal([]byte(w.want(200, "GET", "/tenants/tnt_a/status", "")), &got))
			if !got.FetchedAt.Equal(want) {
				t.Errorf("%s: call %d: %s, want %s", name, i, got.FetchedAt, want)
			}
		}
	}
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ut.Options{Now: time.Now}, ut.Healthy())
		_, do := w.pipe()
		expect := func(what string, f ut.Fault, want time.Duration) {
			w.Fault("tnt_a", f)
			if code, _, took := do(t.Context(), "GET", "/tenants/tnt_a/status", ""); code != 200 || took != want {
				t.Errorf("%s: %d after %s", what, code, took)
			}
		}
		expect("delay", ut.Fault{Delay: 2 * time.Second}, 2*time.Second)
		w.SetSlow(time.Second)
		expect("delay and slow", ut.Fault{Delay: 2 * time.Second}, 3*time.Second)
		w.SetSlow(0)
		expect("drip", ut.Fault{Drip: time.Second, Body: "12345"}, 5*time.Second)
	})
}

// ends are the ways to end what waits.
var ends = map[string]func(w *world, s *ut.Server, leave func()){
	"client leaves": func(_ *world, _ *ut.Server, leave func()) { leave() },
	"outage":        func(w *world, _ *ut.Server, _ func()) { w.SetDown(true) },
	"agent closed":  func(w *world, _ *ut.Server, _ func()) { w.Close() },
	"server closed": func(_ *world, s *ut.Server, _ func()) { _ = s.Close() },
}

// Every kind of waiting ends with its client, an outage, and the end of the agent or the server,
// and with nothing else. A probe alone outlives its client.
func TestWhatEndsAWait(t *testing.T) {
	waits := map[string]struct {
		opts  ut.Options
		fault ut.Fault
	}{
		"hang":  {ut.Options{}, ut.Fault{Hang: true}},
		"delay": {ut.Options{}, ut.Fault{Delay: 24 * time.Hour}},
		"drip":  {ut.Options{}, ut.Fault{Drip: 24 * time.Hour}},
		"probe": {ut.Options{ProbeTakes: 24 * time.Hour}, ut.Fault{}},
	}
	for waitName, wait := range waits {
		for endName, end := range ends {
			t.Run(waitName+", "+endName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					wait.opts.Now = time.Now
					w := newWorld(t, wait.opts, ut.Healthy())
					server, do := w.pipe()
					w.Fault("", wait.fault)
					method, path := "GET", "/tenants/tnt_a/status"
					if waitName == "probe" {
						method, path = "POST", "/tenants/provision"
					}
					ctx, leave := context.WithCancel(t.Context())
					defer leave()
					done := make(chan int, 1)
					go func() {
						status, _, _ := do(ctx, method, path, provisionBody("1", gamBody))
						done <- status
					}()
					time.Sleep(10 * time.Hour) // of the bubble's clock
					if now, most := w.InFlightStatus("tnt_a"); (now != 1 || most != 1) && method == "GET" || len(done) != 0 {
						t.Fatalf("%d in flight, most %d, %d answered", now, most, len(done))
					}
					end(w, server, leave)
					synctest.Wait()
					if now, _ := w.InFlightStatus("tnt_a"); now != 0 || len(done) != 1 {
						t.Fatalf("%d still in flight, %d ended", now, len(done))
					}
					if status := <-done; status != 0 {
						t.Errorf("answered %d", status)
					}
					time.Sleep(20 * time.Hour)
					outlived := waitName == "probe" && endName == "client leaves"
					if made := w.Provisions(); (made == 1) != outlived {
						t.Errorf("%d made", made)
					}
				})
			})
		}
	}
}

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
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, ut.Options{Now: time.Now, ProbeTakes: 3 * time.Second}, ut.Healthy())
			_, do := w.pipe()
			w.AdServer("", c.script...)
			status, _, took := do(t.Context(), "POST", "/tenants/provision", provisionBody("1", c.adapter))
			if status != c.status || took != c.took || w.Probes("") != c.probes {
				t.Errorf("%s: %d after %s and %d probes", name, status, took, w.Probes(""))
			}
		})
	}
}

// As upstream does, the simulator checks uniqueness before the probe and does not enforce it after.
func TestTwoAtOnceMakeTwoTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ut.Options{Now: time.Now, ProbeTakes: 2 * time.Second}, ut.Healthy())
		_, do := w.pipe()
		answers := make(chan int, 2)
		for range 2 {
			go func() {
				status, _, _ := do(t.Context(), "POST", "/tenants/provision", provisionBody("1", gamBody))
				answers <- status
			}()
			time.Sleep(time.Second) // of the bubble's clock: the second begins while the first is probed
		}
		if x, y := <-answers, <-answers; x != 201 || y != 201 || len(w.TenantIDs()) != 3 {
			t.Errorf("answered %d and %d, tenants %q", x, y, w.TenantIDs())
		}
		w.want(409, "POST", "/tenants/provision", provisionBody("1", gamBody))
	})
}

func TestFlapFollowsTheAgentsClock(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	began := start.Add(time.Hour) // the schedule begins when it is set, not with the agent
	w.now = began
	w.Fault("tnt_a", ut.Flap(20*time.Second, 40*time.Second, ut.Fault{Status: 500}))
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 200}, {19, 200}, {20, 500}, {59, 500}, {60, 200}, {79, 200}, {80, 500}, {3619, 200}, {3620, 500}} {
		w.now = began.Add(c.at * time.Second)
		w.want(c.want, "GET", "/tenants/tnt_a/status", "")
	}
}
