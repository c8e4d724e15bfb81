package operations_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// parts are the members of an object, as they are written.
type parts map[string]json.RawMessage

func (p parts) document() json.RawMessage {
	document, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return document
}

// ordered gives a document with its members in an order of their own, and everything else as it is written.
func ordered(document []byte) string {
	out, err := jsontext.AppendFormat(nil, document, jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false))
	if err != nil {
		return err.Error() + ": " + string(document)
	}
	return string(out)
}

// What products are made of.
var (
	someText  = rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("aZ9 _-.é\U0001F30A\"\\<")), 1, 12, -1), func(s string) string { return quoted(s) })
	someTexts = rapid.Map(rapid.SliceOfN(someText, 0, 3), list)
	someMap   = mapOf(3)
)

func quoted(s string) string {
	b, _ := jsontext.AppendQuote(nil, s)
	return string(b)
}

func list(all []string) string { return "[" + strings.Join(all, ",") + "]" }

// mapOf draws an object whose members are data, with numbers that no double holds and names that look like ours.
func mapOf(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		value := rapid.SampledFrom([]string{"null", "true", "1.50", "1E2", "90071992547409931", "-0.0", `"a_b"`, "[]", "{}"})
		var all []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"key_id", "keyId", "", "a b", "0"}), 0, 3, rapid.ID[string]).Draw(t, "names") {
			drawn := value.Draw(t, "value")
			if depth > 0 && rapid.Bool().Draw(t, "nested") {
				drawn = list([]string{mapOf(depth-1).Draw(t, "map"), "7"})
			}
			all = append(all, quoted(name)+":"+drawn)
		}
		return "{" + strings.Join(all, ",") + "}"
	})
}

// drawMember draws a value of a member of a product, or of a part of its inventory.
func drawMember(t *rapid.T, name string) json.RawMessage {
	format := `{"agent_url":"https://forms.example/","id":` + someText.Draw(t, "format") + `,"width":` + strconv.Itoa(rapid.IntRange(1, 4000).Draw(t, "width")) + `}`
	var drawn string
	switch name {
	case "name", "description":
		drawn = someText.Draw(t, name)
	case "status":
		drawn = quoted(rapid.SampledFrom([]string{"draft", "active", "archived"}).Draw(t, name))
	case "channels", "allowed_actions", "video_placement_types", "allowed_principal_ids":
		drawn = someTexts.Draw(t, name)
	case "format_options":
		drawn = list([]string{`{"format_kind":"image","params":` + someMap.Draw(t, name) + `}`})
	case "publisher_properties":
		drawn = list([]string{`{"publisher_domain":"coast.example","selection_type":"by_tag","property_tags":[` + someText.Draw(t, name) + `]}`, `{"publisher_domain":"quay.example"}`})
	case "creative_formats":
		drawn = list([]string{`{"format_id":` + format + `,"slot_requirements":[{"slot_id":"s","required":false,"requirements":` + someMap.Draw(t, name) + `}]}`})
	case "execution":
		drawn = `{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"4","options":` + someMap.Draw(t, name) +
			`}],"format_bindings":[{"format_id":` + format + `,"adapter_config":` + someMap.Draw(t, name) + `}]}`
	default:
		drawn = someMap.Draw(t, name)
	}
	return json.RawMessage(drawn)
}

var (
	productMembers = []string{"name", "description", "status", "channels", "targeting_capabilities", "optimization_capabilities", "allowed_actions", "format_options",
		"video_placement_types", "vendor_metric_optimization", "allowed_principal_ids"}
	inventoryParts = []string{"publisher_properties", "creative_formats", "execution"}
)

// drawSome draws some of these members, and those that must be there.
func drawSome(t *rapid.T, names []string, must ...string) parts {
	p := parts{}
	for _, name := range append(rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "members"), must...) {
		p[name] = drawMember(t, name)
	}
	return p
}

// shelf is a sales agent with one product.
type shelf struct{ stored parts }

func (s *shelf) answer(r *http.Request) (int, string) {
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		s.stored = nil
		if err := json.Unmarshal(body, &s.stored); err != nil {
			return http.StatusInternalServerError, `{"error":"internal_error"}`
		}
	}
	given := parts{"product_id": json.RawMessage(`"pier"`), "wholesale_product_id": json.RawMessage(`"pier"`), "forecast": json.RawMessage("null"),
		"pricing_options": json.RawMessage(`[{"pricing_option_id":"o","pricing_model":"cpm"}]`), "delivery_type": json.RawMessage(`"non_guaranteed"`)}
	for _, name := range productMembers { // the sales agent gives null for what was not saved
		if given[name] = s.stored[name]; given[name] == nil {
			given[name] = json.RawMessage("null")
		}
	}
	for _, name := range []string{"status", "targeting_capabilities", "optimization_capabilities"} { // but never here
		if s.stored[name] == nil {
			delete(given, name)
		}
	}
	given["inventory"] = s.stored["inventory"]
	return http.StatusOK, string(given.document())
}

// body is what was stored, without what every answer has.
func (s *shelf) body() string {
	kept := parts{}
	for name, value := range s.stored {
		if name != "wholesale_product_id" && name != "delivery_type" {
			kept[name] = value
		}
	}
	return ordered(kept.document())
}

func TestProductsLoseNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		rapid.Check(t, func(t *rapid.T) {
			product := drawSome(t, productMembers, "name")
			inventory := drawSome(t, inventoryParts, "execution")
			product["inventory"] = inventory.document()
			agent := &shelf{product}
			want := agent.body()
			w.answersBy(agent.answer)
			w.wait()

			_, document, err := w.do("getEsaProduct", w.request("coast", "", "", "productId", "pier"))
			if err != nil {
				t.Fatalf("%s: %s", told(err), want)
			}
			var read parts
			_ = json.Unmarshal([]byte(document), &read)
			if _, _, err := w.do("updateEsaProduct", w.request("coast", "", string(read["updateDraft"]), "productId", "pier")); err != nil {
				t.Fatalf("%s: %s", told(err), read["updateDraft"])
			}
			if got := agent.body(); got != want {
				t.Fatalf("the draft saves\n     %s\nnot %s", got, want)
			}

			changed := drawSome(t, productMembers)
			for name, value := range changed {
				product[name] = value
			}
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(productMembers), rapid.ID[string]).Draw(t, "nulls") {
				if changed[name] == nil {
					changed[name] = json.RawMessage("null")
				}
			}
			if rapid.Bool().Draw(t, "inventory too") {
				part := drawSome(t, inventoryParts)
				for name, value := range part {
					inventory[name] = value
				}
				changed["inventory"], product["inventory"] = part.document(), inventory.document()
			}
			if _, _, err := w.do("patchEsaProduct", w.request("coast", "", string(changed.document()), "productId", "pier")); err != nil {
				t.Fatalf("%s: %s", told(err), changed.document())
			}
			if got, want := agent.body(), (&shelf{product}).body(); got != want {
				t.Fatalf("%s makes\n     %s\nnot %s", changed.document(), got, want)
			}
		})
	})
}
