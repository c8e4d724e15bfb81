// Package redact decides which text from outside may be shown: what upstream
// wrote, and what our own logs are about to say.
//
// It knows shapes, not meanings: a secret of one short word ("hunter2") standing
// alone passes. Text that must not hold a secret is therefore chosen by
// allow-list first and treated here second.
package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// TextLimit is the most characters (code points) that Text lets through.
const TextLimit = 200

// tokenLength is the shortest run of token bytes that counts as token-like.
const tokenLength = 24

// layers is how often escapes are undone: JSON in JSON in a page is escaped so often.
const layers = 3

// Text treats a piece of upstream's free text (contract 4.11): its
// first line that is not blank, without control and invisible characters, cut
// to TextLimit code points, always valid UTF-8. ok is false, and the text
// empty, when the whole original holds something that looks like a secret; the
// caller then says a sentence of its own. Blank text gives "" and true.
func Text(s string) (text string, ok bool) {
	if Secretlike(s) {
		return "", false
	}
	return firstLine(s), true
}

// Secretlike reports whether s holds what looks like a secret: a long
// token-like run with a digit, a PEM marker, a URL with user info or a query,
// or key=value pairs (contract 4.11); and beyond the contract `password: x`, `password -> x`,
// `--password x` and `<password>x</password>` in any spelling and quoting, `Bearer x` or `Basic x`,
// `user/password@service` and the tokens of some issuers. Escapes are undone ([plain]). It
// errs on the side of yes, but for what ad servers say of failed calls:
// `status=503`, `credentials: HTTP 401`. Clean ASCII text costs no allocation.
func Secretlike(s string) bool {
	_, ok := Whole(s)
	return !ok
}

// Whole treats text that may be shown at its full length, line ends and tabs
// included: without the characters that are shown as nothing or steer how others
// are shown (control and zero-width characters, direction overrides), but with those
// that choose the form of the character before them ([keeper]). ok is false, and the
// text empty, when it is Secretlike.
func Whole(s string) (text string, ok bool) {
	secret, veiled := scan(s)
	if text = s; veiled && !secret {
		text = strings.Map(new(keeper).keep, s)
	}
	// Invisible characters and escapes could split a token into harmless pieces.
	query := false // where '+' may stand for a blank
	for layer := 0; layer < layers && veiled && !secret; layer++ {
		query = query || strings.Contains(s, "%") && strings.Contains(s, "+")
		s = plain(s)
		if secret, veiled = scan(s); query && !secret {
			secret, _ = scan(strings.ReplaceAll(s, "+", " "))
		}
	}
	if secret {
		return "", false
	}
	return text, true
}

// firstLine is the visible part of the first line that is not blank.
func firstLine(s string) string {
	if end, plain := plainLine(s); plain {
		return strings.TrimRight(s[:end], " ")
	}
	var b strings.Builder
	var k keeper
	left := TextLimit
	for _, r := range s {
		switch {
		case lineEnd(r):
			if b.Len() > 0 {
				return strings.TrimRightFunc(b.String(), unicode.IsSpace)
			}
			continue
		case r == '\t':
			r = ' '
		}
		if k.keep(r) < 0 {
			continue
		}
		if b.Len() == 0 && unicode.IsSpace(r) {
			continue
		}
		if left == 0 {
			break
		}
		left--
		b.WriteRune(r) // an invalid byte arrives, and is written, as U+FFFD
	}
	return strings.TrimRightFunc(b.String(), unicode.IsSpace)
}

// plainLine finds where the first line of s ends, or TextLimit cuts it, when
// everything before that is printable ASCII and does not begin with a blank:
// then the line is a piece of s and nothing need be copied.
func plainLine(s string) (end int, plain bool) {
	if s == "" || s[0] == ' ' {
		return 0, s == ""
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == TextLimit:
			return i, true
		case c == '\n' || c == '\r' || c == '\v' || c == '\f':
			return i, i > 0
		case c < ' ' || c > '~':
			return 0, false
		}
	}
	return len(s), true
}

// lineEnd reports whether r ends a line for any reader: a terminal, a browser,
// a log collector.
func lineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// hiddenRune reports whether r is shown as nothing at all, or steers how others
// are shown (control, zero width, direction overrides).
func hiddenRune(r rune) bool {
	if r < utf8.RuneSelf {
		return (r < ' ' || r == 0x7f) && r != '\t' && !lineEnd(r)
	}
	if lineEnd(r) {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// keeper drops hidden characters from a text that it is given in order, but for one variation selector after a
// visible character (the U+FE0F of a coloured warning sign), and one joiner or non-joiner after what is not ASCII:
// Persian and Indic words and emoji are spelled with them. What it keeps hides nothing: text is judged without it.
type keeper struct{ last rune } // kept last; 0 for none and for white space

// keep gives r, or -1 to drop it, as strings.Map wants it.
func (k *keeper) keep(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		k.last = 0
		return r
	case !hiddenRune(r),
		unicode.Is(unicode.Variation_Selector, r) && k.last != 0 && !hiddenRune(k.last),
		(r == joiner || r == nonJoiner) && k.last >= utf8.RuneSelf && k.last != joiner && k.last != nonJoiner:
		k.last = r
		return r
	}
	return -1
}
