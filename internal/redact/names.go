package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// gap is how many quotes, brackets and blanks may stand between a name and its
// colon: `"password" :`, `\"password\":`, `[password]:`.
const gap = 8

// secretNames are what a field that holds a secret may be called, or its name
// may end in; a plural s and a number after it are passed over.
var secretNames = [...]string{
	"password", "passwd", "passphrase", "passcode", "pass", "pwd", "pw", "passwort", "secret",
	"token", "key", "credential", "authorization", "bearer", "cookie", "jwt", "signature", "creds",
	"sessionid", "session_id", "session-id",
}

// shortNames are such names that other words end in.
var shortNames = [...]string{"otp", "pin", "sid", "sig"}

// named reports whether the colon or arrow from s[at] to s[after] follows the name of a
// secret and precedes something that may be it.
func (sc *scanner) named(at, after int) bool {
	s := sc.s
	for after < len(s) && is(s[after], space) {
		after++
	}
	return after < len(s) && namesSecret(s[:at]) && !sc.excuses(harmlessName.MatchString(s[max(at-gap*4, 0):at]) || harmlessRemark.MatchString(s[after:]))
}

// suffixes are what names of parts and forms of a secret end in: access_key_id, passwordHash, token[0].value.
var suffixes = [...]string{"value", "id", "hash", "digest", "base", "new", "old"}

// namesSecret reports whether s ends in the name of a secret, perhaps with signs, a number and suffixes behind it.
func namesSecret(s string) bool {
	for range 3 {
		end := len(s)
		for end > 0 && len(s)-end < gap && !is(s[end-1], letter|digit) {
			end--
		}
		for end > 0 && is(s[end-1], digit) {
			end--
		}
		for end > 0 && len(s)-end < gap && strings.IndexByte("[(", s[end-1]) >= 0 {
			end--
		}
		s = s[:end]
		if secretName(s) {
			return true
		}
		short := withoutSuffix(s)
		if short == s {
			return false
		}
		s = short
	}
	return false
}

// withoutSuffix gives s without one of the suffixes, if that is a word or the part of one. Only "value" may follow
// its name in a pair of its own: {"name": "password", "value": "x"}.
func withoutSuffix(s string) string {
	for _, suffix := range suffixes {
		if !hasSuffixFold(s, suffix) {
			continue
		}
		rest := s[:len(s)-len(suffix)]
		if rest == "" {
			return s
		}
		last := rest[len(rest)-1]
		camel := is(last, letter) && 'A' <= s[len(rest)] && s[len(rest)] <= 'Z' && last >= 'a'
		if camel || strings.IndexByte(" _-.([", last) >= 0 || suffix == "value" && !is(last, letter|digit) {
			return rest
		}
	}
	return s
}

// header reports whether s ends in the name of a header that is not a standard one: X-Session.
func header(s string) bool {
	begin := len(s)
	for begin > 0 && (is(s[begin-1], letter|digit) || s[begin-1] == '-') {
		begin--
	}
	return hasPrefixFold(s[begin:], "X-") && len(s)-begin > len("X-")
}

// tuple reports whether the comma at s[at] parts the name and the value of a secret, as Python prints headers:
// ('authorization', 'x').
func tuple(s string, at int) bool {
	if at == 0 || s[at-1] != '\'' && s[at-1] != '"' {
		return false
	}
	name := s[max(at-64, 0) : at-1]
	begin := strings.LastIndexByte(name, s[at-1])
	if begin < 0 || !namesSecret(name[begin+1:]) {
		return false
	}
	rest := strings.TrimLeft(s[at+1:], blanks)
	return strings.HasSuffix(strings.TrimRight(name[:begin], "bru"), "(") && rest != "" && rest[0] != ')'
}

// secretName reports whether s ends in the name of a secret, perhaps a plural.
func secretName(s string) bool {
	if s == "" || strings.IndexByte("deglnprstwy", s[len(s)-1]|0x20) < 0 { // how names end
		return false
	}
	for _, n := range shortNames {
		if hasSuffixFold(s, n) && (len(s) == len(n) || !is(s[len(s)-len(n)-1], letter)) {
			return true
		}
	}
	for _, n := range secretNames {
		if hasSuffixFold(s, n) || s[len(s)-1]|0x20 == 's' && hasSuffixFold(s[:len(s)-1], n) {
			return true
		}
	}
	return false
}

// element reports whether the '>' at s[at] ends the tag of an element of XML with the name of a secret, and
// with content: a letter or digit directly behind, or anything if an end tag follows, the last of which begins at
// s[closing]. A placeholder, such as "<password> in the field", has none.
func element(s string, at, closing int) bool {
	end := at
	for end > 0 && at-end < gap && is(s[end-1], space) {
		end--
	}
	begin := elementName(s[:end])
	rest := s[at+1:]
	return begin > 0 && s[begin-1] == '<' && namesSecret(s[begin:end]) && rest != "" &&
		!strings.HasPrefix(rest, "</") && (is(rest[0], letter|digit) || at < closing)
}

// nameElement reports whether the tag at s[at] ends an element that holds the name of a secret, and whose value follows:
// <name>password</name><value>x</value>.
func nameElement(s string, at int) bool {
	begin := elementName(s[:at])
	if !strings.HasPrefix(s[at:], "</") || begin == 0 || s[begin-1] != '>' || !namesSecret(s[begin:at]) {
		return false
	}
	_, rest, _ := strings.Cut(s[at:min(at+128, len(s))], ">")
	rest = strings.TrimLeft(rest, blanks)
	return hasPrefixFold(rest, "<val") || hasPrefixFold(rest, "<str")
}

// elementName gives where the name at the end of s begins.
func elementName(s string) int {
	begin := len(s)
	for begin > 0 && (is(s[begin-1], letter|digit) || strings.IndexByte("-_.:", s[begin-1]) >= 0) {
		begin--
	}
	return begin
}

// option reports whether s, which begins with a hyphen, is an option of a command line with the name of a secret,
// and a value.
func option(s string) bool {
	name := strings.TrimLeft(s, "-")
	end := strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf || r != '_' && r != '-' && !is(byte(r), letter|digit) })
	if end <= 0 || !namesSecret(name[:end]) {
		return false
	}
	rest := name[end:]
	const quotes = "'\"`"
	if strings.IndexByte(quotes, rest[0]) >= 0 { // ['--password', 'x']
		rest = rest[1:]
		if next := strings.TrimLeft(rest, ","+blanks); rest != next && rest[0] == ',' && len(next) > 1 && strings.IndexByte(quotes, next[0]) >= 0 {
			return next[1] != '-'
		}
	}
	return followed(rest)
}

// joins reports whether r may stand for an arrow, a colon or an equals sign: an arrow, or a sign of mathematics. Those
// of full width are judged as the usual ones.
func joins(r rune) bool {
	return unicode.In(r, unicode.Sm, unicode.Sk) && r < '\uff00' || '\u2190' <= r && r <= '\u21ff' || '\u2794' <= r && r <= '\u27be'
}

// plainColon reports whether the colon behind s is that of JSON or of a mail link, and so not one of user:password@host.
func plainColon(s string) bool {
	return strings.HasSuffix(s, `"`) || strings.HasSuffix(s, "'") || hasSuffixFold(s, "mailto")
}
