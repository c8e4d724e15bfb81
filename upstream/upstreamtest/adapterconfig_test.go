package upstreamtest_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

const ssBody = `{"type":"springserve","email":"ops@ads.example","password":"pw-CANARY-3"}`

func TestPutAdapterConfigResetsOtherSettings(t *testing.T) {
	now := start
	a := ut.New(ut.Options{APIKey: key, Now: func() time.Time { return now }})
	id := provision(t, a, "1", strings.Replace(ssBody, "{", `{"rate_currency":"EUR","demand_class":"tag",`, 1))
	path := "/tenants/" + id + "/adapters/springserve/config"
	if got := want(t, a, 200, "GET", path, ""); got != `{"type":"springserve","default_demand_partner_id":null,"demand_class":"tag","enable_key_value_targeting":false,"rate_currency":"EUR"}`+"\n" {
		t.Errorf("settings %s", got)
	}
	now = start.Add(time.Hour)
	answered := want(t, a, 200, "PUT", "/tenants/"+id+"/adapter-config", strings.Replace(ssBody, "{", `{"default_demand_partner_id":71,`, 1))
	if !strings.Contains(answered, `"type":"springserve","configured":true`) || strings.Contains(answered, ut.Canary) {
		t.Errorf("answered %s", answered)
	}
	s := a.Settings(id)
	if s.Text("rate_currency") != "USD" || s.Text("demand_class") != "line_item" || s.Text("default_demand_partner_id") != "71" {
		t.Errorf("settings %+v", s)
	}
	if c, _ := a.Config(id); c.Values.Text("password") != "pw-CANARY-3" || c.Values.Text("environment") != "production" {
		t.Errorf("config %+v", c)
	}
	want(t, a, 200, "PUT", "/tenants/"+id+"/adapter-config", fwBody)
	if got := want(t, a, 200, "GET", "/tenants/"+id, ""); !strings.Contains(got, `"ad_server":"springserve"`) {
		t.Errorf("the tenant's own type has changed: %s", got)
	}
	if d := body(t, get(t, a, statusPath(id))); !strings.Contains(d, `"last_tested_at":"2026-07-04T11:00:00Z"`) {
		t.Errorf("the time of the last test is not the config's: %s", d)
	}
}

func TestPutAdapterConfigRefused(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, CacheFor: -1})
	id := provision(t, a, "1", gamBody)
	a.SetSettings(id, ut.Values{"order_name_template": []byte(`"{buyer_ref}"`)})
	before, _ := a.Config(id)
	for word, adapter := range map[string]string{
		"network_not_found":    strings.Replace(gamBody, "82640", "40482640", 1),
		"permission_denied":    strings.Replace(gamBody, "82640", "40382640", 1),
		"upstream_unavailable": strings.Replace(gamBody, "82640", "50382640", 1),
		"invalid_credentials":  strings.Replace(gamBody, "key-CANARY-1", "wrong", 1),
	} {
		if got := want(t, a, 400, "PUT", "/tenants/"+id+"/adapter-config", adapter); !strings.Contains(got, `"error":"adapter_`+word+`"`) {
			t.Errorf("%s: %s", word, got)
		}
		if last, _ := a.LastConfig(); reflect.DeepEqual(last, before) {
			t.Errorf("%s: it never arrived", word)
		}
	}
	if after, _ := a.Config(id); !reflect.DeepEqual(after, before) {
		t.Errorf("changed to %+v", after)
	}
	found := decode[[]finding](t, want(t, a, 422, "PUT", "/tenants/"+id+"/adapter-config", strings.Replace(gamBody, "82640", "", 1)))
	if f := found[0]; strings.Join(f.Loc, ".") != "google_ad_manager.network_code" {
		t.Errorf("found at %q: without a wrapper the tag comes first", f.Loc)
	}
	probes := a.Probes("")
	if got := want(t, a, 404, "PUT", "/tenants/tnt_gone/adapter-config", gamBody); !strings.Contains(got, "tenant_not_found") || a.Probes("") != probes+1 {
		t.Errorf("unknown tenant: %s, %d probes more", got, a.Probes("")-probes)
	}
}

