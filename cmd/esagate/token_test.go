package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// TestAccessTokens lets a running gateway judge tokens of an issuer of its own.
// What makes a token bad, one thing at a time, is tested in internal/auth.
func TestAccessTokens(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	mux := http.NewServeMux()
	issuer := httptest.NewServer(mux)
	defer issuer.Close()
	answer := func(path string, v any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		})
	}
	answer("/.well-known/openid-configuration", map[string]string{"issuer": issuer.URL, "jwks_uri": issuer.URL + "/keys"})
	answer("/keys", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	token := func(claims jwt.MapClaims) string {
		all := jwt.MapClaims{"iss": issuer.URL, "aud": "esagate", "exp": time.Now().Add(time.Hour).Unix(), "sub": "CANARY-someone"}
		for name, value := range claims {
			all[name] = value
		}
		made := jwt.NewWithClaims(jwt.SigningMethodES256, all)
		made.Header["kid"] = "k1"
		signed, err := made.SignedString(key)
		must(t, err)
		return signed
	}

	config, env := write(t, "http://127.0.0.1:1")
	edit(t, config, "auth: {", `auth: {oidc: {issuer: "`+issuer.URL+
		`", audience: esagate, customer_claim: "https://esagate.example/customer", access_claim: scope}, `)
	p := start(t, env, "serve", "--config", config)
	const customer = "https://esagate.example/customer"
	writer := token(jwt.MapClaims{customer: 4711, "scope": "openid write"})
	if code, body := p.send("POST", sources, writer, agentBody); code != 201 {
		t.Errorf("a token that may write: %d %s", code, body)
	}
	for name, c := range map[string]struct {
		claims jwt.MapClaims
		method string
		want   int
	}{
		"may read":         {jwt.MapClaims{customer: "4711", "scope": []string{"read"}}, "GET", 200},
		"may not write":    {jwt.MapClaims{customer: 4711, "scope": "read"}, "DELETE", 403},
		"another customer": {jwt.MapClaims{customer: 4712, "scope": "write"}, "DELETE", 404},
		"says nothing":     {jwt.MapClaims{customer: 4711}, "GET", 401},
		"no customer":      {jwt.MapClaims{"scope": "write"}, "GET", 401},
		"has expired":      {jwt.MapClaims{customer: 4711, "scope": "read", "exp": time.Now().Add(-time.Hour).Unix()}, "GET", 401},
		"for others":       {jwt.MapClaims{customer: 4711, "scope": "read", "aud": "else"}, "GET", 401},
	} {
		if code, body := p.send(c.method, sources+"/harbour-direct", token(c.claims), ""); code != c.want {
			t.Errorf("%s: %d %s, want %d", name, code, body, c.want)
		}
	}
	p.stop()
	if log := p.errs.String(); strings.Contains(log, "CANARY") || strings.Contains(log, writer) {
		t.Error("a token, or a claim, stands in the log")
	}
}
