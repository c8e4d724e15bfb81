package agentauth_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"esagate/internal/agentauth"
	"esagate/internal/outbound"
	"esagate/registry"
)

// TestThroughTheGuard uses the guarded client itself, over real connections: what an
// operator allows can be connected, what he does not is not even asked.
func TestThroughTheGuard(t *testing.T) {
	for name, allowed := range map[string][]netip.Prefix{
		"allowed": {netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, "not allowed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			asked := 0
			s := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				asked++
				if r.URL.Path == "/steal" {
					t.Error("a redirect was followed")
				}
				if w.site.places[r.URL.Path] != nil || r.URL.Path == "/v1/mcp" {
					w.site.ServeHTTP(rw, r)
					return
				}
				w.as.ServeHTTP(rw, r)
			}))
			defer s.Close()
			w.site.places[insertedPath] = resourceDoc.with("resource", s.URL+"/v1/mcp").with("authorization_servers", []string{s.URL})
			w.as.doc = serverDoc.with("issuer", s.URL).with("authorization_endpoint", s.URL+"/authorize?tenant=t-7").
				with("token_endpoint", s.URL+"/token").with("registration_endpoint", s.URL+"/register")

			roots := x509.NewCertPool()
			roots.AddCert(s.Certificate())
			guard := outbound.New(outbound.Options{Allow: allowed, RootCAs: roots, UserAgent: "esagate/test"})
			defer guard.Close()
			w.http, w.browser = guard.HTTP(), s.Client()
			defer s.Client().CloseIdleConnections()
			w.source = w.create(sourceID, func(a *registry.Agent) { a.EndpointURL = s.URL + "/v1/mcp" })
			directory := registry.NewDirectory(w.store, registry.DirectoryOptions{})
			defer directory.Close()
			w.agents = agentauth.New(agentauth.Config{RedirectURI: redirectURI, ClientName: "esagate"},
				agentauth.Deps{Store: w.store, Directory: directory, HTTP: guard.HTTP(), Direct: guard.HTTPDirect(), CheckURL: guard.CheckURL})
			defer w.finish()

			if allowed == nil {
				_, err := w.agents.Begin(context.Background(), w.source)
				if w.want(err, agentauth.ReasonAddress); asked > 0 {
					t.Error("it was asked")
				}
				return
			}
			w.connect()
			if got, err := w.token(w.agents); err != nil || got != w.held().AccessToken {
				t.Errorf("the token is not given: %v", err)
			}
			// The guard follows redirects within an origin by itself: with a code, a
			// refresh token or a secret it must not.
			for _, status := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
				back := w.browse(w.begin())
				w.as.override["/token"] = http.RedirectHandler("/steal", status)
				w.want(w.agents.Finish(context.Background(), back), agentauth.ReasonRefused)
				w.as.override["/register"] = http.RedirectHandler("/steal", status)
				_, err := w.agents.Begin(context.Background(), w.create(fmt.Sprint("other-", status), func(a *registry.Agent) { a.EndpointURL = s.URL + "/v1/mcp" }))
				w.want(err, agentauth.ReasonAnswer)
				delete(w.as.override, "/register")
				delete(w.as.override, "/token")
			}
			w.as.life = 3 * time.Second // run out, as good as
			w.connect()
			w.as.override["/token"] = http.RedirectHandler("/steal", http.StatusTemporaryRedirect)
			_, err := w.token(w.agents)
			w.want(err, agentauth.ReasonRefused)
		})
	}
}