func TestSettings(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	id := provision(t, a, "1", gamBody)
	path := "/tenants/" + id + "/adapters/google_ad_manager/config"
	put := `{"type":"google_ad_manager","order_name_template":"{campaign_name}","line_item_name_template":null,"auto_naming_enabled":false,"manual_approval_required":true}` + "\n"
	want(t, a, 200, "PUT", path, put)
	if got := want(t, a, 200, "GET", "/tenants/"+id+"/adapters/gam/config", ""); got != put {
		t.Errorf("settings %s", got)
	}
	want(t, a, 200, "PUT", path, `{}`)
	if s := a.Settings(id); len(s) != 2 || s.Text("auto_naming_enabled") != "true" || s.Text("manual_approval_required") != "false" {
		t.Errorf("what is left out is reset: %+v", s)
	}
	for name, text := range map[string]string{
		"unknown field": `{"colour":"red"}`, "other type": `{"type":"freewheel"}`, "flag": `{"auto_naming_enabled":"no"}`,
		"long": `{"order_name_template":"` + strings.Repeat("x", 501) + `"}`,
	} {
		if found := decode[[]finding](t, want(t, a, 422, "PUT", path, text)); len(found) != 1 || len(found[0].Loc) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	for _, other := range []string{"freewheel", "springserve", "broadstreet", "mock", "nothing"} {
		want(t, a, 404, "GET", "/tenants/"+id+"/adapters/"+other+"/config", "")
		want(t, a, 404, "PUT", "/tenants/"+id+"/adapters/"+other+"/config", "{}")
	}
	a.SetTenant(ut.Tenant{ID: "tnt_bare"})
	want(t, a, 404, "GET", "/tenants/tnt_bare/adapters/gam/config", "")
	for adapterType, adapter := range map[string]string{"freewheel": fwBody, "broadstreet": `{"type":"broadstreet","network_id":"4","api_key":"k"}`} {
		id := provision(t, a, adapterType, adapter)
		put := decode[map[string]any](t, want(t, a, 200, "PUT", "/tenants/"+id+"/adapters/"+adapterType+"/config", `{"default_advertiser_id":"31"}`))
		if put["type"] != adapterType || put["default_advertiser_id"] != "31" || a.Settings(id).Text("default_advertiser_id") != "31" {
			t.Errorf("%s: %v", adapterType, put)
		}
	}
}

type tested struct {
	Success     bool    `json:"success"`
	Error       *string `json:"error"`
	Code        *string `json:"error_code"`
	Remediation *string `json:"remediation"`
	TestedAt    string  `json:"tested_at"`
	Details     *struct {
		AdapterType string `json:"adapter_type"`
		SessionKey  string `json:"session_key"`
		Fault       struct {
			String string `json:"fault_string"`
		} `json:"vendor_fault"`
	} `json:"details"`
	Checks []struct {
		Capability string          `json:"capability"`
		Status     string          `json:"status"`
		Code       *string         `json:"error_code"`
		Details    json.RawMessage `json:"details"`
	} `json:"capability_checks"`
}

func TestTestConnection(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	id := provision(t, a, "1", gamBody)
	path := "/tenants/" + id + "/adapter-config/test-connection"
	r := decode[tested](t, want(t, a, 200, "POST", path, ""))
	if !r.Success || r.Error != nil || r.Code != nil || r.Details != nil || r.TestedAt != "2026-07-04T10:00:00.250000Z" ||
		len(r.Checks) != 2 || r.Checks[0].Status != "passed" || r.Checks[1].Status != "not_checked" {
		t.Errorf("passed: %+v", r)
	}
	for _, outcome := range ut.Outcomes()[1:] {
		a.AdServer("82640", ut.Probe{Outcome: outcome, FaultString: "[Busy @ 4]", Message: "no way in", Remediation: "customer_rebinds_account"})
		r := decode[tested](t, want(t, a, 200, "POST", path, ""))
		if r.Success || *r.Error != "no way in" || *r.Code != string(outcome) || *r.Remediation != "customer_rebinds_account" ||
			r.Details.Fault.String != "[Busy @ 4]" || !strings.Contains(r.Details.SessionKey, ut.Canary) ||
			r.Checks[0].Status != "failed" || *r.Checks[0].Code != string(outcome) || !strings.Contains(string(r.Checks[0].Details), ut.Canary) {
			t.Errorf("%s: %+v", outcome, r)
		}
	}
	a.AdServer("82640")
	if r := decode[tested](t, want(t, a, 200, "POST", path, "")); !r.Success {
		t.Errorf("by the rules again: %+v", r)
	}
	a.SetTenant(ut.Tenant{ID: "tnt_bare"})
	if r := decode[tested](t, want(t, a, 200, "POST", "/tenants/tnt_bare/adapter-config/test-connection", "")); r.Success || r.Code != nil {
		t.Errorf("nothing configured: %+v", r)
	}
	want(t, a, 404, "POST", "/tenants/tnt_gone/adapter-config/test-connection", "")
}
