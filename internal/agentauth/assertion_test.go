package agentauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/agentauth"
	"esagate/registry"
)

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

// exchanges is an authorization server that gives the access tokens a-1, a-2 … for assertions.
type exchanges struct {
	count atomic.Int64
	life  time.Duration // 0: not said
	takes time.Duration
}

func (e *exchanges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := e.count.Add(1)
	time.Sleep(e.takes)
	doc := document{"access_token": fmt.Sprintf("CANARY-a-%d", n), "token_type": "bearer"}
	if e.life > 0 {
		doc = doc.with("expires_in", e.life.Seconds())
	}
	doc.ServeHTTP(w, r)
}

// byAssertion gives the source a JWT credential.
func (w *world) byAssertion(e *exchanges) *exchanges {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	w.keep(registry.AuthJWT, assertionOf(inPEM("PRIVATE KEY", der, err), ""))
	w.replies(e)
	return e
}

// carries wants requests to carry a bearer token.
func (w *world) carries(from *agentauth.Agents, want string) {
	w.Helper()
	got, err := w.authorize(from)
	if err != nil || got.Get("Authorization") != "Bearer "+want {
		w.Errorf("it is another token than %s, or the error %v", want, w.saw(err))
	}
}

// TestAccessTokensOfAssertionsAreKept until a minute before their end, half their life, or for five minutes.
func TestAccessTokensOfAssertionsAreKept(t *testing.T) {
	inWorld(t, func(w *world) {
		for life, kept := range map[time.Duration]time.Duration{
			time.Hour: 59 * time.Minute, time.Minute: 30 * time.Second, 0: 5 * time.Minute, 48 * time.Hour: time.Hour,
		} {
			w.next(life.String())
			w.byAssertion(&exchanges{life: life})
			w.carries(w.agents, "CANARY-a-1")
			time.Sleep(kept - time.Second)
			w.carries(w.agents, "CANARY-a-1")
			time.Sleep(time.Second)
			w.carries(w.agents, "CANARY-a-2")
		}
	})
}

// TestOneExchangeForAll: forty requests cause one exchange, and a request that leaves does not end it.
func TestOneExchangeForAll(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.byAssertion(&exchanges{life: time.Hour, takes: 3 * time.Second})
		src := w.read()
		ctx, leave := context.WithTimeout(w.Context(), time.Second)
		defer leave()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := w.agents.Authorize(ctx, src); !errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("a request that has left: %v", err)
			}
		})
		synctest.Wait()
		for range 40 {
			all.Go(func() {
				if got, err := w.agents.Authorize(w.Context(), src); err != nil || got.Header.Get("Authorization") != "Bearer CANARY-a-1" {
					w.Errorf("another token (%v)", w.saw(err))
				}
			})
		}
		if all.Wait(); e.count.Load() != 1 {
			w.Errorf("%d exchanges", e.count.Load())
		}
	})
}

// TestFailedExchanges have their reason, and are not tried again for five seconds.
func TestFailedExchanges(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, tt := range map[string]struct {
			reply  http.Handler
			reason agentauth.Reason
		}{
			"refused":     {refusal("invalid_grant"), agentauth.ReasonRefused},
			"away":        {answer(503, js, "CANARY"), agentauth.ReasonAway},
			"hangs":       {http.HandlerFunc(hang), agentauth.ReasonAway},
			"garbage":     {answer(200, js, "CANARY"), agentauth.ReasonAnswer},
			"a line more": {answer(200, js, `{"access_token":"CANARY\r\nX: y","token_type":"Bearer"}`), agentauth.ReasonAnswer},
			"leads away":  {http.RedirectHandler("https://"+agentHost+"/steal", http.StatusTemporaryRedirect), agentauth.ReasonRefused},
		} {
			w.next(name)
			w.byAssertion(&exchanges{})
			w.replies(tt.reply)
			for range 3 {
				_, err := w.authorize(w.agents)
				w.want(err, tt.reason)
			}
			if n := len(w.as.requests); n != 1 {
				w.Errorf("the server was asked %d times", n)
			}
			w.replies(&exchanges{})
			time.Sleep(5 * time.Second)
			w.carries(w.agents, "CANARY-a-1")
			if w.held() != nil || w.read().Agent.CredentialID == "" {
				w.Error("the credentials are gone")
			}
			w.keyed()
		}
	})
}
