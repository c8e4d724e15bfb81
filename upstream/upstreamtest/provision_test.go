package upstreamtest_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestProvision(t *testing.T) {
	w := newWorld(t, ut.Options{PublicURL: "https://desk.example/"}, ut.Healthy())
	answer := w.want(201, "POST", "/tenants/provision", provisionBody("77-5", gamBody))
	id := w.TenantIDs()[0] // tenant_ is before tnt_
	const want = `{"tenant_id":"ID","name":"Quay News","external_org_id":"77-5","external_source":"pier","is_embedded":true,` +
		`"managed_externally":true,"mcp_url":"https://desk.example/mcp/","a2a_url":"https://desk.example/a2a","admin_url_path":"/tenant/ID",` +
		`"adapter":{"type":"google_ad_manager","configured":true,"connection_test_passed":true,"connection_test_error":null},` +
		`"initial_principal":null,"created_at":"2026-07-04T10:00:00.250000Z"}` + "\n"
	if answer != strings.ReplaceAll(want, "ID", id) {
		t.Errorf("answered %s", answer)
	}
	has(t, w.want(200, "GET", "/tenants/"+id, ""), `"external_source":"pier"`, `"contact_email":"ops@quay.example"`,
		`"is_active":true`, `"created_at":"2026-07-04T10:00:00.250000Z"`, `"ad_server":"google_ad_manager"`)
	d := decode[document](t, w.want(200, "GET", "/tenants/"+id+"/status", ""))
	if !d.Adapter.Connected || d.Adapter.Type != "google_ad_manager" || d.SetupTasks.Blockers != 2 || d.Syncs["inventory"].Status != "never_run" {
		t.Errorf("status %+v", d)
	}
	c, _ := w.Config(id)
	if c.Values.Text("service_account_key_json") != "key-CANARY-1" || c.Account() != "82640" || c.Values.Text("auto_naming_enabled") != "true" {
		t.Errorf("config %+v", c)
	}
}

// A refusal by the ad server leaves nothing behind, whether a tenant is made or its config written.
func TestRefusals(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	const refusal = `{"error":"adapter_network_not_found","message":"The probe of adapter 'google_ad_manager' failed: The ad server knows no such account",` +
		`"details":{"adapter_type":"google_ad_manager","error":"The ad server knows no such account","vendor_fault":{` +
		`"fault_string":"[AuthenticationError.NETWORK_NOT_FOUND @ network]","vendor":"google_ad_manager","phase":"probe","vendor_status":403,` +
		`"request_token":"CANARY-vendor-request-token"},"debug_token":"CANARY-probe-token"}}` + "\n"
	unknown := strings.Replace(gamBody, "82640", "40412", 1)
	if got := w.want(400, "POST", "/tenants/provision", provisionBody("9", unknown)); got != refusal {
		t.Errorf("refused with %s", got)
	}
	if c, came := w.LastConfig(); !came || c.Account() != "40412" || w.Provisions() != 0 {
		t.Errorf("the refused config: %+v, %d made", c, w.Provisions())
	}
	id := w.provision("9", gamBody)
	has(t, w.want(409, "POST", "/tenants/provision", provisionBody("9", gamBody)),
		`"external_org_id_conflict"`, `"details":{"tenant_id":"`+id+`"}`)
	w.want(201, "POST", "/tenants/provision", strings.Replace(provisionBody("9", gamBody), `"pier"`, `"other"`, 1))
	if w.Provisions() != 2 || w.Probes("82640") != 2 {
		t.Errorf("%d provisioned, %d probes: a conflict is found before the probe", w.Provisions(), w.Probes("82640"))
	}
	before, _ := w.Config(id)
	for word, adapter := range map[string]string{
		"network_not_found":    unknown,
		"permission_denied":    strings.Replace(gamBody, "82640", "40382640", 1),
		"upstream_unavailable": strings.Replace(gamBody, "82640", "50382640", 1),
		"invalid_credentials":  strings.Replace(gamBody, "key-CANARY-1", "wrong", 1),
	} {
		has(t, w.want(400, "PUT", "/tenants/"+id+"/adapter-config", adapter), `"error":"adapter_`+word+`"`)
	}
	if after, _ := w.Config(id); !reflect.DeepEqual(after, before) {
		t.Errorf("changed to %+v", after)
	}
	probes := w.Probes("")
	w.want(404, "PUT", "/tenants/tnt_gone/adapter-config", gamBody)
	if w.Probes("") != probes+1 {
		t.Error("the tenant is looked for before the probe")
	}
}

