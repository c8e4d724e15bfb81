package upstreamtest_test

import (
	"testing"
	"time"

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
