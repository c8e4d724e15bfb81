package gateway_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"esagate/upstream/upstreamtest"
)

// TestNoToolTakesACredential: neither the schemas nor the calls, and what was tried is nowhere.
func TestNoToolTakesACredential(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.assistant(writeKey, protocols[0])
		defer a.Close()
		for name, tool := range a.tools() {
			in, _ := json.Marshal(tool.InputSchema)
			for _, word := range []string{"password", "apiToken", "apiKey", "secret"} {
				if strings.Contains(string(in), `"`+word+`"`) {
					w.Errorf("%s takes %s", name, word)
				}
			}
		}
		calls, audits := w.agent.Calls(""), w.audits()
		for _, body := range []string{
			`{"type":"freewheel","username":"u","password":"hunter2-canary"}`, `{"type":"springserve","email":"a@b.example","apiToken":"hunter2-canary"}`,
			`{"type":"broadstreet","networkId":"1","APIKEY":"hunter2-canary"}`, `{"type":"mock","Password":{"x":"hunter2-canary"}}`,
		} {
			a.refused("connect", `{"body":`+body+`}`, "VALIDATION_ERROR", "no credentials")
			a.refused("set_ad_server", `{"sourceId":"`+source+`","body":`+body+`}`, "VALIDATION_ERROR", "no credentials")
		}
		if w.agent.Calls("") != calls || w.audits() != audits {
			w.Error("something was asked for")
		}
	})
}

// TestBadArguments are told all at once, by name, before anything is asked.
func TestBadArguments(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.assistant(writeKey, protocols[0])
		defer a.Close()
		for _, it := range []struct{ tool, arguments, part string }{
			{"status", `{}`, "sourceId is required"},
			{"status", `{"sourceId":""}`, "sourceId is required"},
			{"status", `{"sourceId":null}`, "sourceId is required"},
			{"status", `{"sourceid":"x"}`, "did you mean sourceId?"},
			{"status", `{"sourceId":{"a":1}}`, "sourceId must be"},
			{"status", `{"sourceId":[["x"]]}`, "sourceId must be"},
			{"history", `{"sourceId":"x","limit":{}, "also":1}`, `"path":"also"`},
			{"overview", `{"` + strings.Repeat("x", 5000) + `":1}`, `"path":"` + strings.Repeat("x", 64) + `"`},
			{"connect", `{}`, "body is required"},
			{"connect", `{"body":"{}"}`, "body must be an object"},
			{"connect", `{"body":{"type":"mock"},"idempotencyKey":["a","b"]}`, "Idempotency-Key"},
			{"deactivate", `{"sourceId":"x","customer":1}`, "no such argument"},
		} {
			a.refused(it.tool, it.arguments, "VALIDATION_ERROR", it.part)
		}
		if _, err := a.CallTool(context.Background(), &mcp.CallToolParams{Name: "launch"}); err == nil {
			w.Error("a tool that there is not was called")
		}
		// The API takes several values where the contract has a list, and a text for a number.
		for _, arguments := range []string{`{"state":["live","down"]}`, `{"state":"live","take":"1"}`, `{"take":1,"q":null}`} {
			if text, failed := a.call("overview", arguments); failed {
				w.Errorf("%s: %s", arguments, text)
			}
		}
	})
}

// rpc sends a message to the MCP server as it is.
func (w *world) rpc(message string, pairs ...string) answer {
	w.Helper()
	return w.unvalidated(request("POST", "/mcp", readKey, message, append([]string{"Accept", "application/json, text/event-stream"}, pairs...)...))
}