func TestProvisionValidates(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	whole := provisionBody("1", gamBody)
	replaced := func(old, by string) string { return strings.Replace(whole, old, by, 1) }
	with := func(member string) string { return strings.TrimSuffix(whole, "}") + `,` + member + `}` }
	for name, c := range map[string]struct{ body, kind, loc, input string }{
		"not JSON":           {`{`, "model_type", "", "null"},
		"no object":          {`[1]`, "model_type", "", "[1]"},
		"no name":            {replaced(`"name":"Quay News",`, ""), "missing", "name", "key-CANARY-1"},
		"empty name":         {replaced("Quay News", ""), "string_too_short", "name", `""`},
		"long name":          {replaced("Quay News", strings.Repeat("ä", 256)), "string_too_long", "name", "ää"},
		"no mail":            {replaced("ops@quay.example", "ops"), "value_error", "contact_email", "ops"},
		"mail set aside":     {replaced("ops@quay.example", "ops@quay.test"), "value_error", "contact_email", "quay.test"},
		"agent without TLS":  {with(`"public_agent_url":"http://a.example"`), "value_error", "public_agent_url", "http://"},
		"approval":           {with(`"creative_approval":"never"`), "literal_error", "creative_approval", "never"},
		"resources no flag":  {with(`"provision_default_resources":"yes"`), "bool_type", "provision_default_resources", "yes"},
		"unknown field":      {with(`"colour":"s3"`), "extra_forbidden", "colour", "s3"},
		"no adapter":         {replaced(`"adapter":`, `"adaptor":`), "missing", "adapter", "key-CANARY-1"},
		"adapter no object":  {provisionBody("1", `"gam"`), "union_tag_not_found", "adapter", "gam"},
		"unknown type":       {provisionBody("1", `{"type":"adswizz","secret":"pw-CANARY"}`), "union_tag_invalid", "adapter", "pw-CANARY"},
		"no network":         {replaced(`"network_code":"82640",`, ""), "missing", "adapter.google_ad_manager.network_code", "key-CANARY-1"},
		"unknown in adapter": {replaced(`"network_code"`, `"currency":"EUR","network_code"`), "extra_forbidden", "adapter.google_ad_manager.currency", "EUR"},
		"user alone":         {provisionBody("1", `{"type":"freewheel","username":"ops"}`), "value_error", "adapter.freewheel", "ops"},
		"sandbox":            {provisionBody("1", strings.Replace(fwBody, "{", `{"environment":"sandbox",`, 1)), "literal_error", "adapter.freewheel.environment", "sandbox"},
		"currency":           {provisionBody("1", `{"type":"springserve","api_token":"x","rate_currency":"E1R"}`), "string_pattern_mismatch", "adapter.springserve.rate_currency", "E1R"},
	} {
		for _, f := range strict[[]finding](t, []byte(w.want(422, "POST", "/tenants/provision", c.body))) {
			if f.Type == c.kind && strings.Join(f.Loc, ".") == c.loc && strings.Contains(string(f.Input), c.input) && f.Msg != "" && f.Loc != nil {
				c.kind = "" // found
			}
		}
		if c.kind != "" {
			t.Errorf("%s: no %s at %s", name, c.kind, c.loc)
		}
	}
	if w.Provisions() != 0 || w.Probes("") != 0 {
		t.Error("what is not valid was probed")
	}
	for name, adapter := range map[string]string{
		"freewheel": fwBody, "token": `{"type":"freewheel","api_token":"t"}`, "mock": `{"type":"mock"}`, "springserve": ssBody,
		"broadstreet": `{"type":"broadstreet","network_id":"4","api_key":"k","default_advertiser_id":null}`,
	} {
		w.provision(name, adapter)
	}
}

