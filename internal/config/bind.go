package config

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"esagate/internal/adserver"
	"esagate/internal/word"
	"esagate/registry"
)

// field is one key of a mapping, where its value goes, and its rule.
type field struct {
	key   string
	index []int
	rule  string
}

var (
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	adServerType = reflect.TypeFor[registry.AdServer]()
)

// fieldsOf has what fields gave, by type: a config may have 100,000 sources.
var fieldsOf sync.Map

// fields gives the keys of a struct, those of embedded structs among them. The registry's view of
// an ad server has no tags of this package; package adserver says what its keys are.
func fields(t reflect.Type) (out []field) {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]field)
	}
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("config")
		if t == adServerType {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			key = adserver.Key(name)
		}
		if key != "" {
			out = append(out, field{key, f.Index, f.Tag.Get("rule")})
		}
	}
	fieldsOf.Store(t, out)
	return out
}

// isSection reports whether a type is read from a mapping of known keys.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != secretType }

// loader reads the file, gives values their types and holds them against their rules: strictly, and
// each on its own, so that one bad value hides no other.
type loader struct {
	env      map[string]string
	folder   string              // where relative paths begin
	show     func(string) string // undoes hideReferences
	faults   Faults
	warnings []string          // sentences, by path
	bad      map[string]bool   // paths whose value is of no use for further checks
	places   map[string]place  // where each path stands in the file
	origins  map[string]string // which variable set a path, if one did
}

// section fills a struct from a mapping; nothing, or no content, is an empty one. Outside of
// lists the environment wins over the mapping.
func (l *loader) section(v reflect.Value, raw any, path string, inList bool) {
	values, ok := raw.(map[string]any)
	if !ok && !isEmpty(raw) {
		l.add(path, "must be a mapping (key: value)")
		return
	}
	var known []string
	for _, f := range fields(v.Type()) {
		known = append(known, f.key)
		at := child(path, f.key)
		value, given := values[f.key]
		if !inList {
			value, given = l.variable(v.Type().FieldByIndex(f.index).Type, at, value, given)
		}
		l.bind(v.FieldByIndex(f.index), f, value, given, at, inList)
	}
	for name := range values {
		if !slices.Contains(known, name) {
			problem := "unknown key"
			if near := word.Closest(name, known); near != "" {
				problem += ": did you mean " + near + "?"
			}
			l.add(child(path, shown(name)), problem)
		}
	}
}

// bind sets v from a value of the file or of a variable.
func (l *loader) bind(v reflect.Value, f field, raw any, given bool, path string, inList bool) {
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer && isSection(t.Elem()):
		if isEmpty(raw) && (inList || !l.anyVariable(t.Elem(), path)) {
			v.SetZero()
			return
		}
		if v.IsNil() {
			v.Set(reflect.New(t.Elem()))
		}
		l.section(v.Elem(), raw, path, inList)
	case isSection(t):
		l.section(v, raw, path, inList)
	case t.Kind() == reflect.Slice:
		l.list(v, f, raw, path)
	case t.Kind() == reflect.Map:
		l.labels(v, raw, path)
	default:
		value := v
		if t.Kind() == reflect.Pointer {
			value = reflect.New(t.Elem()).Elem()
		}
		if given && l.scalar(value, f, raw, path) && t.Kind() == reflect.Pointer {
			v.Set(value.Addr())
		}
		if given || !inList { // a default is held too
			l.hold(value, path, f.rule)
		} else if strings.HasPrefix(f.rule, "required ") {
			l.add(path, "is required")
		}
	}
}

const mostTexts = 100 // in a list

