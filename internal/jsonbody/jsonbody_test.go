package jsonbody_test

import (
	"fmt"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/jsonbody"
)

func parse(t *testing.T, body string) jsonbody.Object {
	t.Helper()
	o, err := jsonbody.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return o
}

func TestOthersAreNamedInTheirOrder(t *testing.T) {
	o := parse(t, `{"z":1,"known":{"in":2},"\u0061":[{"x":1}],"":null}`)
	if got := fmt.Sprintf("%t %q %t %t", o.Empty(), o.Others([]string{"known", "absent"}), o.Has("known"), o.Has("absent")); got != `false ["z" "a" ""] true false` {
		t.Error(got)
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, `,"m%d":0`, i)
	}
	if got := parse(t, `{"known":1`+many.String()+`}`).Others([]string{"known"}); len(got) != 32 || got[31] != "m31" {
		t.Errorf("%d: %q", len(got), got)
	}
}

func TestPositive(t *testing.T) {
	const integer, bounds = "n must be an integer.", "n must be from 1 to 9007199254740991."
	for given, want := range map[string]string{
		`1`: "1", `7.00`: "7", `9007199254740991`: "9007199254740991", `9007199254740991.0`: "9007199254740991",
		`0`: bounds, `-0`: bounds, `-1`: bounds, `0.0`: bounds, `9007199254740992`: bounds, `9223372036854775808`: bounds,
		strings.Repeat("9", 400): bounds, `1.5`: integer, `1e2`: integer, `1.0e1`: integer, `1E400`: integer, `3.00000000000000000001`: integer,
		`"1"`: integer, `true`: integer, `[1]`: integer, `{}`: integer, `null`: "n can't be null.",
	} {
		var l jsonbody.Issues
		n := parse(t, `{"n":`+given+`}`).Positive(&l, "n")
		got := ""
		if n != nil {
			got = fmt.Sprint(*n)
		}
		for _, i := range l {
			got += i.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
	var l jsonbody.Issues
	if n := parse(t, `{}`).Positive(&l, "n"); n != nil || l.Err() != nil {
		t.Errorf("absent: %v, %v", n, l)
	}
}

func TestNested(t *testing.T) {
	for given, want := range map[string]string{
		`{}`:                           " true []: in.a is required.",
		`{"in":null}`:                  "in can't be null. true []: in.a is required.",
		`{"in":[]}`:                    "in must be an object. true []: in.a is required.",
		`{"in":{"a":5,"b":1}}`:         ` false ["b"]: in.a must be a string.`,
		`{"a":"outer","in":{"b":"x"}}`: ` false ["b"]: in.a is required.`,
		`{"in":{"a":"\u0000"}}`:        " false []: in.a can't contain the character U+0000.",
		`{"in":{"a":"héé"}}`:           " false []: in.a is longer than 2 characters.",
		`{"in":{"a":"hé"}}`:            " false []: ",
	} {
		inner, problem := parse(t, given).Nested("in")
		var l jsonbody.Issues
		value := l.Need(inner.Text("in.a", jsonbody.Length(1, 2)))
		got := fmt.Sprintf("%s %t %q: ", problem, inner.Empty(), inner.Others([]string{"a"}))
		if err := l.Err(); err != nil {
			got += fault.As(err).Message
		} else if value != "hé" {
			t.Errorf("%s: %q", given, value)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
}

func TestIssuesAreOneError(t *testing.T) {
	var l jsonbody.Issues
	if err := l.Err(); err != nil {
		t.Fatal(err)
	}
	l.Add("a", "A.")
	l.Take(jsonbody.Member{Path: "b", Given: true, Problem: "B."})
	l.Need(jsonbody.Member{Path: "c"})
	f := fault.As(l.Err())
	if f.Kind != fault.Validation || f.Field != "a" || fmt.Sprint(f.Issues) != "[{a A.} {b B.} {c c is required.}]" {
		t.Errorf("%+v", f)
	}
}

func TestOneOf(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{{[]string{"a"}, "p must be a."}, {[]string{"a", "b"}, "p must be a or b."}, {[]string{"a", "b", "c"}, "p must be a, b or c."}} {
		rule := jsonbody.OneOf(c.words...)
		if got := rule("p", "A"); got != c.want || rule("p", "a") != "" {
			t.Errorf("%q: %q", c.words, got)
		}
	}
}
