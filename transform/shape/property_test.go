package shape_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/word"
	"esagate/transform/shape"
	"esagate/transform/shape/shapetest"
)

// place is a schema of the contract, as this project reads it and as another library does.
type place struct {
	name   string // "createEsaSignal 201"
	schema *api.Schema
	other  *openapi3.Schema
}

// The answers and bodies of the operations on ad servers, ordered by name.
var (
	answers = sync.OnceValue(func() []place {
		return places(func(op *api.Operation, other *openapi3.Operation, add func(string, *api.Schema, openapi3.Content)) {
			for _, success := range op.Successes {
				add(success.Status, success.Schema, other.Responses.Value(success.Status).Value.Content)
			}
		})
	})
	bodies = sync.OnceValue(func() []place {
		return places(func(op *api.Operation, other *openapi3.Operation, add func(string, *api.Schema, openapi3.Content)) {
			if op.Body != nil {
				add("body", op.Body, other.RequestBody.Value.Content)
			}
		})
	})
)

func places(of func(*api.Operation, *openapi3.Operation, func(string, *api.Schema, openapi3.Content))) (all []place) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec(false).YAML.Plain)
	if err != nil {
		panic(err)
	}
	operations := api.Operations()
	for _, id := range slices.Sorted(maps.Keys(operations)) {
		op := operations[id]
		if !onAdServer(op) {
			continue
		}
		of(op, doc.Paths.Value(op.Path).GetOperation(op.Method), func(what string, schema *api.Schema, content openapi3.Content) {
			if schema != nil {
				all = append(all, place{id + " " + what, schema, content["application/json"].Schema.Value})
			}
		})
	}
	return all
}

// onAdServer reports whether an operation is one of those that the sales agent serves by itself.
func onAdServer(op *api.Operation) bool {
	rest, ok := strings.CutPrefix(op.Path, "/api/v2/storefront/esa/{esaId}/")
	own := []string{"status", "sync-history", "test-connection", "refresh", "deactivate", "reactivate", "launch", "capabilities", "recheck"}
	return ok && !slices.ContainsFunc(own, func(name string) bool { return strings.HasPrefix(rest, name) })
}

// valid says what is wrong with a value by the contract, as another library reads it; nil if nothing.
func (p place) valid(value []byte) error {
	if !jsontext.Value(value).IsValid() {
		return errors.New("it is no JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	var decoded any
	if err := dec.Decode(&decoded); err != nil {
		return err
	}
	return p.other.VisitJSON(decoded, openapi3.MultiErrors())
}

// givens gives the members of an answer that the gateway composes.
func givens(t *rapid.T, s *api.Schema) (all []shape.Given) {
	for _, p := range s.Properties {
		if p.Schema.Upstream.Given {
			all = append(all, shape.Given{Name: p.Name, Value: shapetest.Body(t, p.Schema)})
		}
	}
	return all
}

func TestThereAreOperations(t *testing.T) {
	if len(answers()) < 30 || len(bodies()) < 12 {
		t.Errorf("%d answers, %d bodies", len(answers()), len(bodies()))
	}
}

// TestAnswersAreTheContracts holds of whatever the sales agent sends: the answer is the contract's, or an error.
func TestAnswersAreTheContracts(t *testing.T) {
	for _, p := range answers() {
		t.Run(p.name, func(t *testing.T) {
			s := shape.Of(p.schema)
			rapid.Check(t, func(t *rapid.T) {
				document := shapetest.Upstream(t, p.schema)
				given := givens(t, p.schema)
				var out bytes.Buffer
				notes, err := s.Answer(&out, bytes.NewReader(document), given...)
				if err != nil || len(notes.Unknown)+len(notes.Malformed) > 0 {
					t.Fatalf("%s: %v, %q", document, err, notes)
				}
				if err := p.valid(out.Bytes()); err != nil {
					t.Fatalf("%s\n%s: %v", document, out.Bytes(), err)
				}
				bad := shapetest.Mutate(t, document)
				out.Reset()
				if _, err = s.Answer(&out, bytes.NewReader(bad), given...); err != nil {
					if err != shape.ErrMalformed {
						t.Fatalf("%s: %v", bad, err)
					}
					return
				}
				if err := p.valid(out.Bytes()); err != nil {
					t.Fatalf("%s\n%s: %v", bad, out.Bytes(), err)
				}
				var decoded any
				if err := json.Unmarshal(out.Bytes(), &decoded); err != nil {
					var wide *json.UnmarshalTypeError // 1e300 and more, in a map
					if !errors.As(err, &wide) {
						t.Fatal(err)
					}
					return
				}
				if where := leak(decoded, p.schema); where != "" {
					t.Fatalf("%s\n%s: at %s", bad, out.Bytes(), where)
				}
			})
		})
	}
}

// leak finds what is planted where only what is known may stand.
func leak(value any, s *api.Schema) string {
	if len(s.Choices) > 0 && s.Choices[0].Type == "object" {
		s = s.Choices[0]
	}
	open := s.AdditionalProperties != nil && *s.AdditionalProperties
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			var declared *api.Schema
			for _, p := range s.Properties {
				if p.Name == name {
					declared = p.Schema
				}
			}
			switch {
			case declared != nil:
				if where := leak(inner, declared); where != "" {
					return name + "." + where
				}
			case !open:
				return name
			case s.Upstream.Keys != nil && (!slices.Contains(s.Upstream.Keys, name) || strings.Contains(fmt.Sprint(inner), "password")):
				return name
			}
		}
	case []any:
		for _, inner := range value {
			if where := leak(inner, s.Items); where != "" {
				return "[]." + where
			}
		}
	case string:
		closed := len(s.Enum) > 0 || s.Format != "" || len(s.Choices) > 0
		if strings.Contains(value, shapetest.Canary) && closed || strings.Contains(value, "password="+shapetest.Canary) && s.Upstream.Text != "" ||
			strings.Contains(value, " ") && s.Upstream.Text == "word" {
			return "text"
		}
	}
	return ""
}

