package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// TestMCPOfAManagedSource with the official client, by a version with sessions and one without: lists and calls
// pass, and a tool's progress while it is still at work.
func TestMCPOfAManagedSource(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		signed := setup{agent: upstreamtest.Options{IdentityKey: "identity-key-CANARY"}}
		servedAs(t, signed, func(w *world, l *pipes, _ func(), _ <-chan error) {
			sells := w.stocked()
			told := make(chan string, 8)
			b := w.buyer(l, writeKey)
			s := b.session(mcpOf, version, told)
			if got := s.InitializeResult().ProtocolVersion; got != version || (s.ID() != "") != (version < "2026") {
				t.Errorf("version %s, session %q", got, s.ID())
			}
			tools, err := s.ListTools(context.Background(), nil)
			if err != nil || len(tools.Tools) != 4 {
				t.Errorf("tools: %v, %v", tools, err)
			}
			if made := b.call(s, "create_media_buy", `{"product_id":"meadow_daily_audio","total_budget":12.5}`); !strings.Contains(made, "pending_approval") {
				t.Errorf("a media buy: %s", made)
			}
			if own := b.call(s, "get_media_buys", `{}`); !strings.Contains(own, sells.PendingBuyID()) || strings.Contains(own, "prin_marble") {
				t.Errorf("the buyer's own: %s", own)
			}
			done := make(chan string, 1)
			go func() { done <- b.call(s, "follow_media_buy", `{"media_buy_id":"`+sells.PendingBuyID()+`"}`) }()
			if text := <-told; text != "It is pending_approval." {
				t.Errorf("told %q", text)
			}
			w.pass(4 * time.Minute)
			w.agent.SetMediaBuy(tenant, sells.PendingBuyID(), "active", "")
			if text := <-done; !strings.Contains(text, `"status":"active"`) {
				t.Errorf("at last %s", text)
			}
			w.must(s.Close())
		})
	})
}

// TestMCPAsksWhoseTheTenantIs where that is not known yet.
func TestMCPAsksWhoseTheTenantIs(t *testing.T) {
	servedAs(t, setup{}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		b := w.buyer(l, writeKey)
		w.agent.SetDown(true)
		b.text("POST", mcpOf, toolsList, "Accept", "application/json, text/event-stream").failure(w, 503, "SERVICE_UNAVAILABLE")
		w.agent.SetDown(false)
		if a := b.text("POST", mcpOf, toolsList, "Accept", "application/json, text/event-stream"); a.status != 200 || len(a.header["X-Accel-Buffering"]) != 1 {
			w.Errorf("%d %v %s", a.status, a.header, a.body)
		}
	})
}

