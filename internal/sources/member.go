package sources

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
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

// member is a text of a body: whether it was given at all, what it holds, and what is
// wrong with it, "" if nothing. A member with a problem has no value.
type member struct {
	path    string
	given   bool
	value   string
	problem string
}

// rule says what is wrong with a text, "" if nothing.
type rule func(path, value string) string

// text reads a text by its rules; the first that is broken counts.
func (o object) text(path string, rules ...rule) member {
	m := member{path: path}
	raw, ok := o.members[path[strings.LastIndexByte(path, '.')+1:]]
	if !ok {
		return m
	}
	m.given = true
	if m.problem = notText(path, raw); m.problem != "" {
		return m
	}
	unquoted, err := jsontext.AppendUnquote(nil, raw)
	if err != nil { // the body was sound, so this is not reached
		m.problem = path + " must be a string."
		return m
	}
	value := string(unquoted)
	if strings.IndexByte(value, 0) >= 0 { // no store keeps it
		m.problem = path + " can't contain the character U+0000."
		return m
	}
	for _, broken := range rules {
		if m.problem = broken(path, value); m.problem != "" {
			return m
		}
	}
	m.value = value
	return m
}

func notText(path string, raw jsontext.Value) string {
	switch raw.Kind() {
	case '"':
		return ""
	case 'n':
		return path + " can't be null."
	default:
		return path + " must be a string."
	}
}

// length wants least to most code points.
func length(least, most int) rule {
	return func(path, value string) string {
		switch {
		case least > 0 && value == "":
			return path + " can't be empty."
		case len(value) > most && utf8.RuneCountInString(value) > most:
			return path + " is longer than " + strconv.Itoa(most) + " characters."
		}
		return ""
	}
}

// oneOf wants one of some words, as they are spelt.
func oneOf(words ...string) rule {
	last := len(words) - 1
	list := words[last]
	if last > 0 {
		list = strings.Join(words[:last], ", ") + " or " + list
	}
	return func(path, value string) string {
		if !slices.Contains(words, value) {
			return path + " must be " + list + "."
		}
		return ""
	}
}

// callable wants an address that may be called.
func callable(check CheckURL) rule {
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
