package api_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
)

// document reads the contract with its references resolved.
func document(t *testing.T) *openapi3.T { t.Helper(); return read(t, api.Spec(false).YAML.Plain) }

func read(t *testing.T, text []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatalf("the contract can't be read: %v", err)
	}
	return doc
}

func TestContractIsValid(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		spec := api.Spec(envelope)
		for name, text := range map[string][]byte{"YAML": spec.YAML.Plain, "JSON": spec.JSON.Plain} {
			doc := read(t, text)
			if doc.OpenAPI != "3.0.3" {
				t.Errorf("the contract is OpenAPI %s, not 3.0.3", doc.OpenAPI)
			}
			err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation())
			if err != nil {
				t.Errorf("enveloped %v: the contract as %s, or an example in it, is not valid: %v", envelope, name, err)
			}
		}
	}
}

// TestEveryOperation holds what all operations have in common.
func TestEveryOperation(t *testing.T) {
	doc := document(t)
	ids := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if other, ok := ids[op.OperationID]; ok || op.OperationID == "" {
				t.Errorf("%s: operationId %q is empty or that of %q too", name, op.OperationID, other)
			}
			ids[op.OperationID] = name
			if len(op.Tags) != 1 || doc.Tags.Get(op.Tags[0]) == nil {
				t.Errorf("%s: tags are %q, want one that the contract describes", name, op.Tags)
			}
			if op.Summary == "" || op.Description == "" {
				t.Errorf("%s: no summary or no description", name)
			}
			open := op.Security != nil && len(*op.Security) == 0
			if guarded := strings.HasPrefix(path, "/api/") || path == "/audit"; open == guarded {
				t.Errorf("%s: needs no key: %v; what is under /api/ and the audit need one and nothing else does", name, open)
			}
			if !open && op.Responses.Status(401) == nil {
				t.Errorf("%s: needs a key and has no 401", name)
			}
			// A request with a key can be for another customer than the key's.
			if op.Responses.Status(403) != nil == open || op.Parameters.GetByInAndName("header", "Esagate-Customer") != nil == open {
				t.Errorf("%s: want a 403 and Esagate-Customer: %v", name, !open)
			}
			// What a GET can revalidate, and what changes something that it shows, can be asked for on conditions.
			conditional := op.Responses.Status(304) != nil ||
				!open && method != "GET" && !strings.HasSuffix(path, "/service-account") && !strings.HasSuffix(path, "/launch")
			if op.Responses.Status(412) != nil != conditional || op.Parameters.GetByInAndName("header", "If-Match") != nil != conditional ||
				op.Parameters.GetByInAndName("header", "If-None-Match") != nil != conditional {
				t.Errorf("%s: want a 412, If-Match and If-None-Match: %v", name, conditional)
			}
			for status, response := range op.Responses.Map() {
				if id := response.Value.Headers["X-Request-Id"]; id == nil || !id.Value.Required {
					t.Errorf("%s: the %s has no X-Request-Id", name, status)
				}
			}
		}
	}
}

// TestSchemasAreClosed holds that no object lets unnamed properties pass, but for
// those whose names are data, the requests, of which this page names what they may
// hold, and the parts of an allOf that narrow a closed one.
func TestSchemasAreClosed(t *testing.T) {
	open := map[string]bool{"Syncs": true, "ByKind": true, "SyncRunIDs": true, "OverviewSyncs": true}
	requests := []string{"CreateInventorySource", "UpdateInventorySource", "TokenAuth", "JWTAuth", "BasicAuth",
		"GoogleAdManagerConfig", "FreeWheelConfig", "SpringServeConfig", "BroadstreetConfig", "MockConfig", "AdsWizzConfig",
		"ConnectionContract", "LaunchRequest"}
	for name, ref := range read(t, api.Spec(true).YAML.Plain).Components.Schemas { // it has all of the other form
		s := ref.Value
		if !s.Type.Is("object") || len(s.Enum) > 0 || len(s.OneOf) > 0 { // a choice is as closed as its branches
			continue
		}
		extra := s.AdditionalProperties
		switch {
		case slices.Contains(requests, name):
			if extra.Has != nil || extra.Schema != nil {
				t.Errorf("%s: unknown keys are not simply ignored", name)
			}
		case open[name]:
			if extra.Schema == nil || extra.Schema.Ref == "" {
				t.Errorf("%s: its other properties have no schema of their own", name)
			}
		case extra.Has == nil || *extra.Has:
			t.Errorf("%s: additionalProperties is not false", name)
		}
	}
}

// streams gives the streams that are always there, and one more, all in one state.
func streams(block api.SyncBlock) api.Syncs {
	var all api.Syncs
	for _, name := range []string{"inventory", "customTargeting", "advertisers", "anotherStream"} {
		all = append(all, api.Member[api.SyncBlock]{Name: name, Value: block})
	}
	return all
}

