package auth_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/auth"
)

const audience = "https://gateway.example/api"

// Keys are made once: RSA takes its time.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	smallRSA   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })
	p256       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p256Other  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p384Other  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edwardsKey = sync.OnceValue(func() ed25519.PrivateKey { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// idp is an OpenID Connect issuer, as an http.RoundTripper and an http.Handler.
type idp struct {
	issuer string

	mu        sync.Mutex
	discovery string // instead of the document it would give
	jwks      string // instead of its keys
	keys      []jose.JSONWebKey
	status    int // of every answer; 0: 200
	away      bool
	hangs     bool          // until the caller gives up
	delay     time.Duration // of each document
	moved     string        // where it redirects to
	asked     []string      // paths

	client   *auth.Client   // that may sign people in; nil: none
	metadata map[string]any // in the discovery document; a nil value takes a member away
	front                   // of the code flow
}

func newIDP() *idp {
	p := &idp{issuer: "https://login.example/realms/harbour"}
	p.publish(public("k1", p256()), public("rsa", rsaKey()))
	return p
}

// public is the JWK of a key.
func public(id string, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{KeyID: id, Key: key.Public(), Use: "sig"}
}

// publish replaces the issuer's keys.
func (p *idp) publish(keys ...jose.JSONWebKey) {
	p.set(func() { p.keys, p.jwks = keys, "" })
}

func (p *idp) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// count gives how many fetches of the discovery document there were since it was last
// asked.
func (p *idp) count() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range p.asked {
		if strings.HasSuffix(path, "/.well-known/openid-configuration") {
			n++
		}
	}
	p.asked = nil
	return n
}

// ServeHTTP implements http.Handler.
func (p *idp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.Path)
	body := p.jwks
	switch discovery := strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"); {
	case discovery && p.discovery == "":
		body = p.discoveryDocument()
	case strings.HasSuffix(r.URL.Path, "/token") && p.status == 0:
		p.exchange(w, r)
		return
	case discovery:
		body = p.discovery
	case body == "":
		body = string(must(json.Marshal(jose.JSONWebKeySet{Keys: p.keys})))
	}
	switch {
	case p.moved != "" && !strings.Contains(r.URL.Path, "moved"):
		http.Redirect(w, r, p.moved, http.StatusFound)
	case p.status != 0:
		w.WriteHeader(p.status)
		_, _ = io.WriteString(w, canary)
	default:
		_, _ = io.WriteString(w, body)
	}
}

// RoundTrip implements http.RoundTripper, without a socket.
func (p *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	p.mu.Lock()
	away, hangs, delay := p.away, p.hangs, p.delay
	p.mu.Unlock()
	time.Sleep(delay)
	if hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if away {
		return nil, fmt.Errorf("no route to %s", canary)
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// draft is a token to be signed. Its fields hold JSON, so that anything can be said.
type draft struct {
	header, claims map[string]string
	alg            string // signed with
	key            any
	twice          string // an additional claim, word for word
	headerTwice    string
	raw            *string // instead of the claims
}

// token signs a good token after a change; without alg and key it is ES256 and k1.
func (p *idp) token(changes ...func(*draft)) string {
	now := time.Now()
	d := &draft{alg: "ES256", key: p256(),
		header: map[string]string{"typ": `"at+jwt"`, "kid": `"k1"`},
		claims: map[string]string{
			"iss": quoted(p.issuer), "aud": quoted(audience), "sub": `"shopper-` + canary + `"`,
			"iat": at(now), "exp": at(now.Add(time.Hour)),
			customerClaim: "77", "scope": `"openid read"`,
		},
	}
	for _, change := range changes {
		change(d)
	}
	if d.header["alg"] == "" {
		d.header["alg"] = quoted(d.alg)
	}
	said := object(d.claims, d.twice)
	if d.raw != nil {
		said = *d.raw
	}
	text := encode(object(d.header, d.headerTwice)) + "." + encode(said)
	signature := must(jwt.GetSigningMethod(d.alg).Sign(text, d.key))
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// claim sets a claim, header a member of the header; empty takes it away.
func claim(name, value string) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }

func header(name, value string) func(*draft) { return func(d *draft) { put(d.header, name, value) } }

func signed(alg string, key any) func(*draft) { return func(d *draft) { d.alg, d.key = alg, key } }

func put(m map[string]string, name, value string) {
	if value == "" {
		delete(m, name)
		return
	}
	m[name] = value
}

func at(t time.Time) string { return fmt.Sprint(t.Unix()) }

func quoted(s string) string { return string(must(json.Marshal(s))) }

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func object(fields map[string]string, more string) string {
	var b bytes.Buffer
	b.WriteByte('{')
	b.WriteString(more)
	for name, value := range fields {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", quoted(name), value)
	}
	b.WriteByte('}')
	return b.String()
}
