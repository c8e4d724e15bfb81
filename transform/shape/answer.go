package shape

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

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

// ErrMalformed means that a document is not what its shape says: it is no JSON, names something twice, or lacks what
// it needs.
var ErrMalformed = errors.New("the document is not as declared")

// unshown stands for a text that is required and must not be shown (contract 4.11).
const unshown = "What the sales agent says of it can't be shown."

// flushAt is how many bytes of a long list are held back before they are written.
const flushAt = 32 << 10

// maxNoted bounds for how many values of a document the path is found out, which costs more than the rest.
const maxNoted = 1000

// Answer writes to w, in the names of the contract, the document of the sales agent that body holds, with the members
// that the gateway composes. What it holds does not grow with the length of a list that the document needs. After an
// error, which is body's, w's or ErrMalformed, what was written is of no use.
func (s *Shape) Answer(w io.Writer, body io.Reader, given ...Given) (wire.Notes, error) {
	t := answers.Get().(*answer)
	defer t.release()
	t.w, t.given = w, given
	t.dec.Reset(body, jsontext.AllowInvalidUTF8(true))
	got := t.value(s, true)
	if t.err == nil {
		if _, err := t.dec.ReadToken(); err != io.EOF {
			t.fail(err)
		}
	}
	if t.err == nil && got != present {
		t.err = ErrMalformed
	}
	if t.err == nil {
		_, t.err = w.Write(t.out)
	}
	return t.notes, t.err
}

