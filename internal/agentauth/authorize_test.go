package agentauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"esagate/internal/agentauth"
	"esagate/registry"
)

// authorize authorizes a request to the source as it stands.
func (w *world) authorize(from *agentauth.Agents) (http.Header, error) {
	w.Helper()
	got, err := from.Authorize(context.Background(), w.read())
	if err == nil && got.Header != nil && got.CredentialID != w.read().Agent.CredentialID {
		w.Error("the header is not of the credentials that are stored")
	}
	return got.Header, err
}

// read reads the source.
func (w *world) read() *registry.Source {
	w.Helper()
	src, err := w.store.Customer(customer).Source(context.Background(), sourceID)
	w.must(err)
	return src
}

// keep gives the source other credentials.
func (w *world) keep(kind registry.AuthenticationType, c *registry.Credential) {
	w.Helper()
	_, err := w.store.Customer(customer).UpdateSource(context.Background(), sourceID, func(s *registry.Source) (registry.SourceChange, error) {
		next := *s.Agent
		next.Authentication = kind
		return registry.SourceChange{Agent: &next, Credential: c, EraseCredential: c == nil}, nil
	})
	w.must(err)
}

func token(scheme, text string) *registry.Credential {
	return &registry.Credential{Token: &registry.TokenCredential{Scheme: scheme, Token: text}}
}

func basic(user, password string) *registry.Credential {
	return &registry.Credential{Basic: &registry.BasicCredential{Username: user, Password: password}}
}

func TestAuthorizeWithWhatIsStored(t *testing.T) {
	table := map[string]struct {
		kind        registry.AuthenticationType
		credential  *registry.Credential
		name, value string
		reason      agentauth.Reason
	}{
		"none":                 {kind: registry.AuthNone},
		"bearer":               {kind: registry.AuthAPIKey, credential: token("bearer", "CANARY-1"), name: "Authorization", value: "Bearer CANARY-1"},
		"apikey":               {kind: registry.AuthAPIKey, credential: token("apikey", "CANARY-1"), name: "X-Api-Key", value: "CANARY-1"},
		"api_key":              {kind: registry.AuthAPIKey, credential: token("api_key", "CANARY-1"), name: "X-Api-Key", value: "CANARY-1"},
		"basic":                {kind: registry.AuthBasic, credential: basic("Aladdin", "open sesame"), name: "Authorization", value: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, // RFC 7617 §2
		"basic, no password":   {kind: registry.AuthBasic, credential: basic("reader", ""), name: "Authorization", value: "Basic cmVhZGVyOg=="},
		"basic, a colon":       {kind: registry.AuthBasic, credential: basic("re:ader", "CANARY"), reason: agentauth.ReasonCredential},
		"a line break":         {kind: registry.AuthAPIKey, credential: token("bearer", "CANARY\r\nX: y"), reason: agentauth.ReasonCredential},
		"a NUL":                {kind: registry.AuthAPIKey, credential: token("apikey", "CANARY\x01"), reason: agentauth.ReasonCredential},
		"no key":               {kind: registry.AuthAPIKey, reason: agentauth.ReasonNoCredential},
		"no consent":           {kind: registry.AuthOAuth, reason: agentauth.ReasonConsentDue},
		"a private key of air": {kind: registry.AuthJWT, credential: assertionOf("CANARY", ""), reason: agentauth.ReasonCredential},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			w.keep(tt.kind, tt.credential)
			got, err := w.authorize(w.agents)
			switch {
			case tt.reason != "":
				w.want(err, tt.reason)
			case err != nil:
				w.Error(w.saw(err))
			case tt.name == "" && got != nil, tt.name != "" && (len(got) != 1 || got.Get(tt.name) != tt.value):
				w.Errorf("the header is %v", got)
			}
		}
	})
}

// TestAuthorizeByConsent: the header holds the access token, refreshed when it is due.
func TestAuthorizeByConsent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		first := w.held().AccessToken
		if got, err := w.authorize(w.agents); err != nil || got.Get("Authorization") != "Bearer "+first {
			w.Errorf("not the token (%v)", err)
		}
		time.Sleep(2 * time.Hour)
		got, err := w.authorize(w.agents)
		if err != nil || w.held().AccessToken == first || got.Get("Authorization") != "Bearer "+w.held().AccessToken {
			w.Errorf("not the new token (%v)", err)
		}
	})
}

