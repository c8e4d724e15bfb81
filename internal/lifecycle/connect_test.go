package lifecycle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

func TestConnect(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.connected(`{"type":"freewheel","username":"meadow","password":"` + secret + `","name":"Meadow Daily","sourceId":"meadow"}`)
		c := w.stored(m.Connection.ID)
		w.is(c, registry.StatusActive, "")
		if m.SourceID != "meadow" || m.Name != "Meadow Daily" {
			w.Errorf("source %+v", *m)
		}
		org := fmt.Sprintf("%d-%d", customer, c.ID)
		if c.TenantID != w.agent.id() || c.ExternalOrgID != org || c.MCPURL != "/shop/mcp/" || c.A2AURL != "/shop/a2a" {
			w.Errorf("tenant %q of %q at %q, %q", c.TenantID, c.ExternalOrgID, c.MCPURL, c.A2AURL)
		}
		if c.AdServer == nil || c.AdServer.Username != "meadow" || c.ProvisionedAt.IsZero() || c.AdServerSavedAt.IsZero() || c.Epoch == 0 {
			w.Errorf("connection %+v", c)
		}
		w.calls("provision", 1)
		sent := w.agent.made("provision")
		for key, want := range map[string]any{"external_org_id": org, "external_source": "shop", "contact_email": "ops@shop.example", "name": "Meadow Daily"} {
			if sent[0].body[key] != want {
				w.Errorf("%s is %v, want %v", key, sent[0].body[key], want)
			}
		}
		w.one.reported("provision done")
		if len(w.one.changed) != 1 || w.one.changed[0] != registry.StatusActive {
			w.Errorf("changes %v", w.one.changed)
		}
	})
}

func TestConnectRefusedByAdServer(t *testing.T) {
	for code, want := range map[string]string{
		"network_not_found": "ADAPTER_NETWORK_NOT_FOUND", "permission_denied": "ADAPTER_PERMISSION_DENIED",
		"invalid_credentials": "ADAPTER_INVALID_CREDENTIALS", "invalid_config": "ADAPTER_INVALID_CONFIG",
		"connection_failed": "ADAPTER_CONNECTION_FAILED", "upstream_unavailable": "ADAPTER_CONNECTION_FAILED",
		"melted": "INTERNAL_ERROR",
	} {
		inWorld(t, func(w *world) {
			w.agent.next("provision", refuse(400, `{"error":"adapter_`+code+`","message":"It says no.","details":{"error":"`+secret+`"}}`))
			m := w.connect(freewheel)
			w.is(*m.Connection, registry.StatusFailed, want)
			if m.Connection.LastError != "It says no." {
				w.Errorf("lastError %q", m.Connection.LastError)
			}
			// A retry works, at once.
			saved := w.save(m.Connection.ID, freewheelNew)
			w.is(*saved.Connection, registry.StatusActive, "")
			w.tenants(1)
			w.one.reported("provision refused", "provision done")
		})
	}
}

func TestConnectInvalid(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", refuse(400, `{"error":"invalid_request","message":"No."}`)) // no word of an ad server's
		w.connectFails(freewheel, once("k"), fault.Validation)
		w.agent.next("provision", refuse(422, `[{"loc":["adapter","freewheel","username"],"msg":"It is too odd.","input":"`+secret+`"}]`))
		if f := w.connectFails(freewheel, once("k"), fault.Validation); len(f.Issues) != 1 || f.Issues[0].Path != "username" {
			w.Errorf("issues %+v", f.Issues)
		}
		w.sources(0)
		// The key is as if it had never come.
		made := w.connectOnce(freewheel, once("k"))
		if made.Replayed || made.Source.Connection.Provisioning != registry.StatusActive {
			w.Errorf("%+v", made)
		}
		w.one.reported("provision rejected", "provision rejected", "provision done")
	})
}

func TestConnectNotSetUp(t *testing.T) {
	type test struct {
		body   string
		before func(*world)
		kind   fault.Kind
	}
	inWorlds(t, map[string]test{
		"no contact":            {mock, func(w *world) { w.config.ContactEmail = "" }, fault.Conflict},
		"no account":            {gam, func(*world) {}, fault.Conflict},
		"an unreadable account": {gam, func(w *world) { w.accounts[customer] = nil }, fault.Internal},
		"another's account":     {gam, func(w *world) { w.accounts[customer+1] = &adserver.Account{Email: "a@b.example"} }, fault.Conflict},
	}, func(w *world, c test) {
		c.before(w)
		w.restart()
		w.connectFails(c.body, once("k"), c.kind)
		m := w.pending("weekly")
		w.saveFails(m.Connection.ID, c.body, c.kind)
		w.is(w.stored(m.Connection.ID), registry.StatusPending, "")
		if _, n, _ := w.one.store.Customer(customer).Sources(w.Context(), 0, 1); n != 1 || len(w.agent.calls) != 0 {
			w.Errorf("%d sources, %d calls", n, len(w.agent.calls))
		}
	})
}

func TestConnectServiceAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts[customer] = &adserver.Account{Email: "gate@operator.example", Key: `{"private_key":"CANARY"}`}
		m := w.connected(gam)
		sent := w.agent.made("provision")[0].body["adapter"].(map[string]any)
		if sent["service_account_email"] != "gate@operator.example" || sent["service_account_key_json"] != `{"private_key":"CANARY"}` {
			w.Errorf("sent %v", sent["service_account_email"])
		}
		if c := w.stored(m.Connection.ID); c.ServiceAccountEmail != "gate@operator.example" || c.AdServer.NetworkCode != "90817263" {
			w.Errorf("%+v", c)
		}
	})
}

// TestConnectNotSent: what certainly was not done is said to have failed, and can be tried
// again at once.
func TestConnectNotSent(t *testing.T) {
	inWorlds(t, map[string]behaviour{
		"unreachable": {unreachable: true}, "too many": refuse(429, `{"error":"slow_down"}`),
		"our key": refuse(401, `{"error":"Unauthorized"}`), "a stranger's 404": refuse(404, `<html>`),
		"its hosts": refuse(500, `[{"type":"list_type","loc":[],"msg":"m","input":{"error":"public_agent_url_mismatch"}}]`),
	}, func(w *world, b behaviour) {
		w.agent.next("provision", b)
		f := w.connectFails(freewheel, once("k"), fault.Unavailable)
		if f.ESAID == 0 || f.SourceID == "" || f.Reason == "" {
			w.Errorf("it names %d, %q, %q", f.ESAID, f.SourceID, f.Reason)
		}
		c := w.stored(f.ESAID)
		w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
		if !c.UnsettledSince.IsZero() {
			w.Error("it is certain that nothing was done")
		}
		w.calls("list", 0)
		// A repetition goes on with the source that was made.
		again := w.connectOnce(freewheel, once("k"))
		if !again.Replayed || again.Source.Connection.ID != f.ESAID {
			w.Errorf("%+v", again)
		}
		w.is(*again.Source.Connection, registry.StatusActive, "")
		w.tenants(1)
	})
}

// TestConnectCallerWait: after 25 s the caller is told that the work is under way, and it goes on.
func TestConnectCallerWait(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 40 * time.Second})
		var c registry.Connection
		w.takes(25*time.Second, func() { c = *w.connect(freewheel).Connection })
		if c.Provisioning != registry.StatusProvisioning || c.Operation == nil || c.LastErrorCode != "" {
			w.Errorf("%+v", c)
		}
		if f := w.saveFails(c.ID, freewheel, fault.Conflict); f.RetryAfter <= 0 {
			w.Error("it does not say when to come again")
		}
		w.pass(20 * time.Second)
		w.is(w.stored(c.ID), registry.StatusActive, "")
		w.calls("provision", 1)
	})
}

// TestAnsweredSourceIsNotDeleted: a source that its caller was given is not deleted.
func TestAnsweredSourceIsNotDeleted(t *testing.T) {
	inWorlds(t, map[string]func(w *world) *registry.Source{
		"connect": func(w *world) *registry.Source { return w.connect(freewheel) },
		"save":    func(w *world) *registry.Source { return w.save(w.pending("weekly").Connection.ID, freewheel) },
	}, func(w *world, set func(w *world) *registry.Source) {
		no := refuse(422, `[{"loc":["adapter","freewheel","username"],"msg":"No."}]`)
		no.before = 40 * time.Second
		w.agent.next("provision", no)
		m := set(w)
		if m.Connection.Provisioning != registry.StatusProvisioning {
			w.Errorf("%s", m.Connection.Provisioning)
		}
		w.pass(20 * time.Second)
		w.is(w.stored(m.Connection.ID), registry.StatusFailed, "ADAPTER_INVALID_CONFIG")
	})
}

// TestCallerLeaves: a caller who left finds the outcome with its key.
func TestCallerLeaves(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", behaviour{before: 5 * time.Second})
		ctx, leave := context.WithTimeout(w.Context(), time.Second)
		defer leave()
		_, err := w.one.Connect(ctx, customer, w.parseConnect(freewheel), once("k"))
		w.fails(err, fault.Unavailable)
		w.pass(5 * time.Second)
		again := w.connectOnce(freewheel, once("k"))
		if !again.Replayed || again.Answer != nil {
			w.Errorf("%+v", again)
		}
		w.is(*again.Source.Connection, registry.StatusActive, "")
		w.tenants(1)
	})
}

// TestRepetitionWaits: a repeated connect waits for the first, also on another replica.
func TestRepetitionWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		two := w.start()
		w.agent.next("provision", behaviour{before: 70 * time.Second})
		w.connect(`{"type":"mock","sourceId":"m"}`) // without a key, told after 25 s
		k := once("k")
		k.Pending = time.Second
		w.agent.next("provision", behaviour{before: 20 * time.Second})
		first, leave := context.WithTimeout(w.Context(), time.Second)
		defer leave()
		_, err := w.one.Connect(first, customer, w.parseConnect(freewheel), k)
		w.fails(err, fault.Unavailable)
		w.pass(2 * time.Second)
		begun := time.Now()
		again, err := two.Connect(w.Context(), customer, w.parseConnect(freewheel), k)
		w.must(err)
		if took := time.Since(begun); took < 15*time.Second || took > 25*time.Second {
			w.Errorf("it took %s", took)
		}
		if !again.Replayed || again.Source.Connection.Provisioning != registry.StatusActive {
			w.Errorf("%+v", *again.Source.Connection)
		}
		w.calls("provision", 2)
	})
}
