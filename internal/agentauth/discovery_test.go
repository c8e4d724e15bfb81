package agentauth_test

import (
	"net/http"
	"strings"
	"testing"

	"esagate/internal/agentauth"
	"esagate/registry"
)

// TestDiscovery has an agent for each way to find its server, and each reason not to.
// Every row begins with an agent that can be connected, and bends it.
func TestDiscovery(t *testing.T) {
	const meta = "https://" + agentHost + "/meta"
	bearer := `Bearer realm="x", resource_metadata="` + meta + `"`
	only := func(path string, h http.Handler) map[string]http.Handler { return map[string]http.Handler{path: h} }
	table := map[string]struct {
		bend     func(w *world)
		reason   agentauth.Reason // "": found
		none     bool             // none is due
		resource string           // found: other than endpoint
		scope    string           // found: other than "read buy"
	}{
		"path inserted": {bend: func(*world) {}},
		"root":          {bend: func(w *world) { w.site.places = only(rootPath, resourceDoc) }},
		"named by the agent": {bend: func(w *world) {
			w.site.challenge, w.site.places = bearer, only("/meta", resourceDoc)
		}},
		"named place empty": {bend: func(w *world) { w.site.challenge = bearer }},
		"scope of the challenge": {bend: func(w *world) {
			w.site.challenge = `Basic realm="a, b", Bearer error="invalid_token", scope="only this"`
		}, scope: "only this"},
		"challenge that can't be read": {bend: func(w *world) { w.site.challenge = `Bearer resource_metadata="unending` }},
		"endless challenge":            {bend: func(w *world) { w.site.challenge = "Bearer " + strings.Repeat("a,", 4096) }},
		"scopes that are none":         {bend: doc("scopes_supported", []string{`quo"te`}), scope: "-"},
		"no scopes":                    {bend: doc("scopes_supported", nil), scope: "-"},
		"origin as resource":           {bend: doc("resource", "https://"+agentHost), resource: "https://" + agentHost},
		"with the default port":        {bend: doc("resource", "https://Agent.example.com:443/v1/mcp/"), resource: "https://Agent.example.com:443/v1/mcp/"},
		"agent asks nothing of us":     {bend: func(w *world) { w.site.status = 200 }},
		"agent does not know a ping":   {bend: func(w *world) { w.site.status = 400 }},
		"page instead of a document": {bend: func(w *world) {
			w.site.places = map[string]http.Handler{insertedPath: answer(200, "text/html", "<p>CANARY"), rootPath: resourceDoc}
		}},
		"its own server": {bend: func(w *world) { w.ownServer() }, resource: endpoint, scope: "-"},
		"names no server, and is one": {bend: func(w *world) {
			w.ownServer()
			w.site.places[insertedPath] = resourceDoc.with("authorization_servers", nil)
		}},
		"slash after the issuer": {bend: doc("authorization_servers", []string{issuer + "/"})},
		"second of its servers":  {bend: doc("authorization_servers", []string{"https://gone.example", issuer})},
		"fourth of its servers": {bend: doc("authorization_servers", []string{
			"https://a.example", "https://b.example", "https://c.example", issuer,
		})},
		"no list of challenge methods": {bend: says("code_challenge_methods_supported", nil)},
		"no list of grants":            {bend: says("grant_types_supported", nil)},
		"browser to the default port":  {bend: says("authorization_endpoint", "https://Login.example.com:443/authorize")},
		"browser elsewhere, with iss": {bend: func(w *world) {
			w.as.doc = serverDoc.with("authorization_endpoint", "https://id.example.net/authorize").with("authorization_response_iss_parameter_supported", true)
		}},
		"tokens and registration elsewhere": {bend: func(w *world) {
			w.web.hosts["tokens.example.net"] = w.as
			w.as.doc = serverDoc.with("token_endpoint", "https://tokens.example.net/token").with("registration_endpoint", "https://tokens.example.net/register")
		}},

		"no metadata, and open":       {bend: func(w *world) { w.site.places, w.site.status = nil, 200 }, none: true},
		"no metadata, and odd":        {bend: func(w *world) { w.site.places, w.site.status = nil, 405 }, none: true},
		"no metadata":                 {bend: func(w *world) { w.site.places = nil }, reason: agentauth.ReasonNoServer},
		"no metadata, 403 and Bearer": {bend: func(w *world) { w.site.places, w.site.status, w.site.challenge = nil, 403, "Bearer" }, reason: agentauth.ReasonNoServer},
		"no metadata, and ill":        {bend: func(w *world) { w.site.places, w.site.status = nil, 502 }, reason: agentauth.ReasonAway},
		"agent gone":                  {bend: func(w *world) { delete(w.web.hosts, agentHost) }, reason: agentauth.ReasonAway},
		"agent hangs":                 {bend: func(w *world) { w.web.hosts[agentHost] = http.HandlerFunc(hang) }, reason: agentauth.ReasonAway},
		"metadata hangs":              {bend: func(w *world) { w.site.places = only(insertedPath, http.HandlerFunc(hang)) }, reason: agentauth.ReasonAway},
		"metadata said twice": {bend: func(w *world) {
			w.site.places = only(insertedPath, answer(200, "application/json", `{"resource":"a","resource":"b"}`))
		}, reason: agentauth.ReasonMetadata},
		"metadata too long": {bend: func(w *world) {
			w.site.places = only(insertedPath, resourceDoc.with("pad", strings.Repeat("x", 256<<10)))
		}, reason: agentauth.ReasonMetadata},
		"metadata without a resource": {bend: doc("resource", nil), reason: agentauth.ReasonMetadata},
		"resource below":              {bend: doc("resource", endpoint+"/deeper"), reason: agentauth.ReasonMismatch},
		"resource on another port":    {bend: doc("resource", "https://"+agentHost+":8443/v1/mcp"), reason: agentauth.ReasonMismatch},
		"server over http":            {bend: doc("authorization_servers", []string{"http://" + loginHost}), reason: agentauth.ReasonAddress},
		"server at a private address": {bend: doc("authorization_servers", []string{"https://10.0.0.8"}), reason: agentauth.ReasonAddress},
		"server with a query":         {bend: doc("authorization_servers", []string{issuer + "?a=b"}), reason: agentauth.ReasonAddress},
		"server whose metadata a redirect brings": {bend: func(w *world) {
			w.web.hosts["evil.example"] = serverDoc
			w.as.override[serverPath] = http.RedirectHandler("https://evil.example/meta", http.StatusFound)
		}, reason: agentauth.ReasonNoServer},
		"server without metadata": {bend: doc("authorization_servers", []string{"https://" + agentHost + "/nothing"}), reason: agentauth.ReasonNoServer},
		"fifth of its servers": {bend: doc("authorization_servers", []string{
			"https://a.example", "https://b.example", "https://c.example", "https://d.example", issuer,
		}), reason: agentauth.ReasonAway},

		"no issuer":                 {bend: says("issuer", nil), reason: agentauth.ReasonMetadata},
		"no authorization endpoint": {bend: says("authorization_endpoint", nil), reason: agentauth.ReasonMetadata},
		"no token endpoint":         {bend: says("token_endpoint", nil), reason: agentauth.ReasonMetadata},
		"script for a browser":      {bend: says("authorization_endpoint", "javascript:alert(1)"), reason: agentauth.ReasonAddress},
		"browser to http":           {bend: says("authorization_endpoint", "http://"+loginHost+"/authorize"), reason: agentauth.ReasonAddress},
		"browser to a private host": {bend: says("authorization_endpoint", "https://192.168.1.1/setup"), reason: agentauth.ReasonAddress},
		"browser to a fragment":     {bend: says("authorization_endpoint", issuer+"/authorize#x"), reason: agentauth.ReasonAddress},
		"browser elsewhere":         {bend: says("authorization_endpoint", "https://id.example.net/authorize"), reason: agentauth.ReasonMismatch},
		"browser to a host below":   {bend: says("authorization_endpoint", "https://id."+loginHost+"/authorize"), reason: agentauth.ReasonMismatch},
		"browser to another port":   {bend: says("authorization_endpoint", issuer+":8443/authorize"), reason: agentauth.ReasonMismatch},
		"browser elsewhere, no iss": {bend: func(w *world) {
			w.as.doc = serverDoc.with("authorization_endpoint", "https://id.example.net/authorize").with("authorization_response_iss_parameter_supported", false)
		}, reason: agentauth.ReasonMismatch},
		"browser to an endless place": {bend: says("authorization_endpoint", issuer+"/"+strings.Repeat("x", 2048)), reason: agentauth.ReasonAddress},
		"tokens over http":            {bend: says("token_endpoint", "http://"+loginHost+"/token"), reason: agentauth.ReasonAddress},
		"tokens at a private address": {bend: says("token_endpoint", "https://127.0.0.1/token"), reason: agentauth.ReasonAddress},
		"tokens with a user":          {bend: says("token_endpoint", "https://u:CANARY@"+loginHost+"/token"), reason: agentauth.ReasonAddress},
		"registration over http":      {bend: says("registration_endpoint", "http://"+loginHost+"/register"), reason: agentauth.ReasonAddress},
		"empty list of challenges":    {bend: says("code_challenge_methods_supported", []string{}), reason: agentauth.ReasonNoPKCE},
		"no grant for codes":          {bend: says("grant_types_supported", []string{"client_credentials"}), reason: agentauth.ReasonUnsupported},
		"metadata of a wrong type":    {bend: says("issuer", 5), reason: agentauth.ReasonMetadata},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			tt.bend(w)
			if tt.reason != "" || tt.none {
				at, err := w.tryBegin()
				if tt.none {
					w.must(err)
				} else {
					w.want(err, tt.reason)
				}
				if at != "" {
					w.Error("a consent was begun")
				}
				continue
			}
			q := w.begin().Query()
			resource, scope := endpoint, "read buy"
			if tt.resource != "" {
				resource = tt.resource
			}
			if tt.scope != "" {
				scope = strings.Trim(tt.scope, "-")
			}
			if q.Get("resource") != resource || q.Get("scope") != scope {
				w.Errorf("resource %q and scope %q, want %q and %q", q.Get("resource"), q.Get("scope"), resource, scope)
			}
		}
	})
}

