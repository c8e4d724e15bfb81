package upstreamtest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	ut "esagate/upstream/upstreamtest"
)

// buyers is a door for a buyer of tnt_a.
func buyers(more ...string) http.Header {
	return admission(append([]string{"X-Principal-Id", "prin_pelican", "X-Adcp-Tenant", "tnt_a"}, more...)...)
}

// session opens a session of MCP, by a version of it.
func session(t *testing.T, d *door, version string, progress chan<- string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "buyer", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) { progress <- req.Params.Message },
	})
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: d.at + "/mcp/", HTTPClient: d.Client, MaxRetries: -1, DisableStandaloneSSE: true,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// toolCall is a call of a tool, by somebody who wants to be told how it goes on.
func toolCall(tool, arguments string) *mcp.CallToolParams {
	params := &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)}
	params.SetProgressToken("p1")
	return params
}

// call calls a tool.
func call(t *testing.T, s *mcp.ClientSession, tool, arguments string) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), toolCall(tool, arguments))
	must(t, err)
	return res.Content[0].(*mcp.TextContent).Text
}

func TestMCP(t *testing.T) {
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, ut.Options{}, ut.Healthy())
			tenant := gam("tnt_a", ut.Healthy())
			tenant.Stocked = true
			w.SetTenant(tenant)
			d := newDoor(t, w, buyers())
			told := make(chan string, 8)
			s := session(t, d, version, told)
			if got := s.InitializeResult().ProtocolVersion; got != version {
				t.Fatalf("speaks %s", got)
			}
			if kept := s.ID() != ""; kept != (version < "2026") {
				t.Errorf("session %q", s.ID())
			}
			tools, err := s.ListTools(t.Context(), nil)
			must(t, err)
			if len(tools.Tools) != 4 || !tools.Tools[1].Annotations.ReadOnlyHint && tools.Tools[1].Name == "follow_media_buy" {
				t.Errorf("tools %+v", tools.Tools)
			}
			has(t, call(t, s, "get_products", `{"brief":"anything"}`), `"product_id":"name_of_tnt_a_front"`, `"channels":["display"]`)
			has(t, call(t, s, "create_media_buy", `{"product_id":"name_of_tnt_a_audio","total_budget":12.5}`), "pending_approval")
			has(t, w.want(200, "GET", "/tenants/tnt_a/media-buys?status=pending_approval", ""), `"total_budget":"12.50"`, `"count":2`)
			has(t, call(t, s, "get_media_buys", `{}`), "prin_pelican", tenant.PendingBuyID())
			has(t, call(t, s, "create_media_buy", `{"product_id":"none","total_budget":1}`), "no such product")
			has(t, call(t, s, "get_products", `{"brief":7}`), "can't be read")
			done := make(chan string, 1)
			go func() { done <- call(t, s, "follow_media_buy", `{"media_buy_id":"`+tenant.PendingBuyID()+`"}`) }()
			if text := <-told; text != "It is pending_approval." {
				t.Errorf("told %q", text)
			}
			w.SetMediaBuy("tnt_a", tenant.PendingBuyID(), "active", "")
			has(t, <-done, `"status":"active"`)
			w.Restart()
			if _, err := s.ListTools(t.Context(), nil); (err != nil) != (version < "2026") {
				t.Errorf("after a restart: %v", err)
			}
		})
	}
}

func TestBuyersAreLookedAt(t *testing.T) {
	w := newWorld(t, ut.Options{Domain: "agents.example"}, ut.Healthy())
	has(t, w.want(201, "POST", "/tenants/provision", provisionBody("7", gamBody)), ".agents.example/mcp/")
	d := newDoor(t, w, nil)
	for i, c := range []struct {
		header http.Header
		path   string
		status int
		says   string
	}{
		{buyers(), "/a2a", 200, "-32601"},
		{buyers("X-Principal-Id", ""), "/a2a", 401, "principal_required"},
		{buyers("X-Principal-Id", "prin_none"), "/a2a", 401, "principal_not_found"},
		{buyers("X-Identity-Email", ""), "/a2a", 403, "identity_required"},
		{buyers("X-Identity-Org-Id", "org-tnt_b"), "/mcp/", 403, "identity_org_mismatch"},
		{buyers("X-Adcp-Tenant", "tnt_none"), "/mcp/", 404, "tenant_not_found"},
		{buyers("Authorization", "Bearer abc"), "/a2a", 401, "abc"},
		{buyers("X-Adcp-Auth", "abc"), "/mcp/", 401, "abc"},
		{buyers("Apx-Incoming-Host", subdomain(t, w)+".agents.example"), "/a2a", 403, "identity_org_mismatch"},
		{buyers(), "/mcp", 307, ""},
		{buyers(ut.KeyHeader, key), "/a2a", 500, "no place here"},
	} {
		d.header = c.header
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.at+c.path, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"x"}`))
		must(t, err)
		res, err := d.Do(r)
		must(t, err)
		text, err := bufio.NewReader(res.Body).ReadString('\n')
		if res.Body.Close(); res.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%d: %d %s, %v", i, res.StatusCode, text, err)
		}
	}
	w.SetActive("tnt_a", false)
	d.header = buyers()
	if res, text := d.ask(t, "POST", "/a2a", nil); res.StatusCode != 403 || !strings.Contains(text, "tenant_inactive") {
		t.Errorf("deactivated: %d %s", res.StatusCode, text)
	}
}

// subdomain gives that of the one tenant that has one.
func subdomain(t *testing.T, w *world) string {
	t.Helper()
	list := w.want(200, "GET", "/tenants", "")
	_, rest, _ := strings.Cut(list, `"subdomain":"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

func TestCards(t *testing.T) {
	w := newWorld(t, ut.Options{PublicURL: "https://agent.example"}, ut.Healthy())
	d := newDoor(t, w, http.Header{"X-Adcp-Tenant": {"tnt_a"}})
	for _, path := range []string{"/.well-known/agent-card.json", "/.well-known/agent.json"} {
		_, card := d.ask(t, "GET", path, nil)
		has(t, card, `"url":"https://agent.example/a2a"`, `"streaming":true`, `"id":"get_products"`)
		if strings.Contains(card, "signatures") {
			t.Error("it is signed")
		}
	}
	w.SetTenant(gam("tnt_a", ut.NewerBuild()))
	_, card := d.ask(t, "GET", "/.well-known/agent-card.json", nil)
	has(t, card, `"signatures":[`)
	d.header.Set("X-Adcp-Tenant", "tnt_none")
	if res, _ := d.ask(t, "GET", "/.well-known/agent.json", nil); res.StatusCode != 404 {
		t.Errorf("no tenant: %d", res.StatusCode)
	}
}

// TestToolCallAlone: clients without a session have their calls answered by versions that know sessions too.
func TestToolCallAlone(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	d := newDoor(t, w, buyers("Content-Type", "application/json", "Accept", "application/json, text/event-stream"))
	ask := func() (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.at+"/mcp/", strings.NewReader(
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{}}}`))
		must(t, err)
		res, err := d.Do(r)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(text)
	}
	if status, text := ask(); status != 200 || !strings.Contains(text, `"structuredContent":{"products":[]}`) {
		t.Errorf("%d %s", status, text)
	}
	w.Script("tnt_a", ut.Fault{Only: ut.RouteA2A, Status: 502}, ut.Fault{Only: ut.RouteMCP, Status: 503})
	if status, _ := ask(); status != 503 {
		t.Errorf("with a fault: %d", status)
	}
	w.SetDown(true)
	if status, text := ask(); status != 0 {
		t.Errorf("down: %d %s", status, text)
	}
}
