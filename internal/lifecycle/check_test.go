package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// checked has the first replica check a source.
func (w *world) checked(id int64) error { return w.do("check", id) }

// switches gives what the audit says of switches at the sales agent, oldest first.
func (w *world) switches() (all []string) {
	w.Helper()
	page, _, err := w.one.store.Customer(customer).Audit(w.Context(), registry.AuditQuery{Take: 100})
	w.must(err)
	for _, e := range slices.Backward(page) {
		if e.Actor != "sales agent" || e.Outcome != registry.AuditSucceeded || e.SourceID == "" || e.ESAID == 0 || e.RequestID != "" {
			w.Errorf("%+v", e)
		}
		all = append(all, e.Operation)
	}
	return all
}

// switchedAt checks the audit of switches at the sales agent.
func (w *world) switchedAt(want ...string) {
	w.Helper()
	if got := w.switches(); !slices.Equal(got, want) {
		w.Errorf("the audit says %q, want %q", got, want)
	}
}

// TestSwitchedAtTheSalesAgent: a switch is noticed once, and makes snapshots old.
func TestSwitchedAtTheSalesAgent(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.must(w.checked(id))
		if now := w.stored(id); now.Version != before.Version {
			w.Errorf("a check without news has changed %+v", now)
		}
		w.agent.SetActive(w.agent.id(), false)
		for range 2 {
			w.must(w.checked(id))
			c := w.stored(id)
			w.is(c, registry.StatusDeactivated, "")
			if c.DeactivatedAt.IsZero() || c.Epoch != before.Epoch+1 {
				w.Errorf("%+v", c)
			}
			w.pass(time.Minute)
		}
		w.fails(w.do("refresh", id), fault.Conflict)
		w.agent.SetActive(w.agent.id(), true)
		w.must(w.checked(id))
		if c := w.stored(id); c.Provisioning != registry.StatusActive || !c.DeactivatedAt.IsZero() || c.Epoch != before.Epoch+2 {
			w.Errorf("%+v", c)
		}
		w.switchedAt("tenantDeactivated", "tenantReactivated")
		w.one.reported("provision done")
		if want := "[active deactivated active]"; fmt.Sprint(w.one.changed) != want {
			w.Errorf("changes %v, want %s", w.one.changed, want)
		}
		if n := strings.Count(w.logs.String(), "a tenant was switched at the sales agent"); n != 2 {
			w.Errorf("%d lines in the log", n)
		}
	})
}

// TestChecksChangeNothing: what upstream does not say, or says of another tenant.
func TestChecksChangeNothing(t *testing.T) {
	type test struct {
		b     behaviour
		fails bool
	}
	inWorlds(t, map[string]test{
		"unreachable":    {behaviour{unreachable: true}, true},
		"not there":      {refuse(404, noTenant), false},
		"another 404":    {refuse(404, "<html>"), true},
		"another tenant": {refuse(200, `{"tenant_id":"tnt_2","is_active":false,"external_org_id":"theirs"}`), false},
		"not said":       {refuse(200, `{"tenant_id":"THIS"}`), false},
		"a word":         {refuse(200, `{"tenant_id":"THIS","is_active":"false"}`), false},
		"no id":          {refuse(200, `{"tenant_id":"THIS","is_active":true,"external_org_id":"`+strings.Repeat("x", 256)+`"}`), false},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		before := w.stored(id)
		w.agent.SetActive(w.agent.id(), false)
		x.b.body = strings.ReplaceAll(x.b.body, "THIS", w.agent.id())
		w.agent.next("tenant", x.b)
		if err := w.checked(id); (err != nil) != x.fails {
			w.Error(err)
		}
		c := w.stored(id)
		if changed, _ := before.Changed(&c); changed {
			w.Errorf("%+v, was %+v", c, before)
		}
		w.switchedAt()
	})
}

// TestWhoIsChecked: only a source with a tenant that no operation is under way for.
func TestWhoIsChecked(t *testing.T) {
	inWorld(t, func(w *world) {
		w.must(w.checked(w.pending("weekly").Connection.ID))
		w.agent.next("provision", refuse(400, `{"error":"adapter_invalid_config","message":"No."}`))
		failed := w.connect(freewheelNew)
		if failed.Connection.Provisioning != registry.StatusFailed {
			w.Fatalf("%+v", failed.Connection)
		}
		w.must(w.checked(failed.Connection.ID))
		id := w.connected(freewheel).Connection.ID
		w.agent.next("deactivate", behaviour{status: 500, nothing: true})
		w.agent.next("tenant", behaviour{status: 500}) // so that the operation stays open
		w.fails(w.do("deactivate", id), fault.Unavailable)
		w.calls("tenant", 1)
		w.must(w.checked(id))
		w.calls("tenant", 1)
		m, err := w.one.store.Customer(customer).ManagedSourceByID(w.Context(), failed.Connection.ID)
		w.must(err)
		_, err = w.one.directory.DeleteSource(w.Context(), customer, m.SourceID, func(*registry.Source) error { return nil })
		w.must(err)
		w.must(w.one.Check(w.Context(), m)) // listed before it was deleted
		w.calls("tenant", 1)
	})
}

