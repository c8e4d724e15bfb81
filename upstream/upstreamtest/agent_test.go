package upstreamtest_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

func TestRoutesAndKeys(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	a.SetTenant(gam("tnt/b", ut.Healthy()))
	const base = ut.BasePath
	for _, c := range []struct {
		name, method, path, key string
		status                  int
		html                    bool
		holds                   string
	}{
		{"status", "GET", base + "/tenants/tnt_a/status", key, 200, false, `"fetched_at":"2026-07-04T10:00:00.250000Z"`},
		{"escaped id", "GET", base + "/tenants/tnt%2Fb", key, 200, false, `"tenant_id":"tnt/b"`},
		{"adapter config", "GET", base + "/tenants/tnt_a/adapter-config", key, 200, false, `"network_code":"777"`},
		{"tenants", "GET", base + "/tenants", key, 200, false, `"count":2`},
		{"no key", "GET", base + "/tenants/tnt_a/status", "", 401, false, `{"error":"`},
		{"wrong key", "GET", base + "/tenants/tnt_a/status", "other", 401, false, `{"error":"`},
		{"no such tenant", "GET", base + "/tenants/tnt_x/status", key, 404, false, `{"error":"tenant_not_found","message":"`},
		{"no such path", "GET", base + "/tenants/tnt_a/nothing", key, 404, true, "404 Not Found"},
		{"a method that is not taken", "DELETE", base + "/tenants/tnt_a/adapter-config", key, 405, true, "405 Method Not Allowed"},
		{"a write of what is only read", "POST", base + "/tenants/tnt_a/status", key, 405, true, "405 Method Not Allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, nil)
			if c.key != "" {
				r.Header.Set(ut.KeyHeader, c.key)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if html := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); html != c.html {
				t.Errorf("content type %q", w.Header().Get("Content-Type"))
			}
			if !strings.Contains(w.Body.String(), c.holds) {
				t.Errorf("%s does not hold %s", w.Body, c.holds)
			}
			if c.status == 401 {
				strict[struct {
					Error string `json:"error"`
				}](t, w.Body.String())
			}
		})
	}
}

func TestCallsAndRequests(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	get(t, a, statusPath("tnt_a")+"?x=1", "Traceparent", "00-ab-cd-01")
	get(t, a, statusPath("tnt_gone"))
	get(t, a, ut.BasePath+"/tenants/tnt_a")
	for id, want := range map[string]int{"tnt_a": 1, "tnt_gone": 1, "tnt_never": 0, "": 3} {
		if got := a.Calls(id); got != want {
			t.Errorf("Calls(%q) = %d, want %d", id, got, want)
		}
	}
	all := a.Requests()
	if len(all) != 3 {
		t.Fatalf("%d requests", len(all))
	}
	if r := all[0]; r.Method != "GET" || r.Path != statusPath("tnt_a") || r.Query != "x=1" || r.Route != ut.RouteStatus ||
		r.TenantID != "tnt_a" || !r.At.Equal(start) || r.Header.Get("Traceparent") != "00-ab-cd-01" {
		t.Errorf("first request: %+v", r)
	}
	if all[2].Route != ut.RouteTenant {
		t.Errorf("last request: %+v", all[2])
	}
}
