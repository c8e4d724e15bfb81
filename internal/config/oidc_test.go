package config_test

import (
	"strings"
	"testing"
)

func TestOIDC(t *testing.T) {
	with := func(rest string) string { return "{issuer: https://login.example, audience: gate, " + rest + "}" }
	from := func(issuer string) string { return "{issuer: '" + issuer + "', audience: gate}" }
	const (
		url, https = "auth.oidc.issuer (line 1): must be an http:// or https:// URL", "auth.oidc.issuer (line 1): must be an https:// URL"
		customer   = "auth.oidc.customer_claim (line 1): "
	)
	for _, c := range []struct{ oidc, want string }{
		{from("https://login.example/realms/gate"), ""},
		{from("https://login.example/"), ""},
		{from("http://localhost:8081/realms/gate"), ""},
		{from("http://127.0.0.9"), ""},
		{from("http://[::1]:8081"), ""},
		{from("http://login.example"), https},
		{from("http://localhost.example"), https},
		{from("http://10.0.0.1"), https},
		{from("login.example"), url},
		{from("https://u:p@login.example"), "auth.oidc.issuer (line 1): must not hold a user"},
		{from("https://login.example?tenant=1"), "auth.oidc.issuer (line 1): must not hold a query"},
		{from("https://login.example/#a"), "auth.oidc.issuer (line 1): must not hold a fragment"},
		{from(""), "auth.oidc.issuer (line 1): is required"},
		{"{audience: gate}", "auth.oidc.issuer (line 1): is required"},
		{"{issuer: https://login.example}", "auth.oidc.audience (line 1): is required"},
		{"{issuer: https://login.example, audience: ''}", "auth.oidc.audience (line 1): is required"},
		{"{issuer: https://login.example, audience: [gate]}", "auth.oidc.audience (line 1): must be a single value"},
		{"{issuer: https://login.example, audience: ' gate'}", "auth.oidc.audience (line 1): must not begin or end"},
		{"{issuer: https://login.example, audience: ${GONE}}", "auth.oidc.audience (line 1): the environment variable GONE is not set"},
		{with("customer_claim: org, access_claim: https://example.org/access"), ""},
		{with("customer_claim: ''"), customer + "must not be empty"},
		{with("customer_claim: " + strings.Repeat("é", 255)), ""},
		{with("customer_claim: " + strings.Repeat("é", 256)), customer + "must be at most 255"},
		{with(`customer_claim: "a\u0007"`), customer + "must not hold control"},
		{with(`customer_claim: "a\u200bb"`), customer + "must hold printable characters only"},
		{with("access_claim: customer_id"), "auth.oidc.access_claim (line 1): is the same claim as auth.oidc.customer_claim"},
		{with("jwks_uri: x"), "auth.oidc.jwks_uri (line 1): unknown key"},
		{"https://login.example", "auth.oidc (line 1): must be a mapping"},
	} {
		expectFault(t, "auth: {oidc: "+c.oidc+"}", c.want)
	}
}

func TestOIDCIsOffWhenNothingIsSaidOfIt(t *testing.T) {
	for _, text := range []string{"", "auth:\n", "auth:\n  oidc:\n", "auth: {keys: []}"} {
		if c := load(t, text); c.Auth.OIDC != nil || len(c.Warnings) != 1 {
			t.Errorf("%q: got %+v, %q", text, c.Auth.OIDC, c.Warnings)
		}
	}
	if c := load(t, "auth: {oidc: {issuer: https://login.example, audience: gate}}"); len(c.Warnings) != 0 {
		t.Errorf("tokens let callers in, also without keys: %q", c.Warnings)
	}
	expectFaults(t, faultsOf(t, "auth: {oidc: {}}"), "auth.oidc.audience (line 1): is required", "auth.oidc.issuer (line 1): is required")
	expectFaults(t, faultsOf(t, "auth:\n  oidc:\n", "ESAGATE_AUTH_OIDC_ISSUER="),
		"auth.oidc.audience (line 2): is required", "auth.oidc.issuer: is required (set by ESAGATE_AUTH_OIDC_ISSUER)")
}
