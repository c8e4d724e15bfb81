package auth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkAuthenticate: what each kind of credential costs a request.
func BenchmarkAuthenticate(b *testing.B) {
	p := newIDP()
	r := rigWith(b, p, &http.Client{Transport: p})
	defer r.Close(ctx())
	stored := r.store.make(1, true)
	es, rs := p.token(), p.token(signed("RS256", rsaKey()), header("kid", `"rsa"`))
	fresh := func(change ...func(*draft)) []string { // more than are remembered, so that each is verified
		all := make([]string, 12_000)
		for i := range all {
			all[i] = p.token(append(change, claim("n", fmt.Sprint(i)))...)
		}
		return all
	}
	for !r.IssuerAvailable() {
		_, _ = r.Authenticate(b.Context(), es)
	}
	run := func(name string, credentials ...string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := r.Authenticate(b.Context(), credentials[i%len(credentials)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("config key", "config-write-"+canary)
	run("stored key", stored)
	run("cached token", es)
	run("cached RS256 token", rs)
	run("verified ES256", fresh()...)
	run("verified RS256", fresh(signed("RS256", rsaKey()), header("kid", `"rsa"`))...)
	b.Run("forged token", func(b *testing.B) {
		forged := es[:len(es)-20] + strings.Repeat("A", 20)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Authenticate(b.Context(), forged); err == nil {
				b.Fatal("taken")
			}
		}
	})
}
