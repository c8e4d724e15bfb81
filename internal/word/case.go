package word

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Camel gives the camelCase form of a snake_case name (contract 4.2): last_24h_impressions is
// last24hImpressions. A name without an underscore stays as it is.
func Camel(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	var b strings.Builder
	b.Grow(len(name))
	first, rest, _ := strings.Cut(name, "_")
	b.WriteString(first)
	for part := range strings.SplitSeq(rest, "_") {
		letter, size := utf8.DecodeRuneInString(part)
		if size == 0 {
			continue
		}
		if upper := unicode.ToUpper(letter); upper != letter {
			b.WriteRune(upper)
			part = part[size:]
		}
		b.WriteString(part)
	}
	return b.String()
}

// Snake is [Camel] backwards: customTargeting is custom_targeting. A name that is in this form already stays as it is.
func Snake(name string) string {
	b := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' && i > 0 {
			if name[i-1] != '_' {
				b = append(b, '_')
			}
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}
