package shape_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/internal/word"
	"esagate/transform/shape"
	"esagate/transform/shape/shapetest"
)

// TestRoundTrips holds that what is saved is what is read: a body that is sent, answered as it is, comes back as it was.
func TestRoundTrips(t *testing.T) {
	for save, read := range map[string]string{
		"createEsaSignal": "getEsaSignal", "createEsaBuyerAdvertiserMapping": "createEsaBuyerAdvertiserMapping", "createEsaProduct": "listEsaProducts",
		"setEsaDefaultAdvertiser": "setEsaDefaultAdvertiser",
	} {
		t.Run(save, func(t *testing.T) {
			request, reply := api.Operations()[save].Body, api.Operations()[read].Successes[0].Schema
			rapid.Check(t, func(t *rapid.T) {
				body := shapetest.Body(t, request)
				sent, issues, err := shape.Of(request).Request(body)
				if err != nil || issues != nil {
					t.Fatalf("%s: %v %v", body, issues, err)
				}
				stored := strings.TrimSuffix(string(sent), "}") + `,"id":"a","product_id":"a","created_at":"2026-05-04T03:02:01Z","updated_at":"2026-05-04T03:02:01Z"}`
				if read == "listEsaProducts" {
					if !strings.Contains(stored, `"wholesale_product_id":"`) {
						stored = `{"wholesale_product_id":"a",` + strings.Replace(stored, `"wholesale_product_id":null,`, "", 1)[1:]
					}
					stored = `{"wholesale_products":[` + strings.Replace(stored, `,"wholesale_product_id":null`, "", 1) + `]}`
				}
				var out bytes.Buffer
				if _, err := shape.Of(reply).Answer(&out, strings.NewReader(stored)); err != nil {
					t.Fatalf("%s: %v", stored, err)
				}
				var said, got any
				decode(t, body, &said)
				decode(t, out.Bytes(), &got)
				if list, ok := got.(map[string]any)["products"].([]any); ok {
					got = list[0]
				}
				if lost := lost(said, got, request); lost != "" {
					t.Fatalf("%s\n%s: %s is lost", body, out.Bytes(), lost)
				}
			})
		})
	}
}

func decode(t *rapid.T, document []byte, into *any) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
}

// lost finds what was said and did not come back.
func lost(said, got any, s *api.Schema) string {
	if said == nil && got == nil {
		return ""
	}
	switch said := said.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for _, p := range s.Properties {
			value, given := said[p.Name]
			if !given || value == nil || p.Schema.Upstream.Sent != nil {
				continue
			}
			came, ok := got[p.Name]
			if !ok {
				came = got[word.Camel(p.Name)]
			}
			if where := lost(value, came, p.Schema); where != "" {
				return p.Name + "." + where
			}
		}
		if len(s.Properties) > 0 {
			return ""
		}
	case []any:
		got, _ := got.([]any)
		if s.Items == nil || len(s.Items.Properties) == 0 {
			break
		}
		for i := range said {
			if i >= len(got) {
				return "entry"
			}
			if where := lost(said[i], got[i], s.Items); where != "" && fmt.Sprint(got[i]) != fmt.Sprint(said[i]) {
				return where
			}
		}
		return ""
	case json.Number:
		if len(s.Choices) > 0 { // a bound comes back as text, or not at all where it was written with an exponent
			if strings.ContainsAny(string(said), "eE") {
				return ""
			}
			if text, ok := got.(string); ok && text == string(said) {
				return ""
			}
		}
	}
	if fmt.Sprintf("%#v", said) != fmt.Sprintf("%#v", got) {
		return fmt.Sprintf("%v", said)
	}
	return ""
}

// TestDraftsSaveTheSame holds that PUT takes a draft as it is, and that its own draft is the same again.
func TestDraftsSaveTheSame(t *testing.T) {
	save := api.Operations()["updateEsaProduct"].Body
	rapid.Check(t, func(t *rapid.T) {
		stored := append(shapetest.Upstream(t, save)[:1:1], `"product_id":"a","pricing_options":[{"rate":null}],`...)
		document := shapetest.Upstream(t, save)
		stored = append(stored, bytes.TrimPrefix(document, []byte("{"))...)
		var draft, again bytes.Buffer
		if err := shape.Of(save).Draft(&draft, bytes.NewReader(stored)); err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		sent, issues, err := shape.Of(save).Request(draft.Bytes())
		if err != nil || issues != nil || !bytes.Equal(sent, draft.Bytes()) {
			t.Fatalf("%s\n%s\n%s %v %v", stored, draft.Bytes(), sent, issues, err)
		}
		if err := shape.Of(save).Draft(&again, bytes.NewReader(sent)); err != nil || !bytes.Equal(again.Bytes(), sent) {
			t.Fatalf("%s\n%s %v", sent, again.Bytes(), err)
		}
		var said, got any
		decode(t, document, &said)
		decode(t, sent, &got)
		if lost := lost(said, got, save); lost != "" {
			t.Fatalf("%s\n%s: %s is lost", document, sent, lost)
		}
	})
}
