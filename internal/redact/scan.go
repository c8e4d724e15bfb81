package redact

import (
	"strings"
	"unicode/utf8"
)

// Classes of a byte.
const (
	letter = 1 << iota
	digit
	token   // may stand in a token-like run
	space   // ASCII white space
	control // ASCII, neither printable nor space
)

var class = func() (t [256]uint8) {
	for c := range 256 {
		switch b := byte(c); {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
			t[c] = letter | token
		case '0' <= b && b <= '9':
			t[c] = digit | token
		case strings.IndexByte("+/_.-", b) >= 0:
			t[c] = token
		case strings.IndexByte(" \t\n\v\f\r", b) >= 0:
			t[c] = space
		case b < ' ' || b == 0x7f:
			t[c] = control
		}
	}
	return t
}()

func is(c byte, classes uint8) bool { return class[c]&classes != 0 }

// scan reads s once. secret is true at the first thing that looks like one;
// hidden tells that s holds characters that are not shown, so that its visible
// form must be scanned too.
func scan(s string) (secret, hidden bool) {
	var run, runDigits int  // the token-like run up to here
	var colon, slashes bool // seen in this blank-separated word: ':', "//"
	var slash, started bool // '/', and whether the word has begun
	for i := 0; i < len(s); i++ {
		c := s[i]
		k := class[c]
		if k&token != 0 {
			run++
			if k&digit != 0 {
				runDigits++
			}
			if run >= tokenLength && runDigits > 0 {
				return true, hidden
			}
		} else {
			run, runDigits = 0, 0
		}
		switch {
		case k&space != 0:
			colon, slash, slashes, started = false, false, false, false
			continue
		case k&letter != 0:
			if !started || !is(s[i-1], letter|digit) {
				if credentials(s[i:]) {
					return true, hidden
				}
			}
		case k&control != 0:
			hidden = true
		case c == '/':
			slashes = slashes || started && s[i-1] == '/'
			slash = true
		case c == ':':
			if named(s, i) {
				return true, hidden
			}
			colon = true
		case c == '@':
			// user:password@host, with a scheme or without
			if (colon || slashes) && nonSpaceAt(s, i+1) {
				return true, hidden
			}
		case c == '?':
			if slash && nonSpaceAt(s, i+1) {
				return true, hidden
			}
		case c == '=', c == '%':
			if assigns(s, i) && (c != '=' || !harmlessPair(s, i)) {
				return true, hidden
			}
		case c == '-':
			if strings.HasPrefix(s[i:], "-----BEGIN") {
				return true, hidden
			}
		case c >= utf8.RuneSelf && !hidden:
			r, _ := utf8.DecodeRuneInString(s[i:])
			hidden = hiddenRune(r)
		}
		started = true
	}
	return false, hidden
}

func nonSpaceAt(s string, i int) bool { return i < len(s) && !is(s[i], space) }

// assigns reports whether s[at] is, or begins (%3D), an equals sign of a pair.
func assigns(s string, at int) bool {
	if s[at] == '=' {
		return pair(s, at, at+1)
	}
	return at+2 < len(s) && s[at+1] == '3' && s[at+2]|0x20 == 'd' && pair(s, at, at+3)
}

// pair reports whether the equals sign before s[after], which begins at s[at],
// joins a key and a value. Comparisons (<=, >=, !=) don't.
func pair(s string, at, after int) bool {
	for after < len(s) && is(s[after], space) {
		after++
	}
	if after == len(s) {
		return false
	}
	for at--; at >= 0 && is(s[at], space); at-- {
	}
	return at >= 0 && strings.IndexByte("<>!=", s[at]) < 0
}

// gap is how many quotes, brackets and blanks may stand between a name and its
// colon: `"password" :`, `\"password\":`, `[password]:`.
const gap = 8

// secretNames are what a field that holds a secret may be called, or its name
// may end in; a plural s and a number after it are passed over.
var secretNames = [...]string{
	"password", "passwd", "passphrase", "passcode", "pass", "pwd", "secret",
	"token", "key", "credential", "authorization", "bearer", "cookie", "jwt", "signature",
}

// named reports whether the colon at s[at] follows the name of a secret and
// precedes something that may be it.
func named(s string, at int) bool {
	after := at + 1
	for after < len(s) && is(s[after], space) {
		after++
	}
	if after == len(s) {
		return false
	}
	end := at
	for end > 0 && at-end < gap && !is(s[end-1], letter|digit) {
		end--
	}
	for end > 0 && is(s[end-1], digit) {
		end--
	}
	name := s[:end]
	for _, n := range secretNames {
		if hasSuffixFold(name, n) || end > 0 && s[end-1]|0x20 == 's' && hasSuffixFold(name[:end-1], n) {
			return !harmlessRemark.MatchString(s[after:])
		}
	}
	return false
}

// harmless are the words that follow "basic" or "bearer" in plain sentences.
var harmless = [...]string{
	"access", "account", "and", "auth", "authentication", "authorization", "configuration",
	"credential", "credentials", "expired", "has", "header", "information", "is", "must", "not",
	"or", "plan", "realm", "required", "scheme", "settings", "token", "tokens", "was",
}

// credentials reports whether s, at the beginning of a word, is an HTTP
// authentication scheme followed by credentials.
func credentials(s string) bool {
	if s[0]|0x20 != 'b' {
		return false
	}
	var rest string
	switch {
	case hasPrefixFold(s, "bearer"):
		rest = s[len("bearer"):]
	case hasPrefixFold(s, "basic"):
		rest = s[len("basic"):]
	default:
		return false
	}
	i := 0
	for i < len(rest) && is(rest[i], space) {
		i++
	}
	if i == 0 || i == len(rest) {
		return false
	}
	end := i
	for end < len(rest) && is(rest[end], letter) {
		end++
	}
	if end < len(rest) && !is(rest[end], space) && strings.IndexByte(".,;:!)", rest[end]) < 0 {
		return true
	}
	return !anyFold(harmless[:], rest[i:end])
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func anyFold(all []string, word string) bool {
	for _, w := range all {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
