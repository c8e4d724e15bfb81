package upstreamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// typesURL is where the checking library explains the type of an item.
const typesURL = "https://errors.pydantic.dev/2.11/v/"

// validationError is one item of a 422, which repeats what was submitted: of a
// field that is missing, and of a rule over several, the whole object.
type validationError struct {
	Type  string            `json:"type"`
	Loc   []string          `json:"loc"` // where in the body: a config's begins with its tag, under "adapter" when provisioning
	Msg   string            `json:"msg"`
	Input json.RawMessage   `json:"input"`
	Ctx   map[string]string `json:"ctx,omitempty"`
	URL   string            `json:"url,omitempty"`
}

// kind is what a field holds.
type kind int

const (
	text kind = iota
	flag
	integer
	object // of any shape, checked by its reader
	list   // of strings
)

// field is what a schema says of one field. Lengths count code points; where max
// is 0 there is no limit.
type field struct {
	name     string
	kind     kind
	required bool
	nullable bool
	min, max int
	oneOf    []string
	pattern  *regexp.Regexp
	rule     func(string) string // of a text: what is wrong with it, or ""
}

// check holds a JSON object against a schema, as the agent's framework does. It
// gives the fields that the schema knows, ready to be decoded.
func (o Options) check(loc []string, raw json.RawMessage, schema []field) (map[string]json.RawMessage, []validationError) {
	var given map[string]json.RawMessage
	if !json.Valid(raw) || json.Unmarshal(raw, &given) != nil || given == nil {
		return nil, []validationError{{Type: "model_type", Loc: at(loc), Msg: "Input should be a valid dictionary", Input: asJSON(raw)}}
	}
	var found []validationError
	known := map[string]json.RawMessage{}
	for _, f := range schema {
		value, there := given[f.name]
		switch {
		case there:
			known[f.name] = value
			found = append(found, f.check(at(loc, f.name), value)...)
		case f.required:
			found = append(found, validationError{Type: "missing", Loc: at(loc, f.name), Msg: "Field required", Input: asJSON(raw)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, is := known[name]; !is && !o.Production {
			found = append(found, validationError{
				Type: "extra_forbidden", Loc: at(loc, name), Msg: "Extra inputs are not permitted", Input: asJSON(given[name]),
			})
		}
	}
	return known, found
}

// check holds one value against its field.
func (f field) check(loc []string, raw json.RawMessage) []validationError {
	wrong := func(kind, msg string) []validationError {
		return []validationError{{Type: kind, Loc: loc, Msg: msg, Input: asJSON(raw)}}
	}
	if f.nullable && string(bytes.TrimSpace(raw)) == "null" {
		return nil
	}
	switch f.kind {
	case flag:
		var b *bool
		if json.Unmarshal(raw, &b) != nil || b == nil {
			return wrong("bool_type", "Input should be a valid boolean")
		}
		return nil
	case integer:
		var n *int64
		if json.Unmarshal(raw, &n) != nil || n == nil {
			return wrong("int_type", "Input should be a valid integer")
		}
		return nil
	case list:
		var all []string
		if json.Unmarshal(raw, &all) != nil || all == nil {
			return wrong("list_type", "Input should be a valid list")
		}
		return nil
	case object:
		return nil
	}
	var p *string
	if json.Unmarshal(raw, &p) != nil || p == nil {
		return wrong("string_type", "Input should be a valid string")
	}
	s, n := *p, utf8.RuneCountInString(*p)
	switch {
	case f.oneOf != nil && !slices.Contains(f.oneOf, s):
		return wrong("literal_error", "Input should be '"+strings.Join(f.oneOf, "' or '")+"'")
	case n < f.min:
		return wrong("string_too_short", fmt.Sprintf("String should have at least %d characters", f.min))
	case f.max > 0 && n > f.max:
		return wrong("string_too_long", fmt.Sprintf("String should have at most %d characters", f.max))
	case f.pattern != nil && !f.pattern.MatchString(s):
		return wrong("string_pattern_mismatch", fmt.Sprintf("String should match pattern '%s'", f.pattern))
	}
	if f.rule != nil {
		if words := f.rule(s); words != "" {
			return valueError(loc, words, raw)
		}
	}
	return nil
}

// valueError is what a rule of the agent's own finds.
func valueError(loc []string, words string, raw json.RawMessage) []validationError {
	return []validationError{{
		Type: "value_error", Loc: loc, Msg: "Value error, " + words, Input: asJSON(raw), Ctx: map[string]string{"error": words},
	}}
}

func invalid(found []validationError) answer { return says(http.StatusUnprocessableEntity, found) }

// at gives a location; never null, however short.
func at(loc []string, more ...string) []string { return append(append([]string{}, loc...), more...) }

// asJSON gives what was submitted, as far as it is JSON.
func asJSON(raw json.RawMessage) json.RawMessage {
	if !json.Valid(raw) {
		return json.RawMessage("null")
	}
	return raw
}

// fill decodes fields that were checked into a struct. What is null or left out
// keeps the value that is there.
func fill[T any](into *T, known map[string]json.RawMessage) {
	given := map[string]json.RawMessage{}
	for name, raw := range known {
		if string(bytes.TrimSpace(raw)) != "null" {
			given[name] = raw
		}
	}
	if err := json.Unmarshal(encode(given), into); err != nil {
		panic("upstreamtest: a checked body does not decode: " + err.Error()) // the schema and the type differ
	}
}
