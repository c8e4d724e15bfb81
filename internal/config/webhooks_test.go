package config_test

import (
	"testing"

	"esagate/internal/config"
)

func TestWebhooksSubscribe(t *testing.T) {
	for _, c := range []struct {
		subscribe string
		urls      values
		want      bool
	}{
		{"auto", values{config.Default().Server.PublicURL, "http://gate.example.com"}, false},
		{"auto", values{"https://gate.example.com", "HTTPS://gate.example.com:8443"}, true},
		{"auto", values{"https://gate", "https://localhost", "https://LOCALHOST.", "https://gate.localhost",
			"https://gate.prod.internal", "https://Gate.Prod.INTERNAL", "https://gate.local.", "https://gate.home.arpa"}, false},
		{"auto", values{"https://local.example.com", "https://myinternal.example.com"}, true},
		{"auto", values{"https://192.168.3.4", "https://100.64.0.1", "https://169.254.169.254", "https://203.0.113.9",
			"https://0.0.0.0", "https://[::1]", "https://[fd00::1]:8443", "https://[::ffff:10.0.0.1]"}, false},
		{"auto", values{"https://1.1.1.1", "https://[2606:4700:4700::1111]"}, true},
		{"always", values{"https://gate.internal", "https://10.0.0.1"}, true}, // the operator knows
		{"never", values{"https://gate.example.com"}, false},
	} {
		for _, url := range c.urls {
			if got := load(t, "webhooks: {subscribe: "+c.subscribe+"}\nserver: {public_url: '"+url+"'}"); got.Subscribes() != c.want {
				t.Errorf("%s, %s: subscribes: %t", c.subscribe, url, !c.want)
			}
		}
	}
}