// TestValues holds documents, as Go writes them, against their schemas.
func TestValues(t *testing.T) {
	schemas := document(t).Components.Schemas
	text, number := "x", int64(3)
	tests := map[string]struct {
		schema string
		value  any
	}{
		"status, nothing known": {"Status", api.Status{
			Operational: api.Operational{Issues: []api.OperationalIssue{}}, Syncs: streams(api.SyncBlock{Severity: "warning"}),
			Webhooks: &api.Webhooks{}, FetchedAt: stamp(0), SetupTasks: api.SetupTasks{Items: []api.SetupTask{}}}},
		"status, all known": {"Status", api.Status{
			Operational: api.Operational{IsLive: true, Issues: []api.OperationalIssue{{Severity: "critical", Affects: []string{"discovery", "delivery", "setup"}, ConfigurePath: &text}}},
			Adapter:     api.Adapter{Type: "mock", Connected: true, LastTestedAt: stamp(2), LastTestError: &text},
			Syncs: streams(api.SyncBlock{Status: "failed", Severity: "critical", LastSuccessAt: stamp(1), LastRunAt: stamp(2), LastStartedAt: stamp(3), ItemCount: &number, Error: &text,
				Issue: &api.SyncIssue{Action: &text, Capability: &text}, History: api.SyncHistory{LatestFailureAt: stamp(4), LatestError: &text}}),
			Workflows: api.Workflows{OldestOpenedAt: stamp(5), ByKind: api.ByKind{{Name: "any thing", Value: 2}}},
			Webhooks:  &api.Webhooks{Last24h: api.WebhookCounts{SuccessRate: 0.5}, LastFailureAt: stamp(0)}, FetchedAt: stamp(9),
			Products: &api.Products{}, InventoryProfiles: &api.InventoryProfiles{},
			SetupTasks: api.SetupTasks{Items: []api.SetupTask{{Severity: "blocker", Scope: "platform", ConfigurePath: &text}, {Severity: "info", Scope: "publisher"}}}}},
		"connection, nothing known": {"Connection", api.Connection{
			ID: "1", SourceID: "x", ProvisioningStatus: "pending", CreatedAt: stamp(0), UpdatedAt: stamp(0)}},
		"connection, all known": {"Connection", api.Connection{
			ID: "9223372036854775807", SourceID: "x", Name: "x", CustomerID: 1, ProvisioningStatus: "failed", TenantID: &text, MCPURL: &text, A2AURL: &text,
			AdServer: api.AdServer{{Name: "type", Value: "mock"}}, LastError: &text, LastTestedAt: stamp(9),
			ProvisionedAt: stamp(3), DeactivatedAt: stamp(1), CreatedAt: stamp(6), UpdatedAt: stamp(6),
			InventorySync: &api.InventorySync{Status: "failed", LastRunAt: stamp(0), CompletedAt: stamp(0), ItemCount: &number, Error: &text, UpdatedAt: stamp(0)}}},
		"inventory sync, nothing known": {"InventorySync", api.InventorySync{Status: "unknown"}},
		"no ad server":                  {"AdServer", api.AdServer(nil)},
		"plain failure":                 {"ErrorBody", api.ErrorBody{Error: api.Error{Code: "INTERNAL_ERROR", Message: "x"}}},
		"failure with details": {"ErrorBody", api.ErrorBody{Error: api.Error{Code: "VALIDATION_ERROR", Message: "x", Field: "a.b",
			Details: &api.ErrorDetails{Reason: "CIRCUIT_OPEN", Issues: []api.ErrorIssue{{Path: "a.b", Message: "x"}}}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			encoded := api.Encode(test.value)
			var decoded any
			if err := json.Unmarshal(encoded, &decoded); err != nil {
				t.Fatal(err)
			}
			if err := schemas[test.schema].Value.VisitJSON(decoded, openapi3.VisitAsResponse(), openapi3.MultiErrors()); err != nil {
				t.Errorf("%s does not fit: %v", encoded, err)
			}
		})
	}
}

// TestNoObjectIsLeftUnsaid: generators of types take an object of which nothing is said for an empty one, into which
// no answer fits.
func TestNoObjectIsLeftUnsaid(t *testing.T) {
	var document any
	if err := json.Unmarshal(api.Spec(true).JSON.Plain, &document); err != nil {
		t.Fatal(err)
	}
	var look func(at string, value any)
	look = func(at string, value any) {
		switch value := value.(type) {
		case []any:
			for i, entry := range value {
				look(at+"/"+strconv.Itoa(i), entry)
			}
		case map[string]any:
			said := value["properties"] != nil || value["additionalProperties"] != nil || value["allOf"] != nil || value["oneOf"] != nil || value["enum"] != nil
			if value["type"] == "object" && !said {
				t.Errorf("%s says nothing of its object", at)
			}
			for name, entry := range value {
				if name != "example" && name != "examples" {
					look(at+"/"+name, entry)
				}
			}
		}
	}
	look("", document)
}
