package main_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"esagate/internal/pgtest"
	"esagate/internal/redistest"
	"esagate/upstream/upstreamtest"
)

// hintWays are what replicas on one PostgreSQL may tell each other by.
var hintWays = map[string]func(t *testing.T) []string{
	"PostgreSQL": func(t *testing.T) []string { return []string{"ESAGATE_STORE_URL=" + pgtest.Database(t)} },
	"a pooler":   func(t *testing.T) []string { return []string{"ESAGATE_STORE_URL=" + pgtest.PooledDatabase(t)} },
	"Redis": func(t *testing.T) []string {
		return []string{"ESAGATE_STORE_URL=" + pgtest.Database(t), "ESAGATE_SNAPSHOT_REDIS_URL=" + redistest.Own(t).URL()}
	},
}

// stream follows a replica's events until the test ends: what has come of them so far.
func (p *process) stream(t *testing.T, headers ...string) *safeBuffer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/api/v2/storefront/events", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+clearKey)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%d", resp.StatusCode)
	}
	var got safeBuffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			_, _ = got.Write(append(lines.Bytes(), '\n'))
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = resp.Body.Close()
		<-ended
	})
	return &got
}

// TestEventsOfOtherReplicas: a stream at one replica tells what another wrote, and the id of an event is good at its own
// replica alone.
func TestEventsOfOtherReplicas(t *testing.T) {
	for name, way := range hintWays {
		t.Run(name, func(t *testing.T) {
			more := way(t)
			_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
			// Lists of what is watched would bring changes too, as old as a status may get.
			env = append(env, append(more, "ESAGATE_SNAPSHOT_FRESH=10m", "ESAGATE_SNAPSHOT_STALE_WHILE_REVALIDATE=10m")...)
			a, b := start(t, env, "serve", "--config", config), start(t, env, "serve", "--config", config)
			events := b.stream(t)
			eventually(t, "the source is read", func() bool { return strings.Contains(events.String(), "event: status.changed") })
			if code, body := a.send("PUT", sources+"/meadow", clearKey, `{"name":"Written at A"}`); code != http.StatusOK {
				t.Fatalf("%d %s", code, body)
			}
			eventually(t, "the change is told", func() bool { return strings.Contains(events.String(), `"name":"Written at A"`) })
			if code, body := a.send("POST", sources+"/meadow/deactivate", clearKey, ""); code != http.StatusOK {
				t.Fatalf("%d %s", code, body)
			}
			if code, body := a.send("DELETE", sources+"/meadow", clearKey, ""); code != http.StatusNoContent {
				t.Fatalf("%d %s", code, body)
			}
			eventually(t, "the end is told", func() bool { return strings.Contains(events.String(), `"deleted":true`) })
			_, id, _ := strings.Cut(events.String(), "\nid: ")
			id, _, _ = strings.Cut(id, "\n")
			for at, want := range map[*process]bool{a: true, b: false} {
				again := at.stream(t, "Last-Event-ID", id)
				eventually(t, "the stream goes on", func() bool { return strings.Contains(again.String(), "event: ") })
				if got := strings.Contains(again.String(), "event: resync"); got != want {
					t.Errorf("a resync: %v, want %v:\n%s", got, want, again.String())
				}
			}
			a.stop()
			b.stop()
		})
	}
}

// TestTheBreakerOpensInAllReplicas: an outage that one replica finds is known to another that was asked nothing since, to
// one that starts when the first is gone and has read nothing yet, and so is its end.
func TestTheBreakerOpensInAllReplicas(t *testing.T) {
	for _, name := range []string{"PostgreSQL", "Redis"} {
		t.Run(name, func(t *testing.T) {
			more := hintWays[name](t)
			agent, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
			env = append(env, append(more, "ESAGATE_RECONCILE_INTERVAL=0s", "ESAGATE_SNAPSHOT_FRESH=100ms")...)
			a, b := start(t, env, "serve", "--config", config), start(t, env, "serve", "--config", config)
			for _, p := range []*process{b, a} {
				if code, _, body := p.get(statusPath("meadow"), clearKey); code != http.StatusOK {
					t.Fatalf("%d %s", code, body)
				}
			}
			breaker := func(p *process, state string) bool {
				_, metrics := p.send("GET", "/metrics", "", "")
				return strings.Contains(metrics, "\nesagate_upstream_breaker_state{breaker=\"upstream\"} "+state+"\n")
			}
			agent.Fault("", upstreamtest.Fault{Status: http.StatusUnauthorized})
			eventually(t, "A finds out", func() bool {
				a.get(statusPath("meadow"), clearKey)
				return breaker(a, "2")
			})
			eventually(t, "B is told", func() bool { return breaker(b, "2") })
			if log := b.errs.String(); !strings.Contains(log, "another replica's word") {
				t.Errorf("B found out for itself:\n%s", log)
			}
			must(t, a.cmd.Process.Kill())
			<-a.exited
			c := start(t, env, "serve", "--config", config)
			eventually(t, "C is told", func() bool { return breaker(c, "2") })
			if log := c.errs.String(); !strings.Contains(log, "another replica's word") {
				t.Errorf("C found out for itself:\n%s", log)
			}
			agent.Fault("", upstreamtest.Fault{})
			eventually(t, "all is well again", func() bool { return breaker(b, "0") && breaker(c, "0") })
			b.stop()
			c.stop()
		})
	}
}
