// Package word decides which short strings of other systems are taken over: ids, names, cursors,
// paths and addresses that the sales agent, an agent's server or a caller gives. Each kind is an
// allow-list of characters. Free text is package redact's.
//
// A word of the sales agent's that is not of its kind is malformed (contract 4.1): where a field is
// declared in upstream/wire with the tag word, that is decided while it is decoded. No kind has blanks,
// control characters, quotes, backslashes or angle brackets, but [Printable]; and none a dot segment,
// which a URL that is built of it would lose.
package word

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"esagate/internal/redact"
)

// Kind is a kind of words. What a word consists of, beside ASCII letters and digits, are its signs.
type Kind struct {
	most  int               // bytes
	signs string            // anywhere
	first string            // signs that it may begin with
	parts string            // signs between which no part with a digit is longer than partLimit, so that no part is a token; "": it may be one
	also  func(string) bool // what else holds; nil: nothing
	set   *[256]bool        // letters, digits and signs
}

// partLimit is the longest part of a word that has a digit: tokens have longer ones.
const partLimit = 15

const opaque = "!$*+,-./:;=_|~" // of base64, of times with an offset, and of lists of them

// The kinds.
var (
	// Name is vocabulary: a status, a code, the id of a task, the type of an ad server.
	Name = kind(Kind{most: 128, signs: "_.:-", parts: "_.:", also: noKey})
	// Stream is the name of a sync stream, in either spelling.
	Stream = kind(Kind{most: 64, signs: "_-", first: "_", parts: "_", also: isStream})
	// Member is the name of a member of a document, in paths for logs and metrics.
	Member = kind(Kind{most: 64, signs: "_", first: "_", parts: "_", also: noKey})

	// ID is an id that stands in a path: of a tenant, or a webhook. Like [RunID] it may be random.
	ID = kind(Kind{most: 128, signs: "-._", first: "_", also: noKey})
	// RunID is the id of a sync run.
	RunID = kind(Kind{most: 128, signs: "-._", first: "-._", also: noKey})
	// RequestID is a caller's X-Request-Id.
	RequestID = kind(Kind{most: 64, signs: "-._", first: "-._"})
	// OrgID is an external_org_id. The sales agent makes a part of a host name of it, and gets it in a header.
	OrgID = kind(Kind{most: 91, signs: OrgIDSigns, first: OrgIDSigns})
	// Cursor is where a page ends; only who made it can read it.
	Cursor = kind(Kind{most: 1024, signs: opaque, first: opaque, also: isCursor})
	// Key is a caller's Idempotency-Key, which is stored and given back to nobody.
	Key = kind(Kind{most: 255, signs: visible, first: visible})

	// Email is an e-mail address.
	Email = kind(Kind{most: 320, signs: "-._+@", also: isEmail})
	// Path is a path within a host's pages, perhaps with a query and a fragment, and no token in any of them.
	Path = kind(Kind{most: 2048, signs: pathSigns + "?#", first: "/", also: isPath})
	// Address is an http or https address without user info, query and fragment, and no token in it.
	Address = kind(Kind{most: 2048, signs: pathSigns + "[]", also: isAddress})
	// Endpoint is an https address that an agent or its server names; a tenant's id may stand in it.
	Endpoint = kind(Kind{most: 2048, signs: pathSigns + "?[]", also: isEndpoint})

	// Scope is one scope of OAuth.
	Scope = kind(Kind{most: 256, signs: visibleButQuotes, first: visibleButQuotes})
	// ClientID is how an authorization server knows us.
	ClientID = kind(Kind{most: 1024, signs: visibleButQuotes, first: visibleButQuotes})
	// Printable is what RFC 6749 (appendix A) lets a code, a token or a client's secret consist of. It goes back to
	// its server and nowhere else.
	Printable = kind(Kind{most: 16 << 10, signs: visible + " ", first: visible + " "})
)

const (
	visible          = visibleButQuotes + "\"'<>\\`"
	visibleButQuotes = "!#$%&()*+,-./:;=?@[]^_{|}~"
	pathSigns        = "!$%&()*+,-./:;=@_~"
)

// OrgIDSigns are the signs of an [OrgID].
const OrgIDSigns = "!#$&()*+,-./;=?@_{}~"

func kind(k Kind) *Kind {
	k.set = new([256]bool)
	for c := range 256 {
		k.set[c] = alphanumeric(byte(c)) || strings.IndexByte(k.signs, byte(c)) >= 0
	}
	return &k
}

