package config

import (
	"reflect"
	"strings"
	"time"
)

// field is one key of a mapping and where its value goes.
type field struct {
	key   string
	index []int
}

// fields gives the keys of a struct, those of inlined structs among them.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		switch tag := f.Tag.Get("config"); tag {
		case "":
		case ",inline":
			for _, inner := range fields(f.Type) {
				out = append(out, field{inner.key, append([]int{i}, inner.index...)})
			}
		default:
			out = append(out, field{tag, []int{i}})
		}
	}
	return out
}

// key is one value that a file can hold.
type key struct {
	path string       // list items as "[]", keys of a map as ".*"
	env  string       // the variable that sets it; empty inside of lists
	kind reflect.Type // of the value, a pointer to it where "not set" matters
}

// schema lists every key there is, in the order of the structs.
func schema() []key { return walk(nil, reflect.TypeFor[document](), "", true) }

func walk(keys []key, t reflect.Type, path string, settable bool) []key {
	switch plain := deref(t); {
	case plain.Kind() == reflect.Struct && plain != secretType:
		for _, f := range fields(plain) {
			keys = walk(keys, plain.FieldByIndex(f.index).Type, child(path, f.key), settable)
		}
		return keys
	case plain.Kind() == reflect.Slice && plain.Elem().Kind() == reflect.Struct:
		return walk(keys, plain.Elem(), path+"[]", false)
	case plain.Kind() == reflect.Map:
		return append(keys, key{path: path + ".*", kind: plain.Elem()})
	}
	k := key{path: path, kind: t}
	if settable {
		k.env = variable(path)
	}
	return append(keys, k)
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

var (
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	bigIDType    = reflect.TypeFor[bigID]()
)

// bigID is a whole number that may also stand in quotes: tools that keep every
// number as a float would round a large one (the contract writes esaId as text).
type bigID int64

// list joins words for a message: "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
