package upstreamtest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

const harbour = "/tenants/tnt_harbour_news"

// status asks for the status of a source's tenant.
func (w *world) status(s ut.Source) string {
	return w.send("GET", "/tenants/"+s.Tenant.ID+"/status", "", key).Body.String()
}

// play sets a scene by its name.
func (w *world) play(name string) {
	w.t.Helper()
	scene, ok := ut.FindScene(name)
	if !ok || scene.Tells == "" {
		w.t.Fatalf("no scene %s", name)
	}
	w.Play(scene)
}

func TestSources(t *testing.T) {
	seen := map[string]bool{}
	states := map[string]bool{}
	for _, s := range ut.Sources() {
		if s.SourceID == "" || s.LookAt == "" || s.Tenant.Name == "" || seen[s.SourceID] || seen[s.Tenant.ID] {
			t.Errorf("%q: empty or there already", s.SourceID)
		}
		if n := len(s.Past); n == 0 || s.Past[n-1].State != s.State {
			t.Errorf("%s: its past does not end as it begins", s.SourceID)
		}
		for i := 1; i < len(s.Past); i++ {
			if s.Past[i].Ago >= s.Past[i-1].Ago || s.Past[i].State == s.Past[i-1].State {
				t.Errorf("%s: its past is not in order", s.SourceID)
			}
		}
		seen[s.SourceID], seen[s.Tenant.ID], states[s.State] = true, true, true
	}
	if len(states) < 4 {
		t.Errorf("they begin in the states %v alone", states)
	}
}

// Each scene sets all of its state, whatever was played before.
func TestScenes(t *testing.T) {
	const (
		refused = "The ad server refused the account"
		failed  = `"inventory":{"last_run_at":"2026-07-04T10:00:00.250000Z","status":"failed"`
	)
	all := ut.Scenes()
	for _, before := range all {
		for _, scene := range all {
			if scene.Name == "agent-slow" || scene.Name == "agent-unplugged" {
				continue
			}
			w := newWorld(t, ut.Options{CacheFor: -1}, ut.Healthy())
			w.Play(before)
			w.Play(scene)
			for _, s := range ut.Sources() {
				if s.Fault.Delay > 0 && scene.Name == "start" {
					continue
				}
				text := w.status(s)
				onStage := s.SourceID == "harbour-news"
				begins := scene.Name == "start"
				if got, want := strings.Contains(text, refused), onStage && scene.Name == "ad-server-refusing" || begins && s.State == "down"; got != want {
					t.Errorf("%s after %s: %s is refused: %v", scene.Name, before.Name, s.SourceID, got)
				}
				if got, want := strings.Contains(text, failed), onStage && scene.Name == "sync-failing"; got != want {
					t.Errorf("%s after %s: %s's inventory has just failed: %v", scene.Name, before.Name, s.SourceID, got)
				}
				if got, want := strings.Contains(text, `"status":"failed"`), onStage && scene.Name == "sync-failing" || begins && s.State == "degraded"; got != want {
					t.Errorf("%s after %s: %s failed: %v", scene.Name, before.Name, s.SourceID, got)
				}
			}
			tested := w.want(200, "POST", harbour+"/adapter-config/test-connection", "")
			if got, want := strings.Contains(tested, `"success":true`), scene.Name != "ad-server-refusing"; got != want {
				t.Errorf("%s after %s: tested: %s", scene.Name, before.Name, tested)
			}
		}
	}
}

// What callers have made of a source outlasts a scene; what is no part of the demo does too.
func TestScenesKeepWhatWasMade(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.InventoryFailed())
	w.play("start")
	w.want(201, "POST", harbour+"/webhooks", `{"url":"https://hook.example/"}`)
	w.want(200, "PUT", harbour+"/adapter-config", strings.Replace(gamBody, "82640", "82641", 1))
	w.want(200, "POST", harbour+"/deactivate", "")
	w.play("sync-failing")
	if hooks := w.Subscriptions("tnt_harbour_news"); len(hooks) != 1 {
		t.Errorf("subscriptions: %+v", hooks)
	}
	if body := w.want(200, "GET", harbour+"/adapter-config", ""); !strings.Contains(body, "82641") {
		t.Errorf("the config: %s", body)
	}
	if body := w.want(200, "GET", harbour, ""); !strings.Contains(body, `"is_active":false`) {
		t.Errorf("the tenant: %s", body)
	}
	if body := w.want(200, "GET", "/tenants/tnt_a/status", ""); !strings.Contains(body, `"status":"failed"`) {
		t.Errorf("a tenant that is in no scene: %s", body)
	}
}

// The ends of an outage and of slowness are at once, also for requests under way.
func TestSlowAndUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ut.Options{Now: time.Now}, ut.Healthy())
		defer w.Close()
		w.play("agent-slow")
		began := time.Now()
		first := make(chan time.Duration, 1)
		go func() {
			w.want(200, "GET", harbour, "")
			first <- time.Since(began)
		}()
		time.Sleep(time.Second)
		w.play("recovery")
		if took := <-first; took != time.Second {
			t.Errorf("it took %v", took)
		}
		w.play("agent-slow")
		began = time.Now()
		if w.want(200, "GET", harbour, ""); time.Since(began) != 4*time.Second {
			t.Errorf("slow: %v", time.Since(began))
		}
		w.play("agent-unplugged")
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it is unplugged, and answers")
				}
			}()
			w.send("GET", harbour, "", key)
		}()
		w.play("healthy")
		w.want(200, "GET", harbour, "")
	})
}
