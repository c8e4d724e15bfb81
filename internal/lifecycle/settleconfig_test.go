package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

// TestUnknownConfig: it is said so, and the settings are restored whatever it is: at
// once, and again when upstream can't be at it any more. Only then is it over.
func TestUnknownConfig(t *testing.T) {
	for name, b := range map[string]behaviour{
		"done":     {cut: true},
		"not done": {nothing: true, cut: true},
		"a 500":    {status: 500, body: `{}`},
		"late":     {before: 80 * time.Second},
		"later":    {before: 119 * time.Second},
	} {
		for _, by := range []string{"settle", "save"} {
			t.Run(name+", then "+by, func(t *testing.T) {
				inWorld(t, func(w *world) {
					id := w.connected(freewheel).Connection.ID
					w.agent.set(kept)
					before := w.stored(id)
					w.pass(time.Second)
					begun := time.Now()
					w.agent.next("put-config", b)
					w.saveFails(id, freewheelNew, fault.Unavailable)
					c := w.stored(id)
					if c.LastErrorCode != "INTERNAL_ERROR" || c.AdServer.Username != "meadow" || c.Epoch <= before.Epoch || !c.AdServerSavedAt.After(before.AdServerSavedAt) || c.Operation == nil {
						w.Errorf("%+v", c)
					}
					if settings := w.agent.setting(); settings != kept {
						w.Errorf("%q; they are not restored at once", settings)
					}
					if f := w.saveFails(id, freewheelNew, fault.Conflict); f.RetryAfter <= 0 {
						w.Errorf("%+v", f)
					}
					for time.Since(begun) < 2*time.Minute {
						w.must(w.one.Settle(w.Context()))
						if w.stored(id).Operation == nil {
							w.Fatalf("it is over after %s", time.Since(begun))
						}
						w.pass(5 * time.Second)
					}
					w.pass(time.Minute)
					if by == "settle" {
						w.must(w.one.Settle(w.Context()))
						w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
						if settings := w.agent.setting(); settings != kept {
							w.Errorf("upstream has %q", settings)
						}
						w.noSettingsStored(id)
						w.one.reported("provision done", "configure unknown")
					}
					saved := w.save(id, freewheelNew)
					w.is(*saved.Connection, registry.StatusActive, "")
					if username, settings := w.agent.username(), w.agent.setting(); username != "meadow-2" || settings != kept {
						w.Errorf("%v, %s", username, settings)
					}
				})
			})
		}
	}
}

// TestUnknownConfigShortProbeTimeout: upstream has its time all the same.
func TestUnknownConfigShortProbeTimeout(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.ProbeTimeout = 10 * time.Second
		w.restart()
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.agent.next("put-config", behaviour{before: 115 * time.Second})
		w.saveFails(id, freewheelNew, fault.Unavailable)
		for range 30 {
			w.must(w.one.Settle(w.Context()))
			w.pass(5 * time.Second)
		}
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
		if settings := w.agent.setting(); settings != kept {
			w.Errorf("upstream has %q", settings)
		}
	})
}

// TestUnknownConfigIsUntested: what was tested before is asked for again,
// and a test that passes does not wipe what is said while it is to be settled.
func TestUnknownConfigIsUntested(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.pass(time.Second)
		_, _, err := w.one.Test(w.Context(), customer, id)
		w.must(err)
		w.pass(time.Second)
		w.agent.next("put-config", behaviour{cut: true})
		w.saveFails(id, freewheelNew, fault.Unavailable)
		if c := w.stored(id); !c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, written at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
		for range 2 {
			w.pass(time.Second)
			_, m, err := w.one.Test(w.Context(), customer, id)
			w.must(err)
			if c := w.stored(id); c.LastError == "" || m.Connection.LastError != c.LastError {
				w.Errorf("%q, %q", c.LastError, m.Connection.LastError)
			}
		}
		w.pass(3 * time.Minute)
		w.must(w.one.Settle(w.Context()))
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if !c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Error("a test from before upstream came to it vouches for the config")
		}
	})
}

// TestUnknownConfigIsRead there is, where it can.
func TestUnknownConfigIsRead(t *testing.T) {
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint("done ", done), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.accounts[customer] = &adserver.Account{Email: "gate@operator.example", Key: `{"private_key":"CANARY"}`}
				id := w.connected(gam).Connection.ID
				w.agent.next("put-config", behaviour{nothing: !done, cut: true})
				_, err := w.one.Save(w.Context(), customer, id, w.parse(`{"type":"google_ad_manager","networkCode":"555"}`))
				w.fails(err, fault.Unavailable)
				w.pass(3 * time.Minute)
				shown, want := `{"type":"google_ad_manager","configured":true,"network_code":"90817263"}`, "90817263"
				if done {
					shown, want = `{"type":"google_ad_manager","configured":true,"network_code":"555"}`, "555"
				}
				w.agent.next("get-config", behaviour{status: 500, body: `{}`}, behaviour{status: 200, body: shown})
				w.must(w.one.Settle(w.Context())) // it can't be asked
				if w.stored(id).Operation == nil {
					w.Fatal("it is taken to be settled")
				}
				w.pass(27 * time.Second)
				w.must(w.one.Settle(w.Context()))
				if n := len(w.agent.made("get-config")); n != 1 {
					w.Errorf("asked %d times", n)
				}
				w.pass(3 * time.Second)
				w.must(w.one.Settle(w.Context()))
				c := w.stored(id)
				w.is(c, registry.StatusActive, "INTERNAL_ERROR")
				if c.AdServer.NetworkCode != want {
					w.Errorf("%+v", c.AdServer)
				}
			})
		})
	}
}

// TestUnknownConfigIsGivenUp is given up in the end, and stands against nothing that
// somebody waits for.
func TestUnknownConfigIsGivenUp(t *testing.T) {
	for _, by := range []string{"settle", "save", "deactivate"} {
		t.Run(by, func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := w.connected(freewheel).Connection.ID
				w.agent.set(kept)
				w.agent.next("put-config", behaviour{cut: true})
				w.agent.all("put-settings", behaviour{nothing: true, status: 500, body: `{}`})
				w.agent.all("get-config", behaviour{status: 500, body: `{}`})
				w.saveFails(id, freewheelNew, fault.Unavailable)
				w.pass(3 * time.Minute)
				switch by {
				case "settle":
					for range 80 {
						w.must(w.one.Settle(w.Context()))
						w.pass(time.Minute)
					}
					w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
				case "save":
					w.save(id, freewheelNew)
				case "deactivate":
					w.deactivate(id)
				}
				w.agent.all("put-settings", behaviour{})
				if by == "deactivate" {
					w.is(w.stored(id), registry.StatusDeactivated, "INTERNAL_ERROR")
					w.reactivate(id)
				}
				saved := w.save(id, freewheelNew)
				w.is(*saved.Connection, registry.StatusActive, "")
				if got := w.agent.setting(); got != kept {
					w.Errorf("upstream has the settings %q", got)
				}
			})
		})
	}
}
