package lifecycle_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

const kept = `"77"` // a setting of freewheel, in JSON

// TestConfigure: the config is replaced, and the settings that this resets are there
// again.
func TestConfigure(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		before := w.stored(id)
		w.pass(time.Minute)
		saved, err := w.one.Rotate(w.Context(), customer, id, w.parse(freewheelNew))
		w.must(err)
		c := *saved.Connection
		w.is(c, registry.StatusActive, "")
		if c.AdServer.Username != "meadow-2" || c.AdServer.DefaultAdvertiserID != "77" || !c.AdServerSavedAt.After(before.AdServerSavedAt) || c.Epoch <= before.Epoch {
			w.Errorf("%+v %+v", c, c.AdServer)
		}
		if w.agent.username() != "meadow-2" || w.agent.setting() != kept {
			w.Errorf("upstream has %v and %s", w.agent.username(), w.agent.setting())
		}
		w.noSettingsStored(id)
		w.one.reported("provision done", "configure done")
	})
}

// TestConfigureRefused: it changes nothing, is noted, and can be mended.
func TestConfigureRefused(t *testing.T) {
	gone := fault.TenantNotFound
	type test struct {
		b      behaviour
		kind   fault.Kind
		code   string // in the answer
		noted  string
		field  string
		reason fault.Reason
	}
	inWorlds(t, map[string]test{
		"by the ad server": {refuse(400, `{"error":"adapter_invalid_credentials","message":"Wrong."}`), fault.Validation, "ADAPTER_INVALID_CREDENTIALS", "ADAPTER_INVALID_CREDENTIALS", "body", ""},
		"by field":         {refuse(422, `[{"loc":["freewheel","username"],"msg":"Too odd.","input":"`+secret+`"}]`), fault.Validation, "ADAPTER_INVALID_CONFIG", "ADAPTER_INVALID_CONFIG", "username", ""},
		"blocked":          {refuse(403, `{"error":"managed_tenant_write_blocked"}`), fault.Conflict, "", "INTERNAL_ERROR", "", ""},
		"the tenant":       {refuse(404, noTenant), fault.NotFound, "", "INTERNAL_ERROR", "", gone},
		"too many":         {refuse(429, `{}`), fault.Unavailable, "", "INTERNAL_ERROR", "", fault.UpstreamError},
		"unreachable":      {behaviour{unreachable: true}, fault.Unavailable, "", "INTERNAL_ERROR", "", fault.UpstreamUnreachable},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		before := w.stored(id)
		w.agent.next("put-config", x.b)
		f := w.saveFails(id, freewheelNew, x.kind)
		if f.ErrorCode != x.code || f.Reason != x.reason || x.kind == fault.Validation && (len(f.Issues) != 1 || f.Issues[0].Path != x.field) {
			w.Errorf("%+v", f)
		}
		c := w.stored(id)
		w.is(c, registry.StatusActive, x.noted)
		if c.AdServer.Username != "meadow" || !c.AdServerSavedAt.Equal(before.AdServerSavedAt) || w.agent.setting() != kept {
			w.Errorf("%+v", c)
		}
		w.noSettingsStored(id)
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
	})
}

// TestRestoreLater: the config is saved, says so, and they are restored
// later: by Settle, or by the next save.
func TestRestoreLater(t *testing.T) {
	for _, by := range []string{"settle", "save", "a refused save", "deactivate"} {
		t.Run(by, func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := w.connected(freewheel).Connection.ID
				w.agent.set(kept)
				w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
				saved := w.save(id, freewheelNew)
				c := *saved.Connection
				if c.AdServer.Username != "meadow-2" || c.LastErrorCode != "INTERNAL_ERROR" || w.agent.setting() == kept {
					w.Errorf("%+v, %s", c, w.agent.setting())
				}
				w.must(w.one.Settle(w.Context())) // it still can't be done
				if c := w.stored(id); c.LastErrorCode != "INTERNAL_ERROR" || c.Operation == nil {
					w.Errorf("%+v", c)
				}
				w.agent.all("put-settings", behaviour{})
				switch by {
				case "settle":
					w.pass(30 * time.Second)
					w.must(w.one.Settle(w.Context()))
					w.is(w.stored(id), registry.StatusActive, "")
				case "save":
					w.save(id, freewheel)
					w.is(w.stored(id), registry.StatusActive, "")
				case "a refused save":
					w.agent.next("put-config", refuse(400, `{"error":"adapter_invalid_credentials"}`))
					w.saveFails(id, freewheel, fault.Validation)
					w.is(w.stored(id), registry.StatusActive, "ADAPTER_INVALID_CREDENTIALS")
				case "deactivate":
					w.deactivate(id)
					w.is(w.stored(id), registry.StatusDeactivated, "")
				}
				if w.agent.setting() != kept {
					w.Errorf("upstream has %s", w.agent.setting())
				}
				w.noSettingsStored(id)
			})
		})
	}
}

