package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// Safe gives text as it may be written to a terminal, in one line: printable characters and spaces
// alone. What is none, as the controls that escape sequences are made of or marks that turn the
// direction of writing, becomes U+FFFD; joiners, which nobody sees, are left out.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r) && r != '\u0085': // a control
			return ' '
		case r == '\u200c' || r == '\u200d':
			return -1
		}
		return unicode.ReplacementChar
	}, text)
}

// width gives how many columns a text takes that is [Safe].
func width(text string) int { return displaywidth.String(text) }

// clip cuts what is beyond some columns.
func clip(text string, columns int) string {
	switch {
	case width(text) <= columns:
		return text
	case columns <= 0: // not even the mark of a cut has room
		return ""
	}
	return displaywidth.TruncateString(text, columns, "…")
}

// harmless gives JSON that a terminal can be trusted with: what it would not show is escaped.
func harmless(value []byte) []byte {
	b := make([]byte, 0, len(value))
	for _, r := range string(value) { // outside of strings all is ASCII
		if r < 0x7f || Safe(string(r)) == string(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}
