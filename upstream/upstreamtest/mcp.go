package upstreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The first version of MCP that has no sessions.
const withoutSessions = "2026-07-28"

// Bounds of sessions of MCP.
const (
	sessionsKept = 256
	sessionIdle  = 10 * time.Minute
)

// buyersAgent is the part of the agent that speaks with buyers.
type buyersAgent struct {
	mcp       *mcp.Server
	stateless http.Handler // for versions without sessions
	stateful  http.Handler // for those before
	tasks     tasks
}

// open makes what the agent speaks with buyers by.
func (b *buyersAgent) open(a *Agent) {
	b.tasks.begin()
	b.mcp = mcp.NewServer(&mcp.Implementation{Name: "simulated-sales-agent", Version: "1"}, nil)
	for _, s := range skills {
		b.mcp.AddTool(&mcp.Tool{
			Name: s.name, Description: s.tells, InputSchema: json.RawMessage(s.input), Annotations: &mcp.ToolAnnotations{ReadOnlyHint: s.reads},
		}, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return a.callTool(ctx, s, req)
		})
	}
	server := func(*http.Request) *mcp.Server { return b.mcp }
	b.stateless = mcp.NewStreamableHTTPHandler(server, &mcp.StreamableHTTPOptions{
		Stateless: true, PropagateRequestCancellation: true, DisableLocalhostProtection: true, // tenants have hosts of their own
	})
	b.stateful = mcp.NewStreamableHTTPHandler(server, &mcp.StreamableHTTPOptions{SessionTimeout: sessionIdle, DisableLocalhostProtection: true})
}

// end ends all that is under way for buyers, and forgets it.
func (b *buyersAgent) end() {
	b.tasks.ended()
	for s := range b.mcp.Sessions() {
		_ = s.Close()
	}
}

// speakMCP answers a buyer's request of MCP. Without the slash at its end the path is another, as of the real one.
func (a *Agent) speakMCP(r *http.Request, c call, l conn) answer {
	if r.URL.Path == "/mcp" {
		return answer{status: http.StatusTemporaryRedirect, contentType: contentHTML, header: http.Header{"Location": {"http://" + r.Host + "/mcp/"}}}
	}
	who, refused := a.admit(r)
	if refused.status != 0 {
		return refused
	}
	b := &a.buyers
	handler := b.stateful
	var req struct {
		Method string `json:"method"`
	}
	_ = json.Unmarshal(c.body, &req) // what can't be read begins no session
	switch begins := req.Method == "initialize"; {
	case r.Header.Get("Mcp-Protocol-Version") >= withoutSessions,
		r.Method == http.MethodPost && !begins && r.Header.Get("Mcp-Session-Id") == "": // by hand: there is no need of a session
		handler = b.stateless
	case begins && b.full():
		return errorAlone(http.StatusServiceUnavailable, "too_many_sessions")
	}
	return answer{status: http.StatusOK, stream: func(w http.ResponseWriter) {
		ctx, done := l.context(r.Context())
		defer done()
		r := r.Clone(ctx)
		r.Body = io.NopCloser(bytes.NewReader(c.body))
		// All that tools see of a request is its header.
		r.Header.Set(tenantHeader, who.tenant)
		r.Header.Set("X-Principal-Id", who.principal)
		handler.ServeHTTP(w, r)
	}}
}

// full reports whether there is no room for another session.
func (b *buyersAgent) full() bool {
	n := 0
	for range b.mcp.Sessions() {
		n++
	}
	return n >= sessionsKept
}

// callTool has a skill do what a call of its tool wants.
func (a *Agent) callTool(ctx context.Context, s skill, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	ctx, done := a.buyers.tasks.until(ctx)
	defer done()
	who := buyer{req.Extra.Header.Get(tenantHeader), req.Extra.Header.Get("X-Principal-Id")}
	told := 0.0
	tell := func(text string) {
		if token := req.Params.GetProgressToken(); token != nil {
			told++
			_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Message: text, Progress: told})
		}
	}
	var in skillInput
	err := errInput
	var doc json.RawMessage
	if len(req.Params.Arguments) == 0 || json.Unmarshal(req.Params.Arguments, &in) == nil {
		doc, err = s.does(a, ctx, who, in, tell)
	}
	if err != nil {
		return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: err.Error()}}}, nil
	}
	return &mcp.CallToolResult{StructuredContent: doc, Content: []mcp.Content{&mcp.TextContent{Text: string(doc)}}}, nil
}
