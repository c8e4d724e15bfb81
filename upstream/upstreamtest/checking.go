package upstreamtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"

	"esagate/api"
)

// read holds a body against a schema, as the agent's framework does, and gives it without what it does not
// know. What is no JSON, or is not called so, reads as {}.
func (o Options) read(raw json.RawMessage, s *api.Schema) (json.RawMessage, []validationError) {
	return o.hold(nil, "", raw, s)
}

// hold checks one value; name is that of the member that it stands in.
func (o Options) hold(loc []string, name string, raw json.RawMessage, s *api.Schema) (json.RawMessage, []validationError) {
	raw = bytes.TrimSpace(raw)
	wrong := func(kind, msg string) []validationError {
		return []validationError{{Type: kind, Loc: at(loc), Msg: msg, Input: asJSON(raw)}}
	}
	switch {
	case s.Nullable && string(raw) == "null":
		return raw, nil
	case s.Choices != nil:
		if !isDecimal(raw) {
			return nil, wrong("decimal_parsing", "Input should be a valid decimal")
		}
		return raw, nil
	case s.Type == "array":
		return o.holdList(loc, name, raw, s)
	case isMap(s):
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil || m == nil {
			return nil, wrong("dict_type", "Input should be a valid dictionary")
		}
		return raw, nil
	case s.Type == "object":
		return o.holdObject(loc, raw, s)
	}
	found := fieldOf(name, s).check(loc, raw)
	if found == nil && s.Minimum != nil && s.Type == "integer" {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err != nil || n < *s.Minimum {
			found = wrong("greater_than_equal", "Input should be greater than or equal to "+strconv.FormatInt(*s.Minimum, 10))
		}
	}
	return raw, found
}

func (o Options) holdList(loc []string, name string, raw json.RawMessage, s *api.Schema) (json.RawMessage, []validationError) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return nil, []validationError{{Type: "list_type", Loc: at(loc), Msg: "Input should be a valid list", Input: asJSON(raw)}}
	}
	items := s.Items
	if open[name] {
		items = &api.Schema{Type: "object"}
	}
	var found []validationError
	for i := range all {
		kept, bad := o.hold(at(loc, strconv.Itoa(i)), "", all[i], items)
		all[i], found = kept, append(found, bad...)
	}
	if found != nil {
		return nil, found
	}
	return encode(all), nil
}

func (o Options) holdObject(loc []string, raw json.RawMessage, s *api.Schema) (json.RawMessage, []validationError) {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil || given == nil {
		return nil, []validationError{{Type: "model_type", Loc: at(loc), Msg: "Input should be a valid dictionary", Input: asJSON(raw)}}
	}
	var found []validationError
	known, needed := map[string]json.RawMessage{}, required(s)
	for name, of := range members(s) {
		value, there := given[name]
		switch {
		case there:
			kept, bad := o.hold(at(loc, name), name, value, of)
			known[name], found = kept, append(found, bad...)
		case needed[name]:
			found = append(found, validationError{Type: "missing", Loc: at(loc, name), Msg: "Field required", Input: asJSON(raw)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, is := known[name]; !is && !o.Production {
			found = append(found, validationError{
				Type: "extra_forbidden", Loc: at(loc, name), Msg: "Extra inputs are not permitted", Input: asJSON(given[name]),
			})
		}
	}
	if found != nil {
		return nil, found
	}
	return encode(known), nil
}

// fieldOf is what the agent's schema says of a value that is no list and no object.
func fieldOf(name string, s *api.Schema) field {
	f := field{name: name, nullable: s.Nullable, oneOf: s.Enum}
	switch s.Type {
	case "boolean":
		f.kind = flag
	case "integer":
		f.kind = integer
	}
	if s.MinLength != nil {
		f.min = *s.MinLength
	}
	if s.MaxLength != nil && !wide[name] {
		f.max = *s.MaxLength
	}
	if s.Pattern != "" && patterned[name] {
		f.pattern = regexp.MustCompile(s.Pattern)
	}
	return f
}

// longestDecimal bounds what is read as a decimal, exponents included.
const longestDecimal = 64

// isDecimal reports whether a JSON value is a number, or text that is one.
func isDecimal(raw json.RawMessage) bool { return decimal(raw) != nil }

// decimal reads a JSON number, or text that is a decimal without an exponent; nil for anything else.
func decimal(raw json.RawMessage) *big.Rat {
	text := string(raw)
	if json.Unmarshal(raw, &text) == nil && text != string(raw) {
		if !decimalForm.MatchString(text) {
			return nil
		}
	} else if !numberForm.MatchString(text) {
		return nil
	}
	if len(text) > longestDecimal {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

var (
	decimalForm = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)$`)
	numberForm  = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d{1,2})?$`)
)
