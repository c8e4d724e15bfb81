package sources

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

// object is a JSON object: the members that are known, as they were written, and how
// many it has in all.
type object struct {
	members map[string]jsontext.Value
	size    int
}

// parseBody reads a request's body: one JSON object, sound throughout, of whose
// members the known ones are kept. Its error is a BadRequest.
func parseBody(body []byte, known []string) (object, error) {
	if message := unsound(body); message != "" {
		return object{}, fault.New(fault.BadRequest, message)
	}
	return parseObject(body, known)
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

// parseObject splits an object that is known to be sound into its members.
func parseObject(value jsontext.Value, known []string) (object, error) {
	o := object{members: make(map[string]jsontext.Value)}
	dec := jsontext.NewDecoder(bytes.NewBuffer(value))
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err != nil {
			break
		}
		o.size++
		// The decoder reuses the name with its next read.
		at := slices.Index(known, name.String())
		if at < 0 {
			err = dec.SkipValue()
			continue
		}
		var given jsontext.Value
		given, err = dec.ReadValue()
		o.members[known[at]] = given.Clone()
	}
	if err != nil {
		return object{}, fault.New(fault.BadRequest, "The body is not valid JSON.")
	}
	return o, nil
}
