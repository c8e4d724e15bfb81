package wire

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// scalar stores a value in a string, bool, int64 or float64.
func (r *reader) scalar(v reflect.Value, raw jsontext.Value, f *field) bool {
	switch kind, want := raw.Kind(), v.Kind(); {
	case f.is != "":
		v.SetBool(kind == jsontext.KindString && string(r.unquote(raw)) == f.is)
		return true
	case want == reflect.String && kind == jsontext.KindString:
		s := string(r.unquote(raw))
		if f.word != nil && !f.word.Is(s) {
			return false
		}
		v.SetString(s)
		return true
	case want == reflect.Bool && (kind == jsontext.KindTrue || kind == jsontext.KindFalse):
		v.SetBool(kind == jsontext.KindTrue)
		return true
	case want == reflect.Int64 && kind == jsontext.KindNumber:
		n, ok := Integer(raw)
		if ok {
			v.SetInt(n)
		}
		return ok
	case want == reflect.Int64 && f.text && kind == jsontext.KindString:
		n, err := strconv.ParseInt(string(r.unquote(raw)), 10, 32)
		if err == nil {
			v.SetInt(n)
		}
		return err == nil
	case want == reflect.Float64 && kind == jsontext.KindNumber:
		n, err := strconv.ParseFloat(string(raw), 64)
		if err == nil {
			v.SetFloat(n)
		}
		return err == nil
	}
	return false
}

func (o *Opt[T]) take(r *reader, f *field) outcome {
	got := r.take(reflect.ValueOf(&o.Value).Elem(), f)
	o.Set = got == present
	return got
}

func (t *Time) take(r *reader, _ *field) outcome {
	raw := r.value()
	switch {
	case raw.Kind() == jsontext.KindNull, r.err != nil:
		return absent
	case raw.Kind() == jsontext.KindString:
		if at, ok := ParseTime(string(r.unquote(raw))); ok {
			*t = at
			return present
		}
	}
	return malformed
}

func (m *Members[T]) take(r *reader, f *field) outcome {
	switch kind := r.peek(); {
	case kind == jsontext.KindNull:
		r.skip()
		return absent
	case kind != jsontext.KindBeginObject:
		r.skip()
		return malformed
	}
	*m = make(Members[T], 0, usual)
	isBlock := reflect.TypeFor[T]().Kind() == reflect.Struct
	at := make(map[string]int) // the index of a name
	var lost map[string]bool   // names whose last value is not present
	kept := 0                  // names beyond max
	for r.token(); r.more(); {
		name := string(r.unquote(r.value()))
		i, again := at[name]
		if again {
			(*m)[i].Value = *new(T)
		} else {
			i = len(*m)
			if slices.Contains(f.keep, name) {
				kept++
			} else if i-kept >= f.max {
				r.malformed(r.parent())
				r.skip()
				continue
			}
			at[name] = i
			*m = append(*m, Member[T]{Name: name})
		}
		switch r.take(reflect.ValueOf(&(*m)[i].Value).Elem(), f) {
		case present:
			delete(lost, name)
			continue
		case malformed:
			path := r.path()
			if !isBlock { // the name of a plain value is not to be shown
				path = r.parent() + ".*"
			}
			r.malformed(path)
		}
		if lost == nil {
			lost = make(map[string]bool)
		}
		lost[name] = true
	}
	if len(lost) > 0 {
		*m = slices.DeleteFunc(*m, func(e Member[T]) bool { return lost[e.Name] })
	}
	return present
}

// maxInteger is the largest integer that every JSON reader keeps exactly.
const maxInteger = 1<<53 - 1

// Integer reads a JSON number that is a whole one within ±maxInteger, however it is written: 3, 3.0,
// 1e3, 1200e-2.
func Integer(number []byte) (n int64, ok bool) {
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxInteger {
		return 0, false
	}
	n = int64(f)
	// A float loses the fraction of 3.00000000000000000001.
	return n, !bytes.ContainsAny(number, ".eE") || significant(number) == significant(strconv.AppendInt(nil, n, 10))
}

// significant gives the digits of a number between the zeros at its ends.
func significant(number []byte) string {
	if at := bytes.IndexAny(number, "eE"); at >= 0 {
		number = number[:at]
	}
	return strings.Trim(strings.Replace(string(number), ".", "", 1), "-0")
}
