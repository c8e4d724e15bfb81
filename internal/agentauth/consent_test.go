package agentauth_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/internal/agentauth"
)

// TestConsent goes the whole way, with each way of saying who we are.
func TestConsent(t *testing.T) {
	for _, method := range []string{"none", "client_secret_basic", "client_secret_post"} {
		t.Run(method, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.as.doc = serverDoc.with("token_endpoint_auth_methods_supported", []string{"private_key_jwt", method})
				w.connect()
				held := w.held()
				if held == nil || held.AccessToken == "" || held.RefreshToken == "" || held.TokenType != "Bearer" || held.Client.AuthMethod != method {
					t.Fatal("the tokens are not stored as they were given")
				}
				if left := time.Until(held.ExpiresAt); left != time.Hour {
					t.Errorf("the token is good for %v, want an hour", left)
				}
				w.tokenIs(w.agents, held.AccessToken)
				s, err := w.store.Customer(customer).Source(w.Context(), sourceID)
				if w.must(err); s.Agent.CredentialID == "" {
					t.Error("the source has no credentials")
				}
				if !strings.Contains(w.logs.String(), "an agent is connected") {
					t.Error("nothing is logged")
				}
				w.keyed()
			})
		})
	}
}

func TestAuthorizationURL(t *testing.T) {
	inWorld(t, func(w *world) {
		u := w.begin()
		q := u.Query()
		if got := u.Scheme + "://" + u.Host + u.Path; got != issuer+"/authorize" || q.Get("tenant") != "t-7" {
			w.Errorf("the endpoint became %s?tenant=%s", got, q.Get("tenant"))
		}
		for name, want := range map[string]string{
			"response_type": "code", "redirect_uri": redirectURI, "code_challenge_method": "S256", "resource": endpoint, "scope": "read buy",
		} {
			if got := q[name]; len(got) != 1 || got[0] != want {
				w.Errorf("%s is %q, want %q once", name, got, want)
			}
		}
		if len(q.Get("state")) != 43 || len(q.Get("code_challenge")) != 43 || q.Has("audience") || q.Get("client_id") == "" {
			w.Error("state, code_challenge, audience or client_id is not as it should be")
		}
		if again := w.begin().Query(); again.Get("state") == q.Get("state") || again.Get("code_challenge") == q.Get("code_challenge") {
			w.Error("two consents share a state or a verifier")
		}
	})
}

func TestAudienceIsTheResource(t *testing.T) {
	inWorld(t, func(w *world) {
		w.source.Agent.OAuthAudience = "https://api.example.com/ads"
		if q := w.begin().Query(); q.Get("resource") != "https://api.example.com/ads" || q.Get("audience") != "https://api.example.com/ads" {
			w.Errorf("resource %q, audience %q", q.Get("resource"), q.Get("audience"))
		}
	})
}

