package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// unclear are the ways in which a provisioning can end with an unknown outcome.
var unclear = map[string]behaviour{
	"500":         {status: 500, body: `{"error":"internal_error"}`},
	"502":         {status: 502, body: `<html>`},
	"cut short":   {cut: true},
	"not JSON":    {status: 201, body: `<html>`},
	"no tenant":   {status: 201, body: `{"name":"x"}`},
	"a redirect":  {status: 303},
	"a 408":       {status: 408},
	"too late":    {after: 80 * time.Second},
	"a list":      {status: 500, body: `[{"type":"missing","loc":["adapter","freewheel","username"],"msg":"Field required"}]`},
	"another's":   {status: 201, body: `{"tenant_id":"tnt_other","external_org_id":"4711-9"}`},
	"a long name": {status: 201, body: fmt.Sprintf(`{"tenant_id":"%0300d"}`, 7)},
}

// TestUnknownOutcomeWithTenant: where the tenant is there after all, it is the
// connection's, at once.
func TestUnknownOutcomeWithTenant(t *testing.T) {
	inWorlds(t, unclear, func(w *world, b behaviour) {
		w.agent.next("provision", b)
		m := w.connect(freewheel)
		w.pass(time.Minute)
		c := w.stored(m.Connection.ID)
		w.is(c, registry.StatusActive, "")
		if c.TenantID != w.agent.id() || c.MCPURL != "" || c.AdServer == nil || !c.UnsettledSince.IsZero() {
			w.Errorf("%+v", c)
		}
		w.calls("provision", 1)
		w.one.reported("provision adopted")
	})
}

// TestUnknownOutcomeWithoutTenant: it is said to have failed, and nothing is tried
// again for two minutes.
func TestUnknownOutcomeWithoutTenant(t *testing.T) {
	inWorlds(t, unclear, func(w *world, b behaviour) {
		b.nothing = true
		if b.status == 0 {
			b.cut = true
		}
		begun := time.Now()
		w.agent.next("provision", b)
		made, err := w.one.Connect(w.Context(), customer, w.parseConnect(freewheel), once("k"))
		var id int64
		if err != nil {
			f := w.fails(err, fault.Unavailable)
			if id = f.ESAID; id == 0 || f.SourceID == "" || f.Reason == "" {
				w.Fatalf("it names %d, %q, %q", f.ESAID, f.SourceID, f.Reason)
			}
		} else { // it took longer than the caller had
			id = made.Source.Connection.ID
			w.pass(75*time.Second - time.Since(begun))
		}
		c := w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.Equal(begun) {
			w.Errorf("unsettled since %s, begun at %s", c.UnsettledSince, begun)
		}
		f := w.saveFails(id, freewheelNew, fault.Conflict)
		rest := 2*time.Minute - time.Since(begun)
		if f.RetryAfter < rest-time.Second || f.RetryAfter > rest+time.Second {
			w.Errorf("come again in %s; %s are left", f.RetryAfter, rest)
		}
		w.rounds(rest + time.Second)
		c = w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.IsZero() {
			w.Error("it is certain by now that nothing was made")
		}
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		w.tenants(1)
		w.provisionedTwice()
	})
}

// TestLateTenant: it comes to be after upstream was given up on, and is found.
func TestLateTenant(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 100 * time.Second})
		m := w.connect(freewheel)
		w.pass(55 * time.Second) // 80 s after it was asked for
		c := w.stored(m.Connection.ID)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		w.rounds(50 * time.Second)
		c = w.stored(m.Connection.ID)
		w.is(c, registry.StatusActive, "")
		if c.TenantID != w.agent.id() || !c.UnsettledSince.IsZero() {
			w.Errorf("%+v", c)
		}
		w.one.reported("provision unknown", "provision adopted")
		if len(w.one.changed) != 1 {
			w.Errorf("changes %v", w.one.changed)
		}
	})
}

// TestSaveFindsLateTenant: it is taken over, and gets this config.
func TestSaveFindsLateTenant(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 2 * time.Second, status: 500, body: "{}"}, behaviour{})
		w.agent.next("list", behaviour{status: 503, body: "{}"})
		f := w.connectFails(freewheel, nil, fault.Unavailable)
		w.is(w.stored(f.ESAID), registry.StatusFailed, "INTERNAL_ERROR")
		saved := w.save(f.ESAID, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		if saved.Connection.AdServer.Username != "meadow-2" || w.agent.username() != "meadow-2" {
			w.Errorf("%+v", saved.Connection.AdServer)
		}
		w.calls("provision", 1)
	})
}

