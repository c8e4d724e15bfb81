package upstreamtest_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	ut "esagate/upstream/upstreamtest"
)

// TestDocumentsFitThePublishedSchema holds the documents of a current build
// against the sales agent's own OpenAPI document, where one is at hand.
func TestDocumentsFitThePublishedSchema(t *testing.T) {
	path := os.Getenv("SALES_AGENT_OPENAPI")
	if path == "" {
		t.Skip("SALES_AGENT_OPENAPI names no OpenAPI document of the sales agent")
	}
	spec, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	hold := func(name, request string, status int, operation string) {
		t.Helper()
		op := spec.Paths.Value(operation)
		if op == nil || op.Get == nil || op.Get.Responses.Status(status) == nil {
			t.Fatalf("%s: the document does not know %s with %d", name, operation, status)
		}
		res := get(t, a, request)
		if res.StatusCode != status {
			t.Fatalf("%s: %d", name, res.StatusCode)
		}
		var v any
		if err := json.Unmarshal([]byte(body(t, res)), &v); err != nil {
			t.Fatal(err)
		}
		schema := op.Get.Responses.Status(status).Value.Content.Get("application/json").Schema.Value
		if err := schema.VisitJSON(v, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := ut.BasePath + "/tenants/{tenant_id}"
	for name, status := range map[string]ut.Status{
		"healthy": ut.Healthy(), "never run": ut.NeverRun(), "inventory failed": ut.InventoryFailed(),
		"disconnected": ut.Disconnected(), "webhooks": {Webhooks: &ut.Webhooks{Delivered: 4, Failed: 1, LastFailureAgo: 1}},
	} {
		a.SetTenant(gam("tnt_a", status))
		hold(name, statusPath("tnt_a"), 200, one+"/status")
		hold(name, ut.BasePath+"/tenants/tnt_a/adapter-config", 200, one+"/adapter-config")
		hold(name, ut.BasePath+"/tenants/tnt_a", 200, one)
	}
	a.SetTenant(ut.Tenant{ID: "tnt_bare"})
	hold("bare tenant", ut.BasePath+"/tenants/tnt_bare/adapter-config", 200, one+"/adapter-config")
	hold("bare tenant", statusPath("tnt_bare"), 200, one+"/status")
	hold("list", ut.BasePath+"/tenants", 200, ut.BasePath+"/tenants")
	hold("no tenant", statusPath("tnt_none"), 404, one+"/status")
	a.Fault("", ut.Fault{Status: 404})
	hold("problem", statusPath("tnt_a"), 404, one+"/status")
}
