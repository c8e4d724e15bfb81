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

// TestAdoptByTemplate is taken over where it can be no other customer's.
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

// TestAdoptNoTenantOfAnotherCustomer of the same name is nobody's who has not made it.
func TestAdoptNoTenantOfAnotherCustomer(t *testing.T) {
	const body = `{"type":"mock","sourceId":"news"}`
	left := func(w *world) { // one customer is off, and its tenant stays
		m := w.connected(body)
		w.deactivate(m.Connection.ID)
		w.delete("news")
		w.pass(time.Hour)
	}
	t.Run("a conflict", func(t *testing.T) {
		inWorld(t, func(w *world) {
			w.withTemplate("{source_id}")
			left(w)
			_, err := w.one.Connect(w.Context(), customer+1, w.parseConnect(body), nil)
			w.fails(err, fault.Conflict)
		})
	})
	type test struct {
		before func(w *world)
		b      behaviour
		crash  bool
		ours   bool
	}
	inWorlds(t, map[string]test{
		"not known, theirs":    {left, behaviour{nothing: true, cut: true}, false, false},
		"a crash, theirs":      {left, behaviour{nothing: true, after: time.Minute}, true, false},
		"not known, made":      {func(*world) {}, behaviour{cut: true}, false, true},
		"not known, made late": {func(*world) {}, behaviour{before: 100 * time.Second}, false, true},
		"a crash, made":        {func(*world) {}, behaviour{after: time.Minute}, true, true},
	}, func(w *world, x test) {
		w.withTemplate("{source_id}")
		x.before(w)
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
		for range 30 {
			w.pass(10 * time.Second)
			w.must(w.one.Settle(w.Context()))
		}
		page, _, err := w.one.store.Customer(customer+1).ManagedSources(w.Context(), 0, 10)
		w.must(err)
		if c := *page[0].Connection; (c.TenantID != "") != x.ours || c.Operation != nil || !c.UnsettledSince.IsZero() {
			w.Errorf("%+v", c)
		}
	})
}

// TestAdoptNoTenantOfUnknownAge is not known to have been made by a provisioning.
func TestAdoptNoTenantOfUnknownAge(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withTemplate("{source_id}")
		w.agent.all("list", behaviour{status: 200, body: `{"tenants":[{"tenant_id":"tnt_theirs","external_org_id":"weekly","external_source":"shop","is_active":true}]}`})
		m := w.pending("weekly")
		w.agent.next("provision", behaviour{nothing: true, cut: true})
		w.saveFails(m.Connection.ID, mock, fault.Unavailable)
		w.rounds(3 * time.Minute)
		w.is(w.stored(m.Connection.ID), registry.StatusFailed, "INTERNAL_ERROR")
	})
}

// TestAdoptAfterChangeOfTemplate can have given two customers one id.
func TestAdoptAfterChangeOfTemplate(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withTemplate("{source_id}")
		m := w.pending("weekly")
		w.agent.next("provision", behaviour{nothing: true, cut: true})
		w.saveFails(m.Connection.ID, mock, fault.Unavailable)
		w.agent.add("tnt_theirs", "weekly", "shop", "mock")
		w.one.crash()
		w.config.ExternalOrgID = "{esa_id}"
		w.one = w.start()
		w.must(w.one.Settle(w.Context()))
		w.pass(5 * time.Minute)
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(m.Connection.ID), registry.StatusFailed, "INTERNAL_ERROR")
	})
}

