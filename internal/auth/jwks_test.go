package auth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"esagate/internal/auth"
)

// member is a JWK with some members set (JSON) or taken away (empty).
func member(key jose.JSONWebKey, change map[string]string) string {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(must(json.Marshal(key)), &fields); err != nil {
		panic(err)
	}
	for name, value := range change {
		if fields[name] = json.RawMessage(value); value == "" {
			delete(fields, name)
		}
	}
	return string(must(json.Marshal(fields)))
}

// TestWhichKeysCount: each set stands beside one good key, which must go on
// whatever the other is.
func TestWhichKeysCount(t *testing.T) {
	key := public("k2", p384())
	small := public("k2", smallRSA())
	for _, c := range []struct {
		name string
		key  string
		good bool
	}{
		{"as it should be", member(key, nil), true},
		{"no use", member(key, map[string]string{"use": ""}), true},
		{"its alg", member(key, map[string]string{"alg": `"ES384"`}), true},
		{"key_ops", member(key, map[string]string{"key_ops": `["verify"]`, "use": ""}), true},
		{"a certificate that can't be read", member(key, map[string]string{"x5c": `["AAAA"]`, "x5t": `"?"`}), true},
		{"members of the future", member(key, map[string]string{"future": `{"d": 1}`}), true},
		{"a member of another type", member(key, map[string]string{"x": `{}`}), false},
		{"for encryption", member(key, map[string]string{"use": `"enc"`}), false},
		{"for something else", member(key, map[string]string{"use": `"SIG"`}), false},
		{"to sign only", member(key, map[string]string{"key_ops": `["sign"]`}), false},
		{"to do nothing", member(key, map[string]string{"key_ops": `[]`}), false},
		{"another alg", member(key, map[string]string{"alg": `"ES256"`}), false},
		{"alg none", member(key, map[string]string{"alg": `"none"`}), false},
		{"alg HS256", member(key, map[string]string{"alg": `"HS256"`}), false},
		{"private", member(jose.JSONWebKey{KeyID: "k2", Key: p384()}, nil), false},
		{"with a part of a private key", member(key, map[string]string{"d": `""`}), false},
		{"symmetric", `{"kty": "oct", "kid": "k2", "k": "` + strings.Repeat("A", 43) + `"}`, false},
		{"no type", member(key, map[string]string{"kty": ""}), false},
		{"a type to come", `{"kty": "AKP", "kid": "k2", "alg": "ML-DSA-65", "pub": "AAAA"}`, false},
		{"off the curve", member(key, map[string]string{"y": `"` + strings.Repeat("A", 64) + `"`}), false},
		{"another name", member(key, map[string]string{"kid": `"K2"`}), false},
		{"name of another type", member(key, map[string]string{"kid": `2`}), false},
		{"short RSA", member(small, nil), false},
		{"null", "null", false},
		{"a string", `"k2"`, false},
		{"twice", member(key, nil) + "," + member(key, nil), true},
		{"twice, once with its alg", member(key, nil) + "," + member(key, map[string]string{"alg": `"ES384"`}), true},
		{"twice, once for encryption", member(key, map[string]string{"use": `"enc"`}) + "," + member(key, nil), true},
		{"twice, once for another alg", member(key, map[string]string{"alg": `"ES256"`}) + "," + member(key, nil), true},
		{"twice, once unreadable", member(key, map[string]string{"x": `7`}) + "," + member(key, nil), true},
		{"twice, once with a name twice", `{"kid":"k2",` + member(key, nil)[1:] + "," + member(key, nil), true},
		{"twice, once with broken UTF-8", "{\"a\":\"\xff\"," + member(key, nil)[1:] + "," + member(key, nil), true},
		{"a name twice", `{"kid":"k2",` + member(key, nil)[1:], false},
		{"two of one name", member(key, nil) + "," + member(public("k2", p384Other()), nil), true},
		{"two of one name, the second", member(public("k2", p384Other()), nil) + "," + member(key, nil), true},
		{"two of one name, that one for encryption", member(public("k2", p384Other()), nil) + "," + member(key, map[string]string{"use": `"enc"`}), false},
		{"two of one name and different kinds", member(key, nil) + "," + member(public("k2", p521()), nil), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.idp.set(func() { r.idp.jwks = `{"keys": [` + c.key + `,` + member(public("k1", p256()), nil) + `]}` })
				time.Sleep(time.Hour)
				r.good(r.idp.token())
				text := r.idp.token(signed("ES384", p384()), header("kid", `"k2"`))
				if c.name == "short RSA" {
					text = r.idp.token(signed("RS256", smallRSA()), header("kid", `"k2"`))
				}
				switch {
				case c.good:
					r.good(text)
				case strings.Contains(c.key, member(public("k2", p384Other()), nil)):
					r.bad(text, auth.BadSignature)
				default:
					r.bad(text, auth.Unknown)
				}
			})
		})
	}
}

// TestNamelessTokenNeedsOneKey: without a name the key must be the only one that fits.
func TestNamelessTokenNeedsOneKey(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		nameless := header("kid", "")
		r.idp.publish(public("a", p256()), public("b", rsaKey()), public("c", p384()))
		time.Sleep(time.Hour)
		r.good(r.idp.token(nameless))
		r.good(r.idp.token(nameless, signed("PS512", rsaKey())))
		r.idp.publish(public("a", p256()), public("again", p256()))
		time.Sleep(time.Hour)
		r.good(r.idp.token(nameless))
		r.idp.publish(public("a", p256()), public("b", p256Other()))
		time.Sleep(time.Hour)
		r.bad(r.idp.token(nameless), auth.Unknown)
		r.good(r.idp.token(header("kid", `"a"`)))
	})
}

