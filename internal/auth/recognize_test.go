package auth_test

import (
	"strings"
	"testing"
	"time"
)

// What is known is recognized without a look at the store or the issuer; what a stranger can make
// up never is.
func TestRecognize(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		known := func(what, credential string, want bool) {
			t.Helper()
			if c := r.Recognize(credential); (c != nil) != want {
				t.Errorf("%s: recognized %v, want %v", what, c != nil, want)
			}
		}
		made := r.store.make(1, true)
		token, brief := r.idp.token(), r.idp.token(claim("exp", at(time.Now().Add(90*time.Second))))
		known("a key of the config", "config-read-"+canary, true)
		known("a key made a moment ago", made, false)
		known("a token never seen", token, false)
		known("nothing", "", false)
		known("a very long one", strings.Repeat("a", 9<<10), false)
		for _, credential := range []string{made, token, brief} {
			r.good(credential)
			known("what was judged", credential, true)
		}
		forged := token[:len(token)-8] + "AAAAAAAA"
		r.bad(forged, "bad_signature")
		known("a forged token", forged, false)

		r.idp.keys = nil // no longer: what is in memory counts
		r.store.is(false, true, 0)
		time.Sleep(61 * time.Second)
		known("a token that is due", token, true)
		known("a stored key while the store hangs", made, true)
		r.store.is(false, false, 0)
		time.Sleep(90 * time.Second)
		known("a token that has expired", brief, false)
		known("a token that has expired, again", brief, false)
		known("a token that lives", token, true)
		r.store.revoke(1)
		time.Sleep(5 * time.Second)
		known("a revoked key", made, false)
	})
}
