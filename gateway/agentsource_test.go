package gateway_test

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// active makes an AGENT source that is active.
func (w *world) active(edits ...string) {
	w.Helper()
	made := w.create(edits...)
	readSource(w, w.write("PUT", sourcesPath+"/"+made.SourceID, `{"status":"ACTIVE"}`), 200)
}

// a2aEdits make an agent of it that speaks A2A.
var a2aEdits = []string{"protocol", `"A2A"`, "endpointUrl", `"https://agent.harbour.example/agents/a2a"`}

// TestMCPOfAnAgent with the official client before the official server, by both versions: it comes with the stored
// credentials, which the client does not have, and a stream goes on as long as it must.
func TestMCPOfAnAgent(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		var next chan struct{} // of the test's bubble
		server := mcp.NewServer(&mcp.Implementation{Name: "harbour", Version: "1"}, nil)
		mcp.AddTool(server, &mcp.Tool{Name: "sell"}, func(ctx context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			for i := range 3 {
				_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: req.Params.GetProgressToken(), Message: fmt.Sprint(i), Progress: float64(i)})
				<-next
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "sold to " + req.Extra.Header.Get("X-Api-Key")[:3]}}}, nil, nil
		})
		handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: version > "2026"})
		agent := &recorded{answers: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Api-Key") != tokenCanary {
				w.WriteHeader(401)
				return
			}
			handler.ServeHTTP(w, r)
		}}
		servedAs(t, setup{outside: agent}, func(w *world, l *pipes, _ func(), _ <-chan error) {
			w.active("auth", `{"type":"apikey","token":"`+tokenCanary+`"}`)
			told := make(chan string)
			next = make(chan struct{})
			b := w.buyer(l, writeKey)
			s := b.session(mcpAgent, version, told)
			if tools, err := s.ListTools(context.Background(), nil); err != nil || len(tools.Tools) != 1 {
				t.Errorf("tools %v, %v", tools, err)
			}
			done := make(chan string, 1)
			go func() { done <- b.call(s, "sell", `{}`) }()
			for i := range 3 {
				if got := <-told; got != fmt.Sprint(i) {
					t.Errorf("told %q", got)
				}
				w.pass(time.Minute)
				next <- struct{}{}
			}
			if got := <-done; got != "sold to tok" {
				t.Errorf("answer %q", got)
			}
			w.must(s.Close())
			if last, _, n := agent.last(); version < "2026" && (last.Method != "DELETE" || last.Header.Get("Mcp-Session-Id") == "") || n < 2 {
				t.Errorf("at last of %d: %s %v", n, last.Method, last.Header)
			}
			for _, r := range agent.asked {
				if r.Header.Get("Authorization") != "" || strings.Contains(fmt.Sprint(r.Header), writeKey) {
					t.Errorf("the caller's key came to the agent: %v", r.Header)
				}
			}
		})
	})
}

