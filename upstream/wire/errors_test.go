package wire_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"esagate/upstream/wire"
)

func TestDecodeError(t *testing.T) {
	long := strings.Repeat("longword", 10)
	for name, c := range map[string]struct {
		body string
		want wire.Problem
	}{
		"problem": {
			`{"error":"tenant_not_found","message":"no tenant 'tnt_kiosk'","details":{"password":"CANARY"}}`,
			wire.Problem{Code: "tenant_not_found", Message: "no tenant 'tnt_kiosk'"},
		},
		"issues": {
			`{"error":"invalid_signal_mapping","message":"m","details":{"issues":[
			  {"code":"missing_range","field":"range.min.0","message":"range is missing","severity":"error","input":"CANARY"},
			  {"code":"odd","field":"a.CANARY key.-1.007..` + long + `","message":null},{"field":["range"],"severity":7},"CANARY"]}}`,
			wire.Problem{Code: "invalid_signal_mapping", Message: "m", Issues: []wire.ProblemIssue{
				{Code: "missing_range", Field: "range.min.0", Message: "range is missing"}, {Code: "odd", Field: "a.?.?.007.?.?"}, {},
			}},
		},
		"what is supported": {
			`{"error":"unsupported_selector_type","message":"m","details":{"supported_selector_types":["a b",7,"c"],"supported_candidate_types":["d"]}}`,
			wire.Problem{Code: "unsupported_selector_type", Message: "m", Supported: []string{"a b", "c", "d"}},
		},
		"references": {
			`{"error":"signal_mapping_in_use","details":{"active_references":3.0}}`,
			wire.Problem{Code: "signal_mapping_in_use", ActiveReferences: new(int64(3))},
		},
		"details of other kinds": {
			`{"error":"a","details":{"issues":{"code":"CANARY"},"supported_selector_types":"CANARY","active_references":"3"}}`,
			wire.Problem{Code: "a"},
		},
		"details that are a list": {`{"error":"a","details":[{"issues":[{"code":"CANARY"}]}]}`, wire.Problem{Code: "a"}},
		"details null": {
			`{"error":"tenant_has_active_resources","message":"2 media buys","details":null}`,
			wire.Problem{Code: "tenant_has_active_resources", Message: "2 media buys"},
		},
		"alone, a sentence":    {`{"error":"Key is not valid"}`, wire.Problem{Message: "Key is not valid"}},
		"alone, a word":        {`{"error":"unavailable"}`, wire.Problem{Code: "unavailable"}},
		"a sentence and more":  {`{"error":"Not now","message":"later"}`, wire.Problem{Message: "later"}},
		"the word a secret":    {`{"error":"sk_live_4f7aQ2x9Lm0pW8sT3vBnKd","message":"m"}`, wire.Problem{Message: "m"}},
		"a message of no kind": {`{"error":"conflict","message":7}`, wire.Problem{Code: "conflict"}},
		"list": {
			`[{"type":"missing","loc":["springserve","email"],"msg":"Field required","input":{"password":"CANARY"},"ctx":{"x":"CANARY"}},
			  {"loc":["springserve","floors",3,"currency"],"msg":"Three letters"}]`,
			wire.Problem{Fields: []wire.FieldProblem{
				{Path: "springserve.email", Message: "Field required"},
				{Path: "springserve.floors.3.currency", Message: "Three letters"},
			}},
		},
		"a 500 with an id": {`{"error":"internal_error","error_id":"a3f09c21"}`, wire.Problem{Code: "internal_error", ErrorID: "a3f09c21"}},
		"an id of no kind": {`{"error":"Internal server error","error_id":7}`, wire.Problem{Message: "Internal server error"}},
		"parts that are no words": {
			`[{"loc":["mock","CANARY-in a key","` + long + `",-1,1.5,99999999,null,{"a":1}],"msg":"m"}]`,
			wire.Problem{Fields: []wire.FieldProblem{{Path: "mock.?.?.?.?.?.?.?", Message: "m"}}},
		},
		"elements of other kinds": {
			`[7,{"loc":"mock","msg":"m"},{"msg":"m"},{"loc":["mock"],"msg":null},{"loc":["mock"],"msg":"m"}]`,
			wire.Problem{Fields: []wire.FieldProblem{{Path: "mock", Message: "m"}}},
		},
	} {
		if got, err := wire.DecodeError([]byte(c.body)); err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, c.want)
		}
	}
}