func TestRegistration(t *testing.T) {
	table := map[string]struct {
		doc      document
		register http.Handler
		reason   agentauth.Reason
	}{
		"none offered":        {serverDoc.with("registration_endpoint", nil), nil, agentauth.ReasonNoClient},
		"refused":             {serverDoc, refusal("invalid_redirect_uri"), agentauth.ReasonRefused},
		"refused strangely":   {serverDoc, refusal("CANARY-code"), agentauth.ReasonRefused},
		"garbage":             {serverDoc, answer(201, "application/json", `CANARY`), agentauth.ReasonAnswer},
		"forbidden":           {serverDoc, answer(403, "text/html", `<p>CANARY`), agentauth.ReasonAnswer},
		"no id":               {serverDoc, answer(201, "application/json", `{"client_secret":"CANARY"}`), agentauth.ReasonAnswer},
		"bad id":              {serverDoc, answer(201, "application/json", `{"client_id":"CANARY\n"}`), agentauth.ReasonAnswer},
		"long id":             {serverDoc, answer(201, "application/json", `{"client_id":"`+strings.Repeat("x", 1025)+`"}`), agentauth.ReasonAnswer},
		"another redirect":    {serverDoc, answer(201, "application/json", `{"client_id":"c","redirect_uris":["https://evil.example"]}`), agentauth.ReasonAnswer},
		"secret run out":      {serverDoc, answer(201, "application/json", `{"client_id":"c","client_secret":"CANARY","token_endpoint_auth_method":"client_secret_post","client_secret_expires_at":946684799}`), agentauth.ReasonAnswer},
		"secret missing":      {serverDoc, answer(201, "application/json", `{"client_id":"c","token_endpoint_auth_method":"client_secret_post"}`), agentauth.ReasonAnswer},
		"another method":      {serverDoc, answer(201, "application/json", `{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}`), agentauth.ReasonUnsupported},
		"no method of ours":   {serverDoc.with("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), nil, agentauth.ReasonUnsupported},
		"redirected":          {serverDoc, http.RedirectHandler("https://"+agentHost+"/steal", http.StatusTemporaryRedirect), agentauth.ReasonAnswer},
		"away":                {serverDoc, answer(503, "text/html", `<p>CANARY`), agentauth.ReasonAway},
		"away, in JSON":       {serverDoc, answer(500, "application/json", `{"error":"invalid_redirect_uri"}`), agentauth.ReasonAway},
		"too much asked":      {serverDoc, answer(429, "text/plain", `CANARY`), agentauth.ReasonAway},
		"hangs":               {serverDoc, http.HandlerFunc(hang), agentauth.ReasonAway},
		"server out of reach": {serverDoc.with("registration_endpoint", "https://gone.example/CANARY"), nil, agentauth.ReasonAway},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			w.as.doc, w.as.override["/register"] = tt.doc, tt.register
			if tt.register == nil {
				delete(w.as.override, "/register")
			}
			_, err := w.tryBegin()
			w.want(err, tt.reason)
		}
	})
}

// TestRegisteredMethod: what a server made of the registration is what counts.
func TestRegisteredMethod(t *testing.T) {
	for name, tt := range map[string]struct {
		offered any // nil: says nothing
		answer  string
		method  string
	}{
		"its own choice":          {nil, `{"client_id":"c","client_secret":"shh:04%5+1","token_endpoint_auth_method":"client_secret_post"}`, "client_secret_post"},
		"a secret, and no method": {[]string{"none", "client_secret_post"}, `{"client_id":"c","client_secret":"shh:04%5+1"}`, "client_secret_post"},
		"none, and a secret":      {[]string{"none"}, `{"client_id":"c","client_secret":"shh:04%5+1","token_endpoint_auth_method":"none"}`, "none"},
		"the default":             {nil, `{"client_id":"c","client_secret":"shh:04%5+1"}`, "client_secret_basic"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.as.doc = serverDoc.with("token_endpoint_auth_methods_supported", tt.offered)
				w.as.override["/register"] = answer(201, "application/json", tt.answer)
				at := w.begin()
				w.replies(answer(200, "application/json", `{"access_token":"CANARY-a","token_type":"Bearer"}`))
				w.must(w.end(url.Values{"state": at.Query()["state"], "code": {"CANARY-code"}}))
				held := w.held()
				if held.Client.AuthMethod != tt.method || (held.Client.ClientSecret == "") != (tt.method == "none") {
					w.Errorf("the method is %q", held.Client.AuthMethod)
				}
				sent := w.as.requests[0]
				credentials := base64.StdEncoding.EncodeToString([]byte("c:shh%3A04%255%2B1")) // RFC 6749 §2.3.1
				basic := sent.header.Get("Authorization") == "Basic "+credentials
				inForm := slices.Contains(sent.form["client_secret"], "shh:04%5+1")
				if basic != (tt.method == "client_secret_basic") || inForm != (tt.method == "client_secret_post") {
					w.Errorf("the secret is in the header: %v, in the form: %v", basic, inForm)
				}
			})
		})
	}
}
