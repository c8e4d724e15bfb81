package upstreamtest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	ut "esagate/upstream/upstreamtest"
)

// holdTo makes a call and checks the answer, and a body that was accepted, against an
// operation of the document.
func holdTo(t *testing.T, spec *openapi3.T, a *ut.Agent, name, method, request, text string, status int, operation string) string {
	t.Helper()
	item := spec.Paths.Value(operation)
	if item == nil || item.GetOperation(method) == nil || item.GetOperation(method).Responses.Status(status) == nil {
		t.Fatalf("%s: the document does not know %s %s with %d", name, method, operation, status)
	}
	op := item.GetOperation(method)
	visit := func(what string, schema *openapi3.SchemaRef, text string) {
		t.Helper()
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %s: %v", name, what, err)
		}
		if err := schema.Value.VisitJSON(v, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s: %s: %v", name, what, err)
		}
	}
	got := want(t, a, status, method, strings.TrimPrefix(request, ut.BasePath), text)
	if media := op.Responses.Status(status).Value.Content.Get("application/json"); got != "" && media != nil {
		visit("answer", media.Schema, got)
	}
	if op.RequestBody != nil && text != "" && status < 300 {
		visit("request", op.RequestBody.Value.Content.Get("application/json").Schema, text)
	}
	return got
}

// TestPublishedSchema checks the documents of a current build against the sales agent's own
// OpenAPI document, where one is at hand.
func TestPublishedSchema(t *testing.T) {
	path := os.Getenv("SALES_AGENT_OPENAPI")
	if path == "" {
		t.Skip("SALES_AGENT_OPENAPI names no OpenAPI document of the sales agent")
	}
	spec, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now := start
	a := ut.New(ut.Options{APIKey: key, CacheFor: -1, Now: func() time.Time { return now }})
	hold := func(method, request, text string, status int, operation string) string {
		t.Helper()
		return holdTo(t, spec, a, method+" "+operation, method, ut.BasePath+request, text, status, ut.BasePath+operation)
	}
	const one = "/tenants/{tenant_id}"
	whole := strings.TrimSuffix(provisionBody("1", gamBody), "}") + `,"initial_principal":{"name":"Desk"}}`
	id := decode[made](t, hold("POST", "/tenants/provision", whole, 201, "/tenants/provision")).TenantID
	hold("POST", "/tenants/provision", whole, 409, "/tenants/provision")
	hold("POST", "/tenants/provision", provisionBody("2", `{"type":"adswizz"}`), 422, "/tenants/provision")
	a.AdServer("40", ut.Probe{Outcome: ut.PermissionDenied})
	hold("POST", "/tenants/provision", provisionBody("2", strings.Replace(gamBody, "82640", "40", 1)), 400, "/tenants/provision")
	hold("POST", "/tenants/provision", provisionBody("2", `{"type":"mock","dry_run":true}`), 201, "/tenants/provision")

	for _, status := range []ut.Status{
		ut.Healthy(), ut.NeverRun(), ut.InventoryFailed(), ut.Disconnected(),
		{Webhooks: &ut.Webhooks{Delivered: 4, Failed: 1, LastFailureAgo: 1}},
	} {
		a.SetTenant(gam("tnt_a", status))
		hold("GET", "/tenants/tnt_a/status", "", 200, one+"/status")
		hold("GET", "/tenants/tnt_a/adapter-config", "", 200, one+"/adapter-config")
		hold("GET", "/tenants/tnt_a", "", 200, one)
	}
	hold("GET", "/tenants/tnt_none/status", "", 404, one+"/status")

	tenant := "/tenants/" + id
	hold("POST", tenant+"/refresh", "", 202, one+"/refresh")
	now = now.Add(2 * time.Minute)
	hold("POST", tenant+"/refresh", "", 409, one+"/refresh")
	a.FailRun(id, "inventory", "")
	a.FinishRun(id, "advertisers", 7)
	hold("GET", tenant+"/status", "", 200, one+"/status")
	hold("GET", tenant+"/sync-history?limit=2", "", 200, one+"/sync-history")
	hold("POST", tenant+"/deactivate", "", 200, one+"/deactivate")
	hold("POST", tenant+"/reactivate", "", 200, one+"/reactivate")
	for kind, c := range map[string]struct{ adapter, settings string }{
		"gam":               {gamBody, `{"order_name_template":"{brand_name}"}`},
		"google_ad_manager": {gamBody, `{"manual_approval_required":true}`},
		"freewheel":         {fwBody, `{"default_advertiser_id":"4"}`},
		"springserve":       {ssBody, `{"rate_currency":"EUR","default_demand_partner_id":4}`},
		"broadstreet":       {`{"type":"broadstreet","network_id":"4","api_key":"k"}`, `{"campaign_name_template":"{po_number}"}`},
	} {
		hold("PUT", tenant+"/adapter-config", c.adapter, 200, one+"/adapter-config")
		hold("PUT", tenant+"/adapters/"+kind+"/config", c.settings, 200, one+"/adapters/"+kind+"/config")
		hold("GET", tenant+"/adapters/"+kind+"/config", "", 200, one+"/adapters/"+kind+"/config")
		hold("POST", tenant+"/adapter-config/test-connection", "", 200, one+"/adapter-config/test-connection")
	}
	for _, outcome := range ut.Outcomes() {
		a.AdServer("", ut.Probe{Outcome: outcome})
		hold("POST", tenant+"/adapter-config/test-connection", "", 200, one+"/adapter-config/test-connection")
		if outcome != ut.OK {
			hold("PUT", tenant+"/adapter-config", gamBody, 400, one+"/adapter-config")
		}
	}
	hook := decode[hook](t, hold("POST", tenant+"/webhooks", `{"url":"https://hook.example/","event_types":["sync_run.failed"],"secret":"`+secret+`"}`, 201, one+"/webhooks")).ID
	hold("POST", tenant+"/webhooks", `{"url":"http://hook.example/"}`, 400, one+"/webhooks")
	hold("GET", tenant+"/webhooks", "", 200, one+"/webhooks")
	hold("DELETE", tenant+"/webhooks/"+hook, "", 204, one+"/webhooks/{webhook_id}")
	hold("GET", "/tenants?external_source=pier", "", 200, "/tenants")
}
