package config

import (
	"net/netip"
	"slices"
	"strings"

	"code.dny.dev/ssrf"
)

// The words of webhooks.subscribe.
const (
	subscribeAuto   = "auto"
	subscribeAlways = "always"
	subscribeNever  = "never"
)

// Subscribes reports whether the gateway subscribes to the sales agent's events: when the config says
// to always, or else when server.public_url is public https (contract 5.12).
func (c *Config) Subscribes() bool {
	switch c.Webhooks.Subscribe {
	case subscribeAlways:
		return true
	case subscribeNever:
		return false
	}
	return publicHTTPS(c.Server.PublicURL)
}

func isHTTPS(s string) bool {
	u, problem := webURL(s)
	return problem == "" && u.Scheme == "https"
}

// localDomains are those that no public name is in (RFC 6761, RFC 6762, RFC 8375, and
// ICANN's of 2024).
var localDomains = []string{"localhost", "local", "internal", "test", "invalid", "home.arpa"}

// publicHTTPS reports whether a URL is https, with a host that can be reached from
// elsewhere as far as its name or address tells.
func publicHTTPS(s string) bool {
	if !isHTTPS(s) {
		return false
	}
	u, _ := webURL(s)
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ssrf.New(ssrf.WithAnyPort()).SafeAddr(ip) == nil
	}
	return strings.Contains(host, ".") && !slices.ContainsFunc(localDomains, func(domain string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}
