package sources

import (
	"net/url"

	"esagate/internal/origin"
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
	return is.Authentication == registry.AuthOAuth && originOf(was.EndpointURL) != originOf(is.EndpointURL)
}

// originOf gives the origin of an address. What can't be read has one of its own.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return origin.Of(u)
}
