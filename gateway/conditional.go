package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip is used where it is
// named, or meant by *, and not refused with q=0, and identity is not preferred.
func acceptsGzip(h http.Header) bool {
	gzip, star, identity := -1.0, -1.0, -1.0
	for _, value := range h["Accept-Encoding"] {
		for part := range strings.SplitSeq(value, ",") {
			coding, params, _ := strings.Cut(part, ";")
			q := quality(params)
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gzip = q
			case coding == "*":
				star = q
			case strings.EqualFold(coding, "identity"):
				identity = q
			}
		}
	}
	if gzip < 0 {
		gzip = star
	}
	return gzip > 0 && gzip >= identity
}

// quality reads the q of a coding's parameters; 1 without one, 0 for nonsense.
func quality(params string) float64 {
	if params == "" {
		return 1
	}
	name, value, ok := strings.Cut(strings.TrimSpace(params), "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

// matches compares If-None-Match with the tags of an answer's codings, weakly
// (RFC 9110, 13.1.2): a client that holds either coding holds the document.
func matches(given []string, tags ...string) bool {
	for _, value := range given {
		for candidate := range strings.SplitSeq(value, ",") {
			candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
			if candidate == "*" || slices.Contains(tags, candidate) {
				return true
			}
		}
	}
	return false
}
