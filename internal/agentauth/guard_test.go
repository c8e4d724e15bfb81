package agentauth_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"esagate/internal/agentauth"
	"esagate/internal/outbound"
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
			browser := *s.Client()
			browser.CheckRedirect = followNone
			defer browser.CloseIdleConnections()
			w.http, w.direct, w.browser, w.checkURL = guard.HTTP(), guard.HTTPDirect(), &browser, guard.CheckURL
			w.agents = w.replica()
			w.source = w.create(sourceID, s.URL+"/v1/mcp")
			defer w.finish()

			if allowed == nil {
				_, err := w.tryBegin()
				if w.want(err, agentauth.ReasonAddress); asked > 0 {
					t.Error("it was asked")
				}
				return
			}
			w.connect()
			w.tokenIs(w.agents, w.held().AccessToken)
			// The guard follows redirects within an origin by itself: with a code, a
			// refresh token or a secret it must not.
			steal := http.RedirectHandler("/steal", http.StatusTemporaryRedirect)
			back := w.browse(w.begin())
			w.replies(steal)
			w.want(w.end(back), agentauth.ReasonRefused)
			delete(w.as.override, "/token")
			w.as.life = 3 * time.Second // run out, as good as
			w.connect()
			w.replies(steal)
			w.tokenFails(w.agents, agentauth.ReasonRefused)
			w.as.override["/register"] = steal
			w.source = w.create("other", s.URL+"/v1/mcp")
			_, err := w.tryBegin()
			w.want(err, agentauth.ReasonAnswer)
		})
	}
}