// TestMessagesThatAreNone: no batch, no message that two readers could read differently, none that is too deep or too large,
// and none of a page elsewhere.
func TestMessagesThatAreNone(t *testing.T) {
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	inWorld(t, setup{origins: []string{"https://app.example"}}, func(w *world) {
		w.rpc(list, "Mcp-Protocol-Version", "2025-11-25").ok(w)
		for _, it := range []struct {
			message string
			headers []string
			status  int
		}{
			{"[" + list + "," + list + "]", nil, 400},
			{`{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}`, nil, 400},
			{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + `}`, nil, 400},
			{`{"a":` + strings.Repeat(`{"a":`, 100_000), nil, 400},
			{"", nil, 400}, {"null", nil, 400}, {list + list, nil, 400}, {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", nil, 400},
			{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, nil, 413},
			{list, []string{"Content-Type", "text/plain"}, 415},
			{list, []string{"Content-Encoding", "gzip"}, 415},
			{list, []string{"Origin", "https://app.example"}, 200},
			{list, []string{"Origin", "https://gateway.example"}, 200},
			{list, []string{"Origin", "https://gateway.example:8443"}, 403},
			{list, []string{"Origin", "http://gateway.example"}, 403},
			{list, []string{"Origin", "https://evil.example"}, 403},
			{list, []string{"Origin", "http://localhost:3000"}, 403},
			{list, []string{"Origin", "null"}, 403},
			{list, []string{"Origin", "https://app.example", "Origin", "https://app.example"}, 403},
			{list, []string{"Mcp-Protocol-Version", "2024-11-05"}, 400},
			{list, []string{"Mcp-Protocol-Version", "2025-03-26"}, 400},
		} {
			if a := w.rpc(it.message, it.headers...); a.status != it.status || strings.Contains(string(a.body), "evil") {
				w.Errorf("%.80s %q: %d %.200s", it.message, it.headers, a.status, a.body)
			}
		}
		// The name in the header is that of the body.
		call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sources","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
			`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
		current := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name"}
		w.rpc(call, append(slices.Clone(current), "sources")...).ok(w)
		if a := w.rpc(call, append(slices.Clone(current), "deactivate")...); a.status != 400 {
			w.Errorf("another name in the header: %d %s", a.status, a.body)
		}
		// Nothing is told of the server's own accord, so nobody can keep a stream open.
		listen := strings.NewReplacer("tools/call", "subscriptions/listen", `"name":"sources","arguments":{}`, `"notifications":{"toolsListChanged":true}`).Replace(call)
		if a := w.rpc(listen, "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "subscriptions/listen"); a.status != 200 || !strings.Contains(string(a.body), "acknowledged") {
			w.Errorf("listening: %d %s", a.status, a.body)
		}
		for _, method := range []string{"GET", "DELETE", "PUT"} {
			if a := w.unvalidated(request(method, "/mcp", readKey, "")); a.status != 405 || a.header.Get("Allow") != "POST" {
				w.Errorf("%s: %d %q", method, a.status, a.header.Get("Allow"))
			}
		}
		for _, key := range []string{"", "a-key-that-nobody-has-0000"} {
			if a := w.unvalidated(request("POST", "/mcp", key, list)); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
				w.Errorf("%q: %d %s", key, a.status, a.body)
			}
		}
		if b := w.signedIn(writeKey); b.open("/mcp").status != 401 {
			w.Error("a session of a browser counts at /mcp")
		}
	})
}

// TestLimitsOfTools are the API's.
func TestLimitsOfTools(t *testing.T) {
	inWorld(t, setup{limits: someWrites}, func(w *world) {
		a := w.assistant(writeKey, protocols[0])
		defer a.Close()
		for range 100 {
			text, failed := a.call("refresh", `{"sourceId":"`+source+`"}`)
			if failed {
				if !strings.Contains(text, "RATE_LIMITED") || !strings.Contains(text, "tried again in") {
					w.Errorf("%s", text)
				}
				return
			}
		}
		w.Error("a tool has no limit of writes")
	})
}

// TestACallThatIsGivenUp ends, with all that it has started, whatever the protocol.
func TestACallThatIsGivenUp(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.Fault(tenant, upstreamtest.Fault{Hang: true, Only: upstreamtest.RouteStatus})
		for _, protocol := range protocols {
			a := w.assistant(readKey, protocol)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() {
				_, err := a.CallTool(ctx, &mcp.CallToolParams{Name: "status", Arguments: map[string]any{"sourceId": source}})
				done <- err
			}()
			synctest.Wait()
			left := time.Now()
			cancel()
			if err := <-done; err == nil || time.Since(left) > 0 {
				w.Errorf("%s: %v, %v after its client left", protocol, err, time.Since(left))
			}
			w.must(a.Close())
		}
	})
}
