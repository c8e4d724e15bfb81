package transform

import (
	"cmp"
	"net/url"
	"strings"

	"esagate/internal/word"
)

// AgentURL gives an address of a tenant's agent as the registry keeps it (contract 5.3): the path
// alone where its host is that of baseURL, the sales agent's; else the whole address. It gives ""
// for what is no plain http or https address: user info, a query or a fragment may be a credential.
func AgentURL(raw, baseURL string) string {
	u, err := url.Parse(raw)
	if err != nil || !word.Address.Is(raw) {
		return ""
	}
	base, err := url.Parse(baseURL)
	if err != nil || hostAndPort(base) != hostAndPort(u) {
		return raw
	}
	return cmp.Or(u.EscapedPath(), "/")
}

// hostAndPort gives a host's name in lower case, and its port where that is not the scheme's own.
func hostAndPort(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	switch port := u.Port(); {
	case port == "", u.Scheme == "https" && port == "443", u.Scheme == "http" && port == "80":
		return host
	default:
		return host + " " + port
	}
}
