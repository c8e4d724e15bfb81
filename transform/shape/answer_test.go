package shape_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"esagate/api"
	"esagate/transform/shape"
)

// answer gives the shape of the answer of an operation.
func answer(t testing.TB, operation string) *shape.Shape {
	t.Helper()
	op := api.Operations()[operation]
	if op == nil || len(op.Successes) == 0 || op.Successes[0].Schema == nil {
		t.Fatalf("%s has no answer", operation)
	}
	return shape.Of(op.Successes[0].Schema)
}

func TestAnswer(t *testing.T) {
	signal := func(members string) string {
		return `{"signal_id":"a","name":"A","value_type":"binary"` + members + `}`
	}
	ours := func(members string) string { return `{"signalId":"a","name":"A","valueType":"binary"` + members + `}` }
	buy := func(members string) string {
		return `{"media_buy_id":"b","principal_id":"p","principal_name":"P","status":"active","flight_start_date":"2026-05-01","flight_end_date":"2026-05-31","total_budget":"10.50","currency":"EUR","created_at":"2026-05-01T00:00:00"` + members + `}`
	}
	ourBuy := func(members, lists string) string {
		return `{"mediaBuyId":"b","principalId":"p","principalName":"P","status":"active","flightStartDate":"2026-05-01","flightEndDate":"2026-05-31","totalBudget":"10.50","currency":"EUR","createdAt":"2026-05-01T00:00:00Z"` + members + lists + `}`
	}
	const lists = `,"products":[],"creatives":[],"statusHistory":[]`
	tests := []struct{ name, operation, document, want, notes string }{
		{"names, maps, times, unknown members", "listEsaSignals",
			`{"count": 1, "signals": [{"signal_id": "kv_weather", "name": "Weather", "value_type": "numeric", "range": {"min": "10.000000", "max": null},
			"adapter_config": {"key_id": 1, "keyId": {"a_b": [1.50 , "\/"]}}, "created_at": "2026-11-20T10:00:00.5+01:00", "password": "CANARY"}]}`,
			`{"signals":[{"signalId":"kv_weather","name":"Weather","valueType":"numeric","range":{"min":"10.000000","max":null},` +
				`"adapterConfig":{"key_id":1,"keyId":{"a_b":[1.50,"\/"]}},"createdAt":"2026-11-20T09:00:00.5Z"}]}`, "unknown signals[].password"},
		{"null where it may be, and where not", "getEsaSignal", signal(`,"description":null,"categories":null,"range":null,"created_at":null`), ours(`,"description":null,"range":null,"createdAt":null`), ""},
		{"malformed is null where it may be, else absent", "getEsaSignal",
			signal(`,"description":1,"categories":{},"tags":["a",1],"range":[],"created_at":"yesterday","adapter_config":"none"`),
			ours(`,"description":null,"range":null,"createdAt":null`),
			"malformed description malformed categories malformed tags[] malformed range malformed created_at malformed adapter_config"},
		{"malformed in what may be null", "getEsaSignal", signal(`,"range":{"min":"ten","max":3}`), ours(`,"range":{"min":null,"max":"3"}`), "malformed range.min"},
		{"a number as text of the same digits", "getEsaSignal", signal(`,"range":{"min":-0.10,"max":1e3}`), ours(`,"range":{"min":"-0.10","max":null}`), "malformed range.max"},
		{"what is needed and absent", "getEsaSignal", `{"signal_id":"a","name":null}`, "", "malformed name malformed value_type"},
		{"what an element needs", "listEsaSignals", `{"signals":[` + signal("") + `,{"name":"A"}]}`, "", "malformed signals[].signal_id malformed signals[].value_type malformed signals[] malformed signals"},
		{"defaults", "getEsaMediaBuy", buy(``), ourBuy(``, lists), ""},
		{"defaults of what is malformed", "getEsaMediaBuy", buy(`,"products":"none","status_history":[{"status":"active"}]`), ourBuy(``, lists),
			"malformed products malformed status_history[].occurred_at malformed status_history[]"},
		{"integers that a double holds", "getEsaMediaBuy", buy(`,"delivered_impressions":9007199254740991`), ourBuy(`,"deliveredImpressions":9007199254740991`, lists), ""},
		{"and beyond", "getEsaMediaBuy", buy(`,"delivered_impressions":9007199254740992`), ourBuy(`,"deliveredImpressions":null`, lists), "malformed delivered_impressions"},
		{"integers written otherwise", "getEsaMediaBuy", buy(`,"delivered_impressions":12.0`), ourBuy(`,"deliveredImpressions":12`, lists), ""},
		{"a day that is none", "getEsaMediaBuy", strings.Replace(buy(``), "05-31", "02-31", 1), "", "malformed flight_end_date"},
		{"money is text", "getEsaMediaBuy", buy(`,"delivered_spend":123456789012345678901234567890.123456789`), ourBuy(`,"deliveredSpend":"123456789012345678901234567890.123456789"`, lists), ""},
		{"words", "getEsaMediaBuy", buy(`,"pacing":"on_track"`), ourBuy(`,"pacing":"on_track"`, lists), ""},
		{"what is no word", "getEsaMediaBuy", buy(`,"pacing":"half the way"`), ourBuy(`,"pacing":null`, lists), "malformed pacing"},
		{"treated text", "getEsaMediaBuy", buy(`,"status_history":[{"status":"a","occurred_at":"2026-05-01T00:00:00Z","note":"by ann@north.example\nand bob"},{"status":"a","occurred_at":"2026-05-01T00:00:00Z","note":"password=CANARY"}]`),
			ourBuy(`,"statusHistory":[{"status":"a","occurredAt":"2026-05-01T00:00:00Z","note":"by ann@north.example"},`+
				`{"status":"a","occurredAt":"2026-05-01T00:00:00Z","note":null}]`, `,"products":[],"creatives":[]`), ""},
		{"treated text that is required", "listEsaCreativeFormats",
			`{"count":0,"creative_formats":[],"errors":[{"code":"a","message":"token=CANARY","suggestion":"token=CANARY","source":"CANARY"},{"code":"b","message":" Try again. ","field":null}]}`,
			`{"count":0,"creativeFormats":[],"errors":[{"code":"a","message":"What the sales agent says of it can't be shown.","suggestion":null},{"code":"b","message":"Try again.","field":null}]}`, ""},
		{"the gateway's own members", "validateEsaProduct", `{"valid":true,"issues":"CANARY"}`, `{"valid":false,"issues":[],"errors":[1],"warnings":[]}`, ""},
		{"without them", "getEsaProduct", `{"wholesale_product_id":"a","product_id":"a","name":"A","inventory":{"execution":{"adapter":"mock"}},"update_draft":{}}`, "",
			"unknown update_draft malformed update_draft"},
		{"what is dropped on purpose is not noted", "setEsaDefaultGamAdvertiser", `{"tenant_id":"t","contact_email":"CANARY","default_gam_advertiser_id":"12"}`, `{"defaultGamAdvertiserId":"12"}`, ""},
		{"a name of its own", "setEsaDefaultAdvertiser", `{"default_gam_advertiser_id":"12"}`, `{"advertiserId":"12"}`, ""},
		{"listed keys", "searchEsaAdServerSelectors",
			`{"count":1,"selectors":[{"selector_type":"a","external_id":"1","metadata":{"raw":"CANARY","sizes":[[300, 250]],"description":"password: CANARY",
			"parent_id":{"a":["x","Bearer CANARY0123456789"]},"type":{"api_key":"CANARY"},"size":[":@CANARY"],"key_name":"Sport"}},{"selector_type":"a","external_id":"2","metadata":{}}]}`,
			`{"count":1,"selectors":[{"selectorType":"a","externalId":"1","metadata":{"sizes":[[300,250]],"key_name":"Sport"}},{"selectorType":"a","externalId":"2","metadata":{}}]}`, ""},
		{"enums", "listEsaPublisherProperties",
			`{"domains":[],"properties":[],"allowed_selectors":[{"publisher_domain":"a.example","selection_type":"by_id","property_ids":["a"],"property_tags":null,"label":"A"}]}`,
			`{"properties":[],"allowedSelectors":[{"publisherDomain":"a.example","selectionType":"by_id","propertyIds":["a"],"label":"A"}]}`, ""},
		{"another word than those", "listEsaPublisherProperties",
			`{"properties":[],"allowed_selectors":[{"publisher_domain":"a.example","selection_type":"some","label":"A"}]}`, "",
			"malformed allowed_selectors[].selection_type malformed allowed_selectors[] malformed allowed_selectors"},
		{"an agent's failure is told whatever its code", "listEsaCreativeFormats", `{"creative_formats":[],"count":0,"errors":[{"code":"gave up!","message":"No answer.","retry_after":2.50}]}`,
			`{"creativeFormats":[],"count":0,"errors":[{"message":"No answer.","retryAfter":2.50,"code":"unknown"}]}`, "malformed errors[].code"},
		{"less than nothing", "listEsaMediaBuys", `{"media_buys":[],"count":-1}`, "", "malformed count"},
		{"64 levels in a map", "getEsaSignal", signal(`,"adapter_config":` + strings.Repeat(`{"a":`, 63) + `{}` + strings.Repeat(`}`, 63)),
			ours(`,"adapterConfig":` + strings.Repeat(`{"a":`, 63) + `{}` + strings.Repeat(`}`, 63)), ""},
		{"65 levels", "getEsaSignal", signal(`,"adapter_config":` + strings.Repeat(`{"a":`, 64) + `{}` + strings.Repeat(`}`, 64)), ours(``), "malformed adapter_config"},
		{"no UTF-8 and half a surrogate pair", "getEsaSignal", signal(",\"description\":\"a\xff\\\\ \\ud800\",\"adapter_config\":{\"\xff\" : \"\\ud83c\\udf27\"}"),
			ours(`,"description":"a` + "\uFFFD" + `\\ ` + "\uFFFD" + `","adapterConfig":{"` + "\uFFFD" + `":"🌧"}`), ""},
		{"no UTF-8 by itself", "getEsaSignal", signal(",\"description\":\"\xff\",\"adapter_config\":{\"\xff\" : 1}"), ours(`,"description":"` + "\uFFFD" + `","adapterConfig":{"` + "\uFFFD" + `":1}`), ""},
		{"half a pair in upper case", "getEsaSignal", signal(`,"description":"\uD800"`), ours(`,"description":"` + "\uFFFD" + `"`), ""},
		{"escapes stay", "getEsaSignal", signal(`,"description":"a\u00e9\/\n\u0000"`), ours(`,"description":"a\u00e9\/\n\u0000"`), ""},
		{"names are read with their escapes", "getEsaSignal", `{"signal\u005fid":"a","name":"A","value_type":"binary"}`, ours(``), ""},
		{"twice", "getEsaSignal", signal(`,"name":"B"`), "", ""},
		{"twice in a map", "getEsaSignal", signal(`,"adapter_config":{"a":1,"\u0061":2}`), "", ""},
		{"twice in what is dropped", "getEsaSignal", signal(`,"x":{"a":1,"a":2}`), "", "unknown x"},
		{"cut short", "getEsaSignal", signal("")[:40], "", ""},
		{"something behind it", "getEsaSignal", signal("") + " 1", "", ""},
		{"no object", "getEsaSignal", `[]`, "", "malformed "},
		{"null", "getEsaSignal", `null`, "", ""},
		{"nothing", "getEsaSignal", ``, "", ""},
		{"no JSON", "getEsaSignal", `<html>`, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			given := []shape.Given{{Name: "valid", Value: []byte(`false`)}, {Name: "issues", Value: []byte(`[]`)}, {Name: "errors", Value: []byte(`[1]`)}, {Name: "warnings", Value: []byte(`[]`)}, {Name: "name", Value: []byte(`"no"`)}}
			for _, from := range []io.Reader{strings.NewReader(test.document), iotest.OneByteReader(strings.NewReader(test.document))} {
				var out bytes.Buffer
				notes, err := answer(t, test.operation).Answer(&out, from, given...)
				got := out.String()
				if err != nil {
					got = ""
				}
				if got != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, shape.ErrMalformed) {
					t.Errorf("%v\n%s\nwant\n%s", err, got, test.want)
				}
				var noted []string
				for _, path := range notes.Unknown {
					noted = append(noted, "unknown "+path)
				}
				for _, path := range notes.Malformed {
					noted = append(noted, "malformed "+path)
				}
				if got := strings.Join(noted, " "); got != test.notes {
					t.Errorf("notes %q, want %q", got, test.notes)
				}
			}
		})
	}
}

