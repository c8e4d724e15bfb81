package wire

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// The readers of single fields. Each sets its target anew, so that of a repeated
// field the last wins also when it is absent (null) or malformed.

// word is text for vocabulary, which repeats.
func (r *reader) word(o *Opt[string], field string) {
	*o = Opt[string]{}
	switch raw, kind := r.scalar(); kind {
	case jsontext.KindString:
		*o = Opt[string]{Value: intern(r.unquote(raw)), Set: true}
	case jsontext.KindNull:
	default:
		r.malformed(field)
	}
}

func (r *reader) text(o *Opt[string], field string) {
	*o = Opt[string]{}
	switch raw, kind := r.scalar(); kind {
	case jsontext.KindString:
		*o = Opt[string]{Value: string(r.unquote(raw)), Set: true}
	case jsontext.KindNull:
	default:
		r.malformed(field)
	}
}

// id is a text that can't be done without; it is "" where it is no text.
func (r *reader) id(s *string, field string) {
	var o Opt[string]
	r.text(&o, field)
	*s = o.Value
}

// label is an id for vocabulary, which repeats.
func (r *reader) label(s *string, field string) {
	var o Opt[string]
	r.word(&o, field)
	*s = o.Value
}

// members reads the block that stands next, member by member; false when it is none.
func (r *reader) members(block string, member func(name []byte)) bool {
	r.in(block)
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return false
	}
	for name, more := r.name(); more; name, more = r.name() {
		member(name)
	}
	return true
}

// items reads the list that stands next, element by element; false when it is none.
func (r *reader) items(list string, element func()) bool {
	r.in(list)
	defer r.out()
	if !r.open(jsontext.KindBeginArray) {
		return false
	}
	for r.item() {
		element()
	}
	return true
}

func (r *reader) flag(o *Opt[bool], field string) {
	*o = Opt[bool]{}
	switch _, kind := r.scalar(); kind {
	case jsontext.KindTrue, jsontext.KindFalse:
		*o = Opt[bool]{Value: kind == jsontext.KindTrue, Set: true}
	case jsontext.KindNull:
	default:
		r.malformed(field)
	}
}

func (r *reader) count(o *Opt[int64], field string) {
	*o = Opt[int64]{}
	raw, kind := r.scalar()
	if kind == jsontext.KindNull {
		return
	}
	n, ok := int64(0), false
	if kind == jsontext.KindNumber {
		n, ok = parseInteger(raw)
	}
	if !ok {
		r.malformed(field)
		return
	}
	*o = Opt[int64]{Value: n, Set: true}
}

func (r *reader) number(o *Opt[float64], field string) {
	*o = Opt[float64]{}
	raw, kind := r.scalar()
	if kind == jsontext.KindNull {
		return
	}
	if kind == jsontext.KindNumber {
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
			*o = Opt[float64]{Value: f, Set: true}
			return
		}
	}
	r.malformed(field)
}

func (r *reader) time(t *Time, field string) {
	*t = Time{}
	raw, kind := r.scalar()
	if kind == jsontext.KindNull {
		return
	}
	if kind == jsontext.KindString {
		if v, ok := parseTime(r.unquote(raw)); ok {
			*t = v
			return
		}
	}
	r.malformed(field)
}

// maxInteger is the largest integer that every JSON reader keeps exactly.
const maxInteger = 1<<53 - 1

// parseInteger reads a JSON number that is integral, however it is written
// (3, 3.0, 1e3, 1200e-2), exactly and within ±maxInteger. A float would round
// 9007199254740993 and 3.00000000000000000001 into plausible integers.
func parseInteger(raw []byte) (n int64, ok bool) {
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	scale, pending, i := 0, 0, 0 // pending: zeros seen that count only if a digit follows
	fraction := false
	for ; i < len(raw) && raw[i] != 'e' && raw[i] != 'E'; i++ {
		switch c := raw[i]; {
		case c == '.':
			fraction = true
			continue
		case c == '0':
			pending++
		default:
			if n != 0 {
				for ; pending > 0; pending-- {
					if n *= 10; n > maxInteger {
						return 0, false
					}
				}
			}
			pending = 0
			if n = n*10 + int64(c-'0'); n > maxInteger {
				return 0, false
			}
		}
		if fraction {
			scale--
		}
	}
	if n == 0 {
		return 0, true
	}
	scale += pending
	if i < len(raw) {
		exponent, err := strconv.Atoi(string(raw[i+1:]))
		if err != nil { // beyond any int: no such integer is in range
			return 0, false
		}
		// Neither part comes near overflow: scale is bounded by the body's length.
		if exponent > 1<<31 || exponent < -(1<<31) {
			return 0, false
		}
		scale += exponent
	}
	for ; scale > 0; scale-- {
		if n *= 10; n > maxInteger {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, scale == 0
}
