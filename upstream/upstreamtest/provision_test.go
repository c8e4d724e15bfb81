package upstreamtest_test

import (
	"reflect"
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

type provisioned struct {
	TenantID          string `json:"tenant_id"`
	Name              string `json:"name"`
	ExternalOrgID     string `json:"external_org_id"`
	ExternalSource    string `json:"external_source"`
	IsEmbedded        bool   `json:"is_embedded"`
	ManagedExternally bool   `json:"managed_externally"`
	MCPURL            string `json:"mcp_url"`
	A2AURL            string `json:"a2a_url"`
	AdminURLPath      string `json:"admin_url_path"`
	CreatedAt         string `json:"created_at"`
	Adapter           struct {
		Type       string  `json:"type"`
		Configured bool    `json:"configured"`
		Passed     bool    `json:"connection_test_passed"`
		Error      *string `json:"connection_test_error"`
	} `json:"adapter"`
	Principal *struct {
		ID    string `json:"principal_id"`
		Name  string `json:"name"`
		Token string `json:"access_token"`
	} `json:"initial_principal"`
}

func TestProvision(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed, PublicURL: "https://desk.example/"})
	p := strict[provisioned](t, want(t, a, 201, "POST", "/tenants/provision", provisionBody("77-5", gamBody)))
	if p.Name != "Quay News" || p.ExternalOrgID != "77-5" || p.ExternalSource != "pier" || !p.IsEmbedded || !p.ManagedExternally ||
		p.MCPURL != "https://desk.example/mcp/" || p.A2AURL != "https://desk.example/a2a" || p.AdminURLPath != "/tenant/"+p.TenantID ||
		p.CreatedAt != "2026-07-04T10:00:00.250000Z" || p.Adapter.Type != "google_ad_manager" || !p.Adapter.Passed || p.Principal != nil {
		t.Errorf("answered %+v", p)
	}
	if ids := a.TenantIDs(); len(ids) != 1 || ids[0] != p.TenantID || a.Provisions() != 1 {
		t.Errorf("made %q, %d", ids, a.Provisions())
	}
	c, ok := a.Config(p.TenantID)
	if last, came := a.LastConfig(); !ok || !came || !reflect.DeepEqual(last, c) || c.Values.Text("service_account_key_json") != "key-CANARY-1" ||
		c.Account() != "82640" || c.Values.Text("auto_naming_enabled") != "true" {
		t.Errorf("config %+v, last %+v", c, last)
	}
	detail := want(t, a, 200, "GET", "/tenants/"+p.TenantID, "")
	for _, s := range []string{`"external_source":"pier"`, `"contact_email":"ops@quay.example"`, `"is_active":true`, `"created_at":"2026-07-04T10:00:00.250000Z"`, `"ad_server":"google_ad_manager"`, `"default_currency":"USD"`} {
		if !strings.Contains(detail, s) {
			t.Errorf("%s does not hold %s", detail, s)
		}
	}
	d := read(t, []byte(body(t, get(t, a, statusPath(p.TenantID)))))
	if !d.Adapter.Connected || d.Adapter.Type != "google_ad_manager" || d.SetupTasks.Blockers != 2 {
		t.Errorf("status %+v", d)
	}
	for name, s := range d.Syncs {
		if s.Status != "never_run" {
			t.Errorf("%s is %s", name, s.Status)
		}
	}
}

func TestProvisionIsAllOrNothing(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	refused := want(t, a, 400, "POST", "/tenants/provision", provisionBody("9", strings.Replace(gamBody, "82640", "40412", 1)))
	type refusal struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Details struct {
			AdapterType string `json:"adapter_type"`
			Error       string `json:"error"`
			DebugToken  string `json:"debug_token"`
			Fault       struct {
				String string `json:"fault_string"`
				Vendor string `json:"vendor"`
				Phase  string `json:"phase"`
				Status int    `json:"vendor_status"`
				Token  string `json:"request_token"`
			} `json:"vendor_fault"`
		} `json:"details"`
	}
	r := strict[refusal](t, refused)
	if r.Error != "adapter_network_not_found" || r.Details.AdapterType != "google_ad_manager" || r.Details.Fault.String == "" ||
		!strings.Contains(r.Details.DebugToken, ut.Canary) || !strings.Contains(r.Details.Fault.Token, ut.Canary) {
		t.Errorf("refusal %+v", r)
	}
	if n := len(a.TenantIDs()); n != 0 || a.Provisions() != 0 {
		t.Errorf("%d tenants", n)
	}
	if c, came := a.LastConfig(); !came || c.Account() != "40412" {
		t.Errorf("the refused config: %+v", c)
	}
	id := provision(t, a, "9", gamBody) // and now it goes well
	conflict := want(t, a, 409, "POST", "/tenants/provision", provisionBody("9", gamBody))
	if !strings.Contains(conflict, `"external_org_id_conflict"`) || !strings.Contains(conflict, `"details":{"tenant_id":"`+id+`"}`) {
		t.Errorf("conflict %s", conflict)
	}
	want(t, a, 201, "POST", "/tenants/provision", strings.Replace(provisionBody("9", gamBody), `"pier"`, `"other"`, 1))
	if a.Provisions() != 2 || a.Probes("82640") != 2 {
		t.Errorf("%d provisioned, %d probes: a conflict is found before the probe", a.Provisions(), a.Probes("82640"))
	}
}