// TestRestoreRefused are not tried for ever.
func TestRestoreRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.set(kept)
		w.agent.next("put-settings", refuse(400, `{"error":"bad","message":"No."}`))
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "INTERNAL_ERROR")
		if saved.Connection.AdServer.Username != "meadow-2" {
			w.Errorf("%+v", saved.Connection.AdServer)
		}
	})
}

// TestConfigureNeedsSettings: nothing is changed that would reset them.
func TestConfigureNeedsSettings(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.next("get-settings", behaviour{status: 500, body: `{}`})
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.is(w.stored(id), registry.StatusActive, "")
		w.calls("put-config", 0)
	})
}

func TestTypeCantChange(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.saveFails(id, mock, fault.Conflict)
		w.is(w.stored(id), registry.StatusActive, "")

		// The same of a tenant whose config has not been read yet.
		w.agent.add("tnt_given", "org", "shop", "freewheel")
		a, err := w.one.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: "given", Name: "G", TenantID: "tnt_given"})
		w.must(err)
		_, err = w.one.Rotate(w.Context(), customer, a.Managed.Connection.ID, w.parse(mock))
		w.fails(err, fault.Conflict)
		w.calls("put-config", 0)
		saved, err := w.one.Rotate(w.Context(), customer, a.Managed.Connection.ID, w.parse(freewheel))
		w.must(err)
		if saved.Connection.AdServer.Username != "meadow" {
			w.Errorf("%+v", saved.Connection.AdServer)
		}
	})
}

// TestEnvironmentStays: a config that names no environment keeps the one that stands, which
// upstream would reset and shows nowhere.
func TestEnvironmentStays(t *testing.T) {
	const staging = `{"type":"freewheel","username":"meadow","environment":"staging","password":"` + secret + `"}`
	inWorlds(t, map[string]func(w *world) (id int64, want string){
		"after a refused connect": func(w *world) (int64, string) {
			w.agent.next("provision", refuse(400, `{"error":"adapter_invalid_credentials"}`))
			return w.connect(staging).Connection.ID, "staging"
		},
		"after a refused change": func(w *world) (int64, string) {
			id := w.connected(freewheel).Connection.ID
			w.agent.next("put-config", refuse(400, `{"error":"adapter_invalid_credentials"}`))
			w.saveFails(id, staging, fault.Validation)
			return id, "production"
		},
		"after a change whose settings wait": func(w *world) (int64, string) {
			id := w.connected(staging).Connection.ID
			w.agent.all("put-settings", behaviour{nothing: true, status: 503, body: `{}`})
			w.save(id, freewheelNew)
			w.agent.all("put-settings", behaviour{})
			return id, "staging"
		},
		"after a change of unknown outcome": func(w *world) (int64, string) {
			id := w.connected(staging).Connection.ID
			w.agent.next("put-config", behaviour{cut: true})
			w.saveFails(id, freewheelNew, fault.Unavailable)
			w.pass(5 * time.Minute)
			w.must(w.one.Settle(w.Context()))
			return id, "staging"
		},
	}, func(w *world, before func(w *world) (id int64, want string)) {
		id, want := before(w)
		c := *w.save(id, freewheelNew).Connection
		w.is(c, registry.StatusActive, "")
		config, _ := w.agent.Config(c.TenantID)
		if got := config.Values.Text("environment"); got != want || c.AdServer.Environment != want || config.Account() != "meadow-2" {
			w.Errorf("upstream has %s, the view %s, want %s", got, c.AdServer.Environment, want)
		}
	})
}
