package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// lagoon is an agent that wants OAuth, and its authorization server. Package agentauth
// tests other agents and servers.
type lagoon struct {
	challenges map[string]string // by code, of the consents given
	away       bool
	asked      []string
	bent       map[string]func(w http.ResponseWriter) // what is answered instead, by path
}

const lagoonCode = "code-CANARY-81c2"

func (l *lagoon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.asked = append(l.asked, r.Method+" "+r.Host+r.URL.Path)
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	bent := l.bent[r.URL.Path]
	switch {
	case l.away:
		w.WriteHeader(http.StatusBadGateway)
	case bent != nil:
		bent(w)
	case r.Host == "agent.lagoon.example" && r.URL.Path == "/mcp":
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="https://agent.lagoon.example/.well-known/oauth-protected-resource/mcp"`)
		w.WriteHeader(http.StatusUnauthorized)
	case r.Host == "agent.lagoon.example" && r.URL.Path == "/.well-known/oauth-protected-resource/mcp":
		answer(200, map[string]any{"resource": "https://agent.lagoon.example/mcp", "authorization_servers": []string{"https://login.lagoon.example"}})
	case r.Host == "login.lagoon.example" && r.URL.Path == "/.well-known/oauth-authorization-server":
		answer(200, map[string]any{
			"issuer": "https://login.lagoon.example", "authorization_endpoint": "https://login.lagoon.example/authorize",
			"token_endpoint": "https://login.lagoon.example/token", "registration_endpoint": "https://login.lagoon.example/register",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"none"}, "grant_types_supported": []string{"authorization_code", "refresh_token"},
		})
	case r.Host == "login.lagoon.example" && r.URL.Path == "/register" && r.Method == "POST":
		answer(201, map[string]any{"client_id": "esagate-at-lagoon", "redirect_uris": []string{"https://gateway.example/oauth/callback"}, "token_endpoint_auth_method": "none"})
	case r.Host == "login.lagoon.example" && r.URL.Path == "/token" && r.Method == "POST":
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if l.challenges[r.FormValue("code")] != base64.RawURLEncoding.EncodeToString(sum[:]) {
			answer(400, map[string]any{"error": "invalid_grant", "error_description": "CANARY"})
			return
		}
		answer(200, map[string]any{"access_token": "at-CANARY-1", "refresh_token": "rt-CANARY-1", "token_type": "Bearer", "expires_in": 3600})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// consent plays the browser: it follows the address to the server, consents, and
// returns the query that the server sends it back with.
func (l *lagoon) consent(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	want := map[string]string{
		"response_type": "code", "client_id": "esagate-at-lagoon", "redirect_uri": "https://gateway.example/oauth/callback",
		"code_challenge_method": "S256", "resource": "https://agent.lagoon.example/mcp",
	}
	for name, value := range want {
		if q.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, q.Get(name), value)
		}
	}
	if u.Host != "login.lagoon.example" || u.Path != "/authorize" || len(q.Get("state")) < 40 {
		t.Errorf("the address is %s", address)
	}
	l.challenges[lagoonCode] = q.Get("code_challenge")
	return url.Values{"state": {q.Get("state")}, "code": {lagoonCode}}
}

// browse requests the callback as a browser does.
func (w *world) browse(query url.Values) answer {
	w.Helper()
	return w.do("GET", "/oauth/callback?"+query.Encode(), "Accept", "text/html,application/xhtml+xml;q=0.9")
}

var oauthBody = []string{"name", `"Lagoon Audio"`, "endpointUrl", `"https://agent.lagoon.example/mcp"`, "authenticationType", `"OAUTH"`, "auth", ""}

func TestAConsentConnectsAnAgent(t *testing.T) {
	l := &lagoon{challenges: map[string]string{}}
	inWorld(t, setup{outside: l}, func(w *world) {
		made := readSource(t, w.write("POST", sourcesPath, agentBody(oauthBody...), "Idempotency-Key", "k1"), 201)
		asked := len(l.asked)
		again := readSource(t, w.write("POST", sourcesPath, agentBody(oauthBody...), "Idempotency-Key", "k1"), 201)
		if again.OAuth == nil || made.OAuth == nil || *again.OAuth != *made.OAuth || len(l.asked) != asked {
			t.Fatalf("a repetition: %+v after %+v, asking %q", again, made, l.asked[asked:])
		}
		if made.AuthConfigured || made.Status != "PENDING" || made.OAuth.AgentID != made.AgentID || made.OAuth.AgentName != "Lagoon Audio" {
			t.Fatalf("%+v", made)
		}
		path := sourcesPath + "/lagoon-audio"
		if s := readSource(t, w.get(path), 200); s.OAuth != nil {
			t.Error("a read gives the consent out again")
		}
		w.write("PUT", path, `{"status":"ACTIVE"}`).failure(t, 409, "CONFLICT")
		back := l.consent(t, made.OAuth.AuthorizationURL)

		if head := w.do("HEAD", "/oauth/callback?"+back.Encode()); head.status != 200 {
			t.Errorf("HEAD: %d", head.status)
		}
		if page := w.get("/metrics"); !strings.Contains(string(page.body), `http_request_method="HEAD",http_response_status_code="200",http_route="/oauth/callback"`) {
			t.Error("a HEAD is not counted as it was answered")
		}
		page := w.browse(back)
		if page.status != 200 || !strings.Contains(string(page.body), "The agent is connected") {
			t.Fatalf("%d %s", page.status, page.body)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/html", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'", "X-Frame-Options": "DENY",
		} {
			if !strings.HasPrefix(page.header.Get(name), want) {
				t.Errorf("%s: %q", name, page.header.Get(name))
			}
		}
		if s := readSource(t, w.write("PUT", path, `{"status":"ACTIVE"}`), 200); !s.AuthConfigured || s.Status != "ACTIVE" || s.OAuth != nil {
			t.Errorf("%+v", s)
		}
		if again := w.browse(back); again.status != 400 || !strings.Contains(string(again.body), "used before") {
			t.Errorf("a second time: %d %s", again.status, again.body)
		}
		// Naming the audience begins it again; what is stored stays until then.
		s := readSource(t, w.write("PUT", path, `{"oauthAudience":"https://agent.lagoon.example/mcp"}`), 200)
		if s.OAuth == nil || !s.AuthConfigured || s.Status != "ACTIVE" {
			t.Errorf("%+v", s)
		}
		// Another path under stored tokens leaves them, and what was begun.
		back = l.consent(t, s.OAuth.AuthorizationURL)
		if s := readSource(t, w.write("PUT", path, `{"endpointUrl":"https://agent.lagoon.example/mcp/v2"}`), 200); s.OAuth != nil || !s.AuthConfigured {
			t.Errorf("%+v", s)
		}
		if page := w.browse(back); page.status != 200 {
			t.Errorf("%d %s", page.status, page.body)
		}
		// Another host does not.
		if s := readSource(t, w.write("PUT", path, `{"endpointUrl":"https://elsewhere.lagoon.example/mcp"}`), 200); s.AuthConfigured || s.Status != "PENDING" {
			t.Errorf("%+v", s)
		}
	})
}

// TestAConsentWithOddAnswers: an agent and a server that differ from the RFCs in what does
// no harm are connected.
func TestAConsentWithOddAnswers(t *testing.T) {
	says := func(status int, kind, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	l := &lagoon{challenges: map[string]string{}}
	l.bent = map[string]func(http.ResponseWriter){
		"/mcp": func(w http.ResponseWriter) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", resource_metadata = "http://agent.lagoon.example/meta"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"/.well-known/oauth-protected-resource/mcp": says(502, "text/html", "CANARY"),
		"/.well-known/oauth-protected-resource": says(200, "application/json",
			`{"resource":"https://agent.lagoon.example/mcp","authorization_servers":"https://login.lagoon.example"}`),
		"/.well-known/oauth-authorization-server": says(200, "application/json", `{"jsonrpc":"2.0","error":{"code":-32601}}`),
		"/.well-known/openid-configuration": says(200, "application/json", `{"issuer":"https://login.lagoon.example",
			"authorization_endpoint":"https://login.lagoon.example/authorize?audience=urn:acme:api",
			"token_endpoint":"https://login.lagoon.example/token","registration_endpoint":"https://login.lagoon.example/register",
			"code_challenge_methods_supported":"S256","token_endpoint_auth_methods_supported":["none"]}`),
		"/register": says(201, "application/json",
			`{"client_id":"esagate-at-lagoon","client_id_issued_at":1777708800.25,"jwks":{"keys":[]}}`),
		"/token": says(200, "text/plain",
			`{"access_token":"at-CANARY-1","token_type":"Bearer","expires_in":3600.0,"refresh_token":"rt-CANARY-1"}`),
	}
	inWorld(t, setup{outside: l}, func(w *world) {
		made := w.create(oauthBody...)
		if made.OAuth == nil || !strings.Contains(made.OAuth.AuthorizationURL, "?audience=urn:acme:api&") {
			t.Fatalf("%+v, asking %q", made.OAuth, l.asked)
		}
		if page := w.browse(l.consent(t, made.OAuth.AuthorizationURL)); page.status != 200 {
			t.Errorf("%d %s", page.status, page.body)
		}
		if s := readSource(t, w.get(sourcesPath+"/lagoon-audio"), 200); !s.AuthConfigured {
			t.Error("nothing is stored")
		}
		// With an audience of ours it would be there twice.
		s := readSource(t, w.write("PUT", sourcesPath+"/lagoon-audio", `{"oauthAudience":"https://agent.lagoon.example/mcp"}`), 200)
		if s.OAuth != nil {
			t.Errorf("the address is %s", s.OAuth.AuthorizationURL)
		}
	})
}

func TestFailedConsents(t *testing.T) {
	l := &lagoon{challenges: map[string]string{}}
	inWorld(t, setup{outside: l}, func(w *world) {
		path := sourcesPath + "/lagoon-audio"
		begin := func() url.Values {
			s := readSource(t, w.write("PUT", path, `{"oauthAudience":"https://agent.lagoon.example/mcp"}`), 200)
			if s.OAuth == nil {
				t.Fatal("no consent was begun")
			}
			return l.consent(t, s.OAuth.AuthorizationURL)
		}
		l.away = true
		if made := w.create(oauthBody...); made.OAuth != nil || made.SourceID != "lagoon-audio" {
			t.Errorf("the server is away: %+v", made)
		}
		l.away = false
		for name, c := range map[string]struct {
			change func(url.Values)
			status int
			says   string
		}{
			"denied": {func(q url.Values) {
				q.Del("code")
				q.Set("error", "access_denied")
				q.Set("error_description", "CANARY")
			}, 400, "denied"},
			"another state": {func(q url.Values) { q.Set("state", "guessed") }, 400, "run out"},
			"late":          {func(url.Values) { w.pass(10*time.Minute + time.Second) }, 400, "run out"},
			"server away":   {func(url.Values) { l.away = true }, 503, "be asked at the moment"},
			"too long":      {func(q url.Values) { q.Set("x", strings.Repeat("x", 9000)) }, 400, "too long"},
		} {
			w.named(name, func(t testing.TB) {
				l.away = false
				w.write("PUT", path, `{"endpointUrl":"https://agent.lagoon.example/mcp"}`)
				back := begin()
				c.change(back)
				page := w.browse(back)
				if page.status != c.status || !strings.Contains(string(page.body), c.says) || !strings.Contains(string(page.body), "could not be connected") {
					t.Errorf("%d %s", page.status, page.body)
				}
				if s := readSource(t, w.get(path), 200); s.AuthConfigured {
					t.Errorf("something was stored")
				}
			})
		}
		// A program gets the same as JSON.
		w.do("GET", "/oauth/callback?state=guessed&code=x").failure(t, 400, "BAD_REQUEST")
		w.do("POST", "/oauth/callback").failure(t, 405, "METHOD_NOT_ALLOWED")
	})
}
