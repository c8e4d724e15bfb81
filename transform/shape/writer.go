package shape

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/upstream/wire"
)

// maxDepth is how deep the values of a map, or a body, may be nested, itself included.
const maxDepth = 64

// writer collects the values of a document.
type writer struct {
	out     []byte
	scratch []byte
}

// scalar writes a value that is no object and no list of declared ones. It is false, and nothing is written, where it is
// of another kind than its shape.
func (w *writer) scalar(s *Shape, raw jsontext.Value) bool {
	isText := raw.Kind() == '"'
	switch s.kind {
	case text:
		return isText && w.copy(raw)
	case moment:
		if !isText {
			return false
		}
		at, ok := wire.ParseTime(string(w.unquote(raw)))
		if ok {
			w.out = append(api.Timestamp{Time: at.Time, Digits: at.Digits}.Append(append(w.out, '"')), '"')
		}
		return ok
	case day:
		if !isText {
			return false
		}
		_, err := time.Parse(time.DateOnly, string(w.unquote(raw)))
		return err == nil && w.copy(raw)
	case decimal:
		return isText && isDecimal(w.unquote(raw)) && w.copy(raw)
	case integer:
		n, ok := int64(0), raw.Kind() == '0'
		if ok {
			n, ok = wire.Integer(raw)
		}
		if ok = ok && s.least <= n && n <= s.most; ok {
			w.out = strconv.AppendInt(w.out, n, 10)
		}
		return ok
	case number:
		return raw.Kind() == '0' && w.copy(raw)
	case boolean:
		return (raw.Kind() == 't' || raw.Kind() == 'f') && w.copy(raw)
	case mapping:
		return raw.Kind() == '{' && w.copy(raw)
	case anything:
		return w.copy(raw)
	}
	return false
}

// copy writes a value as it stands, without white space between its parts. It is false, and nothing is written, where
// the value is nested too deeply. Text that is no UTF-8 is mended.
func (w *writer) copy(raw jsontext.Value) bool {
	// A surrogate that is escaped may stand alone.
	if !utf8.Valid(raw) || bytes.IndexByte(raw, '\\') >= 0 && (bytes.Contains(raw, []byte(`\ud`)) || bytes.Contains(raw, []byte(`\uD`))) {
		mended, err := jsontext.AppendFormat(w.scratch[:0], raw, mending...)
		if err != nil {
			return false
		}
		w.scratch, raw = mended, mended
	}
	if raw[0] != '{' && raw[0] != '[' {
		w.out = append(w.out, raw...)
		return true
	}
	before, depth, from := len(w.out), 0, 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case ' ', '\t', '\n', '\r':
			w.out = append(w.out, raw[from:i]...)
			from = i + 1
		case '{', '[':
			if depth++; depth > maxDepth {
				w.out = w.out[:before]
				return false
			}
		case '}', ']':
			depth--
		}
	}
	w.out = append(w.out, raw[from:]...)
	return true
}

var mending = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// quote writes a text, which is valid UTF-8.
func (w *writer) quote(s string) { w.out, _ = jsontext.AppendQuote(w.out, s) }

// unquote gives the content of a JSON string, valid until the next call.
func (w *writer) unquote(raw jsontext.Value) (content []byte) {
	content, w.scratch = wire.Unquote(w.scratch, raw)
	return content
}

// isDecimal reports whether a text is a decimal number without an exponent.
func isDecimal(s []byte) bool {
	digits := 0
	point := false
	for i, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '.' && !point:
			point = true
		case (c == '+' || c == '-') && i == 0:
		default:
			return false
		}
	}
	return digits > 0
}
