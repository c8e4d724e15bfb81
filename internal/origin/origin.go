// Package origin compares where addresses lead to (RFC 6454).
package origin

import (
	"net/url"
	"strings"
)

// Of gives the scheme, host and port of an address in one spelling. An address without a
// host has an origin of its own, which is its text.
func Of(u *url.URL) string {
	if u.Hostname() == "" {
		return u.String()
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + lower(u.Hostname()) + ":" + port
}

// Same reports whether two addresses have one origin.
func Same(a, b *url.URL) bool { return Of(a) == Of(b) }

// lower is for hosts: beyond ASCII, what is one letter in two cases may be two names.
func lower(host string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, host)
}
