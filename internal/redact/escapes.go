package redact

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain gives what s says: the escapes of JSON and of programming languages, those of URLs and those of HTML are
// undone, once each and in this order, letters and signs of other widths are the usual ones, and nothing is hidden.
func plain(s string) string {
	return strings.Map(usual, html.UnescapeString(UnescapeURL(Unquote(s))))
}

// usual gives the usual form of a letter or sign (the "p" of a full-width one), -1 for one that is hidden. What has
// none of one rune stays, so that no text grows.
func usual(r rune) rune {
	switch {
	case hiddenRune(r):
		return -1
	case r < utf8.RuneSelf:
		return r
	}
	var b [utf8.UTFMax]byte
	form := norm.NFKC.Properties(utf8.AppendRune(b[:0], r)).Decomposition()
	if one, size := utf8.DecodeRune(form); size > 0 && size == len(form) {
		return one
	}
	return r
}

// Unquote undoes the escapes of JSON and of programming languages.
func Unquote(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '\\')
		if at < 0 || at == len(s)-1 {
			return b.String() + s
		}
		b.WriteString(s[:at])
		s = s[at:]
		r, _, rest, err := strconv.UnquoteChar(s, 0)
		const pair = len(`\ud83d\ude00`)
		switch {
		case err == nil:
			b.WriteRune(r)
			s = rest
		case len(s) >= pair && utf16.IsSurrogate(unit(s)) && utf16.IsSurrogate(unit(s[pair/2:])):
			b.WriteRune(utf16.DecodeRune(unit(s), unit(s[pair/2:])))
			s = s[pair:]
		case strings.HasPrefix(s, `\u{`):
			s = braced(&b, s)
		default:
			b.WriteByte(s[1]) // an escaped quote or slash
			s = s[2:]
		}
	}
}

// braced undoes the \u{XXXX} that s begins with, and gives the rest.
func braced(b *strings.Builder, s string) string {
	const open = len(`\u{`)
	end := strings.IndexByte(s[:min(len(s), open+len("10ffff}"))], '}')
	n, err := strconv.ParseUint(s[open:max(end, open)], 16, 32)
	if err != nil {
		b.WriteByte('u')
		return s[open-1:]
	}
	b.WriteRune(rune(n)) // U+FFFD for what is none
	return s[end+1:]
}

// unit gives the \uXXXX that s begins with; 0 for none.
func unit(s string) rune {
	if !strings.HasPrefix(s, `\u`) {
		return 0
	}
	n, _ := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n)
}

const hex = "0123456789abcdefABCDEF"

// UnescapeURL undoes the escapes of URLs that are well formed.
func UnescapeURL(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '%')
		if at < 0 {
			return b.String() + s
		}
		b.WriteString(s[:at])
		s = s[at:]
		if len(s) >= len("%41") && strings.IndexByte(hex, s[1]) >= 0 && strings.IndexByte(hex, s[2]) >= 0 {
			c, _ := strconv.ParseUint(s[1:3], 16, 8)
			b.WriteByte(byte(c))
			s = s[3:]
		} else if len(s) >= len("%u0041") && s[1] == 'u' && strings.Trim(s[2:6], hex) == "" { // JavaScript's escape
			c, _ := strconv.ParseUint(s[2:6], 16, 16)
			b.WriteRune(rune(c))
			s = s[6:]
		} else {
			b.WriteByte('%')
			s = s[1:]
		}
	}
}
