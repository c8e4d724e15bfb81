package shape_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"esagate/api"
	"esagate/internal/word"
	"esagate/transform/shape"
)

// productList gives a list of products as the sales agent writes it.
func productList(count int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"wholesale_products": [`)
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `{"wholesale_product_id": "leaderboard_%[1]d", "product_id": "leaderboard_%[1]d", "name": "Leaderboard \u00fcber %[1]d", `+
			`"description": "Top of all pages of section %[1]d, above the fold.", "status": "active", "delivery_type": "non_guaranteed", `+
			`"channels": ["display", "olv"], "inventory": {"publisher_properties": [{"publisher_domain": "north.example", "selection_type": "by_tag", `+
			`"property_ids": null, "property_tags": ["news", "sport"]}], "creative_formats": [{"format_id": {"agent_url": "https://creative.example/", `+
			`"id": "display_image", "width": 728, "height": 90, "duration_ms": null}, "slot_requirements": [{"slot_id": "image", "name": null, `+
			`"asset_type": "image", "width": 728, "height": 90, "duration_ms": null, "required": true, "requirements": {"max_file_kb": 150}}]}], `+
			`"execution": {"adapter": "google_ad_manager", "selectors": [{"selector_type": "ad_unit", "external_id": "2177574%[1]d", "name": "North > %[1]d", `+
			`"options": {"include_descendants": true}}, {"selector_type": "placement", "external_id": "3177574%[1]d", "name": null, "options": {}}], `+
			`"format_bindings": [{"format_id": {"agent_url": "https://creative.example/", "id": "display_image", "width": 728, "height": 90, "duration_ms": null}, `+
			`"adapter_config": {"creative_template_id": "12007", "sizeMode": "exact", "sizes": [[728, 90], [970, 90]]}}]}}, `+
			`"targeting_capabilities": {"allowed_dimensions": ["geo", "device_type"], "geoRules": {"max_postal_areas": 5}}, "optimization_capabilities": {}, `+
			`"allowed_actions": null, "format_options": [{"format_kind": "image", "format_option_id": null, "params": {"max_file_kb": 150, "ratio": 8.0889}}], `+
			`"video_placement_types": null, "vendor_metric_optimization": null, "allowed_principal_ids": ["prin_%[1]d"], "forecast": null, `+
			`"pricing_options": [{"pricing_option_id": "cpm_eur_auction", "pricing_model": "cpm", "currency": "EUR", "is_fixed": false, "rate": null, `+
			`"price_guidance": {"floor": 0.0, "p50": 2.35}, "parameters": null, "min_spend_per_package": "250.00"}], "inventory_profile_id": "profile_%[1]d", `+
			`"created_at": "2026-05-04T03:02:01.5+02:00", "updated_at": null}`, i)
	}
	fmt.Fprintf(&b, `], "count": %d}`, count)
	return b.Bytes()
}

// BenchmarkProducts translates a list of 2 MB beside what decodes it into maps, renames these and encodes them: the first
// takes no more than a third of the time of the second (docs/decisions/0045-the-translator.md).
func BenchmarkProducts(b *testing.B) {
	document := productList(960)
	list := shape.Of(api.Operations()["listEsaProducts"].Successes[0].Schema)
	b.Run("shape", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := list.Answer(io.Discard, bytes.NewReader(document)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("maps", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			dec := json.NewDecoder(bytes.NewReader(document))
			dec.UseNumber()
			var decoded any
			if err := dec.Decode(&decoded); err != nil {
				b.Fatal(err)
			}
			if err := json.NewEncoder(io.Discard).Encode(renamed(decoded)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// renamed gives a decoded value with camelCase names, but for maps, which a real one would have to know too.
func renamed(value any) any {
	switch value := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(value))
		for name, inner := range value {
			all[word.Camel(name)] = renamed(inner)
		}
		return all
	case []any:
		for i := range value {
			value[i] = renamed(value[i])
		}
	}
	return value
}

// BenchmarkLength shows that a list of a hundred times the length takes no more memory.
func BenchmarkLength(b *testing.B) {
	list := shape.Of(api.Operations()["listEsaProducts"].Successes[0].Schema)
	for _, count := range []int{100, 10_000} {
		document := string(productList(count))
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := list.Answer(io.Discard, strings.NewReader(document)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