// TestAnswerOfALongList holds that what is written in pieces is the same document, and lost as a whole.
func TestAnswerOfALongList(t *testing.T) {
	list := answer(t, "listEsaProducts")
	document := productList(300)
	var whole bytes.Buffer
	if _, err := list.Answer(&whole, bytes.NewReader(document)); err != nil || !bytes.HasSuffix(whole.Bytes(), []byte(`}]}`)) || bytes.Count(whole.Bytes(), []byte(`"wholesaleProductId"`)) != 300 {
		t.Fatalf("%v, %d bytes", err, whole.Len())
	}
	var pieces writes
	if _, err := list.Answer(&pieces, iotest.HalfReader(bytes.NewReader(document))); err != nil || !bytes.Equal(pieces.all, whole.Bytes()) {
		t.Errorf("%v, %d bytes", err, len(pieces.all))
	}
	if pieces.largest > 64<<10 {
		t.Errorf("%d bytes at once", pieces.largest)
	}
	cut := bytes.Replace(document, []byte(`"product_id": "leaderboard_299"`), []byte(`"product_id": null`), 1)
	if _, err := list.Answer(io.Discard, bytes.NewReader(cut)); !errors.Is(err, shape.ErrMalformed) {
		t.Errorf("the last product has no id: %v", err)
	}
	errs := `{"code":"a","message":"b"},`
	some := `{"count":0,"creative_formats":[],"errors":[` + strings.Repeat(errs, 3000) + `{"code":"a"}]}`
	whole.Reset()
	if _, err := answer(t, "listEsaCreativeFormats").Answer(&whole, strings.NewReader(some)); err != nil || whole.String() != `{"count":0,"creativeFormats":[]}` {
		t.Errorf("a list that can be done without: %v, %d bytes", err, whole.Len())
	}
	broken := errors.New("broken")
	if _, err := list.Answer(io.Discard, io.MultiReader(bytes.NewReader(document[:len(document)/2]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("the reader's error: %v", err)
	}
	if _, err := list.Answer(failing{broken}, bytes.NewReader(document)); !errors.Is(err, broken) {
		t.Errorf("the writer's error: %v", err)
	}
}

// TestBounds holds that what is outside of its bounds is malformed in answers too, where a schema has any.
func TestBounds(t *testing.T) {
	one, two, three := 1, 2, int64(3)
	property := func(name string, s api.Schema) api.Property { return api.Property{Name: name, Schema: &s} }
	s := shape.Of(&api.Schema{Type: "object", Properties: []api.Property{
		property("list", api.Schema{Type: "array", MinItems: &one, MaxItems: &two, Items: &api.Schema{Type: "integer"}}),
		property("text", api.Schema{Type: "string", MinLength: &one, MaxLength: &two}),
		property("form", api.Schema{Type: "string", Pattern: `^[a-z]+$`}),
		property("other", api.Schema{Type: "string", Format: "uri"}),
		property("integer", api.Schema{Type: "integer", Minimum: &three, Maximum: &three}),
	}})
	for document, want := range map[string]string{
		`{"list":[1],"text":"é","form":"a","integer":3}`:                     `{"list":[1],"text":"é","form":"a","integer":3}`,
		`{"list":[1,2],"text":"éé","form":"b","integer":3}`:                  `{"list":[1,2],"text":"éé","form":"b","integer":3}`,
		`{"list":[],"text":"","form":"","integer":2}`:                        `{}`,
		`{"list":[1,2,3],"text":"ééé","form":"1","integer":4,"other":["a"]}`: `{}`,
	} {
		var out bytes.Buffer
		if _, err := s.Answer(&out, strings.NewReader(document)); err != nil || out.String() != want {
			t.Errorf("%s: %v %s", document, err, out.String())
		}
	}
}

type writes struct {
	all     []byte
	largest int
}

func (w *writes) Write(p []byte) (int, error) {
	w.all, w.largest = append(w.all, p...), max(w.largest, len(p))
	return len(p), nil
}

type failing struct{ err error }

func (w failing) Write([]byte) (int, error) { return 0, w.err }

// TestNotesAreBounded holds that a document that is all drift costs no more than a little.
func TestNotesAreBounded(t *testing.T) {
	many := `{"signals":[` + strings.TrimSuffix(strings.Repeat(`{"signal_id":"a","name":"A","value_type":"b","later":1,"description":1},`, 5000), ",") + `]}`
	notes, err := answer(t, "listEsaSignals").Answer(io.Discard, strings.NewReader(many))
	if err != nil || len(notes.Unknown) != 1 || len(notes.Malformed) != 1 {
		t.Errorf("%v %q", err, notes)
	}
	allocs := testing.AllocsPerRun(5, func() {
		_, _ = answer(t, "listEsaSignals").Answer(io.Discard, strings.NewReader(many))
	})
	if allocs > 10_000 {
		t.Errorf("%v allocations", allocs)
	}
}
