package apitest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
)

const eventsPath = "/api/v2/storefront/events"

// ValidateEvent holds the data of an event of the stream against the schema that the contract
// names for events of that name.
func ValidateEvent(t testing.TB, name string, data []byte) {
	t.Helper()
	doc := plain().doc
	stream := doc.Paths.Value(eventsPath).Get.Responses.Status(http.StatusOK).Value.Content["text/event-stream"]
	schemas, _ := stream.Extensions["x-data"].(map[string]any)
	schema, _ := schemas[name].(map[string]any)
	reference, _ := schema["$ref"].(string)
	ref := doc.Components.Schemas[strings.TrimPrefix(reference, "#/components/schemas/")]
	if ref == nil {
		t.Errorf("the contract has no event %q, or no schema for it", name)
		return
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil || !jsontext.Value(data).IsValid() {
		t.Errorf("event %s: %s is not one JSON value", name, data)
		return
	}
	if err := ref.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		t.Errorf("event %s is not the contract's: %v", name, err)
	}
}
