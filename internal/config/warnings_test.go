package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
)

// Every text but the last two lets a caller in, since that none is let in is a warning too.
func TestWarnings(t *testing.T) {
	const (
		caller  = "auth: {keys: [{name: a, customer_id: 1, key: sixteen-letters-}]}\n"
		contact = "provisioning.contact_email: is empty: new ad servers can't be connected"
		refused = "provisioning.contact_email: is at a domain that the sales agent refuses: new ad servers can't be connected"
		one     = "provisioning.external_org_id: holds neither {esa_id} nor {source_id}"
		shared  = "provisioning.external_org_id: holds {source_id} without {customer_id}"
		wide    = "outbound.allow[0]: allows every address"
	)
	orgID := func(template string) string {
		return caller + "provisioning: {contact_email: a@b.example, external_org_id: '" + template + "'}"
	}
	allow := func(entries string) string {
		return caller + "provisioning: {contact_email: a@b.example}\noutbound: {allow: [" + entries + "]}"
	}
	for _, c := range []struct {
		text string
		want []string // how each begins
	}{
		{caller + "provisioning: {contact_email: desk@gate.example}", nil},
		{caller + "provisioning: {external_source: x}", []string{contact}},
		{caller + "provisioning: {contact_email: ''}", []string{contact}},
		{caller + "provisioning: {contact_email: d_7@test.local.x-1.example}", nil},
		{caller + "provisioning: {contact_email: desk@kelvin.Local}", []string{refused}},
		{caller + "provisioning: {contact_email: desk@10.0.0.1}", []string{refused}},
		{caller + "provisioning: {contact_email: desk@gate_way.example}", []string{refused}},
		{orgID("fixed"), []string{one}},
		{orgID("c{customer_id}"), []string{one}},
		{orgID("s{source_id}"), []string{shared}},
		{orgID("{source_id}-{customer_id}"), nil},
		{orgID("{source_id}-{esa_id}"), nil},
		{allow("0.0.0.0/0"), []string{wide}},
		{allow("'::/0', 10.0.0.0/8, 0.0.0.0/0"), []string{wide, "outbound.allow[2]: allows every address"}},
		{allow("128.0.0.0/1, 10.0.0.1"), nil},
		{caller + "provisioning: {contact_email: a@b.example}\nserver: {trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]}",
			[]string{"server.trusted_proxies[1]: trusts every client's own word"}},
		{caller + "provisioning: {contact_email: a@b.example}\nserver: {public_url: 'http://gate.example'}",
			[]string{"server.public_url: is not https: people can sign in to /ops"}},
		{caller + "provisioning: {contact_email: a@b.example}\nserver: {public_url: 'http://localhost:8080'}", nil},
		{"auth: {oidc: {issuer: https://login.example, audience: gate}}", []string{contact}},
		{"auth: {keys: [{name: tiny, customer_id: 1, key: fifteen-letters}]}", []string{contact,
			"auth.keys[0]: the key tiny is shorter"}},
		{caller + "sources: [{source_id: a, customer_id: 1, ad_server: {type: kelvin_ads}}]", []string{contact,
			"sources[0].ad_server.type: is not a type that this version knows; nothing but the type will be shown"}},
		{"", []string{contact, "auth.keys: there is none, nor an auth.oidc: only keys made with esagate key new are let in"}},
		{"auth: {keys: []}", []string{contact, "auth.keys: there is none"}},
	} {
		loaded, faults := config.Load(write(t, c.text), least[:2])
		if len(faults) > 0 || len(loaded.Warnings) != len(c.want) {
			t.Errorf("%s: %v, want warnings %q", c.text, faults, c.want)
			continue
		}
		for i, got := range loaded.Warnings {
			if !strings.HasPrefix(got, c.want[i]) {
				t.Errorf("%s: got %q, want %q", c.text, got, c.want[i])
			}
			noEcho(t, got, "fifteen")
			noEcho(t, got, "kelvin")
		}
	}
}
