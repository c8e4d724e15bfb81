package main_test

import (
	"strings"
	"sync"
	"testing"

	"esagate/internal/pgtest"
	"esagate/upstream/upstreamtest"
)

// TestReplicas starts two gateways at once on one empty PostgreSQL database.
func TestReplicas(t *testing.T) {
	t.Run("directly", func(t *testing.T) { twoReplicas(t, pgtest.Database(t)) })
	t.Run("behind a pooler", func(t *testing.T) { twoReplicas(t, pgtest.PooledDatabase(t)) })
}

func twoReplicas(t *testing.T, databaseURL string) {
	config, env := write(t, "http://127.0.0.1:1")
	env = append(env, "ESAGATE_STORE_URL="+databaseURL)
	var replicas [2]*process
	var wg sync.WaitGroup
	for i := range replicas {
		wg.Go(func() { replicas[i] = start(t, env, "serve", "--config", config) })
	}
	wg.Wait()
	a, b := replicas[0], replicas[1]
	if a == nil || b == nil {
		t.Fatal("one did not start")
	}
	both := func(method, path, body string, headers ...string) (codes [2]int, bodies [2]string) {
		for i, p := range replicas {
			wg.Go(func() { codes[i], bodies[i] = p.send(method, path, clearKey, body, headers...) })
		}
		wg.Wait()
		return codes, bodies
	}
	for _, id := range []string{"one", "two", "three", "four", "five"} {
		codes, bodies := both("POST", sources, strings.Replace(agentBody, "{", `{"sourceId":"`+id+`",`, 1))
		if codes != [2]int{201, 409} && codes != [2]int{409, 201} {
			t.Errorf("two creates of %s: %v %q", id, codes, bodies)
		}
		// Changes of different fields at once: none is lost.
		for i, body := range []string{`{"name":"A"}`, `{"description":"B"}`} {
			wg.Go(func() {
				if code, answer := replicas[i].send("PUT", sources+"/"+id, clearKey, body); code != 200 {
					t.Errorf("%d %s", code, answer)
				}
			})
		}
		wg.Wait()
		for _, p := range replicas {
			if _, body := p.send("GET", sources+"/"+id, clearKey, ""); !strings.Contains(body, `"name":"A"`) || !strings.Contains(body, `"description":"B"`) {
				t.Errorf("an update was lost: %s", body)
			}
		}
		// Changes of one state: one is made.
		_, read, _, err := a.do("GET", sources+"/"+id, clearKey, "")
		must(t, err)
		codes, bodies = both("PUT", sources+"/"+id, `{"description":"C"}`, "If-Match", read.Header.Get("Etag"))
		if codes != [2]int{200, 412} && codes != [2]int{412, 200} {
			t.Errorf("two changes of one state: %v %q", codes, bodies)
		}
	}
	codes, bodies := both("POST", sources, agentBody) // by slug both get one
	if codes != [2]int{201, 201} || bodies[0] == bodies[1] {
		t.Errorf("two creates by name: %v %q", codes, bodies)
	}
	if code, _ := a.send("DELETE", sources+"/one", clearKey, ""); code != 204 {
		t.Errorf("delete: %d", code)
	}
	if code, _ := b.send("GET", sources+"/one", clearKey, ""); code != 404 {
		t.Errorf("deleted by the other: %d", code)
	}
	key, _ := good(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "k")
	key = strings.TrimSpace(key)
	for _, p := range replicas {
		if code, _ := p.send("GET", sources, key, ""); code != 200 {
			t.Errorf("a key just made: %d", code)
		}
	}
	good(t, env, "key", "revoke", "--config", config, "1")
	eventually(t, "the key is refused everywhere", func() bool {
		codeA, _ := a.send("GET", sources, key, "")
		codeB, _ := b.send("GET", sources, key, "")
		return codeA == 401 && codeB == 401
	})
	a.stop()
	b.stop()
	for _, p := range replicas {
		if strings.Contains(p.errs.String(), "CANARY") {
			t.Error("a planted secret stands in the log")
		}
	}
}

// TestANewReplicaStartsWarm: what one replica knows of a source, another serves in an outage.
func TestANewReplicaStartsWarm(t *testing.T) {
	url := pgtest.Database(t)
	_, unplug, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	env = append(env, "ESAGATE_STORE_URL="+url)
	first := start(t, env, "serve", "--config", config)
	if code, _, body := first.get(statusPath("meadow"), clearKey); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	first.stop()
	unplug()
	second := start(t, env, "serve", "--config", config)
	if code, header, body := second.get(statusPath("meadow"), clearKey); code != 200 || header.Get("Age") == "" {
		t.Errorf("%d %s", code, body)
	}
	second.stop()
}

// TestPostgreSQLAway takes the database down under a running gateway.
func TestPostgreSQLAway(t *testing.T) {
	cluster := pgtest.Own(t)
	url, err := cluster.NewDatabase(t.Context())
	must(t, err)
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, append(env, "ESAGATE_STORE_URL="+url), "serve", "--config", config)
	if code, body := p.send("POST", sources, clearKey, agentBody); code != 201 {
		t.Fatalf("%d %s", code, body)
	}
	known := func() bool {
		one, _ := p.send("GET", sources+"/harbour-direct", clearKey, "")
		all, list := p.send("GET", sources, clearKey, "")
		esa, _ := p.send("GET", sources+"/meadow/esa", clearKey, "")
		return one == 200 && all == 200 && esa == 200 && strings.Contains(list, "harbour-direct")
	}
	if !known() {
		t.Fatal("not served while all is well")
	}
	must(t, cluster.Down())
	if !known() {
		t.Error("known sources are not served from memory")
	}
	for method, path := range map[string]string{"POST": sources, "PUT": sources + "/harbour-direct", "DELETE": sources + "/harbour-direct"} {
		if code, body := p.send(method, path, clearKey, agentBody); code != 503 || !strings.Contains(body, "SERVICE_UNAVAILABLE") {
			t.Errorf("%s: %d %s", method, code, body)
		}
	}
	if code, body := p.send("GET", "/readyz", clearKey, ""); code != 200 || !strings.Contains(body, `"store":"away"`) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	p.saysWhy(t, "postgres", "the registry can't be reached", "the API keys of the store can't be read")
	must(t, cluster.Up(t.Context()))
	eventually(t, "writes work again", func() bool {
		code, _ := p.send("PUT", sources+"/harbour-direct", clearKey, `{"status":"ACTIVE"}`)
		return code == 200
	})
	p.stop()
	if !strings.Contains(p.errs.String(), "the registry can be reached again") {
		t.Errorf("the outage is not told:\n%s", p.errs.String())
	}
}
