package operations_test

import (
	"strings"
	"testing"

	"esagate/internal/operations"
)

const (
	// storedProduct is a product as the sales agent gives it: with nulls, with computed members, and with format
	// options that only other clients can have stored.
	storedProduct = `{"wholesale_product_id":"pier","product_id":"pier","name":"Pier","description":null,"status":"active","delivery_type":"non_guaranteed","channels":["display"],` +
		`"inventory":{"publisher_properties":[{"publisher_domain":"coast.example","selection_type":"by_id","property_ids":["home"],"property_tags":null}],` +
		`"creative_formats":[{"format_id":{"agent_url":"https://forms.example/","id":"mpu","width":300,"height":250,"duration_ms":null},"slot_requirements":[]}],` +
		`"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"44","name":null,"options":{"deep":null,"Deep":1.50}}],"format_bindings":[]}},` +
		`"targeting_capabilities":{"geoRules":{"max_areas":5}},"optimization_capabilities":{},"allowed_actions":null,"format_options":[{"agent_url":"https://forms.example/","id":"mpu"}],` +
		`"video_placement_types":null,"vendor_metric_optimization":null,"allowed_principal_ids":["p1"],"forecast":null,"pricing_options":[],"inventory_profile_id":"pier","created_at":null,"updated_at":null}`

	// pierDraft is its draft, in two parts: between them stands what a test changes.
	pierDraft = `{"wholesale_product_id":"pier","name":"Pier","status":"active","delivery_type":"non_guaranteed","channels":["display"],` + pierInventory + pierRest
	pierForms = `"creative_formats":[{"format_id":{"agent_url":"https://forms.example/","id":"mpu","width":300,"height":250},"slot_requirements":[]}],`
	pierGoes  = `"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"44","options":{"deep":null,"Deep":1.50}}],"format_bindings":[]}},`

	pierInventory = `"inventory":{"publisher_properties":[{"publisher_domain":"coast.example","selection_type":"by_id","property_ids":["home"]}],` + pierForms + pierGoes
	pierOptions   = `"format_options":[{"agent_url":"https://forms.example/","id":"mpu"}]`
	pierRest      = `"targeting_capabilities":{"geoRules":{"max_areas":5}},"optimization_capabilities":{},` + pierOptions + `,"allowed_principal_ids":["p1"]}`
)

// shownProduct is storedProduct in the words of the contract.
var shownProduct = strings.NewReplacer(`wholesale_product_id`, `wholesaleProductId`, `product_id`, `productId`, `delivery_type`, `deliveryType`, `publisher_properties`, `publisherProperties`,
	`publisher_domain`, `publisherDomain`, `selection_type`, `selectionType`, `property_ids`, `propertyIds`, `property_tags`, `propertyTags`, `creative_formats`, `creativeFormats`,
	`"format_id"`, `"formatId"`, `"format_id":{"agent_url"`, `"formatId":{"agentUrl"`, `duration_ms`, `durationMs`, `slot_requirements`, `slotRequirements`, `selector_type`, `selectorType`, `external_id`, `externalId`,
	`format_bindings`, `formatBindings`, `targeting_capabilities`, `targetingCapabilities`, `optimization_capabilities`, `optimizationCapabilities`, `allowed_actions`, `allowedActions`,
	`format_options`, `formatOptions`, `video_placement_types`, `videoPlacementTypes`, `vendor_metric_optimization`, `vendorMetricOptimization`, `allowed_principal_ids`, `allowedPrincipalIds`,
	`pricing_options`, `pricingOptions`, `inventory_profile_id`, `inventoryProfileId`, `created_at`, `createdAt`, `updated_at`, `updatedAt`).Replace(storedProduct)

