package wire

import (
	"bytes"
	"io"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads one JSON document into the structs of this package by their tags. The library's own
// Unmarshal ends at the first value of a wrong type, and either forgets the names of unknown
// members or keeps all of them.
//
// The first error sticks: every later call then does nothing.
type reader struct {
	dec     jsontext.Decoder
	src     bytes.Buffer
	scratch []byte // an unescaped string, valid until the next one
	notes   Notes
	err     error
}

// The sales agent is read leniently where leniency can't be told from health: of a repeated name
// the last value counts, bytes that are no UTF-8 become U+FFFD.
var readerOptions = []jsontext.Options{
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
}

// keepScratch bounds what an idle reader holds on to, in bytes.
const keepScratch = 4 << 10

var readers = sync.Pool{New: func() any { return new(reader) }}

// newReader gives a reader at the start of body, which it never changes.
func newReader(body []byte) *reader {
	r := readers.Get().(*reader)
	r.src = *bytes.NewBuffer(body)
	r.dec.Reset(&r.src, readerOptions...)
	return r
}

// release gives the reader back without the document: an idle one must not keep what may hold
// secrets and be 8 MiB.
func (r *reader) release() {
	r.src = bytes.Buffer{}
	r.dec.Reset(&r.src, readerOptions...)
	if cap(r.scratch) > keepScratch {
		r.scratch = nil
	}
	clear(r.scratch[:cap(r.scratch)])
	r.notes, r.err = Notes{}, nil
	readers.Put(r)
}

// peek gives the kind of the next value; KindInvalid where there is an error, and after one.
func (r *reader) peek() jsontext.Kind {
	if r.err != nil {
		return jsontext.KindInvalid
	}
	return r.dec.PeekKind()
}

// value reads the next value, or the name of a member, as it stands. It is valid until the next
// read, and nil after an error.
func (r *reader) value() jsontext.Value {
	if r.err != nil {
		return nil
	}
	raw, err := r.dec.ReadValue()
	r.err = err
	return raw
}

// token reads the token that begins or ends an object or a list.
func (r *reader) token() {
	if r.err == nil {
		_, r.err = r.dec.ReadToken()
	}
}

// skip passes over the next value.
func (r *reader) skip() {
	if r.err == nil {
		r.err = r.dec.SkipValue()
	}
}

// more reports whether an open object or list has another member, and else leaves it.
func (r *reader) more() bool {
	switch r.peek() {
	case jsontext.KindEndObject, jsontext.KindEndArray, jsontext.KindInvalid:
		r.token()
		return false
	}
	return true
}

// end checks that nothing but white space follows the document.
func (r *reader) end() {
	if r.err == nil {
		if _, err := r.dec.ReadToken(); err != io.EOF {
			r.err = errTrailing
		}
	}
}

// unquote gives the content of a JSON string, valid until the next read; nothing after an error.
func (r *reader) unquote(raw jsontext.Value) (content []byte) {
	if r.err != nil {
		return nil
	}
	content, r.scratch = Unquote(r.scratch, raw)
	return content
}

// Unquote gives the content of a JSON string: a part of it, or of the room that is given and comes back for the next
// one. Bytes that are no UTF-8 become U+FFFD.
func Unquote(room []byte, raw jsontext.Value) (content, again []byte) {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner, room
	}
	// The error only says that something became U+FFFD.
	room, _ = jsontext.AppendUnquote(room[:0], raw)
	return room, room
}

// outcome says what a value was.
type outcome uint8

const (
	absent    outcome = iota // null, or a block that lacks what it needs
	malformed                // of another type
	present
)

// custom is a type that reads itself.
type custom interface {
	take(r *reader, f *field) outcome
}

// read reads the next value into v, which is zero and stays so unless the value is present. It notes
// a malformed one.
func (r *reader) read(v reflect.Value, f *field) bool {
	var got outcome
	if c, ok := v.Addr().Interface().(custom); ok {
		got = c.take(r, f)
	} else {
		got = r.take(v, f)
	}
	if got == malformed {
		r.malformed(r.path())
	}
	return got == present
}

// take is read for types that are not custom, and without the note.
func (r *reader) take(v reflect.Value, f *field) outcome {
	switch v.Kind() {
	case reflect.Struct:
		if r.peek() == jsontext.KindBeginObject {
			return r.block(v)
		}
	case reflect.Slice:
		if r.peek() == jsontext.KindBeginArray {
			r.list(v, f)
			return present
		}
	}
	raw := r.value()
	switch {
	case r.err != nil, raw.Kind() == jsontext.KindNull:
		return absent
	case !r.scalar(v, raw, f):
		return malformed
	}
	return present
}

// block reads an object that needs its required fields.
func (r *reader) block(v reflect.Value) outcome {
	missing := r.object(v)
	if missing == "" {
		return present
	}
	r.malformed(r.path() + "." + missing)
	v.SetZero()
	return absent
}

// object reads an object into a struct. missing is the name of a required field that is not there.
func (r *reader) object(v reflect.Value) (missing string) {
	known := fieldsOf(v.Type())
	var seen, have uint64 // bits by index
	for r.token(); r.more(); {
		f := known.byName[string(r.unquote(r.value()))]
		if f == nil {
			r.unknown()
		}
		if f == nil || f.ignored {
			r.skip()
			continue
		}
		member, bit := v.Field(f.index), uint64(1)<<f.index
		if seen&bit != 0 {
			member.SetZero()
		}
		seen, have = seen|bit, have&^bit
		if r.read(member, f) && !(f.nonempty && member.Len() == 0) {
			have |= bit
		}
	}
	for _, f := range known.required {
		if have&(1<<f.index) == 0 {
			return f.name
		}
	}
	return ""
}

// usual is enough room for most lists, so that they do not grow.
const usual = 8

// list reads a list into a slice: those of its entries that are present.
func (r *reader) list(v reflect.Value, f *field) {
	for r.token(); r.more(); {
		n := v.Len()
		if n == f.max {
			r.malformed(r.path())
			r.skip()
			continue
		}
		if n == v.Cap() {
			v.Grow(usual)
		}
		v.SetLen(n + 1)
		if entry := v.Index(n); !r.read(entry, f) {
			entry.SetZero()
			v.SetLen(n)
		}
	}
}
