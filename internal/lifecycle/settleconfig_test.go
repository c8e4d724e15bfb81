package lifecycle_test

import (
	"testing"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

// TestUnknownConfig: it is said so, and the settings are restored whatever it is: at
// once, and again when upstream can't be at it any more. Only then is it over.
func TestUnknownConfig(t *testing.T) {
	type test struct {
		b     behaviour
		probe time.Duration // ProbeTimeout
		saved bool          // settled by the next save, and not by Settle
	}
	tests := map[string]test{}
	for name, x := range map[string]test{
		"done":             {b: behaviour{cut: true}},
		"not done":         {b: behaviour{nothing: true, cut: true}},
		"a 500":            {b: behaviour{status: 500, body: `{}`}},
		"late":             {b: behaviour{before: 80 * time.Second}},
		"later":            {b: behaviour{before: 119 * time.Second}},
		"after its probes": {b: behaviour{before: 115 * time.Second}, probe: 10 * time.Second},
	} {
		tests[name] = x
		x.saved = true
		tests[name+", then a save"] = x
	}
	inWorlds(t, tests, func(w *world, x test) {
		w.config.ProbeTimeout = x.probe
		w.restart()
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		before := w.stored(id)
		w.pass(time.Second)
		begun := time.Now()
		w.agent.next("put-config", x.b)
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
		for time.Since(begun) < 115*time.Second {
			w.rounds(5 * time.Second)
			if w.stored(id).Operation == nil {
				w.Fatalf("it is over after %s", time.Since(begun))
			}
		}
		w.pass(time.Minute)
		if !x.saved {
			w.rounds(5 * time.Second)
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
}

// TestUnknownConfigIsUntested: what was tested before is asked for again,
// and a test that passes does not wipe what is said while it is to be settled.
func TestUnknownConfigIsUntested(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.pass(time.Second)
		w.test(id)
		w.pass(time.Second)
		w.agent.next("put-config", behaviour{cut: true})
		w.saveFails(id, freewheelNew, fault.Unavailable)
		if c := w.stored(id); !c.LastTestedAt.Before(c.AdServerSavedAt) {
			w.Errorf("tested at %s, written at %s", c.LastTestedAt, c.AdServerSavedAt)
		}
		for range 2 {
			w.pass(time.Second)
			_, m := w.test(id)
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

// TestUnknownConfigIsRead: it is read which config there is, once that is possible.
func TestUnknownConfigIsRead(t *testing.T) {
	inWorlds(t, map[string]string{"done": "555", "not done": "90817263"}, func(w *world, network string) {
		w.accounts[customer] = &adserver.Account{Email: "gate@operator.example", Key: `{"private_key":"CANARY"}`}
		id := w.connected(gam).Connection.ID
		w.agent.next("put-config", behaviour{nothing: network != "555", cut: true})
		w.saveFails(id, `{"type":"google_ad_manager","networkCode":"555"}`, fault.Unavailable)
		w.pass(3 * time.Minute)
		w.agent.next("get-config", behaviour{status: 500, body: `{}`},
			behaviour{status: 200, body: `{"type":"google_ad_manager","configured":true,"network_code":"` + network + `"}`})
		w.must(w.one.Settle(w.Context())) // it can't be asked
		if w.stored(id).Operation == nil {
			w.Fatal("it is taken to be settled")
		}
		w.rounds(27 * time.Second)
		w.calls("get-config", 1)
		w.rounds(3 * time.Second)
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if c.AdServer.NetworkCode != network {
			w.Errorf("%+v", c.AdServer)
		}
	})
}

// TestUnknownConfigIsGivenUp: it is given up in the end, and prevents nothing that a caller
// waits for.
func TestUnknownConfigIsGivenUp(t *testing.T) {
	inWorlds(t, map[string]func(w *world, id int64){
		"settle": func(w *world, id int64) {
			w.rounds(80 * time.Minute)
			w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
		},
		"save": func(w *world, id int64) { w.save(id, freewheelNew) },
		"deactivate": func(w *world, id int64) {
			w.deactivate(id)
			w.is(w.stored(id), registry.StatusDeactivated, "INTERNAL_ERROR")
			w.reactivate(id)
		},
	}, func(w *world, then func(w *world, id int64)) {
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.agent.next("put-config", behaviour{cut: true})
		w.agent.all("put-settings", behaviour{nothing: true, status: 500, body: `{}`})
		w.agent.all("get-config", behaviour{status: 500, body: `{}`})
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.pass(3 * time.Minute)
		then(w, id)
		w.agent.all("put-settings", behaviour{})
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		if got := w.agent.setting(); got != kept {
			w.Errorf("upstream has the settings %q", got)
		}
	})
}
