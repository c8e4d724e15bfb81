package wire

import "slices"

const (
	maxNotes        = 64 // distinct paths in each list of Notes
	maxSegment      = 40 // characters of a path segment taken from the document
	maxDigitBearing = 15 // characters of a segment with a digit between its underscores
)

// unknown notes a field outside the allow-list, and passes over its value.
func (r *reader) unknown(name []byte) {
	if len(r.notes.Unknown) < maxNotes {
		r.notes.Unknown = r.note(r.notes.Unknown, segment(name))
	}
	r.skip()
}

// malformed notes a known field whose value is of another type; "" is the
// current block itself.
func (r *reader) malformed(field string) {
	if r.err == nil && len(r.notes.Malformed) < maxNotes {
		r.notes.Malformed = r.note(r.notes.Malformed, field)
	}
}

// note adds the current path with a last segment to a list, once.
func (r *reader) note(list []string, last string) []string {
	path := r.scratch[:0]
	for _, s := range r.path {
		path = append(append(path, s...), '.')
	}
	if path = append(path, last...); last == "" && len(path) > 0 {
		path = path[:len(path)-1]
	}
	r.scratch = path
	if slices.ContainsFunc(list, func(have string) bool { return have == string(path) }) {
		return list
	}
	return append(list, string(path))
}

// in and out bracket the fields of a block, for the paths of notes.
func (r *reader) in(block string) { r.path = append(r.path, block) }
func (r *reader) out()            { r.path = r.path[:len(r.path)-1] }

// segment gives a name from the document as a path segment. Paths become metric
// labels and log lines, so a name that could be a secret, or prose, is "?".
func segment(name []byte) string {
	if len(name) == 0 || len(name) > maxSegment {
		return "?"
	}
	run, digit := 0, false
	for _, c := range name {
		switch {
		case c == '_':
			run, digit = 0, false
			continue
		case '0' <= c && c <= '9':
			digit = true
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		default:
			return "?"
		}
		if run++; digit && run > maxDigitBearing {
			return "?"
		}
	}
	return intern(name)
}