// TestOvertakenAnswers: an answer about a tenant that one of our own switches may have
// changed since counts for nothing.
func TestOvertakenAnswers(t *testing.T) {
	type test struct {
		off, agent bool // the source is deactivated at first; the tenant is on or off at upstream
		during     []string
		slow       time.Duration // the last of these
		last       registry.ProvisioningStatus
	}
	inWorlds(t, map[string]test{
		"none":                  {false, false, nil, 0, registry.StatusDeactivated},
		"deactivated":           {false, true, []string{"deactivate"}, 0, registry.StatusDeactivated},
		"reactivated":           {true, false, []string{"reactivate"}, 0, registry.StatusActive},
		"deactivated, and back": {false, false, []string{"deactivate", "reactivate"}, 0, registry.StatusActive},
		"being deactivated":     {false, false, []string{"deactivate"}, 10 * time.Second, registry.StatusActive},
		"being reactivated":     {true, true, []string{"reactivate"}, 10 * time.Second, registry.StatusDeactivated},
		"refreshed":             {false, false, []string{"refresh"}, 0, registry.StatusDeactivated},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		if x.off {
			w.deactivate(id)
		}
		w.agent.SetActive(w.agent.id(), x.agent)
		w.agent.next("tenant", behaviour{after: 5 * time.Second})
		for i, do := range x.during {
			if i == len(x.during)-1 {
				w.agent.next(do, behaviour{before: x.slow})
			}
			time.AfterFunc(time.Second*time.Duration(i+1), func() { w.must(w.do(do, id)) })
		}
		w.must(w.checked(id))
		if c := w.stored(id); c.Provisioning != x.last {
			w.Errorf("%s, want %s", c.Provisioning, x.last)
		}
		if n := len(w.switches()); n != map[bool]int{true: 1, false: 0}[len(x.during) == 0 || x.during[0] == "refresh"] {
			w.Errorf("%d entries in the audit", n)
		}
		w.pass(time.Minute)
		if c := w.stored(id); (c.Provisioning == registry.StatusActive) != w.agent.active() {
			w.Errorf("%s in the end", c.Provisioning)
		}
	})
}

// TestTwoReplicasNotice: a switch that both notice at once is recorded once.
func TestTwoReplicasNotice(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		two := w.start()
		w.agent.SetActive(w.agent.id(), false)
		w.agent.all("tenant", behaviour{after: time.Second})
		for _, r := range []*replica{w.one, two} {
			go func() { w.must(r.do(w.Context(), "check", id)) }()
		}
		w.pass(time.Minute)
		w.is(w.stored(id), registry.StatusDeactivated, "")
		w.switchedAt("tenantDeactivated")
		if n := len(w.one.changed) + len(two.changed); n != 2 {
			w.Errorf("%v, %v", w.one.changed, two.changed)
		}
	})
}

// TestCheckWhileTheStoreIsAway: it fails, and a later one records the switch.
func TestCheckWhileTheStoreIsAway(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.connected(freewheel).Connection.ID
		w.agent.SetActive(w.agent.id(), false)
		w.one.faulty.away.Store(true)
		w.fails(w.checked(id), fault.Unavailable)
		w.one.faulty.away.Store(false)
		w.pass(time.Minute)
		w.switchedAt()
		w.must(w.checked(id))
		w.is(w.stored(id), registry.StatusDeactivated, "")
		w.switchedAt("tenantDeactivated")
	})
}

// TestEarlyChecks: a check begins at once, in the background, and not again within five minutes.
func TestEarlyChecks(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.connected(freewheel)
		w.agent.all("tenant", behaviour{after: 3 * time.Second})
		for range 99 {
			w.takes(0, func() { w.one.CheckSoon(m) })
		}
		w.pass(4*time.Minute + 59*time.Second)
		w.one.CheckSoon(m)
		w.calls("tenant", 1)
		w.agent.SetActive(w.agent.id(), false)
		w.pass(time.Second)
		w.one.CheckSoon(m)
		w.pass(3 * time.Second)
		w.calls("tenant", 2)
		w.is(w.stored(m.Connection.ID), registry.StatusDeactivated, "")
		w.switchedAt("tenantDeactivated")
	})
}

// TestEarlyChecksAreBounded: many of one customer's do not keep out another's.
func TestEarlyChecksAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.agent.all("tenant", behaviour{after: time.Second})
		for i := range 20 {
			w.one.CheckSoon(w.given(customer, fmt.Sprint("many-", i), fmt.Sprint("tnt-", i)))
		}
		w.one.CheckSoon(w.given(customer+1, "other", "tnt-other"))
		w.pass(500 * time.Millisecond)
		w.calls("tenant", 5)
		w.pass(time.Minute)
	})
}

