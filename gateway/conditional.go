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

// names reports whether lists of entity tags hold `*` or one of some tags, by weak comparison
// (RFC 9110, 8.8.3.2).
func names(given []string, tags ...string) bool {
	for _, list := range given {
		for tag := ""; list != ""; {
			tag, list = cutTag(list)
			same := func(of string) bool { return strings.TrimPrefix(of, "W/") == strings.TrimPrefix(tag, "W/") }
			if tag == "*" || slices.ContainsFunc(tags, same) {
				return true
			}
		}
	}
	return false
}

// namesStrongly is names by strong comparison. It takes `*` only where it stands alone: a write is
// refused over what is malformed.
func namesStrongly(given []string, tags ...string) bool {
	if len(given) == 1 && given[0] == "*" {
		return true
	}
	for _, list := range given {
		for tag := ""; list != ""; {
			if tag, list = cutTag(list); slices.Contains(tags, tag) && !strings.HasPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// cutTag cuts the first member off a list of entity tags, in which a comma may be part of a tag
// (RFC 9110, 8.8.3).
func cutTag(list string) (tag, rest string) {
	list = strings.TrimLeft(list, ", \t")
	end := 0
	if opaque := strings.TrimPrefix(list, "W/"); strings.HasPrefix(opaque, `"`) {
		end = len(list) // unless the quotes end
		if n := strings.IndexByte(opaque[1:], '"'); n >= 0 {
			end += n + 2 - len(opaque)
		}
	}
	if n := strings.IndexByte(list[end:], ','); n >= 0 {
		return strings.TrimRight(list[:end+n], " \t"), list[end+n+1:]
	}
	return strings.TrimRight(list, " \t"), ""
}
