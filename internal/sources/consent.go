package sources

import (
	"net/url"
	"strings"

	"esagate/registry"
)

// ConsentDue reports whether an OAuth consent must be begun after a change that was
// decided on and made: the source became an OAUTH one, its oauthAudience was set, or
// its agent moved to another origin, or anywhere while no tokens are stored. A path
// that changes under stored tokens leaves them, and a consent that is under way.
func (u *Update) ConsentDue(before, after *registry.Source) bool {
	was, is := before.Agent, after.Agent
	if was == nil || is == nil || is.Authentication != registry.AuthOAuth {
		return false
	}
	return was.Authentication != registry.AuthOAuth || u.audience.Given || consentMoved(was, is)
}

// consentMoved reports whether an OAUTH source's agent moved so that a consent for
// the old address is of no use.
func consentMoved(was, is *registry.Agent) bool {
	return movedAway(was, is) || was.EndpointURL != is.EndpointURL && was.CredentialID == ""
}

// movedAway reports whether an OAUTH source's agent has another origin than before:
// tokens that were issued for the old one must not reach the new one.
func movedAway(was, is *registry.Agent) bool {
	return is.Authentication == registry.AuthOAuth && origin(was.EndpointURL) != origin(is.EndpointURL)
}

// origin gives the scheme, host and port of an address (RFC 6454) in one spelling.
// What can't be read, or has no host, has an origin of its own.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return raw
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + lower(u.Hostname()) + ":" + port
}

// lower is for hosts: beyond ASCII, what is one letter in two cases may be two names.
func lower(host string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, host)
}
