package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"esagate/registry"
)

// A rule looks at one text and says what is wrong with it, in words of ours that
// never repeat it; "" is good.
type rule func(string) string

// plainText is for what people read: code points, no control characters.
func plainText(least, most int) rule {
	return func(s string) string {
		switch n := utf8.RuneCountInString(s); {
		case n < least:
			return "must not be empty"
		case n > most:
			return "must be at most " + strconv.Itoa(most) + " characters"
		case strings.ContainsFunc(s, unicode.IsControl):
			return "must not hold control characters"
		}
		return ""
	}
}

// pathID is the contract's rule for a sourceId ("Rules for inventory sources"):
// what can stand between two slashes of a URL and mean only itself. Tenant ids
// stand there too, in upstream's.
func pathID(s string) string {
	if problem := plainText(1, registry.MaxIDLength)(s); problem != "" {
		return problem
	}
	switch {
	case strings.ContainsAny(s, `/\?#%`):
		return `must not hold any of / \ ? # %`
	case s != strings.TrimSpace(s):
		return "must not begin or end with a space"
	case s == "." || s == "..":
		return "must not be . or .."
	}
	return ""
}

// visibleASCII is for what is sent as a header, as the clients that send it want it too.
func visibleASCII(most int) rule {
	return func(s string) string {
		if problem := plainText(1, most)(s); problem != "" {
			return problem
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return "must be visible ASCII characters without spaces"
		}
		return ""
	}
}

func hostPort(s string) string {
	const problem = "must be host:port, such as 127.0.0.1:8080 or :8080 for every interface"
	host, port, err := net.SplitHostPort(s)
	if err != nil || !validPort(port, 0) || host != "" && !validHost(host) {
		return problem
	}
	return ""
}

func validPort(port string, least uint64) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n >= least
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && hostName.MatchString(host)
}

// webURL reads an absolute http or https URL without user info, query or
// fragment, so that it can be logged, shown and have a path appended.
func webURL(s string) (*url.URL, string) {
	const problem = "must be an http:// or https:// URL"
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 {
		return nil, problem
	}
	switch {
	case strings.ContainsAny(s, ` \`), u.Scheme != "http" && u.Scheme != "https", u.Opaque != "", !validHost(u.Hostname()):
		return nil, problem
	case u.Host != u.Hostname() && !strings.HasSuffix(u.Host, "]") && !validPort(u.Port(), 1):
		return nil, "must have a port from 1 to 65535, or none"
	case u.User != nil:
		return nil, "must not hold a user or password"
	case u.RawQuery != "" || u.ForceQuery:
		return nil, "must not hold a query"
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, "must not hold a fragment"
	}
	return u, ""
}

func urlWithPath(s string) string {
	_, problem := webURL(s)
	return problem
}

func urlWithoutPath(s string) string {
	u, problem := webURL(s)
	if problem == "" && strings.Trim(u.Path, "/") != "" {
		return "must not hold a path"
	}
	return problem
}

// origin is what a browser sends as Origin: no slash at the end, never "*".
func origin(s string) string {
	u, problem := webURL(s)
	if problem != "" || u.Path != "" {
		return "must be an origin: scheme://host or scheme://host:port, nothing after it"
	}
	return ""
}

// canonicalOrigin writes an origin as browsers do, so that comparing is enough.
func canonicalOrigin(s string) string {
	s = strings.ToLower(s)
	if rest, ok := strings.CutSuffix(s, ":80"); ok && strings.HasPrefix(s, "http:") {
		return rest
	}
	if rest, ok := strings.CutSuffix(s, ":443"); ok && strings.HasPrefix(s, "https:") {
		return rest
	}
	return s
}

func email(s string) string {
	address, err := mail.ParseAddress(s)
	_, domain, _ := strings.Cut(s, "@")
	if err != nil || address.Address != s || len(s) > 254 || !strings.Contains(domain, ".") || !validHost(domain) {
		return "must be an e-mail address"
	}
	return ""
}

func matching(pattern *regexp.Regexp, problem string) rule {
	return func(s string) string {
		if !pattern.MatchString(s) {
			return problem
		}
		return ""
	}
}

func oneOf(words ...string) rule {
	return func(s string) string {
		for _, word := range words {
			if s == word {
				return ""
			}
		}
		return "must be " + list(words)
	}
}

// paragraph is plainText over several lines.
func paragraph(most int) rule {
	return func(s string) string {
		return plainText(1, most)(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s))
	}
}
