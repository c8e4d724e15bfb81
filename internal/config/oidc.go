package config

import (
	"net/netip"
	"strings"
	"unicode"
)

var defaultOIDC = OIDC{CustomerClaim: "customer_id", AccessClaim: "access"}

const (
	oidcPath     = "auth.oidc"
	issuerPath   = oidcPath + ".issuer"
	audiencePath = oidcPath + ".audience"
	customerPath = oidcPath + ".customer_claim"
	accessPath   = oidcPath + ".access_claim"
)

// oidc gives the issuer whose tokens are good, nil when nothing is said of one.
// Whatever is said, be it by a variable, or nothing but {}, means that one is meant.
func (v *validator) oidc(o OIDC, merged map[string]any) *OIDC {
	if !given(merged, oidcPath) {
		return nil
	}
	if v.required(issuerPath, o.Issuer != "") {
		v.text(issuerPath, o.Issuer, issuer)
	}
	if v.required(audiencePath, o.Audience != "") {
		v.text(audiencePath, o.Audience, printable)
	}
	v.text(customerPath, o.CustomerClaim, printable)
	v.text(accessPath, o.AccessClaim, printable)
	if v.good(customerPath, accessPath) && o.AccessClaim == o.CustomerClaim {
		v.add(accessPath, "is the same claim as %s", customerPath)
	}
	return &o
}

// given reports whether the merged tree says anything at a path. A key without a
// value, as of a section whose lines are all comments, says nothing.
func given(merged map[string]any, path string) bool {
	section, rest, nested := strings.Cut(path, ".")
	value, found := merged[section]
	if s, ok := value.(scalar); !found || ok && s.null() {
		return false
	}
	inner, isMap := value.(map[string]any)
	return !nested || isMap && given(inner, rest)
}

// issuer is the rule of OpenID Connect Discovery, section 4.3, and of RFC 8414: an
// https URL without a query or fragment, compared letter by letter. Plain http is
// for an issuer on the same machine.
func issuer(s string) string {
	u, problem := webURL(s)
	switch {
	case problem != "":
		return problem
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "must be an https:// URL; http:// is for loopback hosts alone"
	}
	return ""
}

// loopback reports whether a host is this machine: an address by its kind, or
// localhost, which no resolver may answer otherwise (RFC 6761, section 6.3).
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// printable is for names that are compared with what a token holds.
func printable(s string) string {
	if problem := plainText(1, 255)(s); problem != "" {
		return problem
	}
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must hold printable characters only"
	case s != strings.TrimSpace(s):
		return "must not begin or end with a space"
	}
	return ""
}
