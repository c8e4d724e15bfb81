// Package transform turns the sales agent's documents, and the gateway's own
// records, into the documents that the gateway serves. Everything here is pure:
// no clock, no network, no state but what is compiled at start-up.
package transform

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CamelCase gives the camelCase form of a snake_case name (contract 4.2): last_24h_impressions is
// last24hImpressions. A name without an underscore stays as it is.
func CamelCase(name string) string {
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

// SyncTypeToUpstream gives a stream's name by the rule of [CamelCase] backwards: customTargeting
// and custom_targeting are both custom_targeting. It gives "" for what can't be the name of a stream.
func SyncTypeToUpstream(name string) string {
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
	// The snake_case form is checked: the parts of the other run together, and may be too long for a
	// plain word.
	snake := string(b)
	if _, ok := streamName(snake); !ok {
		return ""
	}
	return snake
}

var (
	newWord = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	noWord  = regexp.MustCompile(`[^A-Za-z0-9]`)
)

// upperSnake gives the UPPER_SNAKE form of a camelCase or snake_case word:
// customTargeting and custom_targeting are both CUSTOM_TARGETING.
func upperSnake(name string) string {
	return strings.ToUpper(noWord.ReplaceAllString(newWord.ReplaceAllString(name, "${1}_$2"), "_"))
}
