package config

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// binder gives values their types: strictly, and each on its own, so that one
// bad value hides no other.
type binder struct {
	*report
	env map[string]string
}

// bind sets v from a value of the merged tree. A nil raw was reported already.
func (b binder) bind(v reflect.Value, raw any, path string) {
	if raw == nil {
		return
	}
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		fresh := reflect.New(t.Elem())
		b.bind(fresh.Elem(), raw, path)
		v.Set(fresh)
	case t.Kind() == reflect.Struct && t != secretType:
		b.mapping(v, raw, path)
	case t.Kind() == reflect.Slice:
		b.list(v, raw, path)
	case t.Kind() == reflect.Map:
		b.labels(v, raw, path)
	default:
		b.scalar(v, raw, path)
	}
}

func (b binder) mapping(v reflect.Value, raw any, path string) {
	values, ok := raw.(map[string]any)
	if !ok {
		b.wrongShape(raw, path, "must be a mapping (key: value)")
		return
	}
	known := make(map[string]bool, len(values))
	for _, f := range fields(v.Type()) {
		known[f.key] = true
		if value, given := values[f.key]; given {
			b.bind(v.FieldByIndex(f.index), value, child(path, f.key))
		}
	}
	for name := range values {
		if !known[name] {
			b.add(child(path, shown(name)), "unknown key")
		}
	}
}

func (b binder) list(v reflect.Value, raw any, path string) {
	values, ok := raw.([]any)
	if !ok {
		b.wrongShape(raw, path, "must be a list")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, value := range values {
		at := item(path, i)
		if s, ok := value.(scalar); ok && s.null() {
			b.add(at, "has no value")
			continue
		}
		if origin, ok := b.origins[path]; ok {
			b.origins[at] = origin
		}
		b.bind(out.Index(i), value, at)
	}
	v.Set(out)
}

func (b binder) labels(v reflect.Value, raw any, path string) {
	values, ok := raw.(map[string]any)
	if !ok {
		b.wrongShape(raw, path, "must be a mapping (key: value)")
		return
	}
	out := make(map[string]string, len(values))
	for name, value := range values {
		if text, ok := b.text(value, child(path, shown(name))); ok {
			out[name] = text
		}
	}
	v.Set(reflect.ValueOf(out))
}

// wrongShape reports a value that should have been a mapping or a list. An empty
// one (`sources:` with every entry commented out) is no entry at all.
func (b binder) wrongShape(raw any, path, message string) {
	if s, ok := raw.(scalar); !ok || !s.null() {
		b.add(path, "%s", message)
	}
}

func (b binder) scalar(v reflect.Value, raw any, path string) {
	switch t := v.Type(); {
	case t == secretType:
		if text, ok := b.text(raw, path); ok {
			v.Set(reflect.ValueOf(NewSecret(text)))
		}
	case t == durationType:
		b.duration(v, raw, path)
	case t.Kind() == reflect.String:
		if text, ok := b.text(raw, path); ok {
			v.SetString(text)
		}
	case t.Kind() == reflect.Bool:
		text, ok := b.value(raw, path, "must be true or false", "!!bool")
		if !ok {
			return
		}
		if text != "true" && text != "false" {
			b.add(path, "must be true or false")
		}
		v.SetBool(text == "true")
	case t.Kind() == reflect.Float64:
		b.float(v, raw, path)
	default:
		b.integer(v, raw, path)
	}
}

func (b binder) duration(v reflect.Value, raw any, path string) {
	const message = "must be a duration with a unit, such as 300ms, 5s or 15m"
	text, ok := b.value(raw, path, message, "!!str", "!!int")
	if !ok {
		return
	}
	d, err := time.ParseDuration(text) // takes no number without a unit but 0
	if err != nil {
		b.add(path, message)
		return
	}
	v.SetInt(int64(d))
}

// plainNumber leaves out what YAML and Go would read, each in its own way, as
// hexadecimal, octal, infinite or grouped by underscores.
var plainNumber = regexp.MustCompile(`^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

func (b binder) float(v reflect.Value, raw any, path string) {
	const message = "must be a number"
	text, ok := b.value(raw, path, message, "!!int", "!!float")
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !plainNumber.MatchString(text) || math.IsInf(f, 0) {
		b.add(path, message)
		return
	}
	v.SetFloat(f)
}

func (b binder) integer(v reflect.Value, raw any, path string) {
	const message = "must be a whole number"
	tags := []string{"!!int"}
	if v.Type() == bigIDType {
		tags = append(tags, "!!str")
	}
	text, ok := b.value(raw, path, message, tags...)
	if !ok {
		return
	}
	n, err := strconv.ParseInt(text, 10, v.Type().Bits())
	if err != nil || !plainNumber.MatchString(text) {
		b.add(path, message)
		return
	}
	v.SetInt(n)
}

func (b binder) text(raw any, path string) (string, bool) {
	return b.value(raw, path, "must be text; put it in quotes", "!!str")
}

// value gives a scalar's text, references replaced. Its YAML type must be one of
// tags, unless it came from the environment, wholly or in part: that has none.
func (b binder) value(raw any, path, message string, tags ...string) (string, bool) {
	s, ok := raw.(scalar)
	switch {
	case raw == nil:
		return "", false
	case !ok:
		b.add(path, "must be a single value")
		return "", false
	case s.null():
		b.add(path, "has no value; give it one or leave the key out")
		return "", false
	}
	text, referred := s.Text, s.Literal
	if !s.Literal && s.Tag == "!!str" {
		var problems []string
		text, referred, problems = expand(s.Text, b.env)
		for _, problem := range problems {
			b.add(path, "%s", problem)
		}
		if len(problems) > 0 {
			return "", false
		}
	}
	if !utf8.ValidString(text) {
		b.add(path, "must be UTF-8 text")
		return "", false
	}
	if !referred && !slices.Contains(tags, s.Tag) {
		b.add(path, "%s", message)
		return "", false
	}
	return text, true
}
