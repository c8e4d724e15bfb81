// Package transform turns the sales agent's documents, and the gateway's own
// records, into the documents that the gateway serves. Everything here is pure:
// no clock, no network, no state but what is compiled at start-up.
package transform

import (
	"regexp"
	"strings"

	"esagate/internal/word"
)

// SyncTypeToUpstream gives a stream's name by the rule of [word.Camel] backwards: customTargeting
// and custom_targeting are both custom_targeting. It gives "" for what can't be the name of a stream.
func SyncTypeToUpstream(name string) string {
	// The snake_case form is checked: the parts of the other run together, and may be too long for a
	// plain word.
	snake := word.Snake(name)
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
