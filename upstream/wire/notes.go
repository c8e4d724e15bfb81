package wire

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/word"
)

const maxNotes = 64 // distinct paths in each list of Notes

// unknown notes the member whose name was read last.
func (r *reader) unknown() {
	if len(r.notes.Unknown) < maxNotes { // a path costs more than the rest
		r.note(&r.notes.Unknown, r.path())
	}
}

// malformed notes a value by its path.
func (r *reader) malformed(path string) { r.note(&r.notes.Malformed, path) }

// note adds a path to a list, once.
func (r *reader) note(list *[]string, path string) {
	if r.err == nil && len(*list) < maxNotes && !slices.Contains(*list, path) {
		*list = append(*list, path)
	}
}

// parent gives the path of the block of the value that was read last.
func (r *reader) parent() string {
	path := r.path()
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

// path says where the value that was read last stands.
func (r *reader) path() string {
	var path strings.Builder
	level := 0
	for token := range r.dec.StackPointer().Tokens() {
		level++
		switch kind, _ := r.dec.StackIndex(level); {
		case kind == jsontext.KindBeginArray:
			path.WriteString("[]")
			continue
		case level > 1:
			path.WriteByte('.')
		}
		path.WriteString(segment(token))
	}
	return path.String()
}

// segment gives a name from the document as a segment of a path. Paths become metric labels and log
// lines, so a name that could be a secret, or prose, is "?".
func segment(name string) string {
	if !word.Member.Is(name) {
		return "?"
	}
	return name
}
