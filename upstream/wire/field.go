package wire

import (
	"reflect"
	"strconv"
	"strings"
	"sync"

	"esagate/internal/word"
)

// field is what the tags of a struct's field say: see the package's comment.
type field struct {
	index    int
	name     string
	ignored  bool
	required bool
	nonempty bool
	max      int
	keep     []string
	is       string
	text     bool
	word     *word.Kind
}

// fields are those of one struct.
type fields struct {
	byName   map[string]*field
	required []*field
}

var known sync.Map // of *fields by reflect.Type

func fieldsOf(t reflect.Type) *fields {
	if fs, ok := known.Load(t); ok {
		return fs.(*fields)
	}
	fs := &fields{byName: make(map[string]*field)}
	for i := range t.NumField() {
		declared := t.Field(i)
		f := &field{index: i, name: declared.Tag.Get("json")}
		if declared.Name == "_" {
			f.name, f.ignored = declared.Tag.Get("ignored"), true
		}
		if f.name == "" || f.name == "-" {
			continue
		}
		needs := declared.Tag.Get("required")
		f.required, f.nonempty = needs != "", needs == "nonempty"
		f.max, _ = strconv.Atoi(declared.Tag.Get("max"))
		f.keep = strings.Fields(declared.Tag.Get("keep"))
		f.is, f.text = declared.Tag.Get("is"), declared.Tag.Get("text") != ""
		f.word = word.Tagged(declared.Tag.Get("word"))
		fs.byName[f.name] = f
		if f.required {
			fs.required = append(fs.required, f)
		}
	}
	had, _ := known.LoadOrStore(t, fs)
	return had.(*fields)
}
