package api_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"esagate/api"
)

// TestOperationsAreTheContracts holds that the contract as data is the contract as another library reads it.
func TestOperationsAreTheContracts(t *testing.T) {
	all := api.Operations()
	count := 0
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			count++
			got := all[op.OperationID]
			if got == nil {
				t.Errorf("there is no %s", op.OperationID)
				continue
			}
			if got.ID != op.OperationID || got.Method != method || got.Path != path || got.Tag != op.Tags[0] || got.Summary != op.Summary ||
				(got.Body != nil) != described(op.RequestBody) ||
				got.NeedsBody != (op.RequestBody != nil && op.RequestBody.Value.Required) || len(got.Parameters) != len(op.Parameters)+len(item.Parameters) {
				t.Errorf("%s is %+v", op.OperationID, got)
			}
			for _, s := range got.Successes {
				response := op.Responses.Value(s.Status)
				if response == nil || (s.Schema != nil) != (response.Value.Content["application/json"] != nil) {
					t.Errorf("%s: its %s is another", op.OperationID, s.Status)
				}
			}
		}
	}
	if len(all) != count {
		t.Errorf("%d operations, the contract has %d", len(all), count)
	}
}

// described reports whether there is a body with a schema.
func described(body *openapi3.RequestBodyRef) bool {
	return body != nil && body.Value.Content["application/json"] != nil && body.Value.Content["application/json"].Schema != nil
}

// TestUpstreamWords holds that x-upstream says what this package knows, and nothing else.
func TestUpstreamWords(t *testing.T) {
	words := map[string][]string{}
	for typ, i := reflect.TypeFor[api.Upstream](), 0; i < typ.NumField(); i++ {
		words[typ.Field(i).Tag.Get("yaml")] = nil
	}
	words["text"], words["cursor"] = []string{"treated", "word"}, []string{"offset", "object", "decimal"}
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "x-upstream" {
				continue
			}
			count++
			says := n.Content[i+1]
			if says.Kind != yaml.MappingNode || len(says.Content) == 0 {
				t.Errorf("line %d: x-upstream says nothing", says.Line)
				continue
			}
			var u api.Upstream
			if err := says.Decode(&u); err != nil {
				t.Errorf("line %d: %v", says.Line, err)
			}
			for i := 0; i+1 < len(says.Content); i += 2 {
				word, value := says.Content[i].Value, says.Content[i+1].Value
				known, ok := words[word]
				if !ok || known != nil && !slices.Contains(known, value) {
					t.Errorf("line %d: nobody reads %s: %s; there are %q", says.Line, word, value, slices.Sorted(maps.Keys(words)))
				}
			}
		}
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	walk(&root)
	if count < 30 {
		t.Errorf("%d times x-upstream only", count)
	}
}
