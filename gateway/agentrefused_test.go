package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tokenAgent is an agent behind OAuth: the official server, asked with tokens that are good for an hour.
type tokenAgent struct {
	lagoon
	mcp http.Handler

	mu      sync.Mutex
	expires map[string]time.Time // by access token
	deaf    bool                 // no token is good
}

func (a *tokenAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	good := time.Now().Before(a.expires[token]) && !a.deaf
	next := fmt.Sprintf("at-CANARY-%d", len(a.expires)+1)
	switch {
	case r.URL.Path == "/token" && r.FormValue("grant_type") == "refresh_token":
		a.expires[next] = time.Now().Add(time.Hour)
		a.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": next, "token_type": "Bearer", "expires_in": 3600})
		return
	case r.URL.Path == "/token":
		a.expires[next] = time.Now().Add(time.Hour)
	}
	a.mu.Unlock()
	if good && r.URL.Path == "/mcp" {
		a.mcp.ServeHTTP(w, r)
		return
	}
	a.lagoon.ServeHTTP(w, r)
}

// TestTokenExpiresInAStream: the stream goes on, and the next call comes with a new token.
func TestTokenExpiresInAStream(t *testing.T) {
	const version = "2026-07-28"
	var next chan struct{} // of the test's bubble
	server := mcp.NewServer(&mcp.Implementation{Name: "lagoon", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "sell"}, func(ctx context.Context, req *mcp.CallToolRequest, in struct{ Rounds int }) (*mcp.CallToolResult, any, error) {
		for i := range in.Rounds {
			_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: req.Params.GetProgressToken(), Message: "told", Progress: float64(i)})
			<-next
		}
		token := req.Extra.Header.Get("Authorization")
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "token " + token[len(token)-1:]}}}, nil, nil
	})
	agent := &tokenAgent{lagoon: lagoon{challenges: map[string]string{}}, expires: map[string]time.Time{},
		mcp: mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true})}
	servedAs(t, setup{outside: agent}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		next = make(chan struct{})
		made := readSource(t, w.write("POST", sourcesPath, agentBody(oauthBody...)), 201)
		w.browse(agent.consent(t, made.OAuth.AuthorizationURL))
		readSource(t, w.write("PUT", sourcesPath+"/lagoon-audio", `{"status":"ACTIVE"}`), 200)
		told := make(chan string)
		b := w.buyer(l, writeKey)
		s := b.session("/mcp/lagoon-audio", version, told)
		done := make(chan string, 1)
		go func() { done <- b.call(s, "sell", `{"Rounds":20}`) }()
		for range 20 { // 80 minutes in all
			<-told
			w.pass(4 * time.Minute)
			next <- struct{}{}
		}
		if got := <-done; got != "token 1" {
			t.Errorf("the stream ended with %q", got)
		}
		if got := b.call(s, "sell", `{"Rounds":0}`); got != "token 2" {
			t.Errorf("the next call came with %q", got)
		}
		w.must(s.Close())
		if n := len(agent.expires); n != 2 {
			t.Errorf("%d tokens were given out", n)
		}
	})
}

// agentTold is what the gateway tells of the agent of a source: the overview, the audit and the source itself.
func (w *world) agentTold(sourceID string) (issues int, headline string, audit []string) {
	w.Helper()
	o := decode[struct {
		Headline    string
		AgentIssues []struct{ SourceID, Code, Message, Since string }
	}](w, w.get(overviewPath), 200)
	for _, issue := range o.AgentIssues {
		if issue.SourceID == sourceID && issue.Code == "AGENT_UNAUTHORIZED" && issue.Since != "" {
			issues++
		}
	}
	page := decode[struct {
		Entries []struct {
			Actor, Operation, Outcome string
			Status, Count             int
		}
	}](w, w.do("GET", "/api/v2/storefront/audit?sourceId="+sourceID, "Authorization", "Bearer "+writeKey), 200)
	for _, e := range page.Entries {
		if e.Actor == "agent" {
			audit = append(audit, fmt.Sprintf("%s %s %d ×%d", e.Operation, e.Outcome, e.Status, e.Count))
		}
	}
	return issues, o.Headline, audit
}

// TestAnAgentThatRefuses its credentials is told of until it accepts them again, and the caller gets no 401.
func TestAnAgentThatRefuses(t *testing.T) {
	status := 401
	agent := &recorded{answers: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="CANARY"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
	}}
	servedAs(t, setup{outside: agent}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.active()
		b := w.buyer(l, readKey)
		ask := func(want int) {
			t.Helper()
			got := b.text("POST", mcpAgent, toolsList)
			if got.status != want || want == 503 && !strings.Contains(string(got.body), `"reason":"AGENT_UNAUTHORIZED"`) {
				t.Errorf("%d %s; want %d", got.status, got.body, want)
			}
		}
		told := func(issues int, headline string, audit ...string) {
			t.Helper()
			n, head, entries := w.agentTold("harbour-direct")
			if n != issues || !strings.HasSuffix(head, headline) || strings.Join(entries, "; ") != strings.Join(audit, "; ") {
				t.Errorf("%d issues, %q, %q; want %d, %q, %q", n, head, entries, issues, headline, audit)
			}
			if !strings.Contains(string(w.get(sourcesPath+"/harbour-direct").body), `"authConfigured":true`) {
				t.Error("the credentials are gone")
			}
		}
		status = 403 // of this call, and not of the credentials
		ask(503)
		told(0, ".")
		status = 401
		ask(503)
		refused := "agentRefusedCredentials refused 401 ×1"
		told(1, "; 1 agent refuses its credentials.", refused)
		ask(503)
		w.pass(2 * time.Minute)
		ask(503)
		told(1, "; 1 agent refuses its credentials.", refused)
		status = 500 // says nothing of credentials
		ask(500)
		told(1, "; 1 agent refuses its credentials.", refused)
		status = 200
		ask(200)
		told(0, ".", "agentAcceptedCredentials succeeded 200 ×1", refused)
		status = 401
		ask(503) // within a minute of the last record
		told(0, ".", "agentAcceptedCredentials succeeded 200 ×1", refused)
		w.pass(time.Minute)
		ask(503)
		folded := "agentRefusedCredentials refused 401 ×2" // within the hour
		told(1, "; 1 agent refuses its credentials.", "agentAcceptedCredentials succeeded 200 ×1", folded)
		w.write("PUT", sourcesPath+"/harbour-direct", `{"auth":{"type":"bearer","token":"another-`+tokenCanary+`"}}`)
		told(0, ".", "agentAcceptedCredentials succeeded 200 ×1", folded)
		if wall := w.get(overviewPath); strings.Contains(string(wall.body), "CANARY") {
			t.Error("the agent's words are shown")
		}
	})
}