func TestANewConfigResetsTheSettings(t *testing.T) {
	w := newWorld(t, ut.Options{CacheFor: -1}, ut.Healthy())
	id := w.provision("1", strings.Replace(ssBody, "{", `{"rate_currency":"EUR","demand_class":"tag",`, 1))
	path := "/tenants/" + id + "/adapters/springserve/config"
	const want = `{"type":"springserve","default_demand_partner_id":null,"demand_class":"tag","enable_key_value_targeting":false,"rate_currency":"EUR"}` + "\n"
	if got := w.want(200, "GET", path, ""); got != want {
		t.Errorf("settings %s", got)
	}
	w.now = start.Add(time.Hour)
	answer := w.want(200, "PUT", "/tenants/"+id+"/adapter-config", strings.Replace(ssBody, "{", `{"default_demand_partner_id":71,`, 1))
	if has(t, answer, `"type":"springserve","configured":true`); strings.Contains(answer, ut.Canary) {
		t.Errorf("answered %s", answer)
	}
	s := w.Settings(id)
	if s.Text("rate_currency") != "USD" || s.Text("demand_class") != "line_item" || s.Text("default_demand_partner_id") != "71" {
		t.Errorf("settings %+v", s)
	}
	has(t, w.want(200, "GET", "/tenants/"+id+"/status", ""), `"last_tested_at":"2026-07-04T11:00:00Z"`) // as upstream has it
	w.want(200, "PUT", "/tenants/"+id+"/adapter-config", fwBody)
	has(t, w.want(200, "GET", "/tenants/"+id, ""), `"ad_server":"springserve"`) // the tenant's own type stays
}

func TestSettings(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	const path = "/tenants/tnt_a/adapters/google_ad_manager/config"
	put := `{"type":"google_ad_manager","order_name_template":"{campaign_name}","line_item_name_template":null,` +
		`"auto_naming_enabled":false,"manual_approval_required":true}` + "\n"
	w.want(200, "PUT", path, put)
	if got := w.want(200, "GET", "/tenants/tnt_a/adapters/gam/config", ""); got != put {
		t.Errorf("settings %s", got)
	}
	w.want(200, "PUT", path, `{}`)
	if s := w.Settings("tnt_a"); len(s) != 2 || s.Text("auto_naming_enabled") != "true" || s.Text("manual_approval_required") != "false" {
		t.Errorf("what is left out is reset: %+v", s)
	}
	for _, text := range []string{
		`{"colour":"red"}`, `{"type":"freewheel"}`, `{"auto_naming_enabled":"no"}`, `{"order_name_template":"` + strings.Repeat("x", 501) + `"}`,
	} {
		if found := strict[[]finding](t, []byte(w.want(422, "PUT", path, text))); len(found) != 1 || len(found[0].Loc) != 1 {
			t.Errorf("%s: %+v", text, found)
		}
	}
	w.SetTenant(ut.Tenant{ID: "tnt_bare"})
	for _, other := range []string{"tnt_a/adapters/freewheel", "tnt_a/adapters/mock", "tnt_a/adapters/nothing", "tnt_bare/adapters/gam"} {
		w.want(404, "GET", "/tenants/"+other+"/config", "")
		w.want(404, "PUT", "/tenants/"+other+"/config", "{}")
	}
}

func TestTestConnection(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	test := func() string { return w.want(200, "POST", "/tenants/tnt_a/adapter-config/test-connection", "") }
	has(t, test(), `{"success":true,"error":null,"error_code":null,"remediation":null,"details":null,"capability_checks":[{"capability":"read_inventory",`+
		`"status":"passed",`, `"status":"not_checked"`, `"tested_at":"2026-07-04T10:00:00.250000Z"}`)
	w.AdServer("777", ut.Probe{Outcome: ut.PermissionDenied})
	has(t, test(), `{"success":false,"error":"The ad server knows the account and does not let it in","error_code":"permission_denied",`+
		`"remediation":"vendor_enables_role","details":{"adapter_type":"google_ad_manager","vendor_fault":{"fault_string":"[PermissionError.PERMISSION_DENIED @ role]"`,
		`"session_key":"CANARY-session-key"},"capability_checks":[{"capability":"read_inventory","status":"failed","message":"The ad server knows`)
	w.AdServer("777")
	has(t, test(), `"success":true`)
	w.SetTenant(ut.Tenant{ID: "tnt_a"})
	has(t, test(), `{"success":false,"error":"No ad server is configured","error_code":null`)
	w.want(404, "POST", "/tenants/tnt_gone/adapter-config/test-connection", "")
}
