package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxFileSize = 64 << 20 // bytes
	maxDepth    = 8        // of nesting; the deepest key is a label, at five
)

// scalar is one value as it was written, before it has a type.
type scalar struct {
	text    string
	tag     string // YAML's short tag; not looked at when literal
	literal bool   // from the environment: no type yet, and no references in it
}

func (s scalar) null() bool { return s.tag == "!!null" && !s.literal }

// parse reads the file into maps, lists and scalars. Its second result is false
// when there was nothing to read, with the reason in the faults.
func (l *loader) parse(data []byte) (map[string]any, bool) {
	switch {
	case len(data) > maxFileSize:
		l.addAt("", place{}, "is larger than 64 MiB")
		return nil, false
	case !utf8.Valid(data):
		l.addAt("", place{}, "is not UTF-8 text")
		return nil, false
	}
	hidden, show := hideReferences(string(data))
	l.show = show
	root, err := decode([]byte(hidden))
	if err != nil {
		line, phrase := yamlProblem(err)
		l.addAt("", place{line: line}, phrase)
		return nil, false
	}
	if root == nil || root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return map[string]any{}, true // nothing but comments: the defaults
	}
	values, ok := l.convert(root, "", 0).(map[string]any)
	if !ok && len(l.faults) == 0 {
		l.addAt("", of(root), "must be a mapping of sections (server:, upstream:, ...)")
	}
	return values, ok
}

var errDocuments = errors.New("more than one document")

// decode gives the root node of the one document, nil when there is none.
func decode(data []byte) (root *yaml.Node, err error) {
	// The library panics, by its own account, on streams that it did not expect.
	defer func() {
		if recover() != nil {
			root, err = nil, errors.New("the parser gave up")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err = decoder.Decode(&document)
	if err == nil {
		err = cmp.Or(decoder.Decode(new(yaml.Node)), errDocuments)
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var yamlMessage = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

// yamlProblem turns the parser's error into a line and a phrase of ours: its own
// text can quote the file.
func yamlProblem(err error) (int, string) {
	if errors.Is(err, errDocuments) {
		return 0, "holds more than one document; keep one"
	}
	parts := yamlMessage.FindStringSubmatch(err.Error())
	if parts == nil {
		return 0, "is not valid YAML"
	}
	line, _ := strconv.Atoi(parts[1])
	problem := parts[2]
	if strings.HasPrefix(problem, "did not find expected ") {
		line++ // the parser, unlike the scanner, counts from 0
	}
	for _, known := range yamlProblems {
		if strings.HasPrefix(problem, known.begins) {
			return line, "is not valid YAML" + known.phrase
		}
	}
	return line, "is not valid YAML around here"
}

var yamlProblems = []struct{ begins, phrase string }{
	{"unknown anchor", ": a value that begins with * refers to an anchor that is not there; quote text like that"},
	{"mapping values are not allowed in this context", ` around here: a second ": " in one line, or a line indented too far`},
	{"found character that cannot start any token",
		" around here: a tab, %, @ or backquote begins a value; indent with spaces and quote such text"},
	{"did not find expected ',' or", " around here: a bracket or brace is not closed, or text with one is not quoted"},
	{"control characters are not allowed", ": it holds a control character"},
}

// convert gives nil for what it has reported and left out.
func (l *loader) convert(n *yaml.Node, path string, depth int) any {
	switch {
	case depth > maxDepth:
		l.addAt(path, of(n), "is nested too deeply")
		return nil
	// Aliases let a small file grow without bound, and no key here needs one.
	case n.Kind == yaml.AliasNode:
		l.addAt(path, of(n), "is a YAML alias; write the value out (or quote text that begins with *)")
		return nil
	case n.Kind == yaml.ScalarNode:
		return scalar{text: l.show(n.Value), tag: n.ShortTag()}
	case n.Kind == yaml.SequenceNode && n.ShortTag() == "!!seq":
		list := make([]any, 0, len(n.Content))
		for i, element := range n.Content {
			at := item(path, i)
			l.places[at] = of(element)
			list = append(list, l.convert(element, at, depth+1))
		}
		return list
	case n.Kind == yaml.MappingNode && n.ShortTag() == "!!map":
		return l.mapping(n, path, depth)
	}
	l.addAt(path, of(n), "has a YAML tag that is not supported")
	return nil
}

func (l *loader) mapping(n *yaml.Node, path string, depth int) map[string]any {
	values := make(map[string]any, len(n.Content)/2)
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := l.show(key.Value)
		at := child(path, shown(name))
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			l.addAt(child(path, "?"), of(key), "a key must be plain text (in quotes where YAML reads it as something else)")
			continue
		}
		if line, twice := first[name]; twice {
			// This says nothing against the value, so the path is not bad.
			l.faults = append(l.faults, faultAt(at, "is set twice, first on line "+strconv.Itoa(line), of(key)))
			continue
		}
		first[name] = key.Line
		l.places[at] = of(key)
		values[name] = l.convert(value, at, depth+1)
	}
	return values
}