// TestAdoptedConfigIsNotOurs is not shown as the tenant's, which stood before.
func TestAdoptedConfigIsNotOurs(t *testing.T) {
	existing := func(w *world, id int64) {
		w.agent.add("tnt_before", fmt.Sprintf("%d-%d", customer, id), "shop", "freewheel")
	}
	t.Run("a crash after the conflict", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.pending("weekly").Connection.ID
			existing(w, id)
			w.crashDuring("list", behaviour{before: 20 * time.Second}, w.saving(id, freewheelNew))
			w.must(w.one.Settle(w.Context()))
			c := w.stored(id)
			w.is(c, registry.StatusActive, "INTERNAL_ERROR")
			if c.AdServer != nil || !c.AdServerSavedAt.IsZero() || !strings.Contains(c.LastError, "Save it again") {
				w.Errorf("%+v: %s", c.AdServer, c.LastError)
			}
			saved := w.save(id, freewheelNew)
			w.is(*saved.Connection, registry.StatusActive, "")
		})
	})
	t.Run("an unknown outcome", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.pending("weekly").Connection.ID
			existing(w, id)
			w.agent.next("provision", behaviour{nothing: true, cut: true})
			saved := w.save(id, freewheelNew)
			w.is(*saved.Connection, registry.StatusActive, "")
			if saved.Connection.AdServer.Username != "meadow-2" || w.agent.username() != "meadow-2" {
				w.Errorf("we say %+v, upstream %v", saved.Connection.AdServer, w.agent.username())
			}
			w.one.reported("provision adopted", "configure done")
		})
	})
	t.Run("found later", func(t *testing.T) {
		inWorld(t, func(w *world) {
			id := w.pending("weekly").Connection.ID
			existing(w, id)
			w.agent.next("provision", behaviour{nothing: true, cut: true})
			w.agent.next("list", refuse(500, `{}`))
			w.saveFails(id, freewheelNew, fault.Unavailable)
			w.rounds(time.Minute)
			c := w.stored(id)
			w.is(c, registry.StatusActive, "INTERNAL_ERROR")
			if c.AdServer != nil {
				w.Errorf("%+v", c.AdServer)
			}
		})
	})
}

// TestAdoptWithoutStore for longer than the operation has.
func TestAdoptWithoutStore(t *testing.T) {
	inWorld(t, func(w *world) {
		w.config.CallerWait = 10 * time.Minute
		w.withTemplate("")
		id := w.pending("weekly").Connection.ID
		w.agent.add("tnt_before", fmt.Sprintf("%d-%d", customer, id), "shop", "freewheel")
		w.agent.next("list", behaviour{before: 2 * time.Second})
		time.AfterFunc(time.Second, func() { w.one.faulty.away.Store(true) })
		done := make(chan error, 1)
		go func() {
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheel))
			done <- err
		}()
		w.pass(4 * time.Minute)
		w.one.faulty.away.Store(false)
		err := <-done
		if f := w.fails(err, fault.Unavailable); f.ESAID != id || len(w.agent.made("provision")) != 1 {
			w.Errorf("%+v", f)
		}
		w.pass(time.Minute)
		w.must(w.one.Settle(w.Context()))
		w.is(w.stored(id), registry.StatusActive, "INTERNAL_ERROR")
	})
}

// TestTenantTakenMeanwhile to take the tenant that was found.
func TestTenantTakenMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.pending("weekly")
		w.agent.next("provision", behaviour{cut: true})
		w.agent.next("list", behaviour{after: 10 * time.Second})
		time.AfterFunc(5*time.Second, func() {
			_, err := w.one.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer + 1, SourceID: "theirs", Name: "T", TenantID: w.agent.id()})
			w.must(err)
		})
		if f := w.saveFails(m.Connection.ID, freewheel, fault.Conflict); f.Message != takenText || f.ESAID != m.Connection.ID {
			w.Errorf("%+v", f)
		}
		if c := w.stored(m.Connection.ID); c.LastError != takenText {
			w.Errorf("lastError %q", c.LastError)
		}
	})
}

// TestUnknownRefusalCode for a refusal is a refusal.
func TestUnknownRefusalCode(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.next("provision", refuse(400, `{"error":"adapter_melted","message":"It is too hot."}`))
		m := w.connect(freewheel)
		w.is(*m.Connection, registry.StatusFailed, "INTERNAL_ERROR")
		if m.Connection.LastError != "It is too hot." {
			w.Errorf("lastError %q", m.Connection.LastError)
		}
		// Another word of 400 is not the ad server's.
		w.agent.next("provision", refuse(400, `{"error":"invalid_request","message":"No."}`))
		w.saveFails(m.Connection.ID, freewheel, fault.Validation)
	})
}
