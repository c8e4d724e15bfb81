package config_test

import (
	"testing"

	"esagate/internal/config"
)

func TestWebhooksSubscribe(t *testing.T) {
	for _, c := range []struct {
		subscribe, publicURL string
		want                 bool
	}{
		{"auto", "http://127.0.0.1:8080", false}, // the default
		{"auto", "https://gate.example.com", true},
		{"auto", "HTTPS://gate.example.com:8443", true},
		{"auto", "http://gate.example.com", false},
		{"auto", "https://gate", false},
		{"auto", "https://localhost", false},
		{"auto", "https://gate.localhost", false},
		{"auto", "https://LOCALHOST.", false},
		{"auto", "https://gate.prod.internal", false},
		{"auto", "https://Gate.Prod.INTERNAL", false},
		{"auto", "https://gate.local.", false},
		{"auto", "https://gate.home.arpa", false},
		{"auto", "https://local.example.com", true},
		{"auto", "https://myinternal.example.com", true},
		{"auto", "https://192.168.3.4", false},
		{"auto", "https://100.64.0.1", false},
		{"auto", "https://169.254.169.254", false},
		{"auto", "https://203.0.113.9", false},
		{"auto", "https://0.0.0.0", false},
		{"auto", "https://1.1.1.1", true},
		{"auto", "https://[::1]", false},
		{"auto", "https://[fd00::1]:8443", false},
		{"auto", "https://[::ffff:10.0.0.1]", false},
		{"auto", "https://[2606:4700:4700::1111]", true},
		{"always", "https://gate.internal", true}, // the operator knows
		{"always", "https://10.0.0.1", true},
		{"never", "https://gate.example.com", false},
	} {
		got := load(t, "webhooks: {subscribe: "+c.subscribe+"}\nserver: {public_url: '"+c.publicURL+"'}")
		if got.Subscribes() != c.want {
			t.Errorf("%s, %s: subscribes: %t", c.subscribe, c.publicURL, !c.want)
		}
	}
}

// One thing wrong is one fault: a public_url that can't be read is not blamed twice.
func TestSubscribingAlwaysNeedsHTTPS(t *testing.T) {
	const always = "webhooks: {subscribe: always}\n"
	load(t, always+"server: {public_url: 'HTTPS://gate.example/'}")
	expectFaults(t, faultsOf(t, always+"server: {public_url: http://gate.example}"),
		"webhooks.subscribe (line 1): must not be always while server.public_url is not an https:// URL")
	expectFaults(t, faultsOf(t, always+"server: {public_url: gate.example}"), "server.public_url (line 2): must be an http:// or https:// URL")
	expectFaults(t, faultsOf(t, always, "ESAGATE_WEBHOOKS_SUBSCRIBE=always"),
		"webhooks.subscribe: must not be always while server.public_url is not an https:// URL: the sales agent calls no other (set by ESAGATE_WEBHOOKS_SUBSCRIBE)")
	if c := config.Default(); c.Subscribes() {
		t.Error("the defaults subscribe an address that nobody else can reach")
	}
}
