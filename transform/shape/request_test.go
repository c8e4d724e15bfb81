package shape_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/transform/shape"
)

// body gives the shape of the body of an operation.
func body(t *testing.T, operation string) *shape.Shape {
	t.Helper()
	op := api.Operations()[operation]
	if op == nil || op.Body == nil {
		t.Fatalf("%s has no body", operation)
	}
	return shape.Of(op.Body)
}

func TestRequest(t *testing.T) {
	deep := func(levels int) string {
		return `{"signalId":"a","name":"A","valueType":"binary","adapterConfig":` + strings.Repeat(`{"a":`, levels-2) + `{}` + strings.Repeat(`}`, levels-1)
	}
	const decimals = " must have at most 14 digits before and 6 after the point."
	const mustMatch = ` must be a decimal number of at most 14 digits before and 6 after the point.`
	signal := func(members string) string {
		return `{"signalId":"a","name":"A","valueType":"numeric","adapterConfig":{}` + members + `}`
	}
	sentSignal := func(members string) string {
		return `{"signal_id":"a","name":"A","value_type":"numeric","adapter_config":{}` + members + `}`
	}
	tests := []struct{ name, operation, body, want string }{
		{"names are the sales agent's, maps keep theirs", "createEsaSignal",
			` {"signalId":"kv_rain" , "name":"Rain \ud83c\udf27","valueType":"categorical","categories":["light","heavy"],"tags":[],"range":null,
			"adapterConfig":{"keyId":{"key_id":[1.50,1e2, "a\/b"]},"":null},"dataProvider":null,"targetingDimension":"weather"}`,
			`{"signal_id":"kv_rain","name":"Rain 🌧","value_type":"categorical","categories":["light","heavy"],"tags":[],"range":null,` +
				`"adapter_config":{"keyId":{"key_id":[1.50,1e2,"a\/b"]},"":null},"data_provider":null,"targeting_dimension":"weather"}`},
		{"what is not sent", "createEsaSignal", signal(`,"signalType":"generic","tags":["b"],"pricing_options":[]`), sentSignal(`,"tags":["b"]`)},
		{"what is not sent comes first", "createEsaSignal", `{"pricing_options":[],"signalId":"a","name":"A","valueType":"binary","adapterConfig":{}}`,
			`{"signal_id":"a","name":"A","value_type":"binary","adapter_config":{}}`},
		{"what is not sent is checked", "createEsaSignal", signal(`,"signalType":"audience","pricing_options":[{}]`),
			"signalType: signalType must be generic. / pricing_options: pricing_options must be empty."},
		{"bounds as numbers and as text", "createEsaSignal", signal(`,"range":{"min":-1.5e1,"max":"+20.5"}`), sentSignal(`,"range":{"min":-1.5e1,"max":"+20.5"}`)},
		{"the widest bounds", "createEsaSignal", signal(`,"range":{"min":-99999999999999.999999,"max":"99999999999999.999999"}`),
			sentSignal(`,"range":{"min":-99999999999999.999999,"max":"99999999999999.999999"}`)},
		{"small and large by exponent", "createEsaSignal", signal(`,"range":{"min":1e-6,"max":1E+13}`), sentSignal(`,"range":{"min":1e-6,"max":1E+13}`)},
		{"no bound", "createEsaSignal", signal(`,"range":{"min":null}`), sentSignal(`,"range":{"min":null}`)},
		{"bounds with too many digits", "createEsaSignal", signal(`,"range":{"min":0.0000001,"max":"100000000000000"}`),
			"range.min: range.min" + decimals + " / range.max: range.max" + mustMatch},
		{"more of them", "createEsaSignal", signal(`,"range":{"min":1e14,"max":1e-7}`), "range.min: range.min" + decimals + " / range.max: range.max" + decimals},
		{"exponents without end", "createEsaSignal", signal(`,"range":{"min":1e99999999999999999999,"max":1e-9223372036854775807}`),
			"range.min: range.min" + decimals + " / range.max: range.max" + decimals},
		{"bounds that are none", "createEsaSignal", signal(`,"range":{"min":"1e5","max":true}`),
			"range.min: range.min" + mustMatch + " / range.max: range.max must be a decimal number."},
		{"all faults at once, by the caller's names", "createEsaSignal",
			`{"signalId":"a/b","name":null,"valueType":"words","tags":[1,"a",null],"adapterConfig":[],"ageDetermination":{},"hunter2 secret":1}`,
			"signalId: signalId must be 1 to 200 of the characters A-Z, a-z, 0-9, _ and -. / name: name can't be null. / valueType: valueType must be binary, categorical or numeric. / " +
				"tags.0: tags.0 must be a string. / tags.2: tags.2 can't be null. / adapterConfig: adapterConfig must be an object. / " +
				"ageDetermination: ageDetermination is not a field of the contract. / body: There is a field that is not known."},
		{"the sales agent's names are not the caller's", "createEsaSignal", signal(`,"signal_id":"a"`), "signal_id: signal_id is not a field of the contract."},
		{"what is required", "createEsaSignal", `{}`,
			"signalId: signalId is required. / name: name is required. / valueType: valueType is required. / adapterConfig: adapterConfig is required."},
		{"lengths are code points", "createEsaSignal", signal(`,"targetingDimension":"` + strings.Repeat("é", 64) + `"`), sentSignal(`,"targeting_dimension":"` + strings.Repeat("é", 64) + `"`)},
		{"too long", "createEsaSignal", signal(`,"targetingDimension":"` + strings.Repeat("é", 65) + `"`), "targetingDimension: targetingDimension is longer than 64 characters."},
		{"U+0000 in a text", "createEsaSignal", signal(`,"description":"a\u0000"`), "description: description can't contain the character U+0000."},
		{"U+0000 in a map", "createEsaSignal", `{"signalId":"a","name":"A","valueType":"binary","adapterConfig":{"a":[{"b\\\u0000":1}]}}`, "adapterConfig: adapterConfig can't contain the character U+0000."},
		{"what looks like it", "createEsaSignal", signal(`,"description":"a\\u0000"`), sentSignal(`,"description":"a\\u0000"`)},
		{"64 levels", "createEsaSignal", deep(64), strings.NewReplacer("signalId", "signal_id", "valueType", "value_type", "adapterConfig", "adapter_config").Replace(deep(64))},
		{"65 levels", "createEsaSignal", deep(65), "The body is nested too deeply."},
		{"twice", "createEsaSignal", signal(`,"name":"B"`), "The body names something twice."},
		{"twice in a map", "createEsaSignal", `{"adapterConfig":{"a":1,"a":2}}`, "The body names something twice."},
		{"no object", "createEsaSignal", `[]`, "The body is not a JSON object."},
		{"nothing", "createEsaSignal", ``, "The body is empty."},
		{"no UTF-8", "createEsaSignal", "{\"name\":\"\xff\"}", "The body is not UTF-8."},

		{"a declared name", "setEsaDefaultAdvertiser", `{"advertiserId":"12"}`, `{"default_gam_advertiser_id":"12"}`},
		{"blank", "ensureEsaGamAdvertiser", `{"name":" \t","dryRun":"true"}`, "name: name can't be blank. / dryRun: dryRun must be true or false."},
		{"too many", "ensureEsaGamCustomTargetingKeys", `{"keys":[` + strings.TrimSuffix(strings.Repeat(`{"name":"a","displayName":"A"},`, 101), ",") + `]}`,
			"keys: keys can't have more than 100 entries."},
		{"too few", "ensureEsaGamCustomTargetingKeys", `{"keys":[]}`, "keys: keys can't be empty."},
		{"in a list", "ensureEsaGamCustomTargetingKeys", `{"keys":[{"name":"a","displayName":"A"},{"name":"","key":1}]}`,
			"keys.1.name: keys.1.name can't be empty. / keys.1.key: keys.1.key is not a field of the contract. / keys.1.displayName: keys.1.displayName is required."},

		{"products keep their spelling", "createEsaProduct",
			`{"name":"P","status":"draft","inventory":{"publisher_properties":[{"publisher_domain":"a.example","selection_type":null}],"execution":{"adapter":"mock",
			"selectors":[{"selector_type":"ad_unit","external_id":"1","options":{"keyId":1}}]}},"format_options":[{"format_kind":"image","params":{}}]}`,
			`{"name":"P","status":"draft","inventory":{"publisher_properties":[{"publisher_domain":"a.example","selection_type":null}],"execution":{"adapter":"mock",` +
				`"selectors":[{"selector_type":"ad_unit","external_id":"1","options":{"keyId":1}}]}},"format_options":[{"format_kind":"image","params":{}}]}`},
		{"a product's faults", "createEsaProduct",
			`{"name":"P","wholesale_product_id":"a/b","inventory":{"creative_formats":[{"format_id":{"agent_url":"u","id":"i","width":1.5,"height":0,"duration_ms":3.0}}],
			"execution":{}},"pricing_options":[],"format_options":[{"format_kind":"image","params":{},"publisher_domain":"No.example"}]}`,
			`wholesale_product_id: wholesale_product_id can't contain / or \. / ` +
				"inventory.creative_formats.0.format_id.width: inventory.creative_formats.0.format_id.width must be an integer from 1 to 9007199254740991. / " +
				"inventory.creative_formats.0.format_id.height: inventory.creative_formats.0.format_id.height must be an integer from 1 to 9007199254740991. / " +
				"inventory.execution.adapter: inventory.execution.adapter is required. / pricing_options: pricing_options is not a field of the contract. / " +
				`format_options.0.publisher_domain: format_options.0.publisher_domain must match ^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$.`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sent, issues, err := body(t, test.operation).Request([]byte(test.body))
			got := string(sent)
			switch {
			case err != nil:
				got = fault.As(err).Message
				if !fault.Is(err, fault.BadRequest) {
					t.Errorf("%v is no BadRequest", err)
				}
			case len(issues) > 0:
				var all []string
				for _, i := range issues {
					all = append(all, i.Path+": "+i.Message)
				}
				got += strings.Join(all, " / ")
			}
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestRequestSaysNoMoreThanAHundredThings(t *testing.T) {
	_, issues, err := body(t, "createEsaSignal").Request([]byte(`{"tags":[1` + strings.Repeat(`,1`, 100_000) + `]}`))
	if err != nil || len(issues) != 100 {
		t.Errorf("%d, %v", len(issues), err)
	}
}

func TestDraft(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"what is declared and not null", `{"product_id":"p","wholesale_product_id":"p","name":"P","description":null,"status":"active","inventory":{
			"publisher_properties":[{"publisher_domain":"a.example","selection_type":"all","property_ids":null,"property_tags":null,"later":1}],
			"creative_formats":[],"execution":{"adapter":"mock","selectors":[{"selector_type":"ad_unit","external_id":"1","name":null,"options":{"a_b":null, "n":1.50}}]}},
			"format_options":[{"format_kind":"image","format_option_id":null,"params":{"x":null}}],"allowed_actions":null,"pricing_options":[{"rate":null}],"created_at":null}`,
			`{"wholesale_product_id":"p","name":"P","status":"active","inventory":{"publisher_properties":[{"publisher_domain":"a.example","selection_type":"all"}],` +
				`"creative_formats":[],"execution":{"adapter":"mock","selectors":[{"selector_type":"ad_unit","external_id":"1","options":{"a_b":null,"n":1.50}}]}},` +
				`"format_options":[{"format_kind":"image","params":{"x":null}}]}`},
		{"without what it needs", `{"name":"P"}`, ""},
		{"null that it needs", `{"name":null,"inventory":{"execution":{"adapter":"mock"}}}`, ""},
		{"null in a list", `{"name":"P","channels":["a",null],"inventory":{"execution":{"adapter":"mock"}}}`, ""},
		{"of another type", `{"name":"P","channels":"a","inventory":{"execution":{"adapter":"mock"}}}`, ""},
		{"of another word", `{"name":"P","status":"sold","inventory":{"execution":{"adapter":"mock"}}}`, ""},
		{"cut short", `{"name":"P","inventory":{"execution":{"adapter":"mock"}}`, ""},
		{"a list", `[]`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			save := body(t, "updateEsaProduct")
			var out bytes.Buffer
			err := save.Draft(&out, strings.NewReader(test.document))
			if out.String() != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, shape.ErrMalformed) {
				t.Errorf("%v\n%s\nwant\n%s", err, out.String(), test.want)
			}
			if err != nil {
				return
			}
			if sent, issues, err := save.Request(out.Bytes()); !bytes.Equal(sent, out.Bytes()) {
				t.Errorf("PUT does not take it: %s %v %v", sent, issues, err)
			}
		})
	}
}