// TestRefusedTokensAreReplaced: the request after a refusal carries another access token; of refusals within a minute
// the first counts.
func TestRefusedTokensAreReplaced(t *testing.T) {
	inWorld(t, func(w *world) {
		refused := func() {
			got, err := w.agents.Authorize(w.Context(), w.read())
			w.must(err)
			w.agents.Refused(customer, sourceID, got.CredentialID)
		}
		for name, asked := range map[string]func() int{
			"consent":   func() int { return w.as.count("refresh_token") },
			"assertion": func() int { return len(w.as.requests) - 1 },
		} {
			w.next(name)
			if name == "consent" {
				w.connect()
			} else {
				w.byAssertion(&exchanges{life: 10 * time.Hour})
			}
			first, err := w.authorize(w.agents)
			w.must(err)
			for range 3 {
				refused()
			}
			second, err := w.authorize(w.agents)
			if err != nil || second.Get("Authorization") == first.Get("Authorization") || asked() != 1 {
				w.Errorf("after a refusal the token is the same, or the server was asked %d times (%v)", asked(), w.saw(err))
			}
			refused()
			if again, err := w.authorize(w.agents); err != nil || again.Get("Authorization") != second.Get("Authorization") {
				w.Errorf("a second refusal in a minute had another token got (%v)", w.saw(err))
			}
			time.Sleep(time.Minute)
			refused()
			if third, err := w.authorize(w.agents); err != nil || third.Get("Authorization") == second.Get("Authorization") || asked() != 2 {
				w.Errorf("a minute later the token stays, or the server was asked %d times (%v)", asked(), w.saw(err))
			}
		}
	})
}

// TestRefusedTokenWithoutAnother is sent again: nothing better is to be had.
func TestRefusedTokenWithoutAnother(t *testing.T) {
	inWorld(t, func(w *world) {
		back := w.browse(w.begin())
		w.replies(answer(200, js, `{"access_token":"CANARY-a","token_type":"Bearer","expires_in":3600}`))
		w.must(w.end(back))
		w.agents.Refused(customer, sourceID, w.read().Agent.CredentialID)
		w.carries(w.agents, "CANARY-a")
	})
}

// TestCredentialsOfAnotherAddress are not sent: the source was read before they were stored.
func TestCredentialsOfAnotherAddress(t *testing.T) {
	inWorld(t, func(w *world) {
		w.keep(registry.AuthAPIKey, token("bearer", "CANARY-1"))
		old := w.read()
		w.keep(registry.AuthAPIKey, token("bearer", "CANARY-2"))
		_, err := w.agents.Authorize(w.Context(), old)
		w.want(err, agentauth.ReasonChanged)

		w.keep(registry.AuthOAuth, nil)
		w.source = w.read()
		w.connect()
		old = w.read()
		moved := *old.Agent
		moved.EndpointURL, moved.CredentialID = "https://elsewhere.example/v1/mcp", "of-before"
		_, err = w.agents.Authorize(w.Context(), &registry.Source{CustomerID: customer, SourceID: sourceID, Agent: &moved})
		w.want(err, agentauth.ReasonChanged)
	})
}

// TestAuthorizeWhileTheStoreIsAway: what was sent before is sent still, also to another caller who changes
// the header; and nothing of it to another customer.
func TestAuthorizeWhileTheStoreIsAway(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, give := range map[string]func(){
			"key":       func() { w.keep(registry.AuthAPIKey, token("bearer", "CANARY-a-1")) },
			"assertion": func() { w.byAssertion(&exchanges{life: time.Hour}) },
			"consent":   w.connect,
		} {
			w.next(name)
			give()
			store := &faulty{Store: w.store, fails: map[string]int{}}
			a := w.over(store)
			defer a.Close(context.Background())
			first, err := a.Authorize(w.Context(), w.read())
			w.must(err)
			want := first.Header.Get("Authorization")
			first.Header.Set("Authorization", "changed")
			store.fails["Credential"] = 100
			w.carries(a, strings.TrimPrefix(want, "Bearer "))
			others := *w.read()
			others.CustomerID++
			_, err = a.Authorize(w.Context(), &others)
			w.want(err, agentauth.ReasonStore)
			time.Sleep(time.Hour)
			_, err = w.authorize(a)
			w.want(err, agentauth.ReasonStore)
		}
	})
}