// TestSwitchesBehindTheRecord: a caller who switches a source to the status that is recorded has
// the tenant switched if it was switched the other way at the sales agent. Where that can't be
// found out, the record counts.
func TestSwitchesBehindTheRecord(t *testing.T) {
	type test struct {
		off    bool // the source is deactivated at first
		behind bool // the tenant is switched the other way at the sales agent
		tenant behaviour
		sends  int
		audit  []string
	}
	inWorlds(t, map[string]test{
		"on, but off": {false, true, behaviour{}, 1, []string{"tenantDeactivated"}},
		"off, but on": {true, true, behaviour{}, 1, []string{"tenantReactivated"}},
		"on":          {false, false, behaviour{}, 0, nil},
		"off":         {true, false, behaviour{}, 0, nil},
		"away":        {false, true, behaviour{status: 500}, 0, nil},
		"hangs":       {false, true, behaviour{after: time.Hour}, 0, nil},
		"gone":        {false, true, refuse(404, noTenant), 0, nil},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		do, want := "reactivate", registry.StatusActive
		if x.off {
			w.deactivate(id)
			do, want = "deactivate", registry.StatusDeactivated
		}
		if x.behind {
			w.agent.SetActive(w.agent.id(), x.off)
		}
		before := len(w.agent.made(do))
		w.agent.all("tenant", x.tenant)
		w.must(w.do(do, id))
		if got := len(w.agent.made(do)) - before; got != x.sends {
			w.Errorf("%d calls, want %d", got, x.sends)
		}
		w.is(w.stored(id), want, "")
		w.switchedAt(x.audit...)
	})
}

// TestRefusalsAreChecked: the tenant is checked after a change that upstream refuses for a reason
// of the tenant's.
func TestRefusalsAreChecked(t *testing.T) {
	type test struct {
		do, op  string
		b       behaviour
		checked bool
	}
	inWorlds(t, map[string]test{
		"refresh":    {"refresh", "refresh", refuse(403, `{"error":"managed_tenant_write_blocked","message":"no"}`), true},
		"save":       {"save another", "put-config", refuse(409, `{"error":"tenant_inactive","message":"no"}`), true},
		"rotate":     {"rotate", "put-config", refuse(404, noTenant), true},
		"test":       {"test", "test", refuse(409, `{"error":"tenant_inactive","message":"no"}`), true},
		"bad config": {"rotate", "put-config", refuse(400, `{"error":"adapter_invalid_credentials","message":"no"}`), false},
		"failure":    {"refresh", "refresh", refuse(500, ""), false},
		"switch off": {"deactivate", "deactivate", refuse(409, `{"error":"tenant_inactive","message":"no"}`), true},
	}, func(w *world, x test) {
		id := w.connected(freewheel).Connection.ID
		w.agent.SetActive(w.agent.id(), false)
		w.agent.next(x.op, x.b)
		_ = w.do(x.do, id)
		synctest.Wait()
		want := registry.StatusActive
		if x.checked {
			want = registry.StatusDeactivated
		}
		if c := w.stored(id); c.Provisioning != want {
			w.Errorf("%s, want %s", c.Provisioning, want)
		}
	})
}

// TestEarlyCheckAfterTheEnd: none begins.
func TestEarlyCheckAfterTheEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.connected(freewheel)
		w.one.Lifecycle.Close(context.Background())
		for range 99 {
			w.one.CheckSoon(m)
		}
		w.pass(time.Minute)
		w.calls("tenant", 0)
	})
}

// TestIdentified: the id of a tenant that is not known yet is asked for once, for all that wait, and no longer than
// they can; one that is known is not.
func TestIdentified(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.given(customer, "adopted", "tnt_adopted")
		w.one.directory.Put(m)
		w.agent.add("tnt_adopted", "org-adopted", "shop", "mock")
		ask := func() (*registry.Source, error) { return w.one.Identified(w.Context(), m) }

		w.agent.next("tenant", behaviour{before: 20 * time.Second})
		w.takes(10*time.Second, func() {
			_, err := ask()
			w.fails(err, fault.Unavailable)
		})
		w.pass(time.Minute)
		w.agent.next("tenant", behaviour{before: time.Second})
		var all sync.WaitGroup
		for range 9 {
			all.Go(func() {
				if m, err := ask(); err != nil || m.Connection.ExternalOrgID != "org-adopted" {
					w.Errorf("%+v, %v", m, err)
				}
			})
		}
		all.Wait()
		w.calls("tenant", 2)
		m = w.connected(freewheel)
		if known, err := ask(); err != nil || known != m {
			w.Errorf("a tenant that is known: %v, %v", known, err)
		}
		w.calls("tenant", 2)
		m = w.pending("weekly")
		if none, err := ask(); err != nil || none != m {
			w.Errorf("without a tenant: %v, %v", none, err)
		}
		w.one.Lifecycle.Close(context.Background())
		m = w.given(customer, "late", "tnt_late")
		_, err := ask()
		w.fails(err, fault.Unavailable)
	})
}