// TestRequestsAreTheContracts holds that a body is taken exactly where the contract takes it, but for what no schema says.
func TestRequestsAreTheContracts(t *testing.T) {
	for _, p := range bodies() {
		t.Run(p.name, func(t *testing.T) {
			s := shape.Of(p.schema)
			rapid.Check(t, func(t *rapid.T) {
				body := shapetest.Body(t, p.schema)
				if sent, issues, err := s.Request(body); err != nil || len(issues) > 0 || !jsontext.Value(sent).IsValid() {
					t.Fatalf("%s: %s %v %v", body, sent, issues, err)
				}
				body = shapetest.Mutate(t, body)
				sent, issues, err := s.Request(body)
				if err != nil {
					if !fault.Is(err, fault.BadRequest) {
						t.Fatalf("%s: %v", body, err)
					}
					return
				}
				wrong := p.valid(body)
				if (wrong == nil) != (issues == nil) && !beyondSchema(issues) || (issues == nil) != (sent != nil) {
					t.Fatalf("%s: %v, %v", body, issues, wrong)
				}
				for _, i := range issues {
					if i.Path == "" || strings.Contains(i.Path+i.Message, "password") {
						t.Fatalf("%s: %q", body, i)
					}
				}
			})
		})
	}
}

// beyondSchema reports whether all that is wrong is what no schema says: how many digits a number may have.
func beyondSchema(issues []fault.Issue) bool {
	return len(issues) > 0 && !slices.ContainsFunc(issues, func(i fault.Issue) bool { return !strings.HasSuffix(i.Message, "after the point.") })
}

// TestNames holds that names go both ways by the rule, and that shapes are what the translator can tell apart.
func TestNames(t *testing.T) {
	for _, p := range slices.Concat(answers(), bodies()) {
		walk(p.schema, func(s *api.Schema) {
			names := map[string]string{}
			for _, member := range s.Properties {
				upstream := shapetest.Name(member)
				if other, ok := names[upstream]; ok && !member.Schema.Upstream.Given {
					t.Errorf("%s: %s and %s are both %s", p.name, member.Name, other, upstream)
				}
				names[upstream] = member.Name
				if snake := strings.Contains(member.Name, "_"); member.Schema.Upstream.Name == "" && !snake && word.Camel(upstream) != member.Name || snake && upstream != member.Name {
					t.Errorf("%s: %s goes out as %s, and would come back as %s", p.name, member.Name, upstream, word.Camel(upstream))
				}
			}
			if len(s.Properties) > 64 {
				t.Errorf("%s: %d members", p.name, len(s.Properties))
			}
			shape.Of(s) // its patterns compile
		})
	}
}
