package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/registry"
)

// A story is a list of steps: what is asked of the gateway, how upstream behaves
// meanwhile, and how long passes after it.
type step struct {
	do      string
	replica int
	op      string
	b       behaviour
	pause   time.Duration
}

var (
	steps = []string{"save", "save", "save", "rotate", "test", "refresh", "deactivate", "reactivate",
		"check", "check", "settle", "crash"}
	calls     = []string{"provision", "provision", "provision", "list", "put-config", "put-settings", "get-settings", "tenant", "deactivate", "reactivate", "test"}
	durations = []time.Duration{0, time.Second, 20 * time.Second, 70 * time.Second, 90 * time.Second, 110 * time.Second}
)

func story(t *rapid.T) []step {
	duration := rapid.SampledFrom(durations)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		s := step{
			do: rapid.SampledFrom(steps).Draw(t, "do"), replica: rapid.IntRange(0, 1).Draw(t, "replica"),
			op: rapid.SampledFrom(calls).Draw(t, "op"), pause: duration.Draw(t, "pause"),
			b: behaviour{
				unreachable: rapid.IntRange(0, 7).Draw(t, "unreachable") == 0,
				nothing:     rapid.Bool().Draw(t, "nothing"), cut: rapid.Bool().Draw(t, "cut"),
				before: duration.Draw(t, "before"), after: duration.Draw(t, "after"),
				status: rapid.SampledFrom([]int{0, 500, 503}).Draw(t, "status"), body: "{}",
			},
		}
		if s.op != "provision" { // what comes after others were made in its place can't be known
			s.b.before = min(s.b.before, 20*time.Second)
		}
		return s
	}), 1, 12).Draw(t, "steps")
}

// TestStories: whatever upstream does, and whichever of two replicas crashes, there is
// one tenant at most, no provisioning comes within two minutes of one whose outcome is
// not known, and when upstream is well again the connection tells the truth and a
// retry works.
func TestStories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		if fault := play(t, story(rt)); fault != "" {
			rt.Fatal(fault)
		}
	})
}

// play plays a story on a clock of its own and gives what was wrong. rapid ends a test
// by a panic, which must not happen on the goroutine of a fake clock.
func play(t *testing.T, story []step) (wrong string) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		replicas := []*replica{w.one, w.start()}
		var under []chan struct{}
		for _, s := range story {
			w.agent.next(s.op, s.b)
			r := replicas[s.replica]
			if s.do == "crash" {
				r.crash()
				replicas[s.replica] = w.start()
				if s.replica == 0 {
					w.one = replicas[0]
				}
			} else {
				done := make(chan struct{})
				under = append(under, done)
				go func() {
					defer close(done)
					ctx, cancel := context.WithTimeout(w.Context(), 2*time.Minute)
					defer cancel()
					_ = r.do(ctx, s.do, id)
				}()
			}
			w.pass(s.pause)
		}
		// Upstream is well again.
		w.agent.mu.Lock()
		clear(w.agent.script)
		w.agent.mu.Unlock()
		for range 40 {
			w.pass(15 * time.Second)
			w.must(replicas[1].Settle(w.Context()))
		}
		for _, done := range under {
			<-done
		}
		wrong = w.check(replicas[1], id)
	})
	return wrong
}

// check gives what is wrong in the end.
func (w *world) check(r *replica, id int64) string {
	if n := len(w.agent.TenantIDs()); n > 1 {
		return fmt.Sprintf("%d tenants", n)
	}
	sent := w.agent.made("provision")
	for i := 1; i < len(sent); i++ {
		if gap := sent[i].at.Sub(sent[i-1].at); gap < 2*time.Minute && sent[i-1].unclear {
			return fmt.Sprintf("provisioned again %s after an attempt of unknown outcome", gap)
		}
	}
	c := w.stored(id)
	if c.Operation != nil || !c.UnsettledSince.IsZero() {
		return fmt.Sprintf("not settled: %+v", c)
	}
	if c.TenantID == "" {
		if len(w.agent.TenantIDs()) != 0 {
			return fmt.Sprintf("a tenant is forgotten: %+v", c)
		}
		if !slices.Contains([]registry.ProvisioningStatus{registry.StatusPending, registry.StatusFailed}, c.Provisioning) {
			return fmt.Sprintf("%s without a tenant", c.Provisioning)
		}
	} else if t, ok := w.agent.Tenant(c.TenantID); !ok || t.Active != (c.Provisioning == registry.StatusActive) {
		return fmt.Sprintf("%s is not what upstream says", c.Provisioning)
	}
	if c.LastErrorCode == "" && c.AdServer != nil && c.LastTestedAt.IsZero() { // a test that passes clears what was said
		if a, ok := w.agent.Config(c.TenantID); ok && a.Account() != c.AdServer.Username {
			return fmt.Sprintf("the config is %v upstream and %s here, and nothing says so", a.Account(), c.AdServer.Username)
		}
	}
	if c.Provisioning == registry.StatusDeactivated {
		if _, err := r.Reactivate(w.Context(), customer, id); err != nil {
			return "reactivate: " + err.Error()
		}
	}
	m, err := r.Save(w.Context(), customer, id, w.parse(freewheelNew))
	if err != nil {
		return "save: " + err.Error()
	}
	c = w.stored(id)
	if c.Provisioning != registry.StatusActive || c.LastErrorCode != "" || m.Connection.AdServer.Username != "meadow-2" ||
		len(w.agent.TenantIDs()) != 1 || w.agent.username() != "meadow-2" {
		return fmt.Sprintf("a retry did not work: %+v", c)
	}
	return ""
}
