package adserver_test

import (
	"encoding/json"
	"strings"
	"testing"

	"esagate/internal/adserver"
	"esagate/internal/fault"
)

func ptr[T any](v T) *T { return &v }

// account is the operator's.
var account = &adserver.Account{Email: "gate@ops.example", Key: `{"private_key":"CANARY"}`}

func parse(t testing.TB, body string) *adserver.Config {
	t.Helper()
	c, err := adserver.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, issuesOf(t, err))
	}
	return c
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// issuesOf gives an error's issues, one "path: message" a line, "" for nil.
func issuesOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	f := fault.As(err)
	if f.Kind != fault.Validation {
		t.Fatalf("kind %d (%v), want Validation", f.Kind, err)
	}
	var lines []string
	for _, i := range f.Issues {
		lines = append(lines, i.Path+": "+i.Message)
	}
	return strings.Join(lines, "\n")
}
