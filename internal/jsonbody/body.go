// Package jsonbody reads the JSON objects that callers send: what is wrong with one
// as JSON, which of its members are known, and every issue with those at once. No
// message of its errors holds anything that a caller wrote.
package jsonbody

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
)

// maxDepth is how deep a body may be nested; the body itself is the first level.
const maxDepth = 32

// maxOthers bounds how many unknown members are remembered by name.
const maxOthers = 32

// Object is a JSON object: the members that are known, as they were written.
type Object struct {
	Size   int      // how many members it has in all, known or not
	Others []string // names of those that are not known, in their order; not all of very many

	members map[string]jsontext.Value
}

// Parse reads a request's body: one JSON object, sound throughout, of whose members
// the known ones are kept. Its error is a BadRequest.
func Parse(body []byte, known []string) (Object, error) {
	if message := unsound(body); message != "" {
		return Object{}, fault.New(fault.BadRequest, message)
	}
	return split(body, known)
}

// unsound says what is wrong with a body as JSON, "" if nothing. The decoder's own
// errors quote the body, so none of them goes on.
func unsound(body []byte) string {
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return "The body is empty."
	}
	if !utf8.Valid(body) {
		return "The body is not UTF-8."
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	for begun := false; ; begun = true {
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
		case dec.StackDepth() > maxDepth:
			return "The body is nested too deeply."
		}
	}
}

// split takes an object that is known to be sound into its members.
func split(value jsontext.Value, known []string) (Object, error) {
	o := Object{members: make(map[string]jsontext.Value)}
	dec := jsontext.NewDecoder(bytes.NewBuffer(value))
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err != nil {
			break
		}
		o.Size++
		// The decoder reuses the name with its next read.
		text := name.String()
		at := slices.Index(known, text)
		if at < 0 {
			if len(o.Others) < maxOthers {
				o.Others = append(o.Others, text)
			}
			err = dec.SkipValue()
			continue
		}
		var given jsontext.Value
		given, err = dec.ReadValue()
		o.members[known[at]] = given.Clone()
	}
	if err != nil {
		return Object{}, fault.New(fault.BadRequest, "The body is not valid JSON.")
	}
	return o, nil
}

// Has reports whether a known member was given, null included.
func (o Object) Has(name string) bool {
	_, ok := o.members[name]
	return ok
}

// Nested reads a member that is an object itself, with its own known members; problem
// says what is wrong with it as a whole, "" if nothing. A member that was not given is
// as if it were empty.
func (o Object) Nested(name string, known []string) (inner Object, problem string) {
	raw, ok := o.members[name]
	switch {
	case !ok:
		return Object{}, ""
	case raw.Kind() == 'n':
		return Object{}, name + " can't be null."
	case raw.Kind() != '{':
		return Object{}, name + " must be an object."
	}
	inner, err := split(raw, known)
	if err != nil { // the body was sound, so this is not reached
		return Object{}, name + " must be an object."
	}
	return inner, ""
}
