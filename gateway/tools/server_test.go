package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect gives a client of a server of all tools, and what was told of panics.
func connect(t *testing.T, ask Ask) (*mcp.ClientSession, *[]any) {
	t.Helper()
	var told []any
	d := Deps{Ask: ask, Recovered: func(_ context.Context, value any) { told = append(told, value) }}
	ours, theirs := mcp.NewInMemoryTransports()
	session, err := newServer(readContract(), d, nil, Caller{Write: true}).Connect(t.Context(), ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); _ = session.Wait() })
	return client, &told
}

// TestACallFailsAlone: a panic or an error of one ends neither the process nor the session, and says nothing of itself.
func TestACallFailsAlone(t *testing.T) {
	for _, it := range []struct {
		ask    func() (*Answer, error)
		panics string
	}{
		{func() (*Answer, error) { panic("canary") }, "[canary canary]"},
		{func() (*Answer, error) { return nil, errors.New("canary") }, "[]"},
		{func() (*Answer, error) { return &Answer{Status: 200, Document: []byte("canary")}, nil }, "[]"}, // why_blocked can't read it
	} {
		client, told := connect(t, func(context.Context, *Request) (*Answer, error) { return it.ask() })
		for range 2 {
			r, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: whyName, Arguments: map[string]any{"sourceId": "a"}})
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v %+v", err, r)
			}
		}
		if fmt.Sprint(*told) != it.panics {
			t.Errorf("told of %v, want %s", *told, it.panics)
		}
	}
}

// TestEveryToolIsAnOperation that the contract has, with words for assistants, and with what a tool needs to be called.
func TestEveryToolIsAnOperation(t *testing.T) {
	c := readContract()
	seen := map[string]bool{whyName: true}
	for _, r := range table {
		tool := newTool(c, r, func(string) bool { return true })
		if tool.op == nil || tool.out == nil || r.about == "" || seen[r.name] || r.changes && tool.op.method == "GET" {
			t.Errorf("%+v", r)
		}
		seen[r.name] = true
		for _, operator := range []bool{false, true} {
			if in := string(tool.input(c, operator)); strings.Contains(in, "nullable") || strings.Contains(in, "writeOnly") || strings.Contains(in, "#/components") {
				t.Errorf("%s: %s", r.name, in)
			}
		}
		if out := string(tool.out); strings.Contains(out, "nullable") || strings.Contains(out, "#/components") || strings.Contains(out, `"enum":[]`) || !strings.Contains(out, `"type":"object"`) {
			t.Errorf("%s: %s", r.name, out)
		}
	}
}

// FuzzMessages: whatever a client sends, there is an answer, and no tool asks for anything but its own operation of the API.
func FuzzMessages(f *testing.F) {
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"history","arguments":{"sourceId":"a/../b","limit":1,"cursor":"?&#"}}}`
	for _, message := range []string{
		call, `{"jsonrpc":"2.0","id":"a","method":"tools/list"}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"connect","arguments":{"body":{"type":"mock","Password":1}}}}`,
		`{"jsonrpc":"2.0","id":null,"result":{}}`, `{"jsonrpc":"1.0","id":1.5,"method":5}`, `[` + call + `]`, `{}`,
	} {
		f.Add(message, "2025-11-25")
		f.Add(message, "2026-07-28")
	}
	targets := map[string]string{}
	for _, r := range table {
		op := readContract().operation(r.operation)
		targets[op.path] = op.method
	}
	h := New(Deps{
		Caller: func(context.Context) Caller { return Caller{Write: true, Operator: true} }, Writes: func(string) bool { return true }, MaxBody: 1 << 20,
		Ask: func(_ context.Context, r *Request) (*Answer, error) {
			u, err := url.ParseRequestURI(r.Target)
			if err != nil {
				return nil, err
			}
			for path, method := range targets {
				if method == r.Method && matches(u.EscapedPath(), path) {
					return &Answer{Status: 200, Document: []byte(`{"sourceId":"a","executionType":"AGENT"}`)}, nil
				}
			}
			panic("asked for " + r.Method + " " + r.Target)
		},
		Recovered: func(_ context.Context, value any) { f.Error(value) },
	})
	f.Fuzz(func(t *testing.T, message, version string) {
		if !IsMessage([]byte(message)) {
			return
		}
		r := httptest.NewRequest("POST", "/mcp", strings.NewReader(message))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {version}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if text, _ := io.ReadAll(w.Result().Body); w.Code >= 500 && !strings.Contains(string(text), "jsonrpc") {
			t.Errorf("%d %s", w.Code, text)
		}
	})
}

// matches reports whether an escaped path is one of a template's, with something in the place of each parameter.
func matches(path, template string) bool {
	segments, form := strings.Split(path, "/"), strings.Split(template, "/")
	for i := range form {
		if len(segments) != len(form) || segments[i] != form[i] && (form[i][0] != '{' || segments[i] == "") {
			return false
		}
	}
	return true
}
