package wire

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/word"
)

// Problem is an error answer in one of the sales agent's JSON shapes (contract 2.4).
type Problem struct {
	// Code is the machine word of `error` ("tenant_not_found"); empty where that
	// is a sentence. Of a list of validation errors it is AgentURLMismatch where that
	// word stands in it, perhaps in the repeated input, and else empty.
	Code string
	// ErrorID is `error_id`, by which upstream's own log names a 500; like Message it may
	// hold anything.
	ErrorID string
	// Message is upstream's free text: it may hold anything, the submitted input
	// included, and is never shown untreated (contract 4.11).
	Message string
	// Fields are the entries of a list of validation errors, at most maxFields.
	Fields []FieldProblem
	// Issues are what upstream's own check of a body found (`details.issues`), at most maxFields.
	Issues []ProblemIssue
	// Supported are the values that it would have taken (`details.supported_…_types`), at most maxFields. Anything may
	// stand in them.
	Supported []string
	// ActiveReferences is how many media buys use what was to be deleted; nil where it does not say so.
	ActiveReferences *int64
}

// AgentURLMismatch is upstream's word for a public_agent_url whose host it does not serve. It
// stands somewhere in a bare list: upstream answers a 422, which its own check of answers
// turns into a 500 with that check's errors (contract 2.6).
const AgentURLMismatch = "public_agent_url_mismatch"

// FieldProblem is one validation error. The submitted input that upstream puts
// beside it is not read.
type FieldProblem struct {
	// Path is `loc` with dots between its parts; for an adapter's settings the
	// first is the adapter's tag. A part that is neither a plain word nor an
	// index is written "?": it could be a key out of the input.
	Path    string
	Message string // free text, like Problem.Message
}

// ProblemIssue is a fault that upstream's own check of a body found. Code and Message may hold anything.
type ProblemIssue struct {
	Code    string `json:"code"`
	Field   Dotted `json:"field"` // "" for the body as a whole
	Message string `json:"message"`
}

// Dotted is a path that upstream writes as one text, with "?" for parts as in [FieldProblem].
type Dotted string

const (
	maxFields   = 50
	maxLocation = 16 // parts of one path
)

// DecodeError reads the body of an error answer: `{"error","message","details"}`, `{"error"}` alone,
// `{"error","error_id"}`, or a bare list of validation errors (contract 2.4). The error is always an
// [*InvalidError] and means that the body has none of these shapes.
func DecodeError(body []byte) (*Problem, error) {
	r := newReader(body)
	defer r.release()
	var one errorBody
	var list []struct {
		Location location `json:"loc" required:"true"`
		Message  string   `json:"msg" required:"true"`
	}
	mismatch := false
	if r.peek() == jsontext.KindBeginArray {
		mismatch = bytes.Contains(body, []byte(AgentURLMismatch))
		r.read(reflect.ValueOf(&list).Elem(), &field{max: maxFields})
	} else {
		r.read(reflect.ValueOf(&one).Elem(), &field{})
	}
	r.end()
	switch {
	case r.err != nil:
		return nil, inOurWords(r.err)
	case len(list) == 0 && !one.Error.Set && !mismatch:
		return nil, &InvalidError{"it is no error of a known shape"}
	}
	p := &Problem{Message: one.Message.Value, ErrorID: one.ErrorID.Value}
	d := &one.Details
	p.Issues, p.Supported = d.Issues, append(d.SelectorTypes, d.CandidateTypes...)
	if d.ActiveReferences.Set {
		p.ActiveReferences = &d.ActiveReferences.Value
	}
	for _, f := range list {
		p.Fields = append(p.Fields, FieldProblem{string(f.Location), f.Message})
	}
	switch code := one.Error; {
	case mismatch:
		p.Code = AgentURLMismatch
	case code.Set && word.Member.Is(code.Value):
		p.Code = code.Value
	case !one.Message.Set:
		p.Message = code.Value
	}
	return p, nil
}

// errorBody is an error answer that is an object.
type errorBody struct {
	Error   Opt[string]  `json:"error"`
	Message Opt[string]  `json:"message"`
	ErrorID Opt[string]  `json:"error_id"`
	Details errorDetails `json:"details"`
}

// errorDetails are those of the details that any answer of ours depends on.
type errorDetails struct {
	Issues           []ProblemIssue `json:"issues" max:"50"`
	SelectorTypes    []string       `json:"supported_selector_types" max:"50"`
	CandidateTypes   []string       `json:"supported_candidate_types" max:"50"`
	ActiveReferences Opt[int64]     `json:"active_references"`
}

// location is a `loc` list as a dotted path.
type location string

func (l *location) take(r *reader, _ *field) outcome {
	*l = ""
	if r.peek() != jsontext.KindBeginArray {
		r.skip()
		return malformed
	}
	var parts []string
	for r.token(); r.more(); {
		raw := r.value()
		if len(parts) == maxLocation {
			continue
		}
		part := "?"
		switch raw.Kind() {
		case jsontext.KindString:
			part = word.Segment(string(r.unquote(raw)))
		case jsontext.KindNumber:
			if i, err := strconv.ParseUint(string(raw), 10, 16); err == nil {
				part = strconv.FormatUint(i, 10)
			}
		}
		parts = append(parts, part)
	}
	*l = location(strings.Join(parts, "."))
	return present
}

func (d *Dotted) take(r *reader, _ *field) outcome {
	*d = ""
	raw := r.value()
	if r.err != nil || raw.Kind() != jsontext.KindString {
		return absent
	}
	parts := strings.SplitN(string(r.unquote(raw)), ".", maxLocation+1)
	for i, part := range parts {
		parts[i] = word.Segment(part)
	}
	*d = Dotted(strings.Join(parts[:min(len(parts), maxLocation)], "."))
	return present
}