// TestWhatAnAgentGets: the body letter for letter, what it is authorized with, and of a client's header what may pass.
func TestWhatAnAgentGets(t *testing.T) {
	agent := &recorded{answers: func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, name := range []string{"Set-Cookie", "Location", "Server", "X-Identity-Role", "Access-Control-Allow-Origin", "Strict-Transport-Security", "Www-Authenticate", "Etag", "Content-Type", "Mcp-Session-Id"} {
			h.Set(name, "application/json")
		}
		h.Set("Cache-Control", "public, max-age=600")
		h.Set("Trailer", "X-Late")
		_, _ = io.WriteString(w, " {\"a\" : 1}\n")
		h.Set("X-Late", "x")
	}}
	const odd = " {\"method\" : \"tools/call\",\"params\":{ \"name\":\"\\u0061\"}, \"n\":1.0e400 }\r\n"
	for name, c := range map[string]struct{ auth, kind, field, value string }{
		"bearer": {`{"type":"bearer","token":"` + tokenCanary + `"}`, `"API_KEY"`, "Authorization", "Bearer " + tokenCanary},
		"apikey": {`{"type":"api_key","token":"` + tokenCanary + `"}`, `"API_KEY"`, "X-Api-Key", tokenCanary},
		"basic":  {`{"type":"basic","username":"u","password":"pw-CANARY-12"}`, `"BASIC_AUTH"`, "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("u:pw-CANARY-12"))},
		"none":   {"", `"NO_AUTH"`, "", ""},
	} {
		for _, rules := range []setup{{outside: agent}, {outside: agent, deny: []string{"prompts/*"}}} {
			servedAs(t, rules, func(w *world, l *pipes, _ func(), _ <-chan error) {
				w.active("auth", c.auth, "authenticationType", c.kind)
				b := w.buyer(l, writeKey, "X_identity_role", "x", "X-Principal-Id", "x", "X-Api-Key", "mine", "Cookie", "a=b", "X-Forwarded-For", "10.0.0.1", "Forwarded", "x",
					"X-Adcp-Auth", "x", "Accept-Encoding", "gzip", "Connection", "Mcp-Param-Region", "Mcp-Session-Id", "s-1", "Mcp-Param-Region", "eu", "Mcp_method", "tools/list",
					"Last-Event-Id", "7", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Baggage", "x", "Content-Type", "application/json; charset=utf-7", "Accept", "application/json", "User-Agent", "buyer/1", "Origin", "https://evil.example")
				got := b.text("POST", mcpAgent, odd)
				r, body, _ := agent.last()
				if got.status != 200 || string(got.body) != " {\"a\" : 1}\n" || body != odd {
					t.Errorf("%s: %d %q came back for %q", name, got.status, got.body, body)
				}
				want := []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Last-Event-Id", "Mcp-Param-Region", "Mcp-Session-Id", "Traceparent", "User-Agent"}
				if c.field != "" {
					want = append(want, c.field)
				}
				if slices.Sort(want); !slices.Equal(slices.Sorted(maps.Keys(r.Header)), want) || r.Header.Get(c.field) != c.value || r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: the agent got %v", name, r.Header)
				}
				if r.Host != "agent.harbour.example" || r.URL.Path != "/mcp" || r.URL.RawQuery != "" {
					t.Errorf("%s: at %s %s", name, r.Host, r.URL)
				}
				for _, field := range []string{"Set-Cookie", "Location", "Server", "X-Identity-Role", "Access-Control-Allow-Origin", "Www-Authenticate", "Etag", "X-Late", "Trailer"} {
					if got.header.Get(field) != "" {
						t.Errorf("%s: %s came back", name, field)
					}
				}
				if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Mcp-Session-Id") == "" {
					t.Errorf("%s: came back with %v", name, got.header)
				}
			})
		}
	}
}

// TestAgentsThatAttack are strangers: they lead nowhere, take no memory and repeat no credential.
func TestAgentsThatAttack(t *testing.T) {
	var answers func(w http.ResponseWriter, r *http.Request)
	agent := &recorded{answers: func(w http.ResponseWriter, r *http.Request) { answers(w, r) }}
	servedAs(t, setup{outside: agent}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.active()
		b := w.buyer(l, writeKey)
		write := func(status int, contentType, text string) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, text)
			}
		}
		for name, c := range map[string]struct {
			answers func(http.ResponseWriter, *http.Request)
			reason  string
		}{
			"a redirect to where only we can go": {func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
			}, "UPSTREAM_ERROR"},
			"a redirect to itself": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/mcp", http.StatusFound) }, "UPSTREAM_ERROR"},
			"nothing new":          {write(304, "text/plain", ""), "UPSTREAM_ERROR"},
			"its 401":              {write(401, "text/plain", "CANARY: send "+tokenCanary), "AGENT_UNAUTHORIZED"},
			"its 403":              {write(403, "text/plain", "CANARY"), "AGENT_UNAUTHORIZED"},
			"its 407":              {write(407, "text/plain", "CANARY"), "UPSTREAM_ERROR"},
			"the credential in an error": {func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, fmt.Sprint("can't read ", r.Header), 500)
			}, "UPSTREAM_ERROR"},
			"the credential in a field": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Mcp-Was", r.Header.Get("Authorization"))
			}, "UPSTREAM_ERROR"},
			"the credential in an error, compressed": {func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Encoding"] = []string{"identity", "gzip"}
				w.WriteHeader(500)
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, r.Header.Get("Authorization"))
				_ = z.Close()
			}, "UPSTREAM_INVALID_RESPONSE"},
			"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
				c, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = io.WriteString(c, "CANARY\r\n\r\n")
					_ = c.Close()
				}
			}, "UPSTREAM_UNREACHABLE"},
		} {
			answers = c.answers
			_, _, before := agent.last()
			got := b.text("POST", mcpAgent, toolsList)
			w.named(name, func(t testing.TB) {
				failure := got.failure(t, 503, "SERVICE_UNAVAILABLE")
				if failure.Details == nil || failure.Details.Reason != c.reason || got.header.Get("Location") != "" || got.header.Get("Www-Authenticate") != "" {
					t.Errorf("%+v, %v", failure, got.header)
				}
			})
			if _, _, after := agent.last(); after != before+1 {
				t.Errorf("%s: it was asked %d times", name, after-before)
			}
		}

		refusing := func() bool { // by what the source shows now
			src, err := w.directory.Source(context.Background(), customer, "harbour-direct")
			w.must(err)
			return !src.Agent.RefusedAt.IsZero()
		}
		for _, status := range []int{200, 401, 200} { // one record a minute
			w.pass(2 * time.Minute)
			answers = write(status, "application/json", "{}")
			b.text("POST", mcpAgent, toolsList)
			if refusing() != (status == 401) {
				t.Errorf("after %d: marked as refusing: %t", status, refusing())
			}
		}
		answers = write(404, "application/json", `{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}`)
		if got := b.text("POST", mcpAgent, toolsList); got.status != 404 || !strings.Contains(string(got.body), "Session not found") {
			t.Errorf("an agent's own error: %d %s", got.status, got.body)
		}
		for name, c := range map[string]struct {
			contentType, piece string
			most               int
		}{
			"a line without an end": {"text/event-stream", strings.Repeat("x", 1<<16), 9 << 20},
			"ten gigabytes":         {"application/json", strings.Repeat(" ", 1<<20), 65 << 20},
			"the credential, late":  {"text/event-stream", "data: x\n\n", 0},
		} {
			left := make(chan struct{})
			answers = func(w http.ResponseWriter, r *http.Request) {
				defer close(left)
				w.Header().Set("Content-Type", c.contentType)
				for range 10 << 30 / len(c.piece) {
					piece := c.piece
					if c.most == 0 {
						piece += r.Header.Get("Authorization")
					}
					if _, err := io.WriteString(w, piece); err != nil || http.NewResponseController(w).Flush() != nil {
						return
					}
				}
			}
			r, err := http.NewRequest("POST", "http://gateway.example"+mcpAgent, strings.NewReader(toolsList))
			w.must(err)
			r.Header.Set("Content-Type", "application/json")
			n := int64(0)
			if resp, cut := b.Do(r); cut != nil {
				err = cut
			} else {
				n, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			if err == nil || n > int64(c.most) {
				t.Errorf("%s: %d bytes came, %v", name, n, err)
			}
			<-left
		}
	})
}

