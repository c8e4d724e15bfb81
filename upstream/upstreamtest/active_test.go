package upstreamtest_test

import (
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestDeactivateAndReactivate(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	for i, c := range []struct {
		verb   string
		active bool
	}{{"deactivate", false}, {"deactivate", false}, {"reactivate", true}, {"reactivate", true}} {
		got := want(t, a, 200, "POST", "/tenants/tnt_a/"+c.verb, "")
		if is := strings.Contains(got, `"is_active":true`); is != c.active || !strings.Contains(got, `"tenant_id":"tnt_a"`) {
			t.Errorf("%d %s: %s", i, c.verb, got)
		}
		if tenant, _ := a.Tenant("tnt_a"); tenant.Active != c.active {
			t.Errorf("%d %s: active is %t", i, c.verb, tenant.Active)
		}
	}
	want(t, a, 404, "POST", "/tenants/tnt_gone/deactivate", "")
	a.Script("tnt_a", ut.Fault{Only: ut.RouteDeactivate, Status: 403, Code: "managed_tenant_write_blocked"})
	if got := want(t, a, 403, "POST", "/tenants/tnt_a/deactivate", ""); !strings.Contains(got, `"managed_tenant_write_blocked"`) {
		t.Errorf("blocked: %s", got)
	}
	if tenant, _ := a.Tenant("tnt_a"); !tenant.Active {
		t.Error("the blocked call had its effect")
	}
}

func TestListOfTenants(t *testing.T) {
	now := start
	a := ut.New(ut.Options{APIKey: key, Now: func() time.Time { return now }})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	now = start.Add(-time.Hour)
	id := provision(t, a, "1", gamBody)
	type list struct {
		Tenants []struct {
			ID     string `json:"tenant_id"`
			Org    string `json:"external_org_id"`
			Source string `json:"external_source"`
		}
		Count int
	}
	for query, want1 := range map[string]string{"pier": id, "storefront": "tnt_a", "nobody": ""} {
		l := decode[list](t, want(t, a, 200, "GET", "/tenants?external_source="+query, ""))
		if want1 == "" && l.Count == 0 {
			continue
		}
		if l.Count != 1 || l.Tenants[0].ID != want1 || l.Tenants[0].Source != query {
			t.Errorf("%s: %+v", query, l)
		}
	}
	if l := decode[list](t, want(t, a, 200, "GET", "/tenants", "")); l.Count != 2 || l.Tenants[0].ID != "tnt_a" {
		t.Errorf("all, newest first: %+v", l)
	}
}
