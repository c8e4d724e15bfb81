package webhooks

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/registry"
)

const jsonSpace = " \t\r\n"

// idIn gives the first top-level member of a name in a body that need not be JSON; empty unless it is a string
// that can be an id. Nothing else is checked: that the body is JSON matters only once its signature is right.
func idIn(body []byte, name string) string {
	for depth := 0; len(body) > 0; {
		switch body[0] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			var quoted []byte
			quoted, body = cutString(body)
			value, isName := bytes.CutPrefix(bytes.TrimLeft(body, jsonSpace), []byte{':'})
			if depth != 1 || !isName {
				continue
			}
			if text, err := jsontext.AppendUnquote(nil, quoted); err != nil || string(text) != name {
				continue
			}
			value, _ = cutString(bytes.TrimLeft(value, jsonSpace))
			id, err := jsontext.AppendUnquote(nil, value)
			if err != nil || !registry.StorableID(string(id)) {
				return ""
			}
			return string(id)
		}
		body = body[1:]
	}
	return ""
}

// cutString cuts a text after the JSON string that it begins with, or at its end if the string has none. If the
// text begins with something else, quoted is no JSON string either.
func cutString(text []byte) (quoted, after []byte) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1], text[i+1:]
		}
	}
	return text, nil
}
