package upstream_test

import (
	"net/http"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// TestRefusals lists the answers after which it is certain that nothing was done, and the
// Refusal of each.
func TestRefusals(t *testing.T) {
	const details = `"details":{"adapter_type":"freewheel","remediation":"vendor_enables_role","error":"CANARY",` +
		`"vendor_fault":{"vendor_message":"CANARY","gam":{"reason":"CANARY"}},"tenant_id":"tnt_old","password":"CANARY"}`
	const mismatch = `[{"type":"list_type","loc":[],"msg":"Input should be a valid list",` +
		`"input":{"error":"public_agent_url_mismatch","message":"CANARY"},"url":"https://errors.example/v/list_type"}]`
	problem := func(code string) string { return `{"error":"` + code + `","message":"Not like this.",` + details + `}` }
	with := func(status int, code, adapter string) *upstream.Refusal {
		return &upstream.Refusal{Status: status, Code: code, AdapterCode: adapter, Message: "Not like this."}
	}
	for name, c := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		reason fault.Reason
		want   *upstream.Refusal
	}{
		"network_not_found":                {400, problem("adapter_network_not_found"), fault.Validation, "", with(400, "adapter_network_not_found", "network_not_found")},
		"permission_denied":                {400, problem("adapter_permission_denied"), fault.Validation, "", with(400, "adapter_permission_denied", "permission_denied")},
		"invalid_credentials":              {409, problem("adapter_invalid_credentials"), fault.Validation, "", with(409, "adapter_invalid_credentials", "invalid_credentials")},
		"invalid_config":                   {422, problem("adapter_invalid_config"), fault.Validation, "", with(422, "adapter_invalid_config", "invalid_config")},
		"connection_failed":                {502, problem("adapter_connection_failed"), fault.Validation, "", with(502, "adapter_connection_failed", "connection_failed")},
		"upstream_unavailable":             {503, problem("adapter_upstream_unavailable"), fault.Validation, "", with(503, "adapter_upstream_unavailable", "upstream_unavailable")},
		"an adapter's 403":                 {403, problem("adapter_permission_denied"), fault.Validation, "", with(403, "adapter_permission_denied", "permission_denied")},
		"an adapter's 429":                 {429, problem("adapter_upstream_unavailable"), fault.Unavailable, fault.UpstreamError, with(429, "adapter_upstream_unavailable", "")},
		"an adapter's 500":                 {500, problem("adapter_connection_failed"), fault.Unavailable, fault.UpstreamError, nil},
		"an unknown adapter's":             {400, problem("adapter_melted"), fault.Validation, "", with(400, "adapter_melted", "")},
		"the organisation":                 {409, problem("external_org_id_conflict"), fault.Conflict, "", with(409, "external_org_id_conflict", "")},
		"a managed tenant":                 {403, problem("managed_tenant_write_blocked"), fault.Conflict, "", with(403, "managed_tenant_write_blocked", "")},
		"the key":                          {401, `{"error":"Key is wrong"}`, fault.Unavailable, fault.UpstreamUnauthorized, &upstream.Refusal{Status: 401, Message: "Key is wrong"}},
		"a list":                           {422, `[{"loc":["freewheel","username"],"msg":"m","input":"CANARY"}]`, fault.Validation, "", &upstream.Refusal{Status: 422}},
		"a secret word":                    {400, `{"error":"sk_4f7aQ2x9Lm0pW8sT3vBnKdCANARY"}`, fault.Validation, "", &upstream.Refusal{Status: 400}},
		"HTML":                             {400, `<html>CANARY`, fault.Unavailable, fault.UpstreamInvalidResponse, &upstream.Refusal{Status: 400}},
		"too many":                         {429, ``, fault.Unavailable, fault.UpstreamError, &upstream.Refusal{Status: 429}},
		"request timeout":                  {408, ``, fault.Unavailable, fault.UpstreamError, nil},
		"a 500":                            {500, problem("internal_error"), fault.Unavailable, fault.UpstreamError, nil},
		"the agent URL":                    {500, mismatch, fault.Unavailable, fault.UpstreamError, &upstream.Refusal{Status: 500, Code: wire.AgentURLMismatch}},
		"the agent URL, a sentence":        {422, problem("public_agent_url_mismatch"), fault.Unavailable, fault.UpstreamError, with(422, wire.AgentURLMismatch, "")},
		"a list under 500":                 {500, `[{"loc":["external_org_id"],"msg":"m","input":"CANARY"}]`, fault.Unavailable, fault.UpstreamError, nil},
		"an answer that is no answer":      {300, mismatch, fault.Unavailable, fault.UpstreamError, nil},
		"a redirect that repeats the body": {307, ``, fault.Unavailable, fault.UpstreamError, nil},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
				calls++
				return respond(c.status, c.body, "Location", "http://evil.invalid/"), nil
			},
				func(t *testing.T, r *rig) {
					_, err := r.client.Provision(t.Context(), provisioning())
					if calls != 1 {
						t.Errorf("%d requests", calls)
					}
					if e := r.fault(err); e == nil || e.Kind != c.kind || e.Reason != c.reason {
						t.Fatalf("%v", err)
					}
					got := refusal(err)
					if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
						t.Errorf("got  %#v\nwant %#v", got, c.want)
					}
					if upstream.NotSent(err) {
						t.Error("it was sent")
					}
					if c.kind == fault.Validation && len(fault.As(err).Issues) == 0 && c.want.Message == "" && fault.As(err).Message == "" {
						t.Error("the error has no message for the caller")
					}
				})
		})
	}
}

// TestAgentURLOfAnotherCall: the word says nothing where it can be the caller's, or where no
// tenant was to be made.
func TestAgentURLOfAnotherCall(t *testing.T) {
	const list = `[{"type":"list_type","loc":[],"msg":"m","input":{"name":"public_agent_url_mismatch"}}]`
	alone(t, upstream.Config{Attempts: 1}, gives(500, list), func(t *testing.T, r *rig) {
		named := provisioning()
		named.Name = "Kiosk " + wire.AgentURLMismatch
		_, err := r.client.Provision(t.Context(), named)
		if r.fault(err); refusal(err) != nil {
			t.Errorf("a name that is repeated counts as a refusal: %v", err)
		}
		if err := r.client.PutAdapterConfig(t.Context(), tenant, named.Adapter); refusal(err) != nil {
			t.Errorf("it counts for another call: %v", err)
		}
	})
}

// TestErrorID: the id by which upstream's log names a failure is shown to an operator, if it
// is one.
func TestErrorID(t *testing.T) {
	for id, shown := range map[string]bool{
		"a3f09c21": true, "": false, "two words": false, credential: false, "4f7aQ2x9Lm0pW8sT3vBnKdCANARY": false,
	} {
		alone(t, upstream.Config{}, gives(500, `{"error":"internal_error","error_id":"`+id+`"}`), func(t *testing.T, r *rig) {
			_, err := r.client.Provision(t.Context(), provisioning())
			e := r.fault(err)
			if e.Reason != fault.UpstreamError || strings.Contains(e.Error(), "error_id "+id) != shown ||
				strings.Contains(e.Message, "error_id") {
				t.Errorf("%q: %v", id, e)
			}
		})
	}
}
