package telemetry

import (
	"net/url"
	"regexp"
	"strings"

	"esagate/internal/redact"
	"esagate/internal/word"
)

// Some harmless values look like tokens: ids, versions, routes, paths. Each
// check here knows one such format narrowly; what does not fit is judged as any
// other text.
var (
	isID    = regexp.MustCompile(`^([0-9a-f]{32}|[0-9a-f]{40}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$`).MatchString
	isIdent = word.ID.Is // sources and tenants; an operator looks for them

	// v1.2.3, v0.0.0-20060102150405-0123456789ab, 1.2.3-rc.1+dirty: no part is
	// long enough to be a token.
	versionFormat = regexp.MustCompile(`^v?\d{1,14}(\.\d{1,14}){2}([-.+][0-9A-Za-z]{1,14}){0,5}$`)
	routeSegment  = regexp.MustCompile(`^[0-9a-z._-]*$`)
)

func isVersion(s string) bool { return len(s) <= 64 && versionFormat.MatchString(s) }

// isRoute reports whether s is a pattern of the route table:
// /api/v2/things/{thingId}.
func isRoute(s string) bool {
	rest, rooted := strings.CutPrefix(s, "/")
	if !rooted || len(s) > 200 {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
			if !word.Name.Is(segment[1 : len(segment)-1]) {
				return false
			}
		} else if redact.Secretlike(segment) || !routeSegment.MatchString(segment) {
			return false
		}
	}
	return true
}

// isPath reports whether no element of a path is secret-like.
func isPath(s string) bool {
	return len(s) <= 1024 && !strings.ContainsAny(s, "?=@:\n\r") && noneSecretlike(s, "/")
}

// isBaseURL reports whether s is an absolute URL of scheme, host and path
// alone, no label or element of which is secret-like.
func isBaseURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	return noneSecretlike(u.Hostname(), ".") && isPath(u.Path) && isPath(u.EscapedPath())
}

func noneSecretlike(s, separator string) bool {
	for element := range strings.SplitSeq(s, separator) {
		if redact.Secretlike(element) {
			return false
		}
	}
	return true
}