// TestNoKeysAtAll: the issuer's word counts, also when it names no key.
func TestNoKeysAtAll(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.idp.set(func() { r.idp.jwks = `{"keys": []}` })
		time.Sleep(time.Hour)
		r.bad(r.idp.token(), auth.Unknown)
	})
}

// TestDocumentsThatDoNotCount: the last good keys stand, and the log says in a word
// of ours what is wrong.
func TestDocumentsThatDoNotCount(t *testing.T) {
	const issuer = "https://login.example/realms/harbour"
	document := func(issuer, jwks string) string { return fmt.Sprintf(`{"issuer": %q, "jwks_uri": %q}`, issuer, jwks) }
	for _, c := range []struct {
		name, reason string
		change       func(p *idp)
	}{
		{"away", "unreachable", func(p *idp) { p.away = true }},
		{"hanging", "timeout", func(p *idp) { p.hangs = true }},
		{"500", "status", func(p *idp) { p.status = 500 }},
		{"204", "status", func(p *idp) { p.status = 204 }},
		{"not JSON", "discovery_invalid", func(p *idp) { p.discovery = "<html>" + canary }},
		{"a name twice", "discovery_invalid", func(p *idp) {
			p.discovery = `{"issuer": "` + issuer + `", "issuer": "` + issuer + `", "jwks_uri": "` + issuer + `/keys"}`
		}},
		{"another issuer", "discovery_of_another", func(p *idp) { p.discovery = document("https://login.example/realms/other", issuer+"/keys") }},
		{"nearly the issuer", "discovery_of_another", func(p *idp) { p.discovery = document(issuer+"/", issuer+"/keys") }},
		{"no issuer", "discovery_of_another", func(p *idp) { p.discovery = `{}` }},
		{"no jwks_uri", "jwks_uri_refused", func(p *idp) { p.discovery = document(issuer, "") }},
		{"http", "jwks_uri_refused", func(p *idp) { p.discovery = document(issuer, "http://login.example/keys") }},
		{"file", "jwks_uri_refused", func(p *idp) { p.discovery = document(issuer, "file:///etc/keys") }},
		{"with a password", "jwks_uri_refused", func(p *idp) { p.discovery = document(issuer, "https://u:"+canary+"@login.example/keys") }},
		{"relative", "jwks_uri_refused", func(p *idp) { p.discovery = document(issuer, "/keys") }},
		{"keys are no JSON", "jwks_invalid", func(p *idp) { p.jwks = canary }},
		{"keys are no set", "jwks_invalid", func(p *idp) { p.jwks = `{"kty": "EC"}` }},
		{"keys are no list", "jwks_invalid", func(p *idp) { p.jwks = `{"keys": {}}` }},
		{"too large", "too_large", func(p *idp) { p.jwks = `{"keys": []` + strings.Repeat(" ", 1<<20) + `}` }},
		{"redirect to http", "redirect_refused", func(p *idp) { p.moved = "http://login.example/moved/" + canary }},
		{"redirect to this machine", "redirect_refused", func(p *idp) { p.moved = "http://127.0.0.1/moved" }},
		{"redirect with a password", "redirect_refused", func(p *idp) { p.moved = "https://u:" + canary + "@login.example/moved" }},
		{"redirect in a circle", "redirect_refused", func(p *idp) { p.moved = issuer + "/.well-known/openid-configuration" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.idp.set(func() { c.change(r.idp) })
				time.Sleep(2 * time.Hour)
				r.good(r.idp.token())
				if log := r.log.String(); !strings.Contains(log, "reason="+c.reason+" ") || r.IssuerAvailable() {
					t.Errorf("want %s in the log:\n%s", c.reason, log)
				}
			})
		})
	}
}

// TestRedirectWithinHTTPS is followed.
func TestRedirectWithinHTTPS(t *testing.T) {
	bubbleWith(t, func(p *idp) {
		p.moved = p.issuer + "/moved/.well-known/openid-configuration"
		p.discovery = fmt.Sprintf(`{"issuer": %q, "jwks_uri": %q}`, p.issuer, p.issuer+"/moved/keys")
	}, func(t *testing.T, r *rig) { r.good(r.idp.token()) })
}

// TestOverSockets: the package's own client over http to this machine, and TLS.
func TestOverSockets(t *testing.T) {
	p := newIDP()
	server := httptest.NewServer(p)
	defer server.Close()
	p.issuer = server.URL + "/" // its slash is not doubled in the document's address
	p.discovery = fmt.Sprintf(`{"issuer": %q, "jwks_uri": %q}`, p.issuer, server.URL+"/keys")
	r := newRig(t, p, nil)
	defer r.Close(ctx())
	r.goodInTime(p.token())
	if p.asked[0] != "/.well-known/openid-configuration" {
		t.Errorf("asked for %q", p.asked)
	}

	q := newIDP()
	secure := httptest.NewUnstartedServer(q)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that hangs up below
	secure.StartTLS()
	defer secure.Close()
	q.issuer = secure.URL
	s := newRig(t, q, secure.Client())
	defer s.Close(ctx())
	s.goodInTime(q.token())

	// A certificate of an unknown authority.
	u := newRig(t, q, nil)
	defer u.Close(ctx())
	u.unavailable(q.token())
}

// goodInTime is good, however long the first fetch takes.
func (r *rig) goodInTime(credential string) {
	r.t.Helper()
	for !<-r.fetched {
	}
	r.good(credential)
}
