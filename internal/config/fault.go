package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"esagate/internal/redact"
	"esagate/internal/word"
)

// Fault is one thing wrong with a configuration. Neither field ever holds a
// value of the file or of the environment; names of keys and of variables stand
// in both, but not those that look like a secret themselves.
type Fault struct {
	Path    string // dotted, list items by index ("auth.keys[0].sha256"); empty: the file as a whole
	Message string
	Line    int // of the YAML, 0 when not known
	Column  int // of that line, in characters from 1; 0 when not known
}

// place is where something stands in the file.
type place struct{ line, column int }

func of(n *yaml.Node) place { return place{n.Line, n.Column} }

func faultAt(path, message string, at place) Fault {
	return Fault{Path: path, Message: message, Line: at.line, Column: at.column}
}

// In is the fault in one line that begins with its place in a file of this name, as compilers write
// it and editors find it.
func (f Fault) In(file string) string {
	at := file
	if f.Line > 0 {
		at += ":" + strconv.Itoa(f.Line)
		if f.Column > 0 {
			at += ":" + strconv.Itoa(f.Column)
		}
	}
	if f.Path != "" {
		at += ": " + f.Path
	}
	return at + ": " + f.Message
}

// String is the fault in one line.
func (f Fault) String() string {
	path := f.Path
	if path == "" {
		path = "config file"
	}
	if f.Line > 0 {
		return fmt.Sprintf("%s (line %d): %s", path, f.Line, f.Message)
	}
	return path + ": " + f.Message
}

// Faults are all faults of one configuration, sorted by path. An empty one is no
// error: compare its length, not an error interface that holds it, with nil.
type Faults []Fault

// Error gives one line a fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// add notes a fault where there is a problem: a message of names, bounds and words of ours.
func (l *loader) add(path, problem string) {
	if origin, ok := l.origins[path]; ok && problem != "" {
		l.addAt(path, place{}, problem+" (set by "+origin+")")
	} else if problem != "" {
		l.addAt(path, placeOf(l.places, path), problem)
	}
}

func (l *loader) addAt(path string, at place, message string) {
	l.bad[path] = true
	l.faults = append(l.faults, faultAt(path, message, at))
}

// good reports whether the paths have no fault yet, nor anything around them:
// a value that could not be read still is the default, and must not be blamed.
func (l *loader) good(paths ...string) bool {
	for _, path := range paths {
		for ; path != ""; path = parent(path) {
			if l.bad[path] {
				return false
			}
		}
	}
	return true
}

func (l *loader) sorted() Faults {
	slices.SortStableFunc(l.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(l.faults)
}

// placeOf finds the place of a path, or of the nearest thing around it: what is
// missing has none of its own.
func placeOf(places map[string]place, path string) place {
	for ; path != ""; path = parent(path) {
		if at, ok := places[path]; ok {
			return at
		}
	}
	return place{}
}

// parent is the path of what is around a path, empty at the top.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// shown gives a key of the file for a path: "?" unless it is a plain word, since
// a secret in the wrong place can end up as a key.
func shown(key string) string {
	if word.Name.Is(key) && !redact.Secretlike(key) {
		return key
	}
	return "?"
}
