package upstreamtest_test

import (
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestRoutesAndKeys(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	w.SetTenant(gam("tnt/b", ut.Healthy()))
	for _, c := range []struct {
		method, path, key string
		status            int
		holds             string
	}{
		{"GET", "/tenants/tnt_a/status", key, 200, `"fetched_at":"2026-07-04T10:00:00.250000Z"`},
		{"GET", "/tenants/tnt%2Fb", key, 200, `"tenant_id":"tnt/b"`},
		{"GET", "/tenants/tnt_a/adapter-config", key, 200, `"network_code":"777"`},
		{"GET", "/tenants/tnt_a/status", "", 401, `{"error":"No API key was sent"}`},
		{"GET", "/tenants/tnt_a/status", "other", 401, `{"error":"The API key is not known"}`},
		{"GET", "/tenants/tnt_x/status", key, 404, `{"error":"tenant_not_found","message":"`},
		{"POST", "/tenants/tnt_x/webhooks", key, 422, `"loc":["url"]`},
		{"GET", "/tenants/tnt_a/nothing", key, 404, "<h1>404 Not Found"},
		{"DELETE", "/tenants/tnt_a/adapter-config", key, 405, "<h1>405 Method Not Allowed"},
	} {
		a := w.send(c.method, c.path, "{}", c.key)
		if a.Code != c.status || !strings.Contains(a.Body.String(), c.holds) {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.Code, a.Body)
		}
		html := strings.HasPrefix(a.Header().Get("Content-Type"), "text/html")
		if html != strings.HasPrefix(c.holds, "<") || (a.Header().Get("Allow") == "GET, HEAD, PUT") != (c.status == 405) {
			t.Errorf("%s %s: headers %v", c.method, c.path, a.Header())
		}
	}
}

func TestCallsAndRequests(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	for _, path := range []string{"/tenants/tnt_a/status?x=1", "/tenants/tnt_gone/status", "/tenants/tnt_a"} {
		w.send("GET", path, "", key)
	}
	for id, want := range map[string]int{"tnt_a": 1, "tnt_gone": 1, "tnt_never": 0, "": 3} {
		if got := w.Calls(id); got != want {
			t.Errorf("Calls(%q) = %d, want %d", id, got, want)
		}
	}
	all := w.Requests()
	if len(all) != 3 || all[2].Route != ut.RouteTenant {
		t.Fatalf("requests %+v", all)
	}
	if r := all[0]; r.Method != "GET" || r.Path != ut.BasePath+"/tenants/tnt_a/status" || r.Query != "x=1" ||
		r.Route != ut.RouteStatus || r.TenantID != "tnt_a" || !r.At.Equal(start) || r.Header.Get(ut.KeyHeader) != key {
		t.Errorf("first request: %+v", r)
	}
}

func TestTenants(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	w.now = start.Add(-time.Hour)
	id := w.provision("1", gamBody)
	list := func(query string) (ids string) {
		l := decode[struct {
			Tenants []struct {
				ID string `json:"tenant_id"`
			}
			Count int
		}](t, w.want(200, "GET", "/tenants"+query, ""))
		for _, tenant := range l.Tenants {
			ids += " " + tenant.ID
		}
		if l.Count != len(l.Tenants) {
			t.Errorf("%d of %d", l.Count, len(l.Tenants))
		}
		return ids
	}
	for query, want := range map[string]string{
		"?external_source=pier": " " + id, "?external_source=storefront": " tnt_a", "?external_source=x": "",
		"": " tnt_a " + id, // newest first
	} {
		if got := list(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, verb := range []string{"deactivate", "deactivate", "reactivate", "reactivate"} {
		answer := w.want(200, "POST", "/tenants/tnt_a/"+verb, "")
		tenant, _ := w.Tenant("tnt_a")
		if active := verb == "reactivate"; strings.Contains(answer, `"is_active":true`) != active || tenant.Active != active {
			t.Errorf("%s: %s", verb, answer)
		}
	}
}

func TestScenesCanBePlayed(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	seen := map[string]bool{}
	answers := map[time.Duration]int{}
	for _, s := range ut.Scenes() {
		if s.SourceID == "" || s.Title == "" || s.LookAt == "" || seen[s.SourceID] || seen[s.Tenant.ID] {
			t.Errorf("scene %q: empty or there already", s.SourceID)
		}
		seen[s.SourceID], seen[s.Tenant.ID] = true, true
		w.Play(s)
	}
	for _, after := range []time.Duration{0, 30 * time.Second} {
		w.now = start.Add(after)
		for _, s := range ut.Scenes() {
			if s.Fault.Delay == 0 && w.send("GET", "/tenants/"+s.Tenant.ID+"/status", "", key).Code == 200 {
				answers[after]++
			}
		}
	}
	if !seen[""] || len(seen) < 14 || answers[0] < 6 || answers[30*time.Second] != answers[0]-1 { // one flaps
		t.Errorf("%d ids, %v answers", len(seen), answers)
	}
}
