// Package console says what of the sales agent's admin UI a browser may reach through the gateway, and in what
// form requests and answers pass: paths, queries, addresses that answers lead to, cookies and header fields. It
// asks nobody and keeps nothing.
//
// Several pages of the admin UI check no tenancy themselves (contract 2.16), so each path and query is judged here,
// and what is sent is what was judged.
package console

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Prefix begins the paths of all sources' admin UIs.
const Prefix = "/console/"

const (
	maxPath     = 2048    // of a path to arrive at, in characters (contract 13.1)
	maxLocation = 8 << 10 // of an address that an answer leads to, in bytes
	maxEscaped  = 8       // times that a part of a query is escaped; what is escaped more often is refused
	embedded    = "embedded"
)

// Site is the admin UI of one source: where browsers have it, and where it is.
type Site struct {
	Address  *url.URL // the origin at which browsers reach the gateway
	SourceID string
	TenantID string   // of the source, at the sales agent
	Upstream *url.URL // the admin UI has its pages below it
	Cookies  string   // begins the names of its cookies in browsers
	Origins  []string // whose pages may frame its pages
}

// Secure reports whether browsers reach the gateway by https.
func (s *Site) Secure() bool { return s.Address.Scheme == "https" }

// Path gives the path of all of the site, escaped, without a slash at its end.
func (s *Site) Path() string { return Prefix + url.PathEscape(s.SourceID) }

// Target is where a request goes that passes.
type Target struct {
	URL   *url.URL
	Asset bool // a file that all tenants' pages share: it is asked for as nobody
}

// Pass judges a path below the site, escaped and with its first slash, and a query (contract 13.3), and gives where
// it goes.
func (s *Site) Pass(path, query string) (to Target, ok bool) {
	canonical, asset, ok := s.pass(path)
	if !ok || !s.queryPasses(query) {
		return Target{}, false
	}
	u := *s.Upstream
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + canonical
	plain, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return Target{}, false
	}
	u.Path, u.RawQuery = plain, query
	return Target{&u, asset}, true
}

// pass gives a path that passes in the form in which it is sent.
func (s *Site) pass(path string) (canonical string, asset, ok bool) {
	escaped, plain, ok := segments(path)
	switch {
	case !ok:
		return "", false, false
	case len(plain) >= 2 && plain[0] == "tenant" && plain[1] == s.TenantID && s.TenantID != "":
		rest := ""
		if len(escaped) > 2 {
			rest = "/" + strings.Join(escaped[2:], "/")
		}
		return s.tenantPath() + rest, false, true
	case len(plain) >= 2 && plain[0] == "static" && plain[len(plain)-1] != "",
		len(plain) == 1 && plain[0] == "favicon.ico":
		return "/" + strings.Join(escaped, "/"), true, true
	}
	return "", false, false
}

func (s *Site) tenantPath() string { return "/tenant/" + url.PathEscape(s.TenantID) }

// segments gives the segments of a path, as they are and unescaped once, or says that one of them could be read in
// more than one way.
func segments(path string) (escaped, plain []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, nil, false
	}
	escaped = strings.Split(rest, "/")
	for i, segment := range escaped {
		once, err := url.PathUnescape(segment)
		last := i == len(escaped)-1
		if err != nil || once == "" && !last || !unambiguous(once) {
			return nil, nil, false
		}
		plain = append(plain, once)
	}
	return escaped, plain, true
}

// unambiguous reports whether an unescaped segment is the same for all that read it: no step, also with parameters (RFC
// 3986, section 3.3), which some servers cut off first, no separator, nothing that unescaping once more would change.
func unambiguous(segment string) bool {
	if step, _, _ := strings.Cut(segment, ";"); step == "." || step == ".." || !utf8.ValidString(segment) {
		return false
	}
	for i, c := range segment {
		switch {
		case c == '/', c == '\\', c < ' ', c >= 0x7f && c < 0xa0:
			return false
		case c == '%' && isEscape(segment[i:]):
			return false
		}
	}
	return true
}

// isEscape reports whether a text begins with "%" and two hexadecimal digits.
func isEscape(s string) bool { return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2]) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// queryPasses reports whether a query names no other tenant.
func (s *Site) queryPasses(query string) bool {
	parsed, err := url.ParseQuery(query)
	if err != nil { // what is read in another way elsewhere can't be judged
		return false
	}
	for name, values := range parsed {
		if s.leadsElsewhere(name) || slices.ContainsFunc(values, s.leadsElsewhere) {
			return false
		}
		if namesTenant(name) && slices.ContainsFunc(values, func(v string) bool { return v != s.TenantID }) {
			return false
		}
	}
	return true
}

// namesTenant reports whether a parameter is called like one that says of which tenant a page is.
func namesTenant(name string) bool {
	name = strings.Map(func(c rune) rune {
		if strings.ContainsRune("_-[]. ", c) {
			return -1
		}
		return c
	}, strings.ToLower(name))
	return name == "tenant" || name == "tenantid"
}

// leadsElsewhere reports whether a text holds the path of another tenant's pages, however often it is escaped.
func (s *Site) leadsElsewhere(text string) bool {
	for range maxEscaped {
		for _, id := range tenantOf.FindAllStringSubmatch(text, -1) {
			if id[1] != s.TenantID && unescape(id[1]) == id[1] { // else it is judged once it is unescaped
				return true
			}
		}
		once := unescape(text)
		if once == text {
			return false
		}
		text = once
	}
	return true
}

// tenantOf finds the tenants whose pages a text has paths of.
var tenantOf = regexp.MustCompile(`(?i)[/\\]tenant[/\\]+([^/\\?#&]+)`)

// unescape replaces the escapes of a text and leaves what is none as it is, as lenient readers do.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if isEscape(s[i:]) {
			plain, _ := url.PathUnescape(s[i : i+3])
			b.WriteString(plain)
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
