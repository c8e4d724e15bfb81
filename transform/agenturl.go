package transform

import (
	"net/url"
	"strings"
)

// AgentURL gives an address of a tenant's agent as the registry keeps it (contract,
// "mcpUrl, a2aUrl"): the path alone where its host is that of baseURL, the sales
// agent's; else the whole address. It gives "" for what is no plain http or https
// address: one with user info, a query or a fragment may carry a credential.
func AgentURL(raw, baseURL string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		len(raw) > maxPath || strings.ContainsAny(raw, `?#\`) || !isVisible(raw) {
		return ""
	}
	base, err := url.Parse(baseURL)
	if err != nil || hostAndPort(base) != hostAndPort(u) {
		return raw
	}
	path := u.EscapedPath()
	switch {
	case path == "":
		return "/"
	case !safePath(path): // such as //elsewhere, which a browser takes for a host
		return ""
	}
	return path
}

// hostAndPort is what a host is known by: its name, however it is spelled, and its port
// where that is not the one of the scheme.
func hostAndPort(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	switch port := u.Port(); {
	case port == "", u.Scheme == "https" && port == "443", u.Scheme == "http" && port == "80":
		return host
	default:
		return host + " " + port
	}
}
