package wire

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Problem is an error answer in one of the sales agent's JSON shapes. HTML, from
// whatever stands before it, is none.
type Problem struct {
	// Code is the machine word of `error` ("tenant_not_found"); empty where that
	// is a sentence, and for a list of validation errors.
	Code string
	// Message is upstream's free text: it may hold anything, the submitted input
	// included, and is shown to nobody untreated (contract, status rule 11).
	Message string
	// Fields are the entries of a list of validation errors, at most maxFields.
	Fields []FieldProblem
}

// FieldProblem is one validation error. The submitted input that upstream puts
// beside it is not read.
type FieldProblem struct {
	// Path is `loc` with dots between its parts; for an adapter's settings the
	// first is the adapter's tag. A part that is neither a plain word nor an
	// index is written "?": it could be a key out of the input.
	Path    string
	Message string // free text, like Problem.Message
}

const (
	maxFields   = 50
	maxLocation = 16 // parts of one path
)

// DecodeError reads the body of an error answer: `{"error","message","details"}`,
// `{"error"}` alone, or a bare list of validation errors. The error is always an
// [*InvalidError] and means that the body has none of these shapes.
func DecodeError(body []byte) (*Problem, error) {
	r := newReader(body)
	defer r.release()
	p, known := new(Problem), false
	switch r.peek() {
	case jsontext.KindBeginObject:
		r.token()
		known = r.problem(p)
	case jsontext.KindBeginArray:
		r.token()
		known = r.fieldProblems(p)
	default:
		r.skip() // finds out whether it is JSON at all
	}
	r.end()
	switch {
	case r.err != nil:
		return nil, r.invalid()
	case !known:
		return nil, &InvalidError{"it is no error of a known shape"}
	}
	return p, nil
}

// problem reads the members of an open error object.
func (r *reader) problem(p *Problem) (known bool) {
	var word, message Opt[string]
	for name, ok := r.name(); ok; name, ok = r.name() {
		switch string(name) {
		case "error":
			r.text(&word, "error")
		case "message":
			r.text(&message, "message")
		default: // details among them
			r.skip()
		}
	}
	p.Message = message.Value
	switch {
	case word.Set && segment([]byte(word.Value)) != "?":
		p.Code = word.Value
	case !message.Set:
		p.Message = word.Value
	}
	return word.Set
}

// fieldProblems reads the elements of an open list of validation errors.
func (r *reader) fieldProblems(p *Problem) (known bool) {
	for r.item() {
		if len(p.Fields) == maxFields || r.peek() != jsontext.KindBeginObject {
			r.skip()
			continue
		}
		r.token()
		var f FieldProblem
		var located bool
		var message Opt[string]
		for name, ok := r.name(); ok; name, ok = r.name() {
			switch string(name) {
			case "loc":
				f.Path, located = r.location()
			case "msg":
				r.text(&message, "msg")
			default: // input and ctx among them
				r.skip()
			}
		}
		if located && message.Set {
			f.Message = message.Value
			p.Fields = append(p.Fields, f)
		}
	}
	return len(p.Fields) > 0
}

// location reads a `loc` list as a dotted path.
func (r *reader) location() (path string, ok bool) {
	if !r.open(jsontext.KindBeginArray) {
		return "", false
	}
	for n := 0; r.item(); n++ {
		raw, kind := r.scalar()
		if n >= maxLocation {
			continue
		}
		part := "?"
		switch kind {
		case jsontext.KindString:
			part = segment(r.unquote(raw))
		case jsontext.KindNumber:
			if i, err := strconv.ParseUint(string(raw), 10, 16); err == nil {
				part = strconv.FormatUint(i, 10)
			}
		}
		if n > 0 {
			path += "."
		}
		path += part
	}
	return path, true
}
