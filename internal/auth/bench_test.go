package auth_test

import (
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkAuthenticate: what each kind of credential costs a request.
func BenchmarkAuthenticate(b *testing.B) {
	p := newIDP()
	r := newRig(b, p, &http.Client{Transport: p})
	defer r.Close(ctx())
	r.goodInTime(p.token())
	fresh := func(change ...func(*draft)) []string { // more than are remembered, so that each is verified
		all := make([]string, 12_000)
		for i := range all {
			all[i] = p.token(append(change, claim("n", fmt.Sprint(i)))...)
		}
		return all
	}
	for name, credentials := range map[string][]string{
		"config key":     {"config-write-" + canary},
		"stored key":     {r.store.make(1, true)},
		"cached token":   {p.token()},
		"verified ES256": fresh(),
		"verified RS256": fresh(signed("RS256", rsaKey()), header("kid", `"rsa"`)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := r.Authenticate(b.Context(), credentials[i%len(credentials)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
