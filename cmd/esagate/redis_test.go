package main_test

import (
	"net/http"
	"strings"
	"testing"

	"esagate/internal/redistest"
	"esagate/upstream/upstreamtest"
)

// TestRedisAway: a gateway without its Redis serves as before, and says what is away and why, without its address.
func TestRedisAway(t *testing.T) {
	redis := redistest.Own(t, redistest.Password("CANARY"))
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	p := start(t, append(env, "ESAGATE_SNAPSHOT_REDIS_URL="+redis.URL()), "serve", "--config", config)
	says := func(word, metric string) {
		t.Helper()
		eventually(t, "/readyz says "+word, func() bool {
			if code, _, body := p.get(statusPath("meadow"), clearKey); code != 200 {
				t.Fatalf("%d %s", code, body)
			}
			code, _, body := p.get("/readyz", "")
			_, metrics := p.send("GET", "/metrics", "", "")
			return code == 200 && strings.Contains(body, `"redis":"`+word+`"`) && strings.Contains(metrics, metric)
		})
	}
	says("ok", "\nesagate_redis_available 1\n")
	must(t, redis.Down())
	eventually(t, "it is told", func() bool {
		return strings.Contains(p.errs.String(), "this replica goes on alone")
	})
	says("away", "\nesagate_redis_available 0\n")
	must(t, redis.Up(t.Context()))
	says("ok", "\nesagate_redis_available 1\n")
	p.stop()
	log := p.errs.String()
	if !strings.Contains(log, "cluster: Redis is away: ") || !strings.Contains(log, "Redis can be reached again") {
		t.Errorf("why is not told:\n%s", log)
	}
	if strings.Contains(log, "CANARY") || strings.Contains(log, strings.TrimPrefix(redis.Addr(), "127.0.0.1")) {
		t.Error("the address is told")
	}
}

// TestRedisOfSeveralSalesAgents: gateways before different sales agents share nothing, although they share a Redis and their
// tenants have the same name.
func TestRedisOfSeveralSalesAgents(t *testing.T) {
	redis := redistest.Own(t)
	for range 2 {
		_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
		p := start(t, append(env, "ESAGATE_SNAPSHOT_REDIS_URL="+redis.URL()), "serve", "--config", config)
		if code, _, body := p.get(statusPath("meadow"), clearKey); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		p.stop()
	}
	keys, err := redis.Do(t.Context(), "KEYS", "*snapshot*")
	must(t, err)
	if keys, ok := keys.([]any); !ok || len(keys) != 2 {
		t.Errorf("%v", keys)
	}
}