// doc bends the agent's metadata, says that of its authorization server.
func doc(key string, value any) func(*world) {
	return func(w *world) { w.site.places[insertedPath] = resourceDoc.with(key, value) }
}

func says(key string, value any) func(*world) {
	return func(w *world) { w.as.doc = serverDoc.with(key, value) }
}

// ownServer makes the agent an old one, that is its own server.
func (w *world) ownServer() {
	w.site.places = map[string]http.Handler{
		serverPath: serverDoc.with("issuer", "https://"+agentHost).with("authorization_endpoint", "https://"+agentHost+"/authorize"), "/register": w.as, "/authorize": w.as, "/token": w.as,
	}
}

// tenantIssuer moves the server's metadata to where that of an issuer with a path is.
func (w *world) tenantIssuer(at string) {
	w.site.places[insertedPath] = resourceDoc.with("authorization_servers", []string{issuer + "/t/9"})
	w.as.override[serverPath] = http.NotFoundHandler()
	w.as.override[at] = serverDoc.with("issuer", issuer+"/t/9")
}

// TestOrderOfPlaces: what stands at the more exact place is not looked for elsewhere.
func TestOrderOfPlaces(t *testing.T) {
	inWorld(t, func(w *world) {
		w.site.places = map[string]http.Handler{rootPath: resourceDoc}
		w.begin()
		want := []string{
			"POST agent.example.com/v1/mcp", "GET agent.example.com" + insertedPath, "GET agent.example.com" + insertedPath + "/",
			"GET agent.example.com" + rootPath,
			"GET login.example.com" + serverPath, "POST login.example.com/register",
		}
		if got := strings.Join(w.web.asked, "\n"); got != strings.Join(want, "\n") {
			w.Errorf("asked:\n%s", got)
		}
	})
}

// TestRedirectOfTheProbe: what another origin says is not the agent's word.
func TestRedirectOfTheProbe(t *testing.T) {
	for location, want := range map[string]string{"https://evil.example/mcp": "read buy", "/v1/mcp/": "after the slash"} {
		t.Run(want, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.site.places["/v1/mcp"] = http.RedirectHandler(location, http.StatusTemporaryRedirect)
				w.site.places["/v1/mcp/"] = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header().Set("WWW-Authenticate", `Bearer scope="after the slash"`)
					rw.WriteHeader(http.StatusUnauthorized)
				})
				w.web.hosts["evil.example"] = w.site.places["/v1/mcp/"]
				if got := w.begin().Query().Get("scope"); got != want {
					w.Errorf("scope %q", got)
				}
			})
		})
	}
}

func TestBeginOfAnotherKind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.source.Agent.Authentication = registry.AuthAPIKey
		if at, err := w.tryBegin(); at != "" || err != nil {
			w.Errorf("%q, %v", at, err)
		}
		if len(w.web.asked) > 0 {
			w.Error("the agent was asked")
		}
	})
}
