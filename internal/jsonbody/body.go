// Package jsonbody reads the JSON objects that callers send, and says everything that is wrong
// with one at once. No message of its errors holds anything that a caller wrote. What all bodies
// have in common belongs here; what one kind of body must hold is for its own package
// (internal/sources, internal/adserver) to say, with [Rule]s.
package jsonbody

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
)

// Bounds are how large a body of a kind may be.
type Bounds struct {
	Depth  int // levels; the body itself is the first
	Tokens int // names, values and ends; 0: as many as its bytes have room for
}

// decoded are the bounds of bodies that [Parse] reads: without them, what is decoded of a body could
// take many times its size.
var decoded = Bounds{Depth: 32, Tokens: 10_000}

// maxOthers bounds how many unknown members are named.
const maxOthers = 32

// Object is a JSON object: its members as they were written.
type Object struct {
	names   []string // in their order
	members map[string]jsontext.Value
}

// Parse reads a request's body: one JSON object, sound throughout. Its error is a BadRequest.
func Parse(body []byte) (Object, error) {
	if err := Sound(body, decoded); err != nil {
		return Object{}, err
	}
	return split(body), nil
}

// Sound holds that a body is one JSON object in UTF-8 that names nothing twice, within bounds. Its error
// is a BadRequest.
func Sound(body []byte, within Bounds) error {
	if message := unsound(body, within); message != "" {
		return fault.New(fault.BadRequest, message)
	}
	return nil
}

// unsound says what is wrong with a body as JSON, "" if nothing. The decoder's own
// errors quote the body, so none of them goes on.
func unsound(body []byte, within Bounds) string {
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return "The body is empty."
	}
	if !utf8.Valid(body) {
		return "The body is not UTF-8."
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	for tokens := 0; ; tokens++ {
		begun := tokens > 0
		ended := begun && dec.StackDepth() == 0
		token, err := dec.ReadToken()
		switch {
		case ended && errors.Is(err, io.EOF):
			return ""
		case ended:
			return "The body goes on after its end."
		case errors.Is(err, jsontext.ErrDuplicateName):
			return "The body names something twice."
		case err != nil:
			return "The body is not valid JSON."
		case !begun && token.Kind() != '{':
			return "The body is not a JSON object."
		case dec.StackDepth() > within.Depth:
			return "The body is nested too deeply."
		case within.Tokens > 0 && tokens >= within.Tokens:
			return "The body holds too many values."
		}
	}
}

// split takes an object that is known to be sound into its members.
func split(value jsontext.Value) Object {
	o := Object{members: make(map[string]jsontext.Value)}
	for name, given := range Members(value) {
		o.names = append(o.names, name)
		o.members[name] = given.Clone()
	}
	return o
}

// Members gives the members of a JSON object, in their order, until its end or what is not sound. A value is valid until
// the next. What is no object has none.
func Members(object jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		dec := jsontext.NewDecoder(bytes.NewReader(object))
		if dec.PeekKind() != '{' {
			return
		}
		for _, _ = dec.ReadToken(); dec.PeekKind() == '"'; {
			token, err := dec.ReadToken()
			if err != nil {
				return
			}
			name := token.String() // the decoder reuses the token with its next read
			value, err := dec.ReadValue()
			if err != nil || !yield(name, value) {
				return
			}
		}
	}
}

// Empty reports whether there are no members at all.
func (o Object) Empty() bool { return len(o.names) == 0 }

// Has reports whether a member was given, null included.
func (o Object) Has(name string) bool {
	_, ok := o.members[name]
	return ok
}

// Others gives the names of members that are not among the known ones, in their order; not all
// of very many.
func (o Object) Others(known []string) (others []string) {
	for _, name := range o.names {
		if !slices.Contains(known, name) && len(others) < maxOthers {
			others = append(others, name)
		}
	}
	return others
}

// Nested reads a member that is an object itself; problem says what is wrong with it as a whole,
// "" if nothing. A member that was not given is as if it were empty.
func (o Object) Nested(name string) (inner Object, problem string) {
	raw, ok := o.members[name]
	switch {
	case !ok:
		return Object{}, ""
	case raw.Kind() == 'n':
		return Object{}, name + " can't be null."
	case raw.Kind() != '{':
		return Object{}, name + " must be an object."
	}
	return split(raw), ""
}
