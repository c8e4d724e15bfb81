package operations

import (
	"bytes"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/jsonbody"
	"esagate/transform/shape"
)

// field is a member of a JSON object, as it is written.
type field struct {
	name  string
	value jsontext.Value
}

// fields takes an object apart. What is no object has none.
func fields(object []byte) (all []field) {
	for name, value := range jsonbody.Members(object) {
		all = append(all, field{name, value.Clone()})
	}
	return all
}

// member gives a member of a JSON object as it is written; nil where there is none, or no object.
func member(object []byte, name string) jsontext.Value {
	for n, value := range jsonbody.Members(object) {
		if n == name {
			return value
		}
	}
	return nil
}

// joined puts an object together.
func joined(all []field) jsontext.Value {
	out := []byte{'{'}
	for i, f := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, f.name) // the error only says that something became U+FFFD
		out = append(append(out, ':'), f.value...)
	}
	return append(out, '}')
}

// entries gives the entries of a list, as they are written, until its end or what is not sound. What is no list has
// none.
func entries(list jsontext.Value) iter.Seq2[int, jsontext.Value] {
	return func(yield func(int, jsontext.Value) bool) {
		dec := jsontext.NewDecoder(bytes.NewReader(list))
		if dec.PeekKind() != '[' {
			return
		}
		_, _ = dec.ReadToken()
		for i := 0; dec.PeekKind() != ']'; i++ {
			value, err := dec.ReadValue()
			if err != nil || !yield(i, value) {
				return
			}
		}
	}
}

// text gives what a JSON text says; "" for what is none.
func text(value jsontext.Value) string {
	if len(value) == 0 || value.Kind() != '"' {
		return ""
	}
	content, _ := jsontext.AppendUnquote(nil, value) // the error only says that something became U+FFFD
	return string(content)
}

// says reports whether a value is there and says something: it is not null, and no empty text, list or object.
func says(value jsontext.Value) bool {
	switch string(bytes.TrimSpace(value)) {
	case "", "null", `""`:
		return false
	}
	for range entries(value) {
		return true
	}
	return value.Kind() != '[' && (value.Kind() != '{' || len(fields(value)) > 0)
}

// at is the path of an entry, or of a member of one: "keys.0.name".
func at(list string, entry int, member string) string {
	return list + "." + strconv.Itoa(entry) + "." + member
}

// decoded reads what a row needs of a document of the sales agent's. The error is shape.ErrMalformed.
func decoded[T any](document []byte) (v T, err error) {
	if json.Unmarshal(document, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return v, shape.ErrMalformed // its own error quotes the document
	}
	return v, nil
}