// TestLookupImpossible: while it is not known, and can't be found out, nothing is
// tried; and nothing is lost.
func TestLookupImpossible(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{cut: true})
		w.agent.all("list", behaviour{status: 503, body: "{}"})
		id := w.connectFails(freewheel, nil, fault.Unavailable).ESAID
		w.rounds(time.Hour)
		c := w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if c.UnsettledSince.IsZero() {
			w.Error("the outcome counts as known")
		}
		w.saveFails(id, freewheelNew, fault.Unavailable)
		w.calls("provision", 1)
		w.agent.all("list", behaviour{})
		w.rounds(30 * time.Second)
		w.is(w.stored(id), registry.StatusActive, "")
	})
}

// TestAdopt: a tenant of our external_org_id is adopted if it is ours, and gets the config.
func TestAdopt(t *testing.T) {
	inWorlds(t, map[string]behaviour{"a conflict": {}, "an unknown outcome": {nothing: true, cut: true}}, func(w *world, b behaviour) {
		id := w.existing()
		w.agent.set(kept)
		w.agent.next("provision", b)
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
		if saved.Connection.TenantID != "tnt_before" || saved.Connection.AdServer.Username != "meadow-2" || w.agent.username() != "meadow-2" {
			w.Errorf("%+v, %v", *saved.Connection, w.agent.username())
		}
		if w.agent.setting() != kept {
			w.Errorf("settings %s", w.agent.setting())
		}
		w.one.reported("provision adopted", "configure done")
	})
}

func TestAdoptThenConfigRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.existing()
		w.agent.next("put-config", refuse(400, `{"error":"adapter_invalid_credentials","message":"Wrong."}`))
		c := *w.save(id, freewheel).Connection
		w.is(c, registry.StatusActive, "ADAPTER_INVALID_CREDENTIALS")
		if c.AdServer == nil || c.AdServer.Username == "meadow" || !c.AdServerSavedAt.IsZero() {
			w.Errorf("the config that upstream has is not this one: %+v", c)
		}
	})
}

func TestTenantOfAnother(t *testing.T) {
	inWorlds(t, map[string]func(w *world, org string){
		"another source": func(w *world, org string) {
			w.agent.add("tnt_theirs", org, "another", "")
			w.agent.next("provision", refuse(409, `{"error":"external_org_id_conflict","message":"taken"}`))
		},
		"another connection": func(w *world, org string) {
			w.agent.add("tnt_theirs", org, "shop", "")
			w.given(customer+1, "theirs", "tnt_theirs")
		},
		"another connection, meanwhile": func(w *world, _ string) {
			w.agent.next("provision", behaviour{cut: true})
			w.agent.next("list", behaviour{after: 10 * time.Second})
			time.AfterFunc(5*time.Second, func() { w.given(customer+1, "theirs", w.agent.id()) })
		},
	}, func(w *world, before func(w *world, org string)) {
		id := w.pending("weekly").Connection.ID
		before(w, fmt.Sprintf("%d-%d", customer, id))
		if f := w.saveFails(id, freewheel, fault.Conflict); f.Message != takenText || f.ESAID != id {
			w.Errorf("%+v", f)
		}
		c := w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if c.LastError != takenText {
			w.Errorf("lastError %q", c.LastError)
		}
		w.calls("put-config", 0)
	})
}

func TestConnectBlocked(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", refuse(403, `{"error":"managed_tenant_write_blocked","message":"No."}`))
		f := w.connectFails(freewheel, nil, fault.Conflict)
		w.is(w.stored(f.ESAID), registry.StatusFailed, "INTERNAL_ERROR")
	})
}

// TestLookupIgnoresTenantOfAnother: it is no answer to where ours is.
func TestLookupIgnoresTenantOfAnother(t *testing.T) {
	type test struct {
		crash bool
		text  string
	}
	inWorlds(t, map[string]test{
		"not known": {false, "The sales agent did not set up the source. Save the configuration to try again."},
		"a crash":   {true, takenText},
	}, func(w *world, x test) {
		w.config.ExternalOrgID = "all-the-same"
		w.restart()
		w.connected(mock)
		id := w.pending("weekly").Connection.ID
		if x.crash {
			w.crashOn("provision", behaviour{nothing: true, after: time.Minute}, "save", id)
		} else {
			w.agent.next("provision", behaviour{nothing: true, cut: true})
			w.agent.next("list", behaviour{status: 500, body: `{}`})
			w.saveFails(id, freewheel, fault.Unavailable)
		}
		w.rounds(4 * time.Minute)
		c := w.stored(id)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.IsZero() || c.LastError != x.text {
			w.Errorf("unsettled since %s: %s", c.UnsettledSince, c.LastError)
		}
	})
}

// TestLookupBySentOrgID, also when the operator has changed the
// template meanwhile.
func TestLookupBySentOrgID(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{cut: true})
		w.agent.next("list", behaviour{status: 500, body: `{}`})
		id := w.connectFails(freewheel, nil, fault.Unavailable).ESAID
		w.one.crash()
		w.config.ExternalOrgID = "new-{source_id}"
		w.one = w.start()
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "")
	})
}
