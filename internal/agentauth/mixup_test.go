package agentauth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"esagate/internal/agentauth"
	"esagate/registry"
)

const evil = "https://evil.example.org"

// mixUp is an attacker's agent, whose server names the honest one's authorization
// endpoint and a client that the attacker got there, and tokens of its own.
type mixUp struct {
	*world
	source *registry.Source
	got    []url.Values // what its token endpoint was sent
}

func (w *world) mixUp(bend func(document) document) *mixUp {
	rec := httptest.NewRecorder()
	w.as.register(rec, httptest.NewRequest(http.MethodPost, issuer+"/register", strings.NewReader(
		`{"client_name":"esagate","redirect_uris":["`+redirectURI+`"],"token_endpoint_auth_method":"none"}`)))
	var client struct {
		ID string `json:"client_id"`
	}
	w.must(json.Unmarshal(rec.Body.Bytes(), &client))

	m := &mixUp{world: w}
	mux := http.NewServeMux()
	mux.Handle("/mcp", answer(401, "text/plain", ""))
	mux.Handle(rootPath+"/mcp", document{"resource": evil + "/mcp", "authorization_servers": []string{evil}})
	mux.Handle(serverPath, bend(serverDoc.with("issuer", evil).with("token_endpoint", evil+"/token").with("registration_endpoint", evil+"/register")))
	mux.Handle("/register", answer(201, "application/json", `{"client_id":"`+client.ID+`","token_endpoint_auth_method":"none"}`))
	mux.HandleFunc("/token", func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		m.got = append(m.got, r.PostForm)
		answer(200, "application/json", `{"access_token":"CANARY-evil","token_type":"Bearer"}`)(rw, r)
	})
	w.web.hosts["evil.example.org"] = mux
	m.source = w.create("evil", func(a *registry.Agent) { a.EndpointURL = evil + "/mcp" })
	return m
}

// nothing fails if the attacker was sent anything.
func (m *mixUp) nothing() {
	m.Helper()
	if len(m.got) > 0 {
		m.Error("the attacker has the honest server's code and our verifier")
	}
}

// TestMixUpOfServers: without a promise of `iss` a browser is not sent to another's page.
func TestMixUpOfServers(t *testing.T) {
	for name, bend := range map[string]func(document) document{
		"says nothing": func(d document) document { return d },
		"promises not": func(d document) document { return d.with("authorization_response_iss_parameter_supported", false) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				m := w.mixUp(bend)
				at, err := m.agents.Begin(context.Background(), m.source)
				if m.want(err, agentauth.ReasonMismatch); at != "" {
					m.Error("a consent was begun")
				}
				m.nothing()
			})
		})
	}
}

// TestMixUpWithAPromise: the honest server's answer says who it is, or does not carry
// what the attacker promised. Neither is good enough to give its code away.
func TestMixUpWithAPromise(t *testing.T) {
	for name, says := range map[string][]string{"carries no iss": nil, "says who it is": {issuer}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				m := w.mixUp(func(d document) document { return d.with("authorization_response_iss_parameter_supported", true) })
				at, err := m.agents.Begin(context.Background(), m.source)
				m.must(err)
				u, err := url.Parse(at)
				m.must(err)
				back := m.browse(u)
				if back.Get("code") == "" || u.Host != loginHost {
					m.Fatal("the honest server gave no code")
				}
				if says != nil {
					back["iss"] = says
				}
				m.want(m.agents.Finish(m.Context(), back), agentauth.ReasonMismatch)
				m.nothing()
			})
		})
	}
}

// TestMixUpByASecondRedirect: the attacker's own page sends the browser on to the
// honest server, whose answer says who it is.
func TestMixUpByASecondRedirect(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.mixUp(func(d document) document { return d.with("authorization_endpoint", evil+"/authorize") })
		at, err := m.agents.Begin(context.Background(), m.source)
		m.must(err)
		u, err := url.Parse(at)
		m.must(err)
		u.Host = loginHost // where the page sends the browser, with what it was sent with
		q := u.Query()
		q.Set("tenant", "t-7")
		u.RawQuery = q.Encode()
		back := m.browse(u)
		back.Set("iss", issuer)
		m.want(m.agents.Finish(m.Context(), back), agentauth.ReasonMismatch)
		m.nothing()
	})
}

// TestMixUpByARedirect: a document that the honest server's host only leads to does not
// speak for that host.
func TestMixUpByARedirect(t *testing.T) {
	inWorld(t, func(w *world) {
		m := w.mixUp(func(d document) document { return d })
		below := issuer + "/out/evil"
		w.as.override["/out/evil/.well-known/openid-configuration"] = http.RedirectHandler(evil+"/meta", http.StatusFound)
		mux := w.web.hosts["evil.example.org"].(*http.ServeMux)
		mux.Handle("/meta", serverDoc.with("issuer", below).with("token_endpoint", evil+"/token").with("registration_endpoint", evil+"/register"))
		mux.Handle(rootPath+"/led", document{"resource": evil + "/led", "authorization_servers": []string{below}})
		mux.Handle("/led", answer(401, "text/plain", ""))
		source := w.create("led", func(a *registry.Agent) { a.EndpointURL = evil + "/led" })
		at, err := m.agents.Begin(context.Background(), source)
		if m.want(err, agentauth.ReasonNoServer); at != "" {
			m.Error("a consent was begun")
		}
		m.nothing()
	})
}

// TestAClientThatIsRefusedToABrowser is not named again.
func TestAClientThatIsRefusedToABrowser(t *testing.T) {
	inWorld(t, func(w *world) {
		client := func() (id, state string) {
			at, err := w.agents.Begin(context.Background(), w.source)
			w.must(err)
			u, err := url.Parse(at)
			w.must(err)
			return u.Query().Get("client_id"), u.Query().Get("state")
		}
		first, _ := client()
		again, state := client()
		if first != again {
			t.Fatal("a client that was just registered is not used again")
		}
		err := w.agents.Finish(context.Background(), url.Values{"state": {state}, "error": {"unauthorized_client"}, "iss": {issuer}})
		w.want(err, agentauth.ReasonRefused)
		if other, _ := client(); other == first {
			t.Error("a client that the server does not know is named again")
		}
	})
}