// tags are the kinds by their names in the tags of package wire.
var tags = map[string]*Kind{"id": ID, "run": RunID, "cursor": Cursor, "address": Address, "email": Email, "path": Path}

// Tagged gives the kind that a tag of package wire names; nil for "".
func Tagged(tag string) *Kind {
	k, ok := tags[tag]
	if !ok && tag != "" {
		panic("word: no kind has the tag " + tag)
	}
	return k
}

// Is reports whether s is a word of the kind.
func (k *Kind) Is(s string) bool { return k.AtMost(s, k.most) }

// AtMost reports whether s is a word of the kind and of no more than some bytes.
func (k *Kind) AtMost(s string, most int) bool {
	if s == "" || len(s) > most || !alphanumeric(s[0]) && strings.IndexByte(k.first, s[0]) < 0 {
		return false
	}
	part, digit := 0, false
	for i := range len(s) {
		c := s[i]
		if !k.set[c] {
			return false
		}
		if k.parts == "" {
			continue
		}
		if strings.IndexByte(k.parts, c) >= 0 {
			part, digit = 0, false
			continue
		}
		part++
		digit = digit || '0' <= c && c <= '9'
		if digit && part > partLimit {
			return false
		}
	}
	return !dotSegment(s) && (k.also == nil || k.also(s))
}

// Segment gives a name of others, or the index of an entry, as a segment of a path. Paths become metric labels, log lines
// and parts of answers, so a name that could be a secret, or prose, is "?".
func Segment(name string) string {
	if !Member.Is(name) {
		return "?"
	}
	return name
}

func isStream(s string) bool { return strings.Trim(s, "_-") != "" && noKey(s) }

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// dotSegment reports whether s has a "." or ".." between slashes, or is one.
func dotSegment(s string) bool {
	if strings.IndexByte(s, '.') < 0 {
		return false
	}
	for segment := range strings.SplitSeq(s, "/") {
		if segment, _, _ = strings.Cut(segment, "?"); segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// noKey reports whether an id, which may be random, does not begin as the keys of some issuers do.
func noKey(s string) bool { return !redact.Secretlike(s[:min(len(s), 23)]) }

// isCursor reports whether s has "=" at its end alone, as base64 has, and ":" behind no name of a secret, and is no
// key. JSON in base64 begins with "eyJ" as a JWT does, which has two of them.
func isCursor(s string) bool {
	const object = "eyJ"
	body := strings.TrimRight(s, "=")
	if strings.Contains(body, "=") || !strings.HasPrefix(s, object) && !noKey(body) || strings.Contains(s, "."+object) {
		return false
	}
	parts := strings.Split(s, ":")
	for _, part := range parts[:len(parts)-1] {
		name := part[1+strings.LastIndexFunc(part, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' && r != '-' }):]
		if redact.Secretlike(name + ": x") {
			return false
		}
	}
	return true
}

var email = regexp.MustCompile(`^[^@]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$`)

func isEmail(s string) bool { return email.MatchString(s) }

// isPath reports whether a link to s neither leads to another site nor carries a credential.
func isPath(s string) bool {
	path, rest := s, ""
	if end := strings.IndexAny(s, "?#"); end >= 0 {
		path, rest = s[:end], s[end+1:]
	}
	plain, err := url.PathUnescape(path)
	switch {
	case err != nil, s[0] != '/', strings.HasPrefix(plain, "//"), dotSegment(plain), strings.Contains(s, "://"),
		strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("%\\<>\"'`", r) }):
		return false
	}
	for segment := range strings.SplitSeq(plain, "/") {
		if hasSecret(segment) {
			return false
		}
	}
	// A query is made of pairs: only their names and values are checked.
	for pair := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '&' || r == '#' || r == '?' }) {
		value, err := url.QueryUnescape(pair)
		if err != nil || strings.Contains(value, "//") || hasSecret(strings.ReplaceAll(value, "=", ": ")) {
			return false
		}
	}
	return true
}

// slug is the name or id of something in a path or a host: words, or a UUID.
var slug = kind(Kind{most: 128, signs: "_.:-", parts: "_.:-", also: noKey})

// hasSecret reports whether a part of a path or of a host is secret-like, and not the name or id of something.
func hasSecret(part string) bool { return redact.Secretlike(part) && !slug.Is(part) }

func isAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || u.Hostname() == "" || u.User != nil {
		return false
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") {
		if hasSecret(label) {
			return false
		}
	}
	return u.Path == "" || isPath(u.EscapedPath())
}

func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && !dotSegment(u.Path)
}
