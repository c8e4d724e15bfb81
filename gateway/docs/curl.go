package docs

import (
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// expand puts the examples of parameters into a path. One without an example stays as it is.
func expand(path string, given []parameter) string {
	for _, p := range given {
		example := p.Example
		if example == nil {
			example = p.Schema.Example
		}
		if p.In == "path" && example != nil {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(plain(example)))
		}
	}
	return path
}

// curl gives a command for a shell. The key is in a variable there, so that it is not part of the command.
func curl(method, address string, key, streams bool, body jsontext.Value) string {
	parts := []string{"curl -sS"}
	if streams {
		parts[0] = "curl -sSN"
	}
	if method != "GET" && (method != "POST" || body == nil) {
		parts = append(parts, "-X "+method)
	}
	if key {
		parts = append(parts, `-H "Authorization: Bearer $ESAGATE_KEY"`)
	}
	if body != nil {
		parts = append(parts, "-H 'Content-Type: application/json'", "-d "+quoted(string(body)))
	}
	parts = append(parts, quoted(address))
	if len(parts) == 2 {
		return parts[0] + " " + parts[1]
	}
	return strings.Join(parts, " \\\n  ")
}

// quoted makes one word of a text, in which a shell sees nothing to act on.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
