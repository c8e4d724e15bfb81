package config_test

import (
	"slices"
	"strings"
	"testing"
)

func TestChanged(t *testing.T) {
	const text = `
server: {allowed_origins: []}
store: {url: "postgres://u:p@127.0.0.1/db"}
auth: {oidc: {issuer: "https://a.example", audience: a}, keys: [{name: a, customer_id: 1, key: a-key-of-16-letters}]}
outbound: {allow: [10.0.0.1]}
platform_tasks: [{id: a, name: A}]
sources: [{source_id: a, customer_id: 1, tenant_id: a}]
`
	was := load(t, text)
	for _, c := range []struct{ oldnew, want string }{
		{"", ""},
		{"server: {allowed_origins: []}>", ""},
		{"server: {>server: {address: '127.0.0.1:1', shutdown_delay: 1s, ", "server.address, server.shutdown_delay"},
		{"server:>upstream: {breaker: {window: 1s}}\nserver:", "upstream.breaker.window"},
		{"u:p@>u:q@", "store.url"},
		{"name: a,>name: b,", "auth.keys"},
		{"a-key>b-key", "auth.keys"},
		{"name: a,>name: a, principal_id: buyer_7,", "auth.keys"},
		{"audience: a>audience: b", "auth.oidc"},
		{"10.0.0.1>10.0.0.2", "outbound.allow"},
		{"name: A>name: B", "platform_tasks"},
		{"tenant_id: a>tenant_id: b", "sources"},
	} {
		before, after, _ := strings.Cut(c.oldnew, ">")
		is := load(t, strings.Replace(text, before, after, 1))
		if got := strings.Join(is.Changed(was), ", "); got != c.want {
			t.Errorf("%q: %q changed, want %q", c.oldnew, got, c.want)
		}
	}
	all := load(t, "").Changed(was)
	if !slices.Equal(all, []string{"store.url", "platform_tasks", "auth.keys", "auth.oidc", "outbound.allow", "sources"}) {
		t.Errorf("without anything %q changed", all)
	}
}
