package console

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"esagate/internal/origin"
)

// Arrive gives a path to arrive at, which a caller names, with its query, relative to the source (contract 13.1).
// It may be given as that, as the sales agent's or as the gateway's.
func (s *Site) Arrive(path string) (relative string, ok bool) {
	if utf8.RuneCountInString(path) > maxPath || !readAlike(path) || strings.Contains(path, "#") {
		return "", false
	}
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	escaped, plain, ok := segments(u.EscapedPath())
	if !ok || !s.queryPasses(u.RawQuery) {
		return "", false
	}
	if plain[0] == "console" {
		if escaped, plain = s.below(escaped, plain); len(plain) == 0 || plain[0] != "tenant" {
			return "", false
		}
	}
	if strings.EqualFold(plain[0], "tenant") {
		if len(plain) < 2 || plain[0] != "tenant" || plain[1] != s.TenantID {
			return "", false
		}
		escaped = escaped[2:]
	}
	if relative = strings.Join(escaped, "/"); relative != "" {
		relative = "/" + relative
	}
	if u.RawQuery != "" {
		relative += "?" + u.RawQuery
	}
	return relative, true
}

// below gives what of a path's segments is below the site; nothing where it is not the site's.
func (s *Site) below(escaped, plain []string) ([]string, []string) {
	if len(plain) < 3 || plain[0]+"/" != Prefix[1:] || plain[1] != s.SourceID {
		return nil, nil
	}
	return escaped[2:], plain[2:]
}

// Page gives the address of the page at a relative path, for a browser that shows it in a frame.
func (s *Site) Page(relative string) string {
	path, query, _ := strings.Cut(relative, "?")
	pairs := []string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name != "" && name != embedded {
			pairs = append(pairs, pair)
		}
	}
	return s.Path() + s.tenantPath() + path + "?" + strings.Join(append(pairs, embedded+"=1"), "&")
}

// Location gives the address in an answer's Location, in the form that a browser gets: a path of this site, or nothing
// where it leads elsewhere. from is the address that a browser has asked for.
func (s *Site) Location(from *url.URL, value string) (to string, ok bool) {
	if len(value) > maxLocation || !readAlike(value) || strings.HasPrefix(value, "//") {
		return "", false
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.User != nil || u.Opaque != "":
		return "", false
	case u.IsAbs() || u.Host != "":
		if !origin.Same(u, s.Address) && !origin.Same(u, s.Upstream) {
			return "", false
		}
	case !strings.HasPrefix(value, "/"):
		u = (&url.URL{Path: from.Path, RawPath: from.RawPath}).ResolveReference(u)
	}
	path, ok := s.own(u.EscapedPath())
	if !ok || !s.queryPasses(u.RawQuery) {
		return "", false
	}
	to = s.Path() + path
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		to += "#" + u.EscapedFragment()
	}
	return to, true
}

// own gives what of a path that the sales agent names is below the site. It may know where browsers have it, by
// X-Forwarded-Prefix, or only where it is itself, or put the one before the other.
func (s *Site) own(path string) (below string, ok bool) {
	base := strings.TrimSuffix(s.Upstream.EscapedPath(), "/")
	for range 2 {
		if rest, found := strings.CutPrefix(path, base+"/"); found {
			path = "/" + rest
		}
		if escaped, plain, ok := segments(path); ok {
			if escaped, _ = s.below(escaped, plain); escaped != nil {
				path = "/" + strings.Join(escaped, "/")
			}
		}
	}
	below, _, ok = s.pass(path)
	return below, ok
}

// ours reports whether an address, which a browser names, is one of the site's pages.
func (s *Site) ours(address string) bool {
	u, err := url.Parse(address)
	return err == nil && readAlike(address) && u.User == nil && origin.Same(u, s.Address) && strings.HasPrefix(u.EscapedPath(), s.Path()+"/")
}

// readAlike reports whether an address has nothing that browsers read in ways of their own: it is visible ASCII
// without backslashes.
func readAlike(address string) bool {
	return !strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' })
}
