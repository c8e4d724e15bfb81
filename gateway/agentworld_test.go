package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"esagate/internal/outbound"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

const (
	mcpOf     = "/mcp/" + source
	a2aOf     = "/a2a/" + source
	mcpAgent  = "/mcp/harbour-direct" // of the AGENT source that world.create makes
	a2aAgent  = "/a2a/harbour-direct"
	toolsList = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
)

// reasoned is a transport whose errors have nothing that the other side sent, as the guarded one has it.
type reasoned struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t reasoned) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	return resp, outbound.Reason(err)
}

// liveAgents serves agents over connections in memory, so that their answers come as they are written.
func liveAgents(h http.Handler) (_ http.RoundTripper, stop func()) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), faults: make(chan error)}
	dial := func(context.Context, string, string) (net.Conn, error) { return l.dial(), nil }
	transport := &http.Transport{DialContext: dial, DialTLSContext: dial, DisableCompression: true}
	if h == nil {
		return reasoned{transport}, transport.CloseIdleConnections
	}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	return reasoned{transport}, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
	}
}

// buyer asks the gateway over connections in memory, with a key.
type buyer struct {
	*world
	http.Client
	key  string
	add  http.Header // to each request
	line *pipes
}

func (w *world) buyer(l *pipes, key string, pairs ...string) *buyer {
	b := &buyer{world: w, key: key, add: http.Header{}, line: l}
	for i := 0; i+1 < len(pairs); i += 2 {
		b.add[pairs[i]] = append(b.add[pairs[i]], pairs[i+1])
	}
	b.Client.Transport = b
	return b
}

// RoundTrip implements http.RoundTripper, over a connection of its own.
func (b *buyer) RoundTrip(r *http.Request) (*http.Response, error) {
	l := b.line
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true, ExpectContinueTimeout: time.Hour, DialContext: func(context.Context, string, string) (net.Conn, error) { return l.dial(), nil }}
	r = r.Clone(r.Context())
	r.Header["Authorization"] = []string{"Bearer " + b.key}
	for name, values := range b.add {
		r.Header[name] = values
	}
	return t.RoundTrip(r)
}

// session opens a session of MCP with the SDK's client.
func (b *buyer) session(path, version string, told chan<- string) *mcp.ClientSession {
	b.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "buyer", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) { told <- req.Params.Message },
	})
	s, err := client.Connect(context.Background(), &mcp.StreamableClientTransport{
		Endpoint: "http://gateway.example" + path, HTTPClient: &b.Client, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	b.must(err)
	return s
}

// call calls a tool and gives the text of its answer.
func (b *buyer) call(s *mcp.ClientSession, tool, arguments string) string {
	b.Helper()
	params := &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)}
	params.SetProgressToken("p1")
	res, err := s.CallTool(context.Background(), params)
	if err != nil {
		b.Fatalf("%s: %v", tool, err)
	}
	return res.Content[0].(*mcp.TextContent).Text
}

// ask sends a request and gives its answer, which is not read yet.
func (b *buyer) ask(method, path, body string, pairs ...string) *http.Response {
	b.Helper()
	r, err := http.NewRequest(method, "http://gateway.example"+path, strings.NewReader(body))
	b.must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header[pairs[i]] = append(r.Header[pairs[i]], pairs[i+1])
	}
	resp, err := b.Do(r)
	b.must(err)
	return resp
}

// text sends a request and reads its answer.
func (b *buyer) text(method, path, body string, pairs ...string) answer {
	b.Helper()
	resp := b.ask(method, path, body, pairs...)
	text, err := io.ReadAll(resp.Body)
	b.must(err)
	_ = resp.Body.Close()
	b.must(resp.Header.Write(&b.seen))
	_, _ = b.seen.Write(text)
	return answer{status: resp.StatusCode, header: resp.Header, body: text}
}

// eventData reads the data of a stream's events, one a call; "" at its end.
func eventData(r io.Reader) func() string {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	return func() string {
		for lines.Scan() {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return data
			}
		}
		return ""
	}
}

// stocked has something to sell at the tenant of source, and has the registry know its organization.
func (w *world) stocked() upstreamtest.Tenant {
	w.Helper()
	t := upstreamtest.Tenant{ID: tenant, Name: "Meadow Daily", ExternalOrgID: "org-meadow", Active: true, Stocked: true,
		AdServer: upstreamtest.AdServer{Type: "google_ad_manager", NetworkCode: "90817263", Configured: true}, Status: upstreamtest.Healthy()}
	w.agent.SetTenant(t)
	src, err := w.directory.ManagedSource(context.Background(), customer, source)
	w.must(err)
	_, err = w.directory.ChangeConnection(context.Background(), customer, src.Connection.ID, func(s *registry.Source) (*registry.Connection, error) {
		c := *s.Connection
		c.ExternalOrgID = "org-meadow"
		return &c, nil
	})
	w.must(err)
	return t
}

// recorded is an agent that keeps what it is asked, and answers by a function.
type recorded struct {
	mu      sync.Mutex
	asked   []*http.Request
	bodies  []string
	answers func(w http.ResponseWriter, r *http.Request)
}

// ServeHTTP implements http.Handler.
func (a *recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.asked, a.bodies = append(a.asked, r), append(a.bodies, string(body))
	a.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.answers(w, r)
}

// last gives the last request and its body, and how many there were.
func (a *recorded) last() (*http.Request, string, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.asked)
	if n == 0 {
		return nil, "", 0
	}
	return a.asked[n-1], a.bodies[n-1], n
}

// eachVersion runs a test with both versions of MCP.
func eachVersion(t *testing.T, f func(t *testing.T, version string)) {
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		t.Run(version, func(t *testing.T) { f(t, version) })
	}
}