// answer is one translation. The first error sticks, and ends it.
type answer struct {
	writer
	dec   jsontext.Decoder
	w     io.Writer
	given []Given
	notes wire.Notes
	noted int
	err   error
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// release gives the translator back without the document, which may hold secrets: what is left is room to write.
func (t *answer) release() {
	out, scratch := t.out, t.scratch
	*t = answer{}
	if cap(out) <= 2*flushAt && cap(scratch) <= flushAt {
		clear(out[:cap(out)])
		clear(scratch[:cap(scratch)])
		t.out, t.scratch = out[:0], scratch[:0]
		answers.Put(t)
	}
}

// outcome says what a value was.
type outcome uint8

const (
	present   outcome = iota
	absent            // null, or lost with what it needs, which is noted
	malformed         // of another type
	hidden            // a text that must not be shown
)

func (t *answer) fail(err error) {
	var syntax *jsontext.SyntacticError
	if err == nil || errors.As(err, &syntax) || errors.Is(err, io.EOF) { // its own errors quote the document
		err = ErrMalformed
	}
	if t.err == nil {
		t.err = err
	}
}

// note reports whether one more path is to be noted.
func (t *answer) note() bool {
	t.noted++
	return t.err == nil && t.noted <= maxNoted
}

// value writes the next value. What is not present leaves nothing written, but for null where that may stand for it. In
// the document itself, long lists are written in pieces.
func (t *answer) value(s *Shape, long bool) outcome {
	before, got := len(t.out), malformed
	switch kind := t.dec.PeekKind(); {
	case kind == 'n' && s.kind != anything:
		t.skip()
		got = absent
	case s.kind == object && kind == '{':
		got = t.object(s, long)
	case s.kind == list && kind == '[':
		got = t.list(s, long)
	case s.keys != nil && kind == '{':
		got = t.listed(s)
	case s.kind == object || s.kind == list || s.keys != nil:
		t.skip()
	default:
		raw, err := t.dec.ReadValue()
		if err != nil {
			t.fail(err)
			return absent
		}
		got = t.leaf(s, raw)
	}
	if got == present {
		return present
	}
	if got == malformed && t.note() {
		t.notes.AddMalformed(&t.dec)
	}
	t.out = t.out[:min(before, len(t.out))] // less, where pieces were written: then the document is lost with its list
	if s.nullable {
		t.out = append(t.out, "null"...)
		return present
	}
	return got
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

// name reads the name of a member, which is valid until the next read.
func (t *answer) name() []byte {
	raw, err := t.dec.ReadValue()
	if err != nil {
		t.fail(err)
		return nil
	}
	return t.unquote(raw)
}

// object writes an object whose members are declared.
func (t *answer) object(s *Shape, document bool) outcome {
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
		name := t.name()
		i, known := s.upstream[string(name)]
		if !known {
			if t.err == nil && !s.drops.Has(string(name)) && t.note() {
				t.notes.AddUnknown(&t.dec)
			}
			t.skip()
			continue
		}
		m, before, was := &s.members[i], len(t.out), empty
		open(m)
		switch got := t.value(m.shape, document && m.needed()); {
		case got == present:
			seen |= 1 << i
		case got == hidden && m.required:
			t.quote(unshown)
			seen |= 1 << i
		case before <= len(t.out):
			t.out, empty = t.out[:before], was
		}
	}
	lost := false
	for i := range s.members {
		m := &s.members[i]
		if seen&(1<<i) != 0 {
			continue
		}
		switch value := t.composed(m); {
		case value != nil:
			open(m)
			t.out = append(t.out, value...)
		case m.required:
			lost = true
			if t.note() {
				t.notes.AddMissing(&t.dec, m.upstream)
			}
		}
	}
	if t.out = append(t.out, '}'); lost {
		return absent
	}
	return present
}

// composed gives the value of a member that the sales agent's document does not have; nil for none.
func (t *answer) composed(m *member) []byte {
	if m.given {
		if i := slices.IndexFunc(t.given, func(g Given) bool { return g.Name == m.name }); i >= 0 {
			return t.given[i].Value
		}
	}
	switch {
	case !m.required:
		return nil
	case m.fallback == nil && m.shape.nullable:
		return null
	}
	return m.fallback
}

var null = []byte("null")

// list writes a list, a long one in pieces.
func (t *answer) list(s *Shape, long bool) outcome {
	t.out = append(t.out, '[')
	result, count := present, int64(0)
	for t.token(); t.more(); count++ {
		if result != present {
			t.skip()
			continue
		}
		if count > 0 {
			t.out = append(t.out, ',')
		}
		switch t.value(s.items, false) {
		case present:
		case hidden:
			t.quote(unshown)
		default:
			if result = absent; t.note() {
				t.notes.AddMalformed(&t.dec)
			}
		}
		if long && len(t.out) >= flushAt {
			if _, err := t.w.Write(t.out); err != nil {
				t.fail(err)
			}
			t.out = t.out[:0]
		}
	}
	if count < s.least || count > s.most {
		return malformed
	}
	t.out = append(t.out, ']')
	return result
}

// listed writes of an object the keys that are listed, with values that hold nothing that looks like a secret.
func (t *answer) listed(s *Shape) outcome {
	t.out = append(t.out, '{')
	first := len(t.out)
	for t.token(); t.more(); {
		key := s.keys[string(t.name())]
		if key == nil {
			t.skip()
			continue
		}
		raw, err := t.dec.ReadValue()
		if err != nil {
			t.fail(err)
			break
		}
		if secretlike(raw) {
			continue
		}
		before := len(t.out)
		if before > first {
			t.out = append(t.out, ',')
		}
		if t.out = append(t.out, key...); !t.copy(raw) {
			t.out = t.out[:before]
		}
	}
	t.out = append(t.out, '}')
	return present
}

// secretlike reports whether a value, or a text or name in it, looks like a secret.
func secretlike(raw jsontext.Value) bool {
	if redact.Secretlike(string(raw)) {
		return true
	}
	for dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowInvalidUTF8(true)); ; {
		token, err := dec.ReadToken()
		if err != nil || token.Kind() == '"' && redact.Secretlike(token.String()) {
			return err != io.EOF
		}
	}
}

// leaf writes a value that is no object and no list of declared ones.
func (t *answer) leaf(s *Shape, raw jsontext.Value) outcome {
	ok := false
	switch {
	case s.kind == decimal && raw.Kind() == '0' && isDecimal(raw):
		t.out = append(append(append(t.out, '"'), raw...), '"')
		ok = true
	case s.kind != text:
		ok = t.scalar(s, raw)
	case raw.Kind() != '"':
	case s.words != nil:
		ok = s.words[string(t.unquote(raw))] && t.copy(raw)
	case s.treat == "word":
		ok = word.Name.Is(string(t.unquote(raw))) && t.copy(raw)
	case s.treat == "treated":
		told, _ := redact.Text(string(t.unquote(raw)))
		if told == "" {
			return hidden
		}
		t.quote(told)
		ok = true
	default:
		ok = (s.rules == nil || s.broken(string(t.unquote(raw))) == "") && t.copy(raw)
	}
	if !ok {
		return malformed
	}
	return present
}