func TestCallersPath(t *testing.T) {
	for _, test := range []struct{ operation, path, want string }{
		{"createEsaSignal", "adapter_config.criteria.1.value_id", "adapterConfig.criteria.1.value_id"},
		{"createEsaSignal", "body.adapter_config.key_id.a-b.99999999999999999999", "adapterConfig.key_id.?.?"},
		{"createEsaSignal", "range.min", "range.min"},
		{"createEsaSignal", "range.max.decimal", "range.max"},
		{"createEsaSignal", "range.step", "range"},
		{"createEsaSignal", "tags.3", "tags.3"},
		{"createEsaSignal", "tags.?", "tags.?"},
		{"createEsaSignal", "data_provider", "dataProvider"},
		{"createEsaSignal", "signalId", ""},
		{"createEsaSignal", "tenant_id", ""},
		{"createEsaSignal", "body", ""},
		{"createEsaSignal", "", ""},
		{"setEsaDefaultGamAdvertiser", "body.default_gam_advertiser_id", "gamAdvertiserId"},
		{"createEsaProduct", "inventory.publisher_properties.0.publisher_domain", "inventory.publisher_properties.0.publisher_domain"},
		{"createEsaProduct", "format_options.1.params.image.keyId", "format_options.1.params.image.keyId"},
	} {
		if got := body(t, test.operation).CallersPath(test.path); got != test.want {
			t.Errorf("%s: %q is %q, want %q", test.operation, test.path, got, test.want)
		}
	}
}

// TestBodies holds what the rules of bodies rely on.
func TestBodies(t *testing.T) {
	for id, op := range api.Operations() {
		if op.Body == nil {
			continue
		}
		walk(op.Body, func(schema *api.Schema) {
			if schema.MinLength != nil && *schema.MinLength > 1 {
				t.Errorf("%s: minLength %d: a text may be wanted, and no more is checked", id, *schema.MinLength)
			}
		})
	}
}

// walk goes through a schema and those in it.
func walk(schema *api.Schema, visit func(*api.Schema)) {
	visit(schema)
	for _, inner := range slices.Concat([]*api.Schema{schema.Items}, schema.Choices) {
		if inner != nil {
			walk(inner, visit)
		}
	}
	for _, p := range schema.Properties {
		walk(p.Schema, visit)
	}
}
