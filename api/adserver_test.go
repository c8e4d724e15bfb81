package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
)

// onAdServer are the tags of the operations on the ad server (contract 12.12).
var onAdServer = []string{"advertisers", "products", "signals", "media-buys"}

// adServerOperations gives them by operationId.
func adServerOperations(t *testing.T) map[string]*api.Operation {
	t.Helper()
	all := map[string]*api.Operation{}
	for id, o := range api.Operations() {
		if slices.Contains(onAdServer, o.Tag) {
			all[id] = o
		}
	}
	if len(all) < 34 {
		t.Errorf("there are %d operations on the ad server alone", len(all))
	}
	return all
}

// TestEveryOperationShowsHow holds that each body and each document of a success has an example, where a key is
// needed. TestContractIsValid holds that they are valid.
func TestEveryOperationShowsHow(t *testing.T) {
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security != nil { // none is needed: it is about the gateway itself
				continue
			}
			name := method + " " + path
			if op.RequestBody != nil {
				if media := op.RequestBody.Value.Content["application/json"]; media.Schema != nil && len(media.Examples) == 0 {
					t.Errorf("%s: no example of its body", name)
				}
			}
			for status, response := range op.Responses.Map() {
				media := response.Value.Content["application/json"]
				if status[0] == '2' && media != nil && media.Schema != nil && len(media.Examples) == 0 { // those alone are in both forms
					t.Errorf("%s: no example of its %s", name, status)
				}
			}
		}
	}
}

// TestAdServerOperations holds what the operations on the ad server have in common.
func TestAdServerOperations(t *testing.T) {
	doc := document(t)
	for id, o := range adServerOperations(t) {
		if !strings.HasPrefix(o.Path, "/api/v2/storefront/esa/{esaId}/") {
			t.Errorf("%s: its path is %s", id, o.Path)
		}
		op := doc.Paths.Value(o.Path).GetOperation(o.Method)
		for _, status := range []int{400, 401, 403, 404, 409, 412, 429, 500, 503} {
			if op.Responses.Status(status) == nil {
				t.Errorf("%s: no %d", id, status)
			}
		}
		if key := op.Parameters.GetByInAndName("header", "Idempotency-Key"); (key != nil) != (o.Method == http.MethodPost) {
			t.Errorf("%s: want an Idempotency-Key for POST alone", id)
		}
		if (op.Responses.Status(304) != nil) != (o.Method == http.MethodGet) {
			t.Errorf("%s: want a 304 for GET alone", id)
		}
		if o.Method == http.MethodDelete && op.Responses.Status(204) == nil {
			t.Errorf("%s: no 204", id)
		}
	}
}

// TestAdServerSchemasAreClosed walks all that the operations on the ad server take and answer: an object names its
// members and has no others, or is a map, which names none (contract 12.1, 12.2). What is neither would let pass what
// nobody has looked at.
func TestAdServerSchemasAreClosed(t *testing.T) {
	seen := map[*api.Schema]bool{}
	var walk func(at string, s *api.Schema)
	walk = func(at string, s *api.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		open := s.AdditionalProperties
		switch {
		case s.Name == "Nothing": // null
		case s.Type == "object" && open == nil:
			t.Errorf("%s says nothing of its other members", at)
		case s.Type == "object" && *open != (len(s.Properties) == 0):
			t.Errorf("%s: %d members and additionalProperties %v: it is neither closed nor a map", at, len(s.Properties), *open)
		case s.Type == "array" && s.Items == nil:
			t.Errorf("%s says nothing of its elements", at)
		case s.Type == "" && len(s.Choices) == 0:
			t.Errorf("%s can be anything", at)
		}
		for _, name := range s.Required {
			if !slices.ContainsFunc(s.Properties, func(p api.Property) bool { return p.Name == name }) {
				t.Errorf("%s: %s is required and not described", at, name)
			}
		}
		if len(s.Upstream.Keys) > 0 && (open == nil || !*open) {
			t.Errorf("%s lists keys and is no map", at)
		}
		for _, p := range s.Properties {
			walk(at+"."+p.Name, p.Schema)
		}
		for _, choice := range s.Choices {
			walk(at, choice)
		}
		if s.MaxItems == nil || *s.MaxItems > 0 {
			walk(at+"[]", s.Items)
		}
	}
	for id, o := range adServerOperations(t) {
		walk(id+" body", o.Body)
		for _, success := range o.Successes {
			walk(id+" "+success.Status, success.Schema)
		}
	}
	if len(seen) < 300 {
		t.Errorf("%d schemas only", len(seen))
	}
}

// TestUpstreamIsNotPublished holds that the published forms say nothing of the sales agent's names, and that the
// contract's own file does.
func TestUpstreamIsNotPublished(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		for _, body := range []*api.Body{api.Spec(envelope).YAML, api.Spec(envelope).JSON} {
			if bytes.Contains(body.Plain, []byte("x-upstream")) {
				t.Errorf("enveloped %v: x-upstream is published", envelope)
			}
		}
	}
	named := 0
	for _, o := range adServerOperations(t) {
		if o.Body == nil {
			continue
		}
		for _, p := range o.Body.Properties {
			if p.Schema.Upstream.Name != "" {
				named++
			}
		}
	}
	if named == 0 {
		t.Error("no member has another name at the sales agent: has x-upstream another form?")
	}
}

// TestDraftIsABody holds the example of updateDraft against the schema of the body that it is for.
func TestDraftIsABody(t *testing.T) {
	doc := document(t)
	const path = "/api/v2/storefront/esa/{esaId}/products/{productId}"
	item := doc.Paths.Value(path)
	for name, example := range item.Get.Responses.Status(200).Value.Content["application/json"].Examples {
		draft := example.Value.Value.(map[string]any)["updateDraft"]
		text, err := json.Marshal(draft)
		if err != nil {
			t.Fatal(err)
		}
		if err := item.Put.RequestBody.Value.Content["application/json"].Schema.Value.VisitJSON(draft, openapi3.VisitAsRequest()); err != nil {
			t.Errorf("%s: %s: %v", name, text, err)
		}
	}
}

// TestParametersAreNoSchemas: generators make types of both, and can't keep two of one name apart.
func TestParametersAreNoSchemas(t *testing.T) {
	doc := document(t)
	for name := range doc.Components.Parameters {
		if doc.Components.Schemas[name] != nil {
			t.Errorf("there is a parameter and a schema %s", name)
		}
	}
}
