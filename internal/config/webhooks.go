package config

import (
	"net/netip"
	"slices"
	"strings"

	"code.dny.dev/ssrf"
)

// localDomains are those that no public name is in (RFC 6761, RFC 6762, RFC 8375, and
// ICANN's of 2024).
var localDomains = []string{"localhost", "local", "internal", "test", "invalid", "home.arpa"}

// Subscribes reports whether the gateway subscribes to the sales agent's events: when the config says
// to always, or else when server.public_url is https, with a host that can be reached from
// elsewhere as far as its name or address tells (contract 5.12).
func (c *Config) Subscribes() bool {
	u, problem := webURL(c.Server.PublicURL)
	switch {
	case c.Webhooks.Subscribe == "always":
		return true
	case c.Webhooks.Subscribe == "never", problem != "", u.Scheme != "https":
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ssrf.New(ssrf.WithAnyPort()).SafeAddr(ip) == nil
	}
	return strings.Contains(host, ".") && !slices.ContainsFunc(localDomains, func(domain string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}
