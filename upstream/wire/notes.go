package wire

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/word"
)

const maxNotes = 64 // distinct paths in each list of Notes

// AddUnknown notes the member whose name dec has read last.
func (n *Notes) AddUnknown(dec *jsontext.Decoder) {
	if len(n.Unknown) < maxNotes { // a path costs more than the rest
		note(&n.Unknown, path(dec))
	}
}

// AddMalformed notes the value that dec has read last.
func (n *Notes) AddMalformed(dec *jsontext.Decoder) { note(&n.Malformed, path(dec)) }

// AddMissing notes a member that the value that dec has read last lacks.
func (n *Notes) AddMissing(dec *jsontext.Decoder, name string) {
	note(&n.Malformed, strings.TrimPrefix(path(dec)+"."+name, "."))
}

// note adds a path to a list, once.
func note(list *[]string, path string) {
	if len(*list) < maxNotes && !slices.Contains(*list, path) {
		*list = append(*list, path)
	}
}

// unknown notes the member whose name was read last.
func (r *reader) unknown() {
	if r.err == nil {
		r.notes.AddUnknown(&r.dec)
	}
}

// malformed notes a value by its path.
func (r *reader) malformed(path string) {
	if r.err == nil {
		note(&r.notes.Malformed, path)
	}
}

// parent gives the path of the block of the value that was read last.
func (r *reader) parent() string {
	path := r.path()
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

func (r *reader) path() string { return path(&r.dec) }

// path says where the value that dec has read last stands.
func path(dec *jsontext.Decoder) string {
	var path strings.Builder
	level := 0
	for token := range dec.StackPointer().Tokens() {
		level++
		switch kind, _ := dec.StackIndex(level); {
		case kind == jsontext.KindBeginArray:
			path.WriteString("[]")
			continue
		case level > 1:
			path.WriteByte('.')
		}
		path.WriteString(word.Segment(token))
	}
	return path.String()
}
