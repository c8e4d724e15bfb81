package shape

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// Given is the value of a member that the gateway composes, as JSON.
type Given struct {
	Name  string
	Value []byte
}

// ErrMalformed means that a document is not what its shape says: it is no JSON, or lacks what it needs.
var ErrMalformed = errors.New("the document is not as declared")

// flushAt is how many bytes of a long list are held back before they are written.
const flushAt = 32 << 10

// Answer writes to w, in the names of the contract, the document of the sales agent that body holds, with the members
// that the gateway composes. What it holds does not grow with the length of a list. After an error, which is body's,
// w's or ErrMalformed, what was written is of no use.
func (s *Shape) Answer(w io.Writer, body io.Reader, given ...Given) (wire.Notes, error) {
	t := &answer{w: w, given: given}
	t.dec.Reset(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	ok := t.value(s)
	if t.err == nil {
		if _, err := t.dec.ReadToken(); err != io.EOF {
			t.fail(err)
		}
	}
	switch {
	case t.err != nil:
		return t.notes, t.err
	case !ok:
		return t.notes, ErrMalformed
	}
	_, err := w.Write(t.out)
	return t.notes, err
}

// answer is one translation. The first error sticks.
type answer struct {
	writer
	dec     jsontext.Decoder
	w       io.Writer
	given   []Given
	notes   wire.Notes
	lists   int  // open ones
	flushed bool // what was written can't be taken back
	err     error
}

func (t *answer) fail(err error) {
	var syntax *jsontext.SyntacticError
	if err == nil || errors.As(err, &syntax) || errors.Is(err, io.EOF) { // its own errors quote the document
		err = ErrMalformed
	}
	if t.err == nil {
		t.err = err
	}
}

// value writes the next value. It is false, and nothing is written, where the value is absent.
func (t *answer) value(s *Shape) bool {
	before := len(t.out)
	ok := false
	switch kind := t.dec.PeekKind(); {
	case kind == 'n' && s.nullable:
		t.skip()
		t.out = append(t.out, "null"...)
		return t.err == nil
	case kind == 'n':
		t.skip()
		return false
	case s.kind == object && kind == '{':
		ok = t.object(s)
	case s.kind == list && kind == '[':
		ok = t.list(s)
	case s.kind == object || s.kind == list:
		t.skip()
	default:
		raw, err := t.dec.ReadValue()
		if err != nil {
			t.fail(err)
			return false
		}
		ok = t.leaf(s, raw)
	}
	if ok || t.err != nil {
		return t.err == nil
	}
	t.notes.AddMalformed(&t.dec)
	if t.out = t.out[:min(before, len(t.out))]; t.flushed {
		t.fail(nil)
	}
	return false
}

func (t *answer) skip() {
	if err := t.dec.SkipValue(); err != nil {
		t.fail(err)
	}
}

func (t *answer) token() {
	if _, err := t.dec.ReadToken(); err != nil {
		t.fail(err)
	}
}

// more reports whether an open object or list goes on, and else leaves it.
func (t *answer) more() bool {
	if t.err != nil {
		return false
	}
	switch t.dec.PeekKind() {
	case '}', ']', 0:
		t.token()
		return false
	}
	return true
}

// object writes an object whose members are declared.
func (t *answer) object(s *Shape) bool {
	var seen uint64
	empty := true
	open := func(m *member) {
		if !empty {
			t.out = append(t.out, ',')
		}
		t.out = append(t.out, m.key...)
		empty = false
	}
	t.out = append(t.out, '{')
	for t.token(); t.more(); {
		name, err := t.dec.ReadValue()
		if err != nil {
			t.fail(err)
			return false
		}
		i, known := s.upstream[string(t.unquote(name))]
		if !known {
			if !s.drops.Has(string(t.unquote(name))) {
				t.notes.AddUnknown(&t.dec)
			}
			t.skip()
			continue
		}
		if seen&(1<<i) != 0 {
			t.fail(nil)
			return false
		}
		m, before, was := &s.members[i], len(t.out), empty
		open(m)
		if t.value(m.shape) {
			seen |= 1 << i
		} else if t.err == nil {
			t.out, empty = t.out[:before], was
		}
	}
	for i := range s.members {
		m := &s.members[i]
		if t.err != nil || seen&(1<<i) != 0 {
			continue
		}
		switch value := t.composed(m); {
		case value != nil:
			open(m)
			t.out = append(t.out, value...)
		case m.required:
			return false
		}
	}
	t.out = append(t.out, '}')
	return t.err == nil
}

// composed gives the value of a member that the sales agent's document does not have; nil for none.
func (t *answer) composed(m *member) []byte {
	if m.given {
		for _, g := range t.given {
			if g.Name == m.name {
				return g.Value
			}
		}
	}
	switch {
	case !m.required:
		return nil
	case m.fallback == nil && m.shape.nullable:
		return []byte("null")
	}
	return m.fallback
}

// list writes a list.
func (t *answer) list(s *Shape) bool {
	t.lists++
	defer func() { t.lists-- }()
	t.out = append(t.out, '[')
	first := true
	for t.token(); t.more(); first = false {
		if !first {
			t.out = append(t.out, ',')
		}
		if !t.value(s.items) {
			t.rest()
			return false
		}
		if t.lists == 1 && len(t.out) >= flushAt {
			if _, err := t.w.Write(t.out); err != nil {
				t.fail(err)
			}
			t.out, t.flushed = t.out[:0], true
		}
	}
	t.out = append(t.out, ']')
	return t.err == nil
}

// rest passes over the rest of a list.
func (t *answer) rest() {
	for t.more() {
		t.skip()
	}
}

// leaf writes a value that is no object and no list of declared ones.
func (t *answer) leaf(s *Shape, raw jsontext.Value) bool {
	switch {
	case s.kind == decimal && raw.Kind() == '0' && isDecimal(raw):
		t.out = append(append(append(t.out, '"'), raw...), '"')
		return true
	case s.kind != text:
		return t.scalar(s, raw)
	case raw.Kind() != '"':
		return false
	case s.words != nil:
		return s.words[string(t.unquote(raw))] && t.copy(raw)
	case s.treat == "word":
		return word.Name.Is(string(t.unquote(raw))) && t.copy(raw)
	case s.treat == "treated":
		told, ok := redact.Text(string(t.unquote(raw)))
		if ok = ok && told != ""; ok {
			t.quote(told)
		}
		return ok
	}
	return t.copy(raw)
}
