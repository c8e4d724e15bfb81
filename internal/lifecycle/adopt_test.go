package lifecycle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

const takenText = "The sales agent has this source set up under another connection."

// withTemplate starts anew with another external_org_id.
func (w *world) withTemplate(template string) {
	w.Helper()
	w.one.stop()
	w.config.ExternalOrgID = template
	w.one = w.start()
}

// TestAdoptByTemplate: a tenant is adopted where the template shows that it is no other
// customer's.
func TestAdoptByTemplate(t *testing.T) {
	for template, ours := range map[string]bool{
		"{customer_id}-{esa_id}":           true,
		"{source_id}-{esa_id}":             true,
		"shop/{esa_id}":                    true,
		"7{customer_id}":                   true,
		"{customer_id}.{source_id}-x":      true,
		"x-{source_id}.7{customer_id}":     true,
		"{source_id}":                      false,
		"all-the-same":                     false,
		"{source_id}7{customer_id}":        false, // a7 of 1 is a of 71
		"{customer_id}7{source_id}":        false,
		"{source_id}-{esa_id}-{source_id}": false, // it could be, but who would prove it
	} {
		t.Run(template, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.withTemplate(template)
				m := w.pending("weekly")
				org := strings.NewReplacer("{customer_id}", fmt.Sprint(customer), "{esa_id}", fmt.Sprint(m.Connection.ID), "{source_id}", "weekly").Replace(template)
				w.agent.add("tnt_before", org, "shop", "freewheel")
				_, err := w.one.Save(w.Context(), customer, m.Connection.ID, w.parse(freewheel))
				if ours {
					w.must(err)
					w.is(w.stored(m.Connection.ID), registry.StatusActive, "")
					return
				}
				f := w.fails(err, fault.Conflict)
				if f.Message != takenText || f.ESAID != m.Connection.ID || f.SourceID != "weekly" {
					w.Errorf("%+v", f)
				}
				c := w.stored(m.Connection.ID)
				w.is(c, registry.StatusFailed, "INTERNAL_ERROR")
				if c.LastError != takenText || len(w.agent.made("put-config")) != 0 {
					w.Errorf("lastError %q", c.LastError)
				}
			})
		})
	}
}

// TestAdoptNoTenantOfAnotherCustomer: a tenant of the same name belongs only to the
// customer whose provisioning has made it.
func TestAdoptNoTenantOfAnotherCustomer(t *testing.T) {
	const body = `{"type":"mock","sourceId":"news"}`
	type test struct {
		theirs bool // one customer is off, and its tenant stays
		b      behaviour
		crash  bool
	}
	inWorlds(t, map[string]test{
		"not known, theirs":    {true, behaviour{nothing: true, cut: true}, false},
		"a crash, theirs":      {true, behaviour{nothing: true, after: time.Minute}, true},
		"not known, made":      {false, behaviour{cut: true}, false},
		"not known, made late": {false, behaviour{before: 100 * time.Second}, false},
		"a crash, made":        {false, behaviour{after: time.Minute}, true},
	}, func(w *world, x test) {
		w.withTemplate("{source_id}")
		if x.theirs {
			w.deactivate(w.connected(body).Connection.ID)
			w.delete("news")
			w.pass(time.Hour)
		}
		connect := func(ctx context.Context) error {
			_, err := w.one.Connect(ctx, customer+1, w.parseConnect(body), nil)
			return err
		}
		if x.crash {
			w.crashDuring("provision", x.b, connect)
		} else {
			w.agent.next("provision", x.b)
			_ = connect(w.Context())
		}
		w.rounds(5 * time.Minute)
		page, _, err := w.one.store.Customer(customer+1).ManagedSources(w.Context(), 0, 10)
		w.must(err)
		if c := *page[0].Connection; (c.TenantID == "") != x.theirs || c.Operation != nil || !c.UnsettledSince.IsZero() {
			w.Errorf("%+v", c)
		}
	})
}

// TestAdoptNoUncertainTenant: a tenant is not adopted if it may be another customer's.
func TestAdoptNoUncertainTenant(t *testing.T) {
	type test struct {
		list     string // what upstream says its tenants are
		template string // the new one: under the old one two customers can have had one id
	}
	inWorlds(t, map[string]test{
		"its age is not known":     {`[{"tenant_id":"tnt_theirs","external_org_id":"weekly","external_source":"shop","is_active":true}]`, "{source_id}"},
		"the template has changed": {`[]`, "{esa_id}"},
	}, func(w *world, x test) {
		w.withTemplate("{source_id}")
		m := w.pending("weekly")
		w.agent.all("list", behaviour{status: 200, body: `{"tenants":` + x.list + `}`})
		w.agent.next("provision", behaviour{nothing: true, cut: true})
		w.saveFails(m.Connection.ID, mock, fault.Unavailable)
		if x.template != w.config.ExternalOrgID {
			w.agent.all("list", behaviour{})
			w.agent.add("tnt_theirs", "weekly", "shop", "mock")
			w.withTemplate(x.template)
		}
		w.rounds(5 * time.Minute)
		w.is(w.stored(m.Connection.ID), registry.StatusFailed, "INTERNAL_ERROR")
	})
}

// TestAdoptedConfigIsNotOurs: what was sent is not shown as the config of a tenant that
// existed before.
func TestAdoptedConfigIsNotOurs(t *testing.T) {
	inWorlds(t, map[string]func(w *world, id int64){
		"a crash after the conflict": func(w *world, id int64) {
			w.crashOn("list", behaviour{before: 20 * time.Second}, "save another", id)
		},
		"found later": func(w *world, id int64) {
			w.agent.next("provision", behaviour{nothing: true, cut: true})
			w.agent.next("list", refuse(500, `{}`))
			w.saveFails(id, freewheelNew, fault.Unavailable)
		},
	}, func(w *world, before func(w *world, id int64)) {
		id := w.existing()
		before(w, id)
		w.rounds(time.Minute)
		c := w.stored(id)
		w.is(c, registry.StatusActive, "INTERNAL_ERROR")
		if c.AdServer != nil || !c.AdServerSavedAt.IsZero() || !strings.Contains(c.LastError, "Save it again") {
			w.Errorf("%+v: %s", c.AdServer, c.LastError)
		}
		saved := w.save(id, freewheelNew)
		w.is(*saved.Connection, registry.StatusActive, "")
	})
}

// TestAdoptWithoutStore: the store is away for longer than the operation has.
func TestAdoptWithoutStore(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.CallerWait = 10 * time.Minute
		w.withTemplate("")
		id := w.existing()
		w.agent.next("list", behaviour{before: 2 * time.Second})
		time.AfterFunc(time.Second, func() { w.one.faulty.away.Store(true) })
		if f := w.saveFails(id, freewheel, fault.Unavailable); f.ESAID != id || len(w.agent.made("provision")) != 1 {
			w.Errorf("%+v", f)
		}
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
	})
}
