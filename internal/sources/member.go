package sources

import (
	"net/url"
	"strings"

	"esagate/internal/jsonbody"
)

// Bounds of texts, in code points. The contract gives those of names, descriptions
// and addresses; of credentials it gives none, so these are ours.
const (
	maxName        = 255
	maxDescription = 2000
	maxURL         = 2048
	maxSecret      = 16 << 10
	maxShort       = 1024
)

// object is a body, or an object in one.
type object struct{ jsonbody.Object }

// parseBody reads a request's body; members that are not known are ignored.
func parseBody(body []byte, known []string) (object, error) {
	o, err := jsonbody.Parse(body, known)
	return object{o}, err
}

// callable wants an address that may be called.
func callable(check CheckURL) jsonbody.Rule {
	return func(_, value string) string { return check(value) }
}

// absoluteURI wants a URI with a scheme (RFC 3986). Nothing is ever fetched from it,
// so any scheme will do but those that make a page do something when shown as a link.
func absoluteURI(path, value string) string {
	u, err := url.Parse(value)
	if err != nil || !uriCharacters(value) || u.Scheme == "" || u.Host+u.Opaque+u.Path == "" {
		return path + " must be an absolute URI."
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" {
			return path + " must be an absolute URI."
		}
	case "javascript", "data", "file":
		return path + " has a scheme that is not allowed here."
	}
	return ""
}

// resource wants a resource indicator (RFC 8707, section 2); user info, which may be
// a password, would be shown to whoever sees the request.
func resource(path, value string) string {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return path + " must be an absolute URI."
	case strings.Contains(value, "#"):
		return path + " can't have a fragment."
	case u.User != nil:
		return path + " can't have a user name or a password in it."
	}
	return ""
}

// uriCharacters reports whether a text has only characters of a URI (RFC 3986,
// section 2), percent signs as part of an escape alone. net/url lets others pass.
func uriCharacters(s string) bool {
	const (
		marks = "-._~:/?#[]@!$&'()*+,;="
		hex   = "0123456789abcdefABCDEF"
	)
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case strings.IndexByte(marks, c) >= 0:
		case c == '%' && i+2 < len(s) && strings.IndexByte(hex, s[i+1]) >= 0 && strings.IndexByte(hex, s[i+2]) >= 0:
		default:
			return false
		}
	}
	return true
}