func TestAProductComesWithItsDraft(t *testing.T) {
	shown := strings.Replace(shownProduct, `"formatId":{"agent_url"`, `"formatId":{"agentUrl"`, 1)
	const asked = "GET /wholesale-products/pier"
	other := strings.NewReplacer(`"active"`, `"sold"`, `"non_guaranteed"`, `"guaranteed"`)
	var scenes []scene
	for _, s := range []scene{
		{name: "whole", steps: []step{{asked, 200, storedProduct}}, code: 200, answer: strings.TrimSuffix(shown, "}") + `,"updateDraft":` + pierDraft + `}`},
		{name: "not there", steps: []step{{asked, 404, `{"error":"wholesale_product_not_found"}`}}, answer: "404 PRODUCT_NOT_FOUND"},
		{name: "of a type and status that no body saves", steps: []step{{asked, 200, other.Replace(storedProduct)}},
			code: 200, answer: other.Replace(strings.TrimSuffix(shown, "}") + `,"updateDraft":` + pierDraft + `}`)},
		{name: "what no body may hold", steps: []step{{asked, 200, strings.Replace(storedProduct, `"name":"Pier"`, `"name":""`, 1)}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
	} {
		s.operation, s.vars = "getEsaProduct", []string{"productId", "pier"}
		scenes = append(scenes, s)
	}
	play(t, operations.Config{}, scenes)
}

func TestAPatchIsMerged(t *testing.T) {
	shown := strings.Replace(shownProduct, `"formatId":{"agent_url"`, `"formatId":{"agentUrl"`, 1)
	const asked, put = "GET /wholesale-products/pier", "PUT /wholesale-products/pier "
	read := step{asked, 200, storedProduct}
	// The members stand as in the draft; what it does not have comes after them, and at last the format options that
	// are as stored.
	sent := func(changed ...string) string {
		whole := strings.Replace(pierDraft, `,`+pierOptions, "", 1)
		whole = strings.TrimSuffix(whole, "}") + `,` + pierOptions + `}`
		return put + strings.NewReplacer(changed...).Replace(whole)
	}
	unchanged := func(name, body string) scene {
		return scene{name: name, body: body, steps: []step{read}, code: 200, answer: shown}
	}
	written := func(name, body, sent string) scene {
		return scene{name: name, body: body, steps: []step{read, {sent, 200, storedProduct}}, code: 200, answer: shown}
	}
	refused := func(name, body, answer string, steps ...step) scene {
		return scene{name: name, body: body, steps: steps, answer: answer}
	}
	var scenes []scene
	for _, s := range []scene{
		unchanged("nothing", `{}`),
		unchanged("nulls", `{"name":null,"inventory":null,"format_options":null}`),
		unchanged("nulls of inventory, and the id", `{"wholesale_product_id":"pier","inventory":{"execution":null}}`),
		unchanged("nothing of inventory", `{"inventory":{}}`),
		written("one member", `{"status":"draft","description":null}`, sent(`"active"`, `"draft"`)),
		written("a member that is not there", `{"description":"By the sea"}`, sent(`,`+pierOptions+`}`, `,"description":"By the sea",`+pierOptions+`}`)),
		written("one part of inventory", `{"inventory":{"publisher_properties":[{"publisher_domain":"coast.example","selection_type":"all"}],"creative_formats":null}}`,
			sent(`"by_id","property_ids":["home"]`, `"all"`)),
		written("a map is replaced", `{"targeting_capabilities":{"a_b":null}}`, sent(`{"geoRules":{"max_areas":5}}`, `{"a_b":null}`)),
		written("format options", `{"format_options":[{"format_kind":"image","params":{"maxKb":1e2}}]}`,
			put+strings.Replace(pierDraft, `[{"agent_url":"https://forms.example/","id":"mpu"}]`, `[{"format_kind":"image","params":{"maxKb":1e2}}]`, 1)),
		refused("format options that are none", `{"format_options":[{"id":"mpu"}]}`,
			"400 format_options.0.id: format_options.0.id is not a field of the contract. format_options.0.format_kind: format_options.0.format_kind is required. "+
				"format_options.0.params: format_options.0.params is required.", read),
		refused("what is merged is no product", `{"inventory":{"execution":{"adapter":"freewheel"},"publisher_properties":[{"publisher_domain":"coast.example","selection_type":"by_tag"}]}}`,
			"400 inventory.execution.adapter: inventory.execution.adapter must be google_ad_manager, the ad server of the source. "+
				"inventory.publisher_properties.0.property_tags: inventory.publisher_properties.0.property_tags is required where selection_type is by_tag.", read),
		refused("another id", `{"wholesale_product_id":"quay","name":"Quay"}`, "400 wholesale_product_id: wholesale_product_id must be the id in the path, or left out."),
		refused("an unknown member", `{"pricing_options":[]}`, "400 pricing_options: pricing_options is not a field of the contract."),
		refused("a status that is none", `{"status":"sold"}`, "400 status: status must be draft, active or archived.", read),
		refused("not there", `{"status":"draft"}`, "404 PRODUCT_NOT_FOUND", step{asked, 404, `{"error":"wholesale_product_not_found"}`}),
		refused("gone since", `{"status":"draft"}`, "404 PRODUCT_NOT_FOUND", read, step{sent(`"active"`, `"draft"`), 404, `{"error":"wholesale_product_not_found"}`}),
		refused("the sales agent refuses it", `{"status":"draft"}`, "400 inventory.creative_formats.0.format_id: No creative agent offers this format.", read, step{sent(`"active"`, `"draft"`), 400,
			`{"error":"invalid_wholesale_product","message":"no","details":{"issues":[{"code":"creative_format_not_found","field":"inventory.creative_formats.0.format_id","message":"password=hunter2","severity":"error"}]}}`}),
		refused("the product can't be read", `{"status":"draft"}`, "503 UPSTREAM_INVALID_RESPONSE", step{asked, 200, `{"name":7}`}),
		refused("the product can't be read, and nothing is asked for", `{}`, "503 UPSTREAM_INVALID_RESPONSE", step{asked, 200, `{"name":7}`}),
	} {
		s.operation, s.vars = "patchEsaProduct", []string{"productId", "pier"}
		scenes = append(scenes, s)
	}
	play(t, operations.Config{}, scenes)
}

func TestFaultsOfAProduct(t *testing.T) {
	product := func(id, adapter, properties string) string {
		return `{` + id + `"name":"Pier","inventory":{"publisher_properties":[` + properties + `],"execution":{"adapter":"` + adapter + `"}}}`
	}
	const list = "inventory.publisher_properties."
	inWorld(t, func(w *world) {
		for _, operation := range []string{"createEsaProduct", "updateEsaProduct", "validateEsaProduct"} {
			var vars []string
			if operation == "updateEsaProduct" {
				vars = []string{"productId", "pier"}
			}
			for _, c := range []struct{ name, body, want string }{
				{"another ad server", product("", "freewheel", ""), "400 inventory.execution.adapter: inventory.execution.adapter must be google_ad_manager, the ad server of the source."},
				{"selections", product("", "google_ad_manager", `{"publisher_domain":"a.example","selection_type":"by_id"},{"publisher_domain":"a.example","selection_type":"by_id","property_ids":[],"property_tags":["t"]},`+
					`{"publisher_domain":"a.example","selection_type":"by_tag","property_tags":null},{"publisher_domain":"a.example","selection_type":"all","property_ids":["x"],"property_tags":["t"]}`),
					"400 " + list + "0.property_ids: " + list + "0.property_ids is required where selection_type is by_id. " +
						list + "1.property_ids: " + list + "1.property_ids is required where selection_type is by_id. " +
						list + "2.property_tags: " + list + "2.property_tags is required where selection_type is by_tag. " +
						list + "3.property_ids: " + list + "3.property_ids must be left out where selection_type is all. " +
						list + "3.property_tags: " + list + "3.property_tags must be left out where selection_type is all."},
				{"faults of both kinds", `{"inventory":{"execution":{"adapter":"mock"}}}`,
					"400 name: name is required. inventory.execution.adapter: inventory.execution.adapter must be google_ad_manager, the ad server of the source."},
				{"a slash", product(`"wholesale_product_id":"a/b",`, "google_ad_manager", ""), "400 wholesale_product_id: wholesale_product_id can't contain / or \\."},
			} {
				_, _, err := w.do(operation, w.request("coast", "", c.body, vars...))
				if got := told(err); !strings.HasPrefix(got, c.want) {
					t.Errorf("%s: %s\n got %s\nwant %s", operation, c.name, got, c.want)
				}
				w.wantCalls(0)
			}
		}
		for operation, ids := range map[string][]string{"createEsaProduct": {`.`, `..`, `a\u0007`}, "validateEsaProduct": {`..`}, "updateEsaProduct": {`quay`, `..`}} {
			for _, id := range ids {
				_, _, err := w.do(operation, w.request("coast", "", product(`"wholesale_product_id":"`+id+`",`, "google_ad_manager", ""), "productId", "pier"))
				if got := told(err); !strings.HasPrefix(got, "400 wholesale_product_id: wholesale_product_id ") {
					t.Errorf("%s: %s: %s", operation, id, got)
				}
				w.wantCalls(0)
			}
		}
		w.answers(200, `{"valid":true,"issues":[]}`)
		for _, properties := range []string{`{"publisher_domain":"a.example"}`, `{"publisher_domain":"a.example","selection_type":null,"property_tags":["t"]}`, `{"publisher_domain":"a.example","selection_type":"all","property_ids":[]}`,
			`{"publisher_domain":"a.example","selection_type":"by_id","property_ids":["x"],"property_tags":["t"]}`} {
			if _, _, err := w.do("validateEsaProduct", w.request("coast", "", product(`"wholesale_product_id":"a.b",`, "google_ad_manager", properties))); err != nil {
				t.Errorf("%s: %s", properties, told(err))
			}
		}
	})
}

func TestVerdictsOnAProduct(t *testing.T) {
	const body = `{"name":"Pier","inventory":{"execution":{"adapter":"google_ad_manager"}}}`
	const asked = "POST /wholesale-products:validate " + body
	var scenes []scene
	for _, s := range []scene{
		{name: "valid", steps: []step{{asked, 200, `{"valid":true,"issues":[]}`}}, code: 200, answer: `{"valid":true,"issues":[],"errors":[],"warnings":[]}`},
		{name: "no issues", steps: []step{{asked, 200, `{"valid":false}`}}, code: 200, answer: `{"valid":false,"issues":[],"errors":[],"warnings":[]}`},
		{name: "of two severities", steps: []step{{asked, 200, `{"valid":false,"issues":[` +
			`{"code":"selector_not_found","field":"inventory.execution.selectors.0.external_id","message":"Selector 'ad_unit'/'4' was not found.","severity":"error"},` +
			`{"code":"looks_odd","field":null,"message":"The name is short.","severity":"warning"},` +
			`{"code":"Not a word","field":"inventory.s3cr3t=hunter2","message":"api_key=hunter2 was refused","severity":"fatal"}]}`}},
			code: 200, answer: `{"valid":false,"issues":[` +
				`{"code":"selector_not_found","field":"inventory.execution.selectors.0.external_id","message":"The ad server has no such selector, as of the last sync.","severity":"error"},` +
				`{"code":"looks_odd","field":null,"message":"The name is short.","severity":"warning"},` +
				`{"code":"unknown","field":"inventory","message":"The sales agent finds fault with this.","severity":"error"}],` +
				`"errors":[{"code":"selector_not_found","field":"inventory.execution.selectors.0.external_id","message":"The ad server has no such selector, as of the last sync."},` +
				`{"code":"unknown","field":"inventory","message":"The sales agent finds fault with this."}],"warnings":[{"code":"looks_odd","message":"The name is short."}]}`},
		{name: "valid with an error", steps: []step{{asked, 200, `{"valid":true,"issues":[{"code":"c","message":"m"}]}`}}, code: 200,
			answer: `{"valid":false,"issues":[{"code":"c","field":null,"message":"m","severity":"error"}],"errors":[{"code":"c","message":"m"}],"warnings":[]}`},
		{name: "no verdict", steps: []step{{asked, 200, `{"issues":[]}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
		{name: "no product", steps: []step{{asked, 422, `[{"loc":["body","inventory","execution","adapter"],"msg":"Input should be a valid string","type":"string_type","input":"CANARY"}]`}},
			answer: "400 inventory.execution.adapter: Input should be a valid string"},
	} {
		s.operation, s.body = "validateEsaProduct", body
		scenes = append(scenes, s)
	}
	play(t, operations.Config{}, scenes)
}
