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
	seen, answers := map[string]bool{}, map[time.Duration]int{}
	for _, s := range ut.Scenes() {
		if s.SourceID == "" || s.Title == "" || s.LookAt == "" || seen[s.SourceID] || seen[s.Tenant.ID] {
			t.Errorf("scene %q: empty or there already", s.SourceID)
		}
		seen[s.SourceID], seen[s.Tenant.ID] = true, true
		a.Play(s)
	}
	for _, after := range []time.Duration{0, 30 * time.Second} {
		now = start.Add(after)
		for _, s := range ut.Scenes() {
			if s.Tenant.ID != "" && s.Fault.Delay == 0 && get(t, a, statusPath(s.Tenant.ID)).StatusCode == http.StatusOK {
				answers[after]++
			}
		}
	}
	if !seen[""] || len(seen) < 14 || answers[0] < 6 || answers[30*time.Second] != answers[0]-1 { // one flaps
		t.Errorf("%d ids, %v answers", len(seen), answers)
	}
}