func TestProvisionValidates(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	whole := provisionBody("1", gamBody)
	for name, c := range map[string]struct{ body, kind, loc, input string }{
		"not JSON":           {`{`, "model_type", "", "null"},
		"no object":          {`[1]`, "model_type", "", "[1]"},
		"no name":            {strings.Replace(whole, `"name":"Quay News",`, "", 1), "missing", "name", "key-CANARY-1"},
		"empty name":         {strings.Replace(whole, "Quay News", "", 1), "string_too_short", "name", `""`},
		"long name":          {strings.Replace(whole, "Quay News", strings.Repeat("ä", 256), 1), "string_too_long", "name", "ää"},
		"no mail":            {strings.Replace(whole, "ops@quay.example", "ops", 1), "value_error", "contact_email", "ops"},
		"mail set aside":     {strings.Replace(whole, "ops@quay.example", "ops@quay.test", 1), "value_error", "contact_email", "quay.test"},
		"agent without TLS":  {strings.TrimSuffix(whole, "}") + `,"public_agent_url":"http://a.example"}`, "value_error", "public_agent_url", "http://"},
		"approval":           {strings.TrimSuffix(whole, "}") + `,"creative_approval":"never"}`, "literal_error", "creative_approval", "never"},
		"resources no flag":  {strings.TrimSuffix(whole, "}") + `,"provision_default_resources":"yes"}`, "bool_type", "provision_default_resources", "yes"},
		"unknown field":      {strings.TrimSuffix(whole, "}") + `,"colour":"s3"}`, "extra_forbidden", "colour", "s3"},
		"principal":          {strings.TrimSuffix(whole, "}") + `,"initial_principal":{}}`, "missing", "initial_principal.name", "{}"},
		"no adapter":         {strings.Replace(whole, `"adapter":`, `"adaptor":`, 1), "missing", "adapter", "key-CANARY-1"},
		"adapter no object":  {provisionBody("1", `"gam"`), "union_tag_not_found", "adapter", "gam"},
		"unknown type":       {provisionBody("1", `{"type":"adswizz","secret":"pw-CANARY"}`), "union_tag_invalid", "adapter", "pw-CANARY"},
		"no network":         {provisionBody("1", strings.Replace(gamBody, `"network_code":"82640",`, "", 1)), "missing", "adapter.google_ad_manager.network_code", "key-CANARY-1"},
		"unknown in adapter": {provisionBody("1", strings.Replace(gamBody, "{", `{"currency":"EUR",`, 1)), "extra_forbidden", "adapter.google_ad_manager.currency", "EUR"},
		"user alone":         {provisionBody("1", strings.Replace(fwBody, `,"password":"pw-CANARY-2"`, "", 1)), "value_error", "adapter.freewheel", "ops@ads.example"},
		"sandbox":            {provisionBody("1", strings.Replace(fwBody, "{", `{"environment":"sandbox",`, 1)), "literal_error", "adapter.freewheel.environment", "sandbox"},
		"currency":           {provisionBody("1", `{"type":"springserve","api_token":"x","rate_currency":"E1R"}`), "string_pattern_mismatch", "adapter.springserve.rate_currency", "E1R"},
		"broadstreet key":    {provisionBody("1", `{"type":"broadstreet","network_id":"4"}`), "missing", "adapter.broadstreet.api_key", "network_id"},
	} {
		t.Run(name, func(t *testing.T) {
			all := strict[[]struct {
				finding
				Ctx map[string]string `json:"ctx"`
			}](t, want(t, a, 422, "POST", "/tenants/provision", c.body))
			for _, f := range all {
				if f.Type == c.kind && strings.Join(f.Loc, ".") == c.loc && strings.Contains(string(f.Input), c.input) && f.Msg != "" && f.Loc != nil {
					return
				}
			}
			t.Errorf("found %+v", all)
		})
	}
	if len(a.TenantIDs()) != 0 || a.Probes("") != 0 {
		t.Error("what is not valid was probed")
	}
	for name, adapter := range map[string]string{
		"freewheel": fwBody, "token": `{"type":"freewheel","api_token":"t"}`, "mock": `{"type":"mock"}`,
		"springserve": `{"type":"springserve","email":"a@b.example","password":"p","default_demand_partner_id":null}`,
		"broadstreet": `{"type":"broadstreet","network_id":"4","api_key":"k"}`,
	} {
		provision(t, a, name, adapter)
	}
}