// list fills a slice; nothing, or no content (as where every entry is a comment), is an empty one.
func (l *loader) list(v reflect.Value, f field, raw any, path string) {
	values, ok := raw.([]any)
	if !ok {
		if !isEmpty(raw) {
			l.add(path, "must be a list")
		}
		return
	}
	if v.Type().Elem().Kind() == reflect.String && len(values) > mostTexts {
		l.add(path, "must have at most "+strconv.Itoa(mostTexts)+" entries")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, value := range values {
		at := item(path, i)
		if s, ok := value.(scalar); ok && s.null() {
			l.add(at, "has no value")
			continue
		}
		if origin, ok := l.origins[path]; ok {
			l.origins[at] = origin
		}
		l.bind(out.Index(i), field{rule: f.rule}, value, true, at, true)
	}
	v.Set(out)
}

const notText = "must be text; put it in quotes"

// scalar sets a single value, and reports whether it could be read.
func (l *loader) scalar(v reflect.Value, f field, raw any, path string) bool {
	problem, tags := notText, []string{"!!str"}
	switch t := v.Type(); {
	case t == secretType, t.Kind() == reflect.String:
	case t == durationType:
		problem, tags = "must be a duration with a unit, such as 300ms, 5s or 15m", []string{"!!str", "!!int"}
	case t == sizeType:
		problem, tags = "must be a size with a unit, such as 512MiB or 2GiB", []string{"!!str", "!!int"}
	case t.Kind() == reflect.Bool:
		problem, tags = "must be true or false", []string{"!!bool"}
	case t.Kind() == reflect.Float64:
		problem, tags = "must be a number", []string{"!!int", "!!float"}
	default:
		problem, tags = "must be a whole number", []string{"!!int"}
		// Tools that keep every number as a float would round a large id: it may be quoted.
		if quoted := strings.HasPrefix(f.rule, "quoted "); quoted || strings.Contains(path, ".ad_server.") {
			tags = append(tags, "!!str")
		}
	}
	text, ok := l.value(raw, path, problem, tags...)
	if ok && !set(v, text) {
		l.add(path, problem)
		return false
	}
	return ok
}

// set sets a value to what a text stands for, and reports whether it can be read.
func set(v reflect.Value, text string) bool {
	switch t := v.Type(); {
	case t == secretType:
		v.Set(reflect.ValueOf(NewSecret(text)))
	case t == durationType:
		d, err := time.ParseDuration(text) // takes no number without a unit but 0
		v.SetInt(int64(d))
		return err == nil
	case t == sizeType:
		n, err := humanize.ParseBytes(text)
		v.SetInt(int64(min(n, math.MaxInt64)))
		return err == nil
	case t.Kind() == reflect.String:
		v.SetString(text)
	case t.Kind() == reflect.Bool:
		v.SetBool(text == "true")
		return text == "true" || text == "false"
	case t.Kind() == reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		v.SetFloat(n)
		return err == nil && plainNumber.MatchString(text) && !math.IsInf(n, 0)
	default:
		n, err := strconv.ParseInt(text, 10, t.Bits())
		v.SetInt(n)
		return err == nil && plainNumber.MatchString(text)
	}
	return true
}

// plainNumber leaves out what YAML and Go would read, each in its own way, as hexadecimal,
// octal, infinite or grouped by underscores.
var plainNumber = regexp.MustCompile(`^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// value gives a scalar's text, references replaced. Its YAML type must be one of tags, unless it
// came from the environment, wholly or in part: that has none. What is wrong is reported.
func (l *loader) value(raw any, path, message string, tags ...string) (string, bool) {
	s, ok := raw.(scalar)
	text, referred := s.text, s.literal
	var problems []string
	if !s.literal && s.tag == "!!str" {
		text, referred, problems = expand(s.text, l.env)
	}
	switch {
	case raw == nil: // reported already
		return "", false
	case !ok:
		problems = []string{"must be a single value"}
	case s.null():
		problems = []string{"has no value; give it one or leave the key out"}
	case len(problems) > 0:
	case !utf8.ValidString(text):
		problems = []string{"must be UTF-8 text"}
	case !referred && !slices.Contains(tags, s.tag):
		problems = []string{message}
	}
	for _, problem := range problems {
		l.add(path, problem)
	}
	return text, len(problems) == 0
}

// isEmpty reports whether there is no value: none at all, or a key without one.
func isEmpty(raw any) bool {
	s, ok := raw.(scalar)
	return raw == nil || ok && s.null()
}
