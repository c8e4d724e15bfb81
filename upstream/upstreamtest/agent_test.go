package upstreamtest_test

import (
	"testing"

	ut "esagate/upstream/upstreamtest"
)

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
