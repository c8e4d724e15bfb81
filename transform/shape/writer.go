package shape

import (
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
		at, ok := wire.ParseTime(string(w.unquote(raw)))
		if ok = ok && isText; ok {
			w.quote(api.Timestamp{Time: at.Time, Digits: at.Digits}.String())
		}
		return ok
	case day:
		_, err := time.Parse(time.DateOnly, string(w.unquote(raw)))
		return isText && err == nil && w.copy(raw)
	case decimal:
		return isText && isDecimal(w.unquote(raw)) && w.copy(raw)
	case integer:
		n, ok := wire.Integer(raw)
		if ok = ok && raw.Kind() == '0' && s.least <= n && n <= s.most; ok {
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

// copy writes a value as it stands, without white space between its parts.
func (w *writer) copy(raw jsontext.Value) bool {
	if tooDeep(raw) {
		return false
	}
	out, err := jsontext.AppendFormat(w.out, raw, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(utf8.Valid(raw)))
	if err != nil {
		return false
	}
	w.out = out
	return true
}

// quote writes a text, which is valid UTF-8.
func (w *writer) quote(s string) { w.out, _ = jsontext.AppendQuote(w.out, s) }

// unquote gives the content of a JSON string, valid until the next call.
func (w *writer) unquote(raw jsontext.Value) []byte {
	w.scratch, _ = jsontext.AppendUnquote(w.scratch[:0], raw) // the error only says that something became U+FFFD
	return w.scratch
}

// tooDeep reports whether a value is nested deeper than maxDepth.
func tooDeep(raw []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inText:
			if c == '\\' {
				i++
			}
			inText = c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
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
