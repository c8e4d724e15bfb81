package shape_test

import (
	"encoding/json"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"esagate/api"
	"esagate/transform/shape"
)

// TestBodiesOfTheContractAreTaken holds that what the contract shows callers to send is taken.
func TestBodiesOfTheContractAreTaken(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec(false).JSON.Plain)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for id, o := range api.Operations() {
		if o.Body == nil || o.Tag != "advertisers" && o.Tag != "products" && o.Tag != "signals" {
			continue
		}
		op := doc.Paths.Value(o.Path).GetOperation(o.Method)
		for name, example := range op.RequestBody.Value.Content["application/json"].Examples {
			body, err := json.Marshal(example.Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			if _, issues, err := shape.Of(o.Body).Request(body); err != nil || len(issues) > 0 {
				t.Errorf("%s, example %s: %v %v", id, name, issues, err)
			}
			taken++
		}
	}
	if taken < 14 {
		t.Errorf("%d examples only", taken)
	}
}
