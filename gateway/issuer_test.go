package gateway_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/auth"
)

// issuer is an OpenID Connect issuer at which people can sign in. Package auth tests other issuers.
type issuer struct {
	testing.TB
	signing *ecdsa.PrivateKey
	claims  jwt.MapClaims         // of the tokens that it gives: what differs from good ones
	codes   map[string]url.Values // by code: what was asked for it
	away    bool
	page    string   // where people sign in; empty: at the issuer's name
	told    []string // codes, verifiers, tokens and secrets that have passed through
}

const (
	issuerName   = "https://issuer.example"
	clientSecret = revealed("client-secret-CANARY-4f1d")
)

type revealed string

func (s revealed) Reveal() string { return string(s) }

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{TB: t, signing: key, codes: map[string]url.Values{}, told: []string{string(clientSecret)}}
}

// config is what makes a gateway take this issuer's tokens; nil: nobody signs in there.
func (i *issuer) config(client *auth.Client) *auth.OIDC {
	return &auth.OIDC{Issuer: issuerName, Audience: "esagate", CustomerClaim: "customer", AccessClaim: "scope", Client: client}
}

// world is a gateway at which people sign in with this issuer.
func (i *issuer) world() setup {
	return setup{outside: i, oidc: i.config(&auth.Client{ID: "esagate-ops", Secret: clientSecret, RedirectURI: "https://gateway.example/ops/callback"})}
}

// token gives a token that lets its owner read for an hour, but for the claims that are changed.
func (i *issuer) token(changed jwt.MapClaims) string {
	i.Helper()
	claims := jwt.MapClaims{"iss": issuerName, "aud": "esagate", "exp": time.Now().Add(time.Hour).Unix(),
		"sub": "someone-CANARY", "customer": customer, "scope": "read"}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["kid"] = "k1"
	token, err := unsigned.SignedString(i.signing)
	if err != nil {
		i.Fatal(err)
	}
	i.told = append(i.told, token)
	return token
}

// consent plays the browser at the issuer's page, and gives the address that it is sent back to.
func (i *issuer) consent(address string) (callback string) {
	i.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != cmp.Or(i.page, issuerName+"/authorize") {
		i.Fatalf("signing in is at %s", address)
	}
	code := fmt.Sprintf("code-CANARY-%d", len(i.codes))
	i.codes[code] = u.Query()
	i.told = append(i.told, code)
	back := url.Values{"state": u.Query()["state"], "code": {code}, "iss": {issuerName}}
	return u.Query().Get("redirect_uri") + "?" + back.Encode()
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer(200, map[string]any{"issuer": issuerName, "jwks_uri": issuerName + "/keys",
			"authorization_endpoint": cmp.Or(i.page, issuerName+"/authorize"), "token_endpoint": issuerName + "/token"})
	case "/keys":
		answer(200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.signing.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	case "/token":
		id, secret, _ := r.BasicAuth()
		code, verifier := r.PostFormValue("code"), r.PostFormValue("code_verifier")
		i.told = append(i.told, verifier)
		sum := sha256.Sum256([]byte(verifier))
		challenge := base64.RawURLEncoding.EncodeToString(sum[:])
		switch asked := i.codes[code]; {
		case i.away:
			w.WriteHeader(http.StatusBadGateway)
		case id != "esagate-ops" || secret != string(clientSecret):
			answer(401, map[string]string{"error": "invalid_client"})
		case !slices.Equal(asked["code_challenge"], []string{challenge}), asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
			answer(400, map[string]string{"error": "invalid_grant", "error_description": "CANARY"})
		default:
			i.codes[code] = nil
			answer(200, map[string]any{"access_token": i.token(i.claims), "token_type": "Bearer", "refresh_token": "CANARY"})
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
