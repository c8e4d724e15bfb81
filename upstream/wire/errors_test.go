package wire_test

import (
	"errors"
	"fmt"
	"reflect"
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