// TestAgentURLMismatch: upstream's word counts wherever it stands in a list.
func TestAgentURLMismatch(t *testing.T) {
	const word = "public_agent_url_mismatch"
	for _, body := range []string{
		`[{"type":"list_type","loc":[],"msg":"Input should be a valid list","url":"https://errors.example/v/list_type",
		  "input":{"error":"` + word + `","message":"host 'CANARY'"}}]`,
		`[{"type":"` + word + `","loc":["public_agent_url"],"msg":"m"}]`,
		`[{"type":"value_error","loc":["body","public_agent_url"],"msg":"Value error, ` + word + `: no such host"}]`,
		`[{"type":"value_error","loc":["mock"],"msg":"m","ctx":{"error":"` + word + `"}},{"loc":["name"],"msg":"m"}]`,
		`[{"error":"` + word + `"}]`,
		`{"error":"` + word + `","message":"m"}`,
	} {
		p, err := wire.DecodeError([]byte(body))
		if err != nil || p.Code != word || strings.Contains(fmt.Sprintf("%+v", p), "CANARY") {
			t.Errorf("%s: %+v, %v", body, p, err)
		}
	}
}

func TestDecodeErrorIsBounded(t *testing.T) {
	one := `{"loc":[` + strings.Repeat(`"a",`, 500) + `"a"],"msg":"m"}`
	p, err := wire.DecodeError([]byte(`[` + strings.Repeat(one+`,`, 200) + one + `]`))
	if err != nil || len(p.Fields) != 50 || strings.Count(p.Fields[0].Path, "a") != 16 {
		t.Errorf("%+v, %v; want 50 fields, and 16 parts in a path", p, err)
	}
	one = `{"field":"` + strings.Repeat("a.", 500) + `a","message":"m"}`
	words := `["` + strings.Repeat(`a","`, 200) + `"]`
	p, err = wire.DecodeError([]byte(`{"error":"a","details":{"issues":[` + strings.Repeat(one+`,`, 200) + one +
		`],"supported_selector_types":` + words + `,"supported_candidate_types":` + words + `}}`))
	if err != nil || len(p.Issues) != 50 || strings.Count(string(p.Issues[49].Field), "a") != 16 || len(p.Supported) != 100 {
		t.Errorf("%+v, %v; want 50 issues, 16 parts in a path, and 50 words of each kind", p, err)
	}
}

func TestNoErrorOfAKnownShape(t *testing.T) {
	for _, body := range []string{
		``, `<html>CANARY</html>`, `null`, `"CANARY"`, `{}`, `{"message":"CANARY"}`, `{"error":404}`, `[]`, `["CANARY"]`,
		`"public_agent_url_mismatch"`, `[{"type":"public_agent_url_mismatch"}`, `{"message":"public_agent_url_mismatch"}`,
		`{"error":"tenant_not_found"`, `[{"loc":["mock"],"msg":"m"}`, `{"error":"tenant_not_found"} CANARY`,
	} {
		p, err := wire.DecodeError([]byte(body))
		if e := (*wire.InvalidError)(nil); !errors.As(err, &e) || p != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %+v, %v", body, p, err)
		}
	}
}

// FuzzDecodeError: whatever an answer is, paths hold plain words alone, and lists are bounded.
func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"error":"a","message":"m","error_id":"a3f0","details":{"issues":[{"code":"c","field":"a.0.b","message":"m"}],"active_references":2}}`))
	f.Add([]byte(`{"error":"a","details":{"supported_selector_types":["a"],"supported_candidate_types":["b",1]}}`))
	f.Add([]byte(`[{"loc":["body","a",0,"b c"],"msg":"m","input":{"a":1}}]`))
	path := regexp.MustCompile(`^(([A-Za-z0-9_]{1,64}|\?)(\.([A-Za-z0-9_]{1,64}|\?)){0,15})?$`)
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := wire.DecodeError(body)
		if err != nil {
			if e := (*wire.InvalidError)(nil); !errors.As(err, &e) || p != nil {
				t.Fatalf("%+v, %v", p, err)
			}
			return
		}
		if len(p.Fields) > 50 || len(p.Issues) > 50 || len(p.Supported) > 100 {
			t.Errorf("%d fields, %d issues, %d words", len(p.Fields), len(p.Issues), len(p.Supported))
		}
		for _, f := range p.Fields {
			if !path.MatchString(f.Path) {
				t.Errorf("the path %q", f.Path)
			}
		}
		for _, i := range p.Issues {
			if !path.MatchString(string(i.Field)) {
				t.Errorf("the path %q", i.Field)
			}
		}
	})
}
