package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
)

// TestForms reads the two forms side by side: a success for a caller with a key is X in one and
// EnvelopedX around it in the other, with a page where the answer has other pages. Nothing else differs.
func TestForms(t *testing.T) {
	bare, enveloped := document(t), read(t, api.Spec(true).YAML.Plain)
	for path, item := range bare.Paths.Map() {
		for method, op := range item.Operations() {
			other := enveloped.Paths.Value(path).GetOperation(method).Responses
			for status, response := range op.Responses.Map() {
				media, wrapped := response.Value.Content["application/json"], other.Value(status).Value.Content["application/json"]
				switch name := method + " " + path + " " + status; {
				case media == nil:
					same(t, name, response.Value.Content, other.Value(status).Value.Content)
				case status[0] == '2' && op.Security == nil:
					checkForm(t, name, media, wrapped, response.Value.Headers["Link"] != nil)
				default:
					same(t, name, media, wrapped)
				}
			}
			op.Responses = nil
			enveloped.Paths.Value(path).GetOperation(method).Responses = nil
		}
	}
	for name := range enveloped.Components.Schemas {
		added := strings.HasPrefix(name, "Enveloped") || name == "ListMeta" || name == "Pagination"
		if (bare.Components.Schemas[name] == nil) != added {
			t.Errorf("the schema %s is in one form alone", name)
		}
		if added {
			delete(enveloped.Components.Schemas, name)
		}
	}
	if _, text, _ := strings.Cut(enveloped.Info.Description, "## A success"); !strings.Contains(text, "are wrapped") || strings.Contains(bare.Info.Description, text) {
		t.Errorf("the enveloped form says of itself %q", text)
	}
	for _, doc := range []*openapi3.T{bare, enveloped} {
		doc.Info.Description, doc.Components.Responses, doc.Components.Examples = "", nil, nil // looked at above, where they are used
	}
	same(t, "the rest", bare, enveloped)
}

// checkForm compares the two forms of a success.
func checkForm(t *testing.T, name string, bare, enveloped *openapi3.MediaType, paged bool) {
	t.Helper()
	if want := strings.Replace(bare.Schema.Ref, "schemas/", "schemas/Enveloped", 1); enveloped.Schema.Ref != want {
		t.Errorf("%s: the schema is %s, want %s", name, enveloped.Schema.Ref, want)
	}
	form := enveloped.Schema.Value.Properties
	if form["data"] == nil || form["data"].Ref != bare.Schema.Ref || (form["meta"] != nil) != paged {
		t.Errorf("%s: %s does not hold %s, or not the page: %v", name, enveloped.Schema.Ref, bare.Schema.Ref, paged)
	}
	if len(bare.Examples) != len(enveloped.Examples) {
		t.Errorf("%s: %d examples, want %d", name, len(enveloped.Examples), len(bare.Examples))
	}
	for example, ref := range enveloped.Examples { // validated as what they are by TestContractIsValid
		same(t, name+", example "+example, bare.Examples[example].Value.Value, ref.Value.Value.(map[string]any)["data"])
	}
}

func same(t *testing.T, name string, bare, enveloped any) {
	t.Helper()
	a, err := json.Marshal(bare)
	b, err2 := json.Marshal(enveloped)
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("%s differs in the two forms (%v, %v):\n%.300s\n%.300s", name, err, err2, a, b)
	}
}

// TestJSONIsTheSameDocument holds also that its members keep their order.
func TestJSONIsTheSameDocument(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		spec := api.Spec(envelope)
		same(t, "JSON", read(t, spec.YAML.Plain), read(t, spec.JSON.Plain))
		key := regexp.MustCompile(`[\s{"]operationId"?: ?"?(\w+)`)
		ids := [2][]string{}
		for i, text := range [][]byte{spec.YAML.Plain, spec.JSON.Plain} {
			for _, m := range key.FindAllSubmatch(text, -1) {
				ids[i] = append(ids[i], string(m[1]))
			}
		}
		if !slices.Equal(ids[0], ids[1]) || len(ids[0]) < 30 {
			t.Errorf("the operations stand in another order: %q, want %q", ids[1], ids[0])
		}
	}
}

// TestEveryComponentIsUsed counts references in extensions too, which linters do not see.
func TestEveryComponentIsUsed(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		text := api.Spec(envelope).JSON.Plain
		var doc struct{ Components map[string]map[string]any }
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for kind, components := range doc.Components {
			for name := range components {
				ref := `"#/components/` + kind + "/" + name + `"`
				// Schemes are named without a reference; MethodNotAllowed is the answer where there is no operation.
				if kind != "securitySchemes" && name != "MethodNotAllowed" && !bytes.Contains(text, []byte(ref)) {
					t.Errorf("enveloped %v: nothing refers to %s", envelope, ref)
				}
			}
		}
	}
}

// TestWriteSpecs writes both forms into the folder that ESAGATE_TEST_SPECS names, for tools that are not written in Go.
func TestWriteSpecs(t *testing.T) {
	folder := os.Getenv("ESAGATE_TEST_SPECS")
	if folder == "" {
		t.Skip("ESAGATE_TEST_SPECS names no folder")
	}
	for name, envelope := range map[string]bool{"bare.yaml": false, "enveloped.yaml": true} {
		if err := os.WriteFile(filepath.Join(folder, name), api.Spec(envelope).YAML.Plain, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
