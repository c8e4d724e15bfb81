package upstreamtest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// pipe serves an agent in the bubble. The function calls a path below ut.BasePath and returns
// the status (0: no answer), the body and the time it took.
func pipe(t *testing.T, a *ut.Agent) (*ut.Server, func(ctx context.Context, method, path, text string) (int, string, time.Duration)) {
	t.Helper()
	s, dial := a.Pipe()
	tr := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		a.Close()
		_ = s.Close()
	})
	return s, func(ctx context.Context, method, path, text string) (int, string, time.Duration) {
		began := time.Now()
		r, err := http.NewRequestWithContext(ctx, method, s.URL()+ut.BasePath+path, strings.NewReader(text))
		if err != nil {
			t.Error(err)
			return 0, "", 0
		}
		r.Header.Set(ut.KeyHeader, key)
		res, err := tr.RoundTrip(r)
		if err != nil {
			return 0, "", time.Since(began)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b), time.Since(began)
	}
}

func agent(opts ut.Options) *ut.Agent {
	opts.APIKey = key
	a := ut.New(opts)
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	return a
}

func TestEachProcessCachesForItself(t *testing.T) {
	for name, c := range map[string]struct {
		opts  ut.Options
		asked []time.Duration // since the start
		said  []time.Duration
	}{
		"one process":    {ut.Options{}, []time.Duration{0, 4999, 5000, 9000}, []time.Duration{0, 0, 5000, 5000}},
		"two":            {ut.Options{Processes: 2}, []time.Duration{0, 3000, 4000, 5000, 6000, 9000}, []time.Duration{0, 3000, 0, 3000, 6000, 9000}},
		"own time":       {ut.Options{CacheFor: time.Second}, []time.Duration{0, 999, 1000}, []time.Duration{0, 0, 1000}},
		"not cached":     {ut.Options{CacheFor: -1}, []time.Duration{0, 1, 2}, []time.Duration{0, 1, 2}},
		"clock set back": {ut.Options{}, []time.Duration{9000, 0}, []time.Duration{9000, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			now := start
			c.opts.Now = func() time.Time { return now }
			a := agent(c.opts)
			for i, at := range c.asked {
				now = start.Add(at * time.Millisecond)
				want := start.Add(c.said[i] * time.Millisecond)
				got, err := time.Parse(time.RFC3339, fetchedAt(t, get(t, a, statusPath("tnt_a"))))
				if err != nil || !got.Equal(want) {
					t.Errorf("call %d: %s, want %s (%v)", i, got, want, err)
				}
			}
		})
	}
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := agent(ut.Options{})
		_, do := pipe(t, a)
		a.Fault("tnt_a", ut.Fault{Delay: 2 * time.Second})
		if code, _, took := do(t.Context(), "GET", "/tenants/tnt_a/status", ""); code != 200 || took != 2*time.Second {
			t.Errorf("delay: %d after %s", code, took)
		}
		a.SetSlow(time.Second)
		if code, _, took := do(t.Context(), "GET", "/tenants/tnt_a/status", ""); code != 200 || took != 3*time.Second {
			t.Errorf("delay and slow: %d after %s", code, took)
		}
		a.SetSlow(0)
		a.Fault("tnt_a", ut.Fault{Drip: time.Second, Body: "12345"})
		if code, text, took := do(t.Context(), "GET", "/tenants/tnt_a/status", ""); code != 200 || text != "12345" || took != 5*time.Second {
			t.Errorf("drip: %d %q after %s", code, text, took)
		}
	})
}

// Every kind of waiting ends with its client, an outage, and the end of the agent or the
// server, and with nothing else.
func TestWhatEndsAWait(t *testing.T) {
	faults := map[string]ut.Fault{
		"hang":  {Hang: true},
		"delay": {Delay: 24 * time.Hour},
		"drip":  {Drip: 24 * time.Hour},
	}
	ends := map[string]func(a *ut.Agent, s *ut.Server, leave func()){
		"client leaves": func(_ *ut.Agent, _ *ut.Server, leave func()) { leave() },
		"outage":        func(a *ut.Agent, _ *ut.Server, _ func()) { a.SetDown(true) },
		"agent closed":  func(a *ut.Agent, _ *ut.Server, _ func()) { a.Close() },
		"server closed": func(_ *ut.Agent, s *ut.Server, _ func()) { _ = s.Close() },
	}
	for faultName, fault := range faults {
		for endName, end := range ends {
			t.Run(faultName+", "+endName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := agent(ut.Options{})
					s, do := pipe(t, a)
					a.Fault("tnt_a", fault)
					ctx, leave := context.WithCancel(t.Context())
					done := make(chan string, 1)
					go func() {
						_, text, _ := do(ctx, "GET", "/tenants/tnt_a/status", "")
						done <- text
					}()
					time.Sleep(10 * time.Hour) // of the bubble's clock
					synctest.Wait()
					if now, most := a.InFlightStatus("tnt_a"); now != 1 || most != 1 || len(done) != 0 {
						t.Fatalf("%d in flight, most %d, %d answered", now, most, len(done))
					}
					end(a, s, leave)
					synctest.Wait()
					if now, _ := a.InFlightStatus("tnt_a"); now != 0 || len(done) != 1 {
						t.Errorf("%d still in flight, %d ended", now, len(done))
					}
					leave()
					if text := <-done; text != "" {
						t.Errorf("answered %q", text)
					}
				})
			})
		}
	}
}

func TestFlapFollowsTheAgentsClock(t *testing.T) {
	now := start
	a := agent(ut.Options{Now: func() time.Time { return now }})
	now = start.Add(time.Hour) // the schedule begins when it is set, not with the agent
	a.Fault("tnt_a", ut.Flap(20*time.Second, 40*time.Second, ut.Fault{Status: 500}))
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 200}, {19, 200}, {20, 500}, {59, 500}, {60, 200}, {79, 200}, {80, 500}, {3619, 200}, {3620, 500}} {
		now = start.Add(time.Hour + c.at*time.Second)
		if got := get(t, a, statusPath("tnt_a")).StatusCode; got != c.want {
			t.Errorf("after %d s: %d, want %d", c.at, got, c.want)
		}
	}
	a.Fault("tnt_a", ut.Flap(0, 0, ut.Fault{Status: 500}))
	if got := get(t, a, statusPath("tnt_a")).StatusCode; got != 500 {
		t.Errorf("without periods: %d", got)
	}
}
