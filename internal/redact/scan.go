package redact

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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

// scan reads s once. secret is true at the first thing that looks like one; veiled tells that
// s holds escapes, or characters that are not shown or not the usual ones, so that what it says
// ([plain]) must be scanned too.
func scan(s string) (secret, veiled bool) {
	sc := scanner{s: s, closing: -1}
	var run, runDigits int // the token-like run up to here
	for i := 0; i < len(s); i++ {
		k := class[s[i]]
		if k&token != 0 {
			run++
			if k&digit != 0 {
				runDigits++
			}
			if run >= tokenLength && runDigits > 0 {
				return true, sc.veiled
			}
		} else {
			run, runDigits = 0, 0
		}
		if k&space != 0 {
			sc.word = word{}
			continue
		}
		if sc.secretAt(i) {
			return true, sc.veiled
		}
		sc.started = true
	}
	return false, sc.veiled
}

// word is what was seen of a blank-separated word.
type word struct {
	started, rooted       bool // whether it has begun, and with '/'
	colon, slash, slashes bool // ':', '/', "//"
	inner                 bool // a '/' of one that is not rooted
}

// scanner reads a text.
type scanner struct {
	s string
	word
	veiled  bool
	normal  bool // whether the rest was looked at for letters that are not the usual ones
	closing int  // the last "</"; -1: not looked for
	excused int  // pairs and remarks that were found harmless
}

// maxExcused bounds the harmless pairs and remarks of one text, which cost most: no person reads more.
const maxExcused = 1000

// excuses reports whether something secret-like is harmless, if it is not one too many.
func (sc *scanner) excuses(harmless bool) bool {
	sc.excused++
	return harmless && sc.excused <= maxExcused
}

// secretAt reports whether a secret begins or ends at s[i], which is no blank.
func (sc *scanner) secretAt(i int) bool {
	s, c := sc.s, sc.s[i]
	switch k := class[c]; {
	case k&letter != 0:
		return (!sc.started || !is(s[i-1], letter|digit)) && (credentials(s[i:]) || issued(s[i:]))
	case k&control != 0, c == '\\', c == '&':
		sc.veiled = true
	case c == '/':
		sc.slashes = sc.slashes || sc.started && s[i-1] == '/'
		sc.rooted = sc.rooted || !sc.started
		sc.slash, sc.inner = true, sc.inner || !sc.rooted
	case c == ':':
		sc.colon = sc.colon || !plainColon(s[:i])
		return sc.named(i, i+1) || header(s[:i]) && nonBlankFrom(s, i+1)
	case c == ',':
		return tuple(s, i)
	case c == '@': // user:password@host, with a scheme or without; user/password@service
		return (sc.colon || sc.slashes || sc.inner && !version.MatchString(s[i+1:])) && nonSpaceAt(s, i+1)
	case c == '?':
		return sc.slash && nonSpaceAt(s, i+1)
	case c == '>':
		if sc.closing < 0 {
			sc.closing = max(strings.LastIndex(s, "</"), 0)
		}
		return i > 0 && (s[i-1] == '-' || s[i-1] == '~') && sc.named(i-1, i+1) || element(s, i, sc.closing)
	case c == '<':
		return nameElement(s, i)
	case c == '=', c == '%':
		sc.veiled = sc.veiled || c == '%'
		return assigns(s, i) && (c != '=' || !sc.excuses(harmlessPair(s, i)))
	case c == '-':
		begins := i == 0 || !is(s[i-1], letter|digit) && s[i-1] != '-' && s[i-1] != '_'
		return strings.HasPrefix(s[i:], "-----BEGIN") || begins && option(s[i:])
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(s[i:])
		sc.veiled = sc.veiled || hiddenRune(r) || !sc.normal && norm.NFKC.QuickSpanString(s[i:]) < len(s)-i
		sc.normal = true
		return joins(r) && sc.named(i, i+size)
	}
	return false
}

func nonSpaceAt(s string, i int) bool { return i < len(s) && !is(s[i], space) }

func nonBlankFrom(s string, i int) bool { return strings.TrimLeft(s[i:], blanks) != "" }

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

// prefixes begin the tokens of some issuers, which may be shorter than tokenLength.
var prefixes = [...]string{"AKIA", "ASIA", "AIza", "eyJ", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-",
	"xoxa-", "xoxb-", "xoxp-", "xoxs-", "ya29.", "sk_live_", "sk_test_", "rk_live_"}

// issued reports whether s, at the beginning of a word, is a token of one of these.
func issued(s string) bool {
	const least = 6
	if strings.IndexByte("Aeghrsxy", s[0]) < 0 { // how the prefixes begin
		return false
	}
	for _, p := range prefixes {
		if !strings.HasPrefix(s, p) {
			continue
		}
		rest := s[len(p):]
		end := 0
		for digits := !is(p[len(p)-1], letter); end < len(rest) && is(rest[end], token); end++ {
			if digits = digits || is(rest[end], digit); digits && end >= least-1 {
				return true
			}
		}
	}
	return false
}

// harmless are the words that follow "basic", "bearer" or an option in plain sentences.
var harmless = [...]string{
	"access", "account", "and", "are", "argument", "as", "auth", "authentication", "authorization", "can", "cannot", "configuration",
	"credential", "credentials", "does", "error", "expired", "failed", "flag", "for", "from", "has", "header", "if", "in", "information",
	"instead", "is", "missing", "must", "not", "on", "option", "or", "plan", "realm", "required", "scheme", "settings", "should",
	"then", "to", "token", "tokens", "was", "were", "when", "with", "without",
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
	return followed(rest)
}

// followed reports whether rest is blanks and something that is no word of a sentence.
func followed(rest string) bool {
	i := 0
	for i < len(rest) && (is(rest[i], space) || rest[i] == '+') { // a blank in a query
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
	return len(s) >= len(suffix) && s[len(s)-1]|0x20 == suffix[len(suffix)-1]|0x20 && // most fail here
		strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func anyFold(all []string, word string) bool {
	for _, w := range all {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
