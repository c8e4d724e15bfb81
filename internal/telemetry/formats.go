package telemetry

import (
	"net/url"
	"strings"

	"esagate/internal/redact"
)

// Some harmless values look like tokens: ids, versions, routes, paths. Each
// check here knows one such format narrowly, so that what is not it is still
// judged as any other text.

// Alphabets.
const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// onlyOf reports whether s consists of bytes of an ASCII set.
func onlyOf(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && onlyOf(s, digits+"abcdef")
}

// isID reports whether s is an id of a request or a trace: 32 or 40 hexadecimal
// digits, or a UUID.
func isID(s string) bool {
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = strings.ReplaceAll(strings.ToLower(s), "-", "")
	}
	return isHex(s, 32) || isHex(s, 40)
}

// isIdent reports whether s is an id as sources and tenants have them. Ids stand
// in paths and answers anyway, and an operator looks for them in logs.
func isIdent(s string) bool {
	return s != "" && len(s) <= 64 && onlyOf(s, digits+lower+upper+"-_.")
}

// isVersion reports whether s is a version as Go writes it: v1.2.3,
// v0.0.0-20060102150405-0123456789ab, 1.2.3-rc.1+dirty. No part is long
// enough to be a token.
func isVersion(s string) bool {
	s = strings.TrimPrefix(s, "v")
	if s == "" || len(s) > 64 || s[0] < '0' || s[0] > '9' {
		return false
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '-' || r == '+' })
	if len(parts) < 3 || len(parts) > 8 {
		return false
	}
	for i, p := range parts {
		set := digits
		if i >= 3 {
			set += lower + upper
		}
		if len(p) > 14 || !onlyOf(p, set) {
			return false
		}
	}
	return true
}

// isRoute reports whether s is a pattern of the route table:
// /api/v2/things/{thingId}.
func isRoute(s string) bool {
	rest, rooted := strings.CutPrefix(s, "/")
	if !rooted || len(s) > 200 {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if inner, ok := strings.CutPrefix(segment, "{"); ok {
			if inner, ok = strings.CutSuffix(inner, "}"); !ok || !redact.Word(inner) {
				return false
			}
			continue
		}
		if redact.Secretlike(segment) || !onlyOf(segment, lower+digits+"-._") {
			return false
		}
	}
	return true
}

// isPathname reports whether no element of a path is secret-like.
func isPathname(s string) bool {
	if len(s) > 1024 || strings.ContainsAny(s, "?=@:\n\r") {
		return false
	}
	for element := range strings.SplitSeq(s, "/") {
		if redact.Secretlike(element) {
			return false
		}
	}
	return true
}

// isBaseURL reports whether s is an absolute URL of scheme, host and path
// alone, no label or element of which is secret-like.
func isBaseURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") {
		if redact.Secretlike(label) {
			return false
		}
	}
	return isPathname(u.Path) && isPathname(u.EscapedPath())
}