// TestToolsAnswerOnConnections: what a tool reads, which is longer than what it says, does not hold its answer back.
func TestToolsAnswerOnConnections(t *testing.T) {
	servedAs(t, setup{}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		b := w.buyer(l, readKey)
		r, err := http.NewRequestWithContext(ctx, "POST", "http://gateway.example/mcp",
			strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"why_blocked","arguments":{"sourceId":"`+source+`"}}}`))
		w.must(err)
		r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		resp, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(text), "reasons") {
			t.Errorf("%d %v %s", resp.StatusCode, err, text)
		}
	})
}

// TestA2AOfAManagedSource passes calls and streams of both versions.
func TestA2AOfAManagedSource(t *testing.T) {
	for stream, want := range map[string]string{"message/stream": `"working"`, "SendStreamingMessage": `"TASK_STATE_WORKING"`} {
		signed := setup{agent: upstreamtest.Options{IdentityKey: "identity-key-CANARY"}}
		servedAs(t, signed, func(w *world, l *pipes, _ func(), _ <-chan error) {
			sells := w.stocked()
			b := w.buyer(l, writeKey)
			resp := b.ask("POST", a2aOf, `{"jsonrpc":"2.0","id":1,"method":"`+stream+`","params":{"message":{"parts":[{"kind":"data","data":{"skill":"follow_media_buy","parameters":{"media_buy_id":"`+sells.PendingBuyID()+`"}}}]}}}`)
			next := eventData(resp.Body)
			if first := next(); resp.StatusCode != 200 || !strings.Contains(first, want) {
				t.Errorf("%s begins %d %s", stream, resp.StatusCode, first)
			}
			for e := next(); e != "" && !strings.Contains(e, "It is pending_approval."); {
				e = next()
			}
			w.agent.SetMediaBuy(tenant, sells.PendingBuyID(), "active", "")
			all := ""
			for e := next(); e != ""; e = next() {
				all += e
			}
			if !strings.Contains(all, "artifact") {
				t.Errorf("%s ends %s", stream, all)
			}
			_ = resp.Body.Close()
		})
	}
}

// TestNobodySaysWhoTheyAre: what a client says of who it is, and of the tenant, counts nowhere, however it is spelled.
func TestNobodySaysWhoTheyAre(t *testing.T) {
	servedAs(t, setup{agent: upstreamtest.Options{Domain: "agents.example"}}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.stocked()
		w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_other", Name: "Other", ExternalOrgID: "org-other", Active: true, Stocked: true, Status: upstreamtest.Healthy()})
		const buys = `{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"parts":[{"kind":"data","data":{"skill":"get_media_buys","parameters":{}}}]}}}`
		honest := string(w.buyer(l, writeKey).text("POST", a2aOf, buys).body)
		if !strings.Contains(honest, "prin_pelican") {
			t.Fatalf("the buyer's own: %s", honest)
		}
		for _, forged := range [][2]string{
			{"X-Principal-Id", "prin_marble"}, {"X_principal_id", "prin_marble"}, {"X-Principal_id", "prin_marble"}, {"x-principal-id", "prin_marble"},
			{"X-Identity-Org-Id", "org-other"}, {"X_identity_org_id", "org-other"}, {"X-Identity-Role", "viewer"}, {"X_identity_role", "viewer"},
			{"X-Adcp-Tenant", "tnt_other"}, {"X_adcp_tenant", "tnt_other"}, {"Apx-Incoming-Host", "other.agents.example"},
			{"X-Adcp-Auth", "token"}, {"X_adcp_auth", "token"}, {"X-Scope3-Api-Key", "another"}, {upstreamtest.KeyHeader, agentKey},
			{"Connection", "X-Principal-Id, X-Identity-Role, X-Adcp-Tenant"}, {"X-Forwarded-Host", "other.agents.example"},
		} {
			got := w.buyer(l, writeKey, forged[0], forged[1]).text("POST", a2aOf, buys)
			if got.status != 200 || strings.Contains(string(got.body), "prin_marble") || !strings.Contains(string(got.body), "prin_pelican") {
				t.Errorf("with %s: %s came %d %s", forged[0], forged[1], got.status, got.body)
			}
		}
	})
}

// TestWhoMayCall: access, customers, principals and states, and what a request must be.
func TestWhoMayCall(t *testing.T) {
	servedAs(t, setup{outside: &recorded{answers: nil}}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.stocked()
		w.create() // which is not active
		call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{}}}`
		for name, c := range map[string]struct {
			key, method, path, body string
			pairs                   []string
			status                  int
			code                    string
		}{
			"no key":                     {"", "POST", mcpOf, toolsList, nil, 401, "UNAUTHORIZED"},
			"another customer":           {otherKey, "POST", mcpOf, toolsList, nil, 404, "NOT_FOUND"},
			"a read-only key":            {readKey, "POST", mcpOf, call, nil, 403, "FORBIDDEN"},
			"a read-only key of A2A":     {readKey, "POST", a2aOf, `{"method":"message/send"}`, nil, 403, "FORBIDDEN"},
			"one in the spelling of 1.0": {readKey, "POST", a2aOf, `{"method":"SendMessage"}`, nil, 403, "FORBIDDEN"},
			"a header that says less":    {readKey, "POST", mcpOf, call, []string{"Mcp-Method", "tools/list"}, 400, "BAD_REQUEST"},
			"a batch":                    {readKey, "POST", mcpOf, "[" + toolsList + "]", nil, 400, "BAD_REQUEST"},
			"an operator for nobody":     {deskKey, "POST", mcpOf, toolsList, nil, 400, "VALIDATION_ERROR"},
			"without a principal":        {deskKey, "POST", mcpOf, toolsList, []string{"Esagate-Customer", "4711"}, 403, "FORBIDDEN"},
			"not set up":                 {writeKey, "POST", "/mcp/" + unplanned, toolsList, nil, 409, "CONFLICT"},
			"an agent that is not on":    {writeKey, "POST", mcpAgent, toolsList, nil, 409, "CONFLICT"},
			"an agent of MCP by A2A":     {writeKey, "POST", a2aAgent, toolsList, nil, 404, "NOT_FOUND"},
			"its card":                   {writeKey, "GET", a2aAgent + "/.well-known/agent-card.json", "", nil, 404, "NOT_FOUND"},
			"no such source":             {writeKey, "POST", "/mcp/none", toolsList, nil, 404, "NOT_FOUND"},
			"no id":                      {writeKey, "POST", "/mcp/%2e%2e", toolsList, nil, 400, "VALIDATION_ERROR"},
			"an id with a slash":         {writeKey, "POST", "/mcp/x%2Ftenant%2Ftnt_other", toolsList, nil, 400, "VALIDATION_ERROR"},
			"a path below":               {writeKey, "POST", mcpOf + "/tenant/tnt_other", toolsList, nil, 404, "NOT_FOUND"},
			"a slash at the end":         {writeKey, "POST", mcpOf + "/", toolsList, nil, 404, "NOT_FOUND"},
			"a query":                    {writeKey, "POST", mcpOf + "?tenant=tnt_other", toolsList, nil, 400, "VALIDATION_ERROR"},
			"another method":             {writeKey, "PUT", mcpOf, toolsList, nil, 405, "METHOD_NOT_ALLOWED"},
			"a GET of A2A":               {writeKey, "GET", a2aOf, "", nil, 405, "METHOD_NOT_ALLOWED"},
			"a body of a GET":            {writeKey, "GET", mcpOf, toolsList, nil, 400, "BAD_REQUEST"},
			"a body of a DELETE":         {writeKey, "DELETE", mcpOf, toolsList, nil, 400, "BAD_REQUEST"},
			"another type":               {writeKey, "POST", mcpOf, toolsList, []string{"Content-Type", "text/plain"}, 415, "BAD_REQUEST"},
			"a compressed body":          {writeKey, "POST", mcpOf, toolsList, []string{"Content-Encoding", "gzip"}, 415, "BAD_REQUEST"},
		} {
			got := w.buyer(l, c.key, c.pairs...).text(c.method, c.path, c.body)
			w.named(name, func(t testing.TB) { got.failure(t, c.status, c.code) })
		}
		reader := w.buyer(l, readKey)
		for body, path := range map[string]string{toolsList: mcpOf, `{"jsonrpc":"2.0","id":1,"method":"tasks/list","params":{}}`: a2aOf} {
			if got := reader.text("POST", path, body, "Mcp-Protocol-Version", "2026-07-28", "Accept", "application/json, text/event-stream"); got.status != 200 && got.status != 400 {
				t.Errorf("a read-only key reads %s: %d %s", path, got.status, got.body)
			}
		}
		w.write("POST", esaPath+"/"+w.connectionID(esaOf)+"/deactivate", "")
		if got := w.buyer(l, writeKey).text("POST", mcpOf, toolsList).failure(w, 409, "CONFLICT"); got.Details.Reason != "SOURCE_DEACTIVATED" {
			t.Errorf("deactivated: %+v", got)
		}
	})
}

