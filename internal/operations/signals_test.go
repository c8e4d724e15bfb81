package operations_test

import (
	"testing"

	"esagate/internal/operations"
)

const (
	tide      = `{"signalId":"tide","name":"Tide","valueType":"binary","signalType":"generic","pricing_options":[],"adapterConfig":{"kind":"custom_key_value","key_id":"7","keyId":7.10}}`
	tideSent  = `{"signal_id":"tide","name":"Tide","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"7","keyId":7.10}}`
	tideGiven = `{"signal_id":"tide","name":"Tide","value_type":"binary","adapter_config":{"kind":"custom_key_value","key_id":"7","keyId":7.10},"etag":"e1","created_at":"2026-09-01T04:00:00+02:00"}`
	tideShown = `{"signalId":"tide","name":"Tide","valueType":"binary","adapterConfig":{"kind":"custom_key_value","key_id":"7","keyId":7.10},"etag":"e1","createdAt":"2026-09-01T02:00:00Z"}`
)

func TestSignalsAreTriedAndSaved(t *testing.T) {
	const (
		issues = `{"valid":false,"issues":[` +
			`{"code":"missing_categories","field":"categories","message":"categories is required when value_type='categorical'.","severity":"error"},` +
			`{"code":"missing_signal_mapping_field","field":"adapter_config.criteria.1.value_id","message":"m","severity":"error"},` +
			`{"code":"odd_dimension","field":"targeting_dimension","message":"A dimension of your own.","severity":"warning"}]}`
		shown = `{"valid":false,"issues":[` +
			`{"code":"missing_categories","field":"categories","message":"A categorical signal needs categories.","severity":"error"},` +
			`{"code":"missing_signal_mapping_field","field":"adapterConfig.criteria.1.value_id","message":"A mapping of this kind needs this field.","severity":"error"},` +
			`{"code":"odd_dimension","field":"targetingDimension","message":"A dimension of your own.","severity":"warning"}]}`
		composed     = `{"signalId":"tide","name":"Tide","valueType":"categorical","adapterConfig":{"type":"composed","criteria":[{"kind":"k"},{"kind":"k","key_id":"7"}]}}`
		composedSent = `{"signal_id":"tide","name":"Tide","value_type":"categorical","adapter_config":{"type":"composed","criteria":[{"kind":"k"},{"kind":"k","key_id":"7"}]}}`
		validate     = "POST /signals:validate "
	)
	at := []string{"signalId", "tide"}
	play(t, operations.Config{}, []scene{
		{name: "made", operation: "createEsaSignal", body: tide, steps: []step{{"POST /signals " + tideSent, 201, tideGiven}}, code: 201, answer: tideShown},
		{name: "tried", operation: "createEsaSignal", query: "dry_run=true", body: tide, steps: []step{{validate + tideSent, 200, `{"valid":true,"issues":[]}`}}, code: 200, answer: `{"valid":true,"issues":[]}`},
		{name: "not only tried", operation: "createEsaSignal", query: "dry_run=false", body: tide, steps: []step{{"POST /signals " + tideSent, 201, tideGiven}}, code: 201, answer: tideShown},
		{name: "tried with faults", operation: "createEsaSignal", query: "dry_run=true", body: composed, steps: []step{{validate + composedSent, 200, issues}}, code: 200, answer: shown},
		{name: "not made with these", operation: "createEsaSignal", body: composed, answer: "400 categories: categories is required where valueType is categorical."},
		{name: "there already", operation: "createEsaSignal", body: tide, steps: []step{{"POST /signals " + tideSent, 409, `{"error":"signal_mapping_exists"}`}}, answer: "409 SIGNAL_EXISTS"},
		{name: "refused", operation: "createEsaSignal", body: tide, steps: []step{{"POST /signals " + tideSent, 400, `{"error":"invalid_signal_mapping","details":` + issues + `}`}},
			answer: "400 categories: A categorical signal needs categories. adapterConfig.criteria.1.value_id: A mapping of this kind needs this field. targetingDimension: A dimension of your own."},
		{name: "a word for a path", operation: "createEsaSignal", body: `{"signalId":"candidates","name":"T","valueType":"binary","adapterConfig":{"kind":"k"}}`,
			answer: "400 signalId: signalId can't be this word: its path is another operation's."},

		{name: "replaced", operation: "updateEsaSignal", vars: at, body: tide, steps: []step{{"PUT /signals/tide " + tideSent, 200, tideGiven}}, code: 200, answer: tideShown},
		{name: "tried", operation: "updateEsaSignal", vars: at, query: "dry_run=true", body: tide, steps: []step{{validate + tideSent, 200, `{"valid":false}`}}, code: 200, answer: `{"valid":false,"issues":[]}`},
		{name: "no verdict", operation: "updateEsaSignal", vars: at, query: "dry_run=true", body: tide, steps: []step{{validate + tideSent, 200, tideGiven}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
		{name: "another id", operation: "updateEsaSignal", vars: []string{"signalId", "ebb"}, query: "dry_run=true", body: tide, answer: "400 signalId: signalId must be the id in the path."},
		{name: "not there", operation: "updateEsaSignal", vars: at, body: tide, steps: []step{{"PUT /signals/tide " + tideSent, 404, `{"error":"signal_mapping_not_found"}`}}, answer: "404 SIGNAL_NOT_FOUND"},
	})
}

func TestFaultsOfASignal(t *testing.T) {
	signal := func(rest string) string { return `{"signalId":"tide","name":"Tide",` + rest + `}` }
	const kind = `,"adapterConfig":{"kind":"k"}`
	inWorld(t, func(w *world) {
		w.answers(201, tideGiven)
		for rest, want := range map[string]string{
			`"valueType":"categorical","categories":[]` + kind:                                         "400 categories: categories is required where valueType is categorical.",
			`"valueType":"categorical","categories":["a"]` + kind:                                      "",
			`"valueType":"numeric"` + kind:                                                             "400 range: range is required where valueType is numeric.",
			`"valueType":"numeric","range":null` + kind:                                                "400 range: range is required where valueType is numeric.",
			`"valueType":"numeric","range":{}` + kind:                                                  "",
			`"valueType":"numeric","range":{"min":null,"max":1}` + kind:                                "",
			`"valueType":"numeric","range":{"min":"10","max":"9.999999"}` + kind:                       "400 range: range.min can't be above range.max.",
			`"valueType":"numeric","range":{"min":1.5e1,"max":"+14.9"}` + kind:                         "400 range: range.min can't be above range.max.",
			`"valueType":"numeric","range":{"min":".5","max":0.50}` + kind:                             "",
			`"valueType":"numeric","range":{"min":"-99999999999999.000001","max":-1e13}` + kind:        "",
			`"valueType":"numeric","range":{"min":"9007199254740993","max":9007199254740992}` + kind:   "400 range.min: range.min must ",
			`"valueType":"numeric","range":{"min":"90071992547409.93","max":90071992547409.92}` + kind: "400 range: range.min can't be above range.max.",
			`"valueType":"numeric","range":{"min":1e999999999,"max":0}` + kind:                         "400 range.min: range.min must have at most 14 digits",
			`"valueType":"binary"`:                                                                  "400 adapterConfig: adapterConfig is required.",
			`"valueType":"binary","adapterConfig":{}`:                                               "400 adapterConfig.kind: adapterConfig.kind is required.",
			`"valueType":"binary","adapterConfig":{"type":"passthrough","kind":""}`:                 "400 adapterConfig.kind: adapterConfig.kind is required.",
			`"valueType":"binary","adapterConfig":{"type":"composed","kind":"k"}`:                   "400 adapterConfig.criteria: adapterConfig.criteria is required where type is composed.",
			`"valueType":"binary","adapterConfig":{"type":"composed","criteria":[]}`:                "400 adapterConfig.criteria: adapterConfig.criteria is required where type is composed.",
			`"valueType":"binary","adapterConfig":{"type":"composed","criteria":[{"kind":"k"},{}]}`: "400 adapterConfig.criteria.1.kind: adapterConfig.criteria.1.kind is required.",
			`"valueType":"binary","adapterConfig":{"type":"composed","criteria":[{"kind":"k"}]}`:    "",
			`"valueType":"binary","signalType":"age"` + kind:                                        "400 signalType: signalType must be generic.",
			`"valueType":"binary","ageDetermination":"assumptive"` + kind:                           "400 ageDetermination: ageDetermination is not a field of the contract.",
			`"valueType":"binary","pricing_options":[{}]` + kind:                                    "400 pricing_options: pricing_options must be empty.",
		} {
			_, _, err := w.do("createEsaSignal", w.request("coast", "", signal(rest)))
			if got := told(err); got != want && (want == "" || len(got) < len(want) || got[:len(want)] != want) {
				t.Errorf("%s\n got %s\nwant %s", rest, got, want)
			}
			if asked := len(w.calls()); (asked > 0) != (want == "") {
				t.Errorf("%s: asked %d times", rest, asked)
			}
		}
	})
}