// TestCardsOfAgents are asked for on the agent's host, and lead back to the gateway.
func TestCardsOfAgents(t *testing.T) {
	card, status := "", 200
	agent := &recorded{answers: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"1"`)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, card)
	}}
	servedAs(t, setup{outside: agent}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.active(a2aEdits...)
		b := w.buyer(l, readKey)
		for name, c := range map[string][2]string{
			"unsigned": {`{"url":"https://agent.harbour.example/agents/a2a","name":"x"}`, `{"url":"https://gateway.example` + a2aAgent + `","name":"x"}`},
			"signed":   {`{"url":"https://agent.harbour.example/agents/a2a", "signatures":[{}]}`, `{"url":"https://agent.harbour.example/agents/a2a", "signatures":[{}]}`},
		} {
			for _, path := range []string{"/.well-known/agent-card.json", "/.well-known/agent.json"} {
				card = c[0]
				got := b.text("GET", a2aAgent+path, "")
				r, _, _ := agent.last()
				if got.status != 200 || string(got.body) != c[1] || r.URL.Path != path || r.Header.Get("Authorization") != "Bearer "+tokenCanary {
					t.Errorf("%s at %s: %d %s, of %s", name, path, got.status, got.body, r.URL)
				}
			}
		}
		for _, text := range []string{"<html>CANARY", "[]", strings.Repeat(" ", 2<<20)} {
			card = text
			if got := b.text("GET", a2aAgent+"/.well-known/agent-card.json", "").failure(w, 503, "SERVICE_UNAVAILABLE"); got.Details.Reason != "UPSTREAM_INVALID_RESPONSE" {
				t.Errorf("%.20q: %+v", text, got)
			}
		}
		status = 401 // which says nothing of what calls are answered
		b.text("GET", a2aAgent+"/.well-known/agent-card.json", "").failure(w, 503, "SERVICE_UNAVAILABLE")
		if issues, _, _ := w.agentTold("harbour-direct"); issues != 0 {
			w.Error("a card that is refused marks its source")
		}
		w.stocked()
		b = w.buyer(l, writeKey)
		if got := b.text("GET", a2aOf+"/.well-known/agent-card.json", ""); got.status != 200 || !strings.Contains(string(got.body), `"url":"https://gateway.example/a2a/meadow-daily"`) || strings.Contains(string(got.body), "/a2a\"") {
			t.Errorf("the sales agent's: %d %s", got.status, got.body)
		}
	})
}