// TestRulesOfCalls: what a rule does not let through does not reach the agent, whatever the header says of it.
func TestRulesOfCalls(t *testing.T) {
	rules := setup{allow: []string{"tools/*", "message/send"}, deny: []string{"tools/call:create_*"}}
	servedAs(t, rules, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.stocked()
		b := w.buyer(l, writeKey)
		s := b.session(mcpOf, "2026-07-28", nil)
		if got := b.call(s, "get_products", `{}`); !strings.Contains(got, "products") {
			t.Errorf("an allowed tool: %s", got)
		}
		calls := w.agent.Calls("")
		const create = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_media_buy","arguments":{"product_id":"meadow_daily_audio","total_budget":1}}}`
		for name, c := range map[string]struct {
			path, body string
			pairs      []string
			status     int
		}{
			"a denied tool":                     {mcpOf, create, nil, 403},
			"another in the header":             {mcpOf, create, []string{"Mcp-Method", "tools/call", "Mcp-Name", "get_products"}, 400},
			"another method there":              {mcpOf, create, []string{"Mcp-Method", "tools/list"}, 400},
			"two":                               {mcpOf, create, []string{"Mcp-Name", "get_products", "Mcp-Name", "create_media_buy"}, 400},
			"a second method in another case":   {mcpOf, `{"method":"tools/list","Method":"tools/call","params":{"name":"create_media_buy"}}`, nil, 400},
			"a method that is not allowed":      {mcpOf, `{"method":"prompts/list"}`, nil, 403},
			"one of A2A":                        {a2aOf, `{"method":"message/stream"}`, nil, 403},
			"the same in the spelling of 1.0":   {a2aOf, `{"method":"SendStreamingMessage"}`, nil, 403},
			"a body that is too large to judge": {mcpOf, `{"method":"tools/list","x":"` + strings.Repeat("x", 1<<20) + `"}`, []string{"Expect", "100-continue"}, 413},
		} {
			if got := b.text("POST", c.path, c.body, c.pairs...); got.status != c.status {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
		if now := w.agent.Calls(""); now != calls {
			t.Errorf("%d calls reached the sales agent", now-calls)
		}
		w.must(s.Close())
	})
}

// TestConnectionsNameTheGatewaysOwnAddresses where the operator wants it so, whatever the sales agent gave.
func TestConnectionsNameTheGatewaysOwnAddresses(t *testing.T) {
	inWorld(t, setup{named: true}, func(w *world) {
		own := w.get(esaOf)
		c := w.connection(own, 200)
		if *c.MCPURL != "https://gateway.example/mcp/"+source || *c.A2AURL != "https://gateway.example/a2a/"+source {
			w.Errorf("addresses of a connection: %s, %s", *c.MCPURL, *c.A2AURL)
		}
		for _, listed := range *decode[[]connection](w, w.get(esaPath), 200) {
			if listed.TenantID == nil && (listed.MCPURL != nil || listed.A2AURL != nil) {
				w.Errorf("a connection without a tenant has addresses: %+v", listed)
			}
		}
		// What a GET shows is what a precondition is about.
		if got := w.write("POST", esaPath+"/"+c.ID+"/deactivate", "", "If-Match", own.header.Get("Etag")); got.status != 200 {
			w.Errorf("a write on the state that was read: %d %s", got.status, got.body)
		} else if off := w.connection(got, 200); *off.MCPURL != *c.MCPURL {
			w.Errorf("the address after a write: %s", *off.MCPURL)
		}
	})
}
