package auth_test

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzAuthenticate: nothing made up is ever taken, and nothing panics.
func FuzzAuthenticate(f *testing.F) {
	p := newIDP()
	good := p.token(claim("iss", `"https://login.example"`)) // of another
	part := strings.Split(good, ".")
	for _, start := range []string{"", "key", ".", "..", "a.b.c", good, good + "=", part[0] + "." + part[1] + ".",
		encode(`{"alg":"none"}`) + "." + part[1] + ".", encode(`{"alg":"ES256","kid":"k1"}`) + "." + encode("null") + "." + part[2],
		encode(`{"alg":"HS256","kid":"rsa"}`) + "." + part[1] + "." + part[2]} {
		f.Add(start, "")
	}
	for _, start := range []string{`{"exp":1e400}`, `{"exp":-1,"aud":[[]]}`, `[]`, `null`, "{\"\xff\":1}", `{"a":{"a":{"a":[]}}}`} {
		f.Add(`{"alg":"ES256","kid":"k1"}`, start)
	}
	r := newRig(f, p, &http.Client{Transport: p})
	f.Cleanup(func() { r.Close(ctx()) })
	for !r.IssuerAvailable() {
		_, _ = r.Authenticate(f.Context(), good)
	}
	f.Fuzz(func(t *testing.T, text, claims string) {
		for _, credential := range []string{text, encode(text) + "." + encode(claims) + "." + part[2]} {
			c, err := r.Authenticate(t.Context(), credential)
			if err == nil || c != nil || !isRefusal(err) {
				t.Errorf("%q: %v, %v", credential, c, err)
			}
		}
		// Signed by the issuer, so that the claims are read.
		_, err := r.Authenticate(t.Context(), p.token(func(d *draft) { d.raw = &claims }))
		if !isRefusal(err) {
			t.Errorf("claims %q: %v", claims, err)
		}
	})
}
