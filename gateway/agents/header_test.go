package agents_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"esagate/gateway/agents"
)

func TestWhichHeaderFieldsPass(t *testing.T) {
	given := http.Header{}
	for _, name := range []string{"Accept", "Content-Type", "User-Agent", "Mcp-Session-Id", "Mcp-Param-Region", "A2A-Version", "X-A2A-Extensions",
		"Last-Event-ID", "Traceparent", "Tracestate", "Authorization", "X-Api-Key", "X-Scope3-Api-Key", "X-Adcp-Auth", "X-Adcp-Tenant",
		"Apx-Incoming-Host", "X-Identity-Role", "X_Identity_Role", "x-principal-id", "X_principal_id", "X-Forwarded-For", "Forwarded",
		"Cookie", "Set-Cookie", "Location", "Www-Authenticate", "Connection", "Upgrade", "Transfer-Encoding", "Trailer", "Te", "Origin",
		"Esagate-Customer", "Accept-Encoding", "Content-Length", "Content-Encoding", "Baggage", "Mcp_method", "Host", "Server", "Link",
		"Content-Security-Policy", "Strict-Transport-Security", "Access-Control-Allow-Origin", "X-Request-Id", "Etag", "Retry-After"} {
		given[http.CanonicalHeaderKey(name)] = []string{"x"}
	}
	both := []string{"Accept", "Last-Event-Id", "Traceparent", "Tracestate", "User-Agent"}
	back := []string{"Cache-Control", "Content-Length", "Content-Security-Policy", "Content-Type", "Retry-After"}
	for _, c := range []struct {
		what string
		got  http.Header
		want []string
	}{
		{"to MCP", agents.MCP.Sent(given), append([]string{"Mcp-Session-Id", "Mcp-Param-Region"}, both...)},
		{"to A2A", agents.A2A.Sent(given), append([]string{"A2a-Version", "X-A2a-Extensions"}, both...)},
		{"of MCP", agents.MCP.Answered(given), append([]string{"Mcp-Session-Id", "Mcp-Param-Region"}, back...)},
		{"of A2A", agents.A2A.Answered(given), append([]string{"A2a-Version", "X-A2a-Extensions"}, back...)},
	} {
		if got := slices.Sorted(maps.Keys(c.got)); !slices.Equal(got, slices.Sorted(slices.Values(c.want))) {
			t.Errorf("%s pass %v, want %v", c.what, got, slices.Sorted(slices.Values(c.want)))
		}
	}
	if policy := agents.MCP.Answered(given).Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox") {
		t.Errorf("the policy is the agent's: %q", policy)
	}
}

func TestSecretsDoNotComeBack(t *testing.T) {
	secrets := agents.SecretsOf(http.Header{
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("user:pass:word-1"))},
		"X-Api-Key":     {"key-CANARY-1"},
		"X-Short":       {"a"},
		"X-Odd":         {`key/&<"-2`},
	})
	for text, want := range map[string]bool{
		"no": false, "a": false, "user": false, "the password pass:word-1 is wrong": true, "x key-CANARY-1": true,
		`key\/&<\"-2`: true, `key/\u0026\u003c\"-2`: true, "?key=key%2F%26%3C%22-2": true,
		base64.StdEncoding.EncodeToString([]byte("user:pass:word-1")): true,
	} {
		if got := secrets.In([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
		for name, reader := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader, "with the end": iotest.DataErrReader} {
			long := strings.Repeat("x", 5000) + text + "rest"
			got, err := io.ReadAll(secrets.Guard(io.NopCloser(reader(strings.NewReader(long)))))
			switch {
			case !want && (err != nil || string(got) != long):
				t.Errorf("%q %s: %d bytes, %v", text, name, len(got), err)
			case want && (!errors.Is(err, agents.ErrSecret) || secrets.In(got) || bytes.Contains(got, []byte("rest"))):
				t.Errorf("%q %s: it came through, %v", text, name, err)
			}
		}
	}
	body := io.NopCloser(strings.NewReader(""))
	if agents.SecretsOf(nil).Guard(body) != body {
		t.Error("a body is guarded without secrets")
	}
}
