package transform_test

import (
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

func TestAgentURL(t *testing.T) {
	const base = "https://agent.quay.example/admin"
	long := "https://agent.quay.example/" + strings.Repeat("x", 2048)
	for raw, want := range map[string]string{
		"https://agent.quay.example/mcp/":         "/mcp/",
		"https://Agent.Quay.example:443/t/a%2Fb/": "/t/a%2Fb/",
		"http://agent.quay.example/a2a":           "/a2a",
		"https://agent.quay.example":              "/",
		"https://agent.quay.example:8443/mcp":     "https://agent.quay.example:8443/mcp",
		"https://other.example/mcp/":              "https://other.example/mcp/",
		"http://127.0.0.1:9/mcp":                  "http://127.0.0.1:9/mcp",
		"":                                        "", "/mcp/": "", "//agent.quay.example/mcp": "", "agent.quay.example/mcp": "", "https:///mcp": "", "https:mcp": "",
		"ftp://agent.quay.example/x": "", "javascript:alert(1)": "", "https://u:CANARY@agent.quay.example/mcp": "", "https://u@other.example/": "",
		"https://other.example/?key=CANARY": "", "https://other.example/mcp?": "", "https://other.example/#CANARY": "", "https://agent.quay.example/mcp#": "",
		"https://agent.quay.example//other.example": "", `https://agent.quay.example/\other.example`: "", "https://other.example/a b": "",
		"https://other.example/é": "", "https://other.example/\n": "", "https://other.example:x/": "", long: "",
	} {
		if got := transform.AgentURL(raw, base); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	for _, c := range []struct{ raw, base, want string }{
		{"http://127.0.0.1:3091/mcp/", "http://127.0.0.1:3091", "/mcp/"},
		{"http://127.0.0.1:3092/mcp/", "http://127.0.0.1:3091", "http://127.0.0.1:3092/mcp/"},
		{"http://[::1]:80/mcp/", "http://[::1]", "/mcp/"},
		{"https://a.example/mcp", "::", "https://a.example/mcp"},
		{"https://a.example/mcp", "", "https://a.example/mcp"},
	} {
		if got := transform.AgentURL(c.raw, c.base); got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.raw, c.base, got, c.want)
		}
	}
}

func TestCapabilityRecheck(t *testing.T) {
	got := string(api.Encode(transform.CapabilityRecheck("forecasting")))
	const head = `{"capability":"forecasting","capabilityState":"unknown","status":"not_probeable","probePerformed":false,"issue":null,"recoveryStarted":false,"syncRunId":null,"message":"`
	if message, ok := strings.CutPrefix(got, head); !ok || !strings.HasSuffix(message, `."}`) || len(message) < 30 {
		t.Error(got)
	}
}

func TestAuditPage(t *testing.T) {
	entries := []registry.AuditEntry{
		{ID: "a2", At: now, Actor: "quay <key>", Operator: true, Operation: "refreshSource", SourceID: "pier", ESAID: 1<<53 + 1, RequestID: "r-1",
			Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT", Count: 7, LastAt: now.Add(time.Minute)},
		{ID: "a1", At: now.Add(-time.Millisecond), Actor: "quay", Operation: "connectSource", Outcome: registry.AuditBegun,
			Count: 1, LastAt: now.Add(-time.Millisecond)},
	}
	const want = `{"entries":[{"id":"a2","at":"2026-03-09T14:00:00Z","actor":"quay <key>","operator":true,"operation":"refreshSource","sourceId":"pier","esaId":"9007199254740993",` +
		`"requestId":"r-1","outcome":"refused","status":409,"errorCode":"CONFLICT","count":7,"lastAt":"2026-03-09T14:01:00Z"},{"id":"a1","at":"2026-03-09T13:59:59.999Z","actor":"quay","operator":false,"operation":"connectSource",` +
		`"sourceId":null,"esaId":null,"requestId":null,"outcome":"begun","status":null,"errorCode":null,"count":1,"lastAt":"2026-03-09T13:59:59.999Z"}],"nextCursor":"a1"}`
	if got := string(api.Encode(transform.AuditPage(entries, "a1"))); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := string(api.Encode(transform.AuditPage(nil, ""))); got != `{"entries":[],"nextCursor":null}` {
		t.Errorf("nothing: %s", got)
	}
}
