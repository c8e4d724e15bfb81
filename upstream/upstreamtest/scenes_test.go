package upstreamtest_test

import (
	"net/http"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestScenesCanBePlayed(t *testing.T) {
	now := start
	a := ut.New(ut.Options{APIKey: key, Now: func() time.Time { return now }})
	scenes := ut.Scenes()
	if len(scenes) < 7 {
		t.Errorf("%d scenes", len(scenes))
	}
	sources, tenants, without := map[string]bool{}, map[string]bool{}, 0
	for _, s := range scenes {
		if s.SourceID == "" || s.Title == "" || s.LookAt == "" || sources[s.SourceID] || tenants[s.Tenant.ID] {
			t.Errorf("scene %q: empty or there already", s.SourceID)
		}
		sources[s.SourceID], tenants[s.Tenant.ID] = true, true
		a.Play(s)
		if s.Tenant.ID == "" {
			without++
			continue
		}
		if s.Fault.Delay > 0 {
			continue // the delay is real; TestDelays holds that it is kept
		}
		if res := get(t, a, statusPath(s.Tenant.ID)); res == nil || res.StatusCode != http.StatusOK {
			t.Errorf("scene %s does not begin with an answer", s.SourceID)
		}
	}
	if without != 1 {
		t.Errorf("%d scenes without a tenant", without)
	}

	now = start.Add(30 * time.Second)
	failing := 0
	for _, s := range scenes {
		if s.Tenant.ID != "" && s.Fault.Delay == 0 && get(t, a, statusPath(s.Tenant.ID)).StatusCode == http.StatusInternalServerError {
			failing++
		}
	}
	if failing != 1 {
		t.Errorf("%d scenes fail after 30 s", failing)
	}
}
