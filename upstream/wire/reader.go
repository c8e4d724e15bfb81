package wire

import (
	"bytes"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// reader walks one JSON document. The first error sticks: every later call then
// does nothing, so block readers need not look at errors at all.
type reader struct {
	dec      jsontext.Decoder
	src      bytes.Buffer
	body     []byte
	at       int      // where the last token ended in body
	verbatim bool     // isVerbatim of the whole body, which is cheaper than of every string
	scratch  []byte   // an unescaped string, or a path; valid until the next read
	path     []string // the blocks that the current field is in
	notes    Notes
	err      error
}

// The sales agent is read leniently where leniency can't be told from health:
// of a repeated name the last wins, bytes that are no UTF-8 become U+FFFD.
var readerOptions = []jsontext.Options{
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
}

// keepScratch bounds what an idle reader holds on to.
const keepScratch = 4 << 10

var readers = sync.Pool{New: func() any { return new(reader) }}

// newReader gives a reader at the start of body, which it never changes.
func newReader(body []byte) *reader {
	r := readers.Get().(*reader)
	r.body, r.at, r.verbatim = body, 0, isVerbatim(body)
	r.src = *bytes.NewBuffer(body)
	r.dec.Reset(&r.src, readerOptions...)
	return r
}

// release gives the reader back without the document: an idle one must not keep
// what may hold secrets and be 8 MiB.
func (r *reader) release() {
	r.body, r.src = nil, bytes.Buffer{}
	r.dec.Reset(&r.src, readerOptions...)
	if cap(r.scratch) > keepScratch {
		r.scratch = nil
	}
	r.path, r.notes, r.err = r.path[:0], Notes{}, nil
	readers.Put(r)
}

// fail records the first error.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// peek gives the kind of the next token; KindInvalid where there is an error, and
// after one.
func (r *reader) peek() jsontext.Kind {
	if r.err != nil {
		return jsontext.KindInvalid
	}
	return r.dec.PeekKind()
}

// token reads a token whose kind is known already.
func (r *reader) token() { r.next() }

// next reads a token and gives its text, valid until the next read. The decoder
// itself would give it only as a copy. After an error it gives KindInvalid.
func (r *reader) next() (raw []byte, kind jsontext.Kind) {
	if r.err != nil {
		return nil, jsontext.KindInvalid
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.err = err
		return nil, jsontext.KindInvalid
	}
	from := r.at
	r.at = int(r.dec.InputOffset())
	for between[r.body[from]] {
		from++
	}
	raw = r.body[from:r.at]
	return raw, jsontext.Value(raw).Kind()
}

// between says which bytes stand between tokens.
var between = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ':': true}

// skip passes over the next value, however deep, without recursion.
func (r *reader) skip() {
	if r.err == nil {
		r.fail(r.dec.SkipValue())
		r.at = int(r.dec.InputOffset())
	}
}

// skipRest passes over the rest of a value whose first token, of the kind, has
// been read.
func (r *reader) skipRest(kind jsontext.Kind) {
	if kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		return
	}
	for depth := r.dec.StackDepth(); r.err == nil && r.dec.StackDepth() >= depth; {
		_, err := r.dec.ReadToken()
		r.fail(err)
	}
	r.at = int(r.dec.InputOffset())
}

// open enters the next value if it is of the kind (an object or an array).
// Anything else is passed over, and noted unless it is null.
func (r *reader) open(kind jsontext.Kind) bool {
	_, got := r.next()
	if got == kind {
		return true
	}
	r.skipRest(got)
	if got != jsontext.KindNull {
		r.malformed("")
	}
	return false
}

// name reads the next member's name of an open object, valid until the next
// read; ok is false, and the object left, at its end.
func (r *reader) name() (name []byte, ok bool) {
	raw, kind := r.next()
	if kind != jsontext.KindString {
		return nil, false
	}
	return r.unquote(raw), true
}

// item reports whether an open array has another element, and leaves it at its end.
func (r *reader) item() bool {
	switch r.peek() {
	case jsontext.KindEndArray, jsontext.KindInvalid: // the end, or an error
		r.token()
		return false
	}
	return true
}

// scalar reads the next value as it stands. Objects and arrays are passed over:
// their kind says that they were no scalar. After an error it gives a null.
func (r *reader) scalar() (raw []byte, kind jsontext.Kind) {
	raw, kind = r.next()
	switch kind {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		r.skipRest(kind)
	case jsontext.KindInvalid:
		kind = jsontext.KindNull
	}
	return raw, kind
}

// unquote gives the content of a JSON string that was read, valid until the
// next read.
func (r *reader) unquote(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if r.verbatim || isVerbatim(inner) {
		return inner
	}
	// The error only says that something became U+FFFD, which is wanted.
	r.scratch, _ = jsontext.AppendUnquote(r.scratch[:0], raw)
	return r.scratch
}

// isVerbatim reports whether strings in b stand as they are meant: no escapes,
// no bytes that are not UTF-8.
func isVerbatim(b []byte) bool { return bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) }

// end checks that nothing but white space follows the document.
func (r *reader) end() {
	if r.err != nil {
		return
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		r.fail(errTrailing)
	}
}
