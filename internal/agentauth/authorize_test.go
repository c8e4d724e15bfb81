package agentauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/agentauth"
	"esagate/registry"
)

// authorize authorizes a request to the source as it stands.
func (w *world) authorize(from *agentauth.Agents) (http.Header, error) {
	w.Helper()
	src, err := w.store.Customer(customer).Source(context.Background(), sourceID)
	w.must(err)
	got, err := from.Authorize(context.Background(), src)
	if err == nil && got.Header != nil && got.CredentialID == "" {
		w.Error("a header of no credentials")
	}
	return got.Header, err
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

// assertionOf is a JWT credential of a private key.
func assertionOf(key, algorithm string) *registry.Credential {
	return &registry.Credential{JWT: &registry.JWTCredential{
		PrivateKey: key, Issuer: "iss-1", Subject: "sub-1", KeyID: "kid-1", Scope: "ads.read ads.buy",
		TokenEndpointURL: issuer + "/token", AudienceURL: issuer, Algorithm: algorithm,
	}}
}

func inPEM(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestAssertions: each form of a private key makes an assertion that the server can check, and what
// is no such key is refused before the server is asked.
func TestAssertions(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	wide, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rs, _ := rsa.GenerateKey(rand.Reader, 2048)
	sec1, err := x509.MarshalECPrivateKey(ec)
	ecPEM := inPEM("EC PRIVATE KEY", sec1, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	ec8PEM := inPEM("PRIVATE KEY", pkcs8, err)
	pkcs8, err = x509.MarshalPKCS8PrivateKey(rs)
	rs8PEM := inPEM("PRIVATE KEY", pkcs8, err)
	pkcs8, err = x509.MarshalPKCS8PrivateKey(wide)
	widePEM := inPEM("PRIVATE KEY", pkcs8, err)
	rsPEM := inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs), nil)
	table := map[string]struct {
		key, algorithm string
		checks         any // the public key; nil: refused
	}{
		"SEC 1":           {ecPEM, "", &ec.PublicKey},
		"PKCS 8 EC":       {ec8PEM, "ES256", &ec.PublicKey},
		"PKCS 1":          {rsPEM, "RS256", &rs.PublicKey},
		"PKCS 8 RSA":      {rs8PEM, "", &rs.PublicKey},
		"another kind":    {ec8PEM, "RS256", nil},
		"the other":       {rsPEM, "ES256", nil},
		"another curve":   {widePEM, "", nil},
		"a public key":    {inPEM("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rs.PublicKey), nil), "", nil},
		"no PEM":          {"CANARY", "", nil},
		"much text first": {strings.Repeat("\n", 9<<10) + ecPEM, "", nil},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			w.keep(registry.AuthJWT, assertionOf(tt.key, tt.algorithm))
			w.replies(answer(200, js, `{"access_token":"CANARY-a","token_type":"Bearer","expires_in":3600}`))
			got, err := w.authorize(w.agents)
			if tt.checks == nil {
				w.want(err, agentauth.ReasonCredential)
				if len(w.as.requests) > 0 {
					w.Error("the server was asked")
				}
				continue
			}
			if err != nil || got.Get("Authorization") != "Bearer CANARY-a" {
				w.Errorf("not the token (%v)", err)
				continue
			}
			form := w.as.requests[0].form
			if form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || form.Get("scope") != "ads.read ads.buy" || len(form) != 3 {
				w.Error("the form is another one")
			}
			var claims jwt.MapClaims
			parsed, err := jwt.ParseWithClaims(form.Get("assertion"), &claims, func(*jwt.Token) (any, error) { return tt.checks, nil },
				jwt.WithIssuer("iss-1"), jwt.WithSubject("sub-1"), jwt.WithAudience(issuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
			if err != nil || parsed.Header["kid"] != "kid-1" || claims["aud"] != issuer || claims["scope"] != "ads.read ads.buy" || claims["jti"] == "" {
				w.Errorf("the assertion is another one (%v)", err)
			}
		}
	})
}
