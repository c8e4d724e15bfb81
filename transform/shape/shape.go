// Package shape turns documents of the sales agent into those of the contract, and bodies of the contract into those of
// the sales agent, by what the contract's schemas say. A Shape is a schema of api/openapi.yaml, compiled once and used
// in both directions. What it does not declare does not pass: it is an allow-list.
//
// Members are named by the rule of contract 4.2, or as x-upstream says. An object without additionalProperties true is
// closed; one with it, and without properties, is a map, which keeps its keys and values at every depth. Numbers are
// copied digit by digit, and strings as they are but for bytes that are no UTF-8. A document that names something twice
// is malformed: which of the two was meant is not known.
//
// # Answers
//
// A value of another type than its schema's, or outside its bounds, is malformed, and noted by its path. It is null where
// it may be; else it is absent. What is absent is left out; where it is required it is null or the default of x-upstream,
// and else the object that needs it is absent too. A list needs all of its entries. A number stands for decimal text of the
// same digits. A text that must not be shown is replaced by a sentence where it is required. Where there is a choice of
// objects a document is read by the first; a row that answers with another asks for its shape.
//
// # Requests
//
// What is malformed is refused, all of it at once, and so is what is not declared, too long or of another form.
package shape

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"sync"

	"esagate/api"
	"esagate/internal/jsonbody"
	"esagate/internal/word"
)

// kind is what a value is.
type kind uint8

const (
	anything kind = iota // copied as it is
	object
	list
	mapping // an object whose members are data
	text
	moment
	day
	decimal // a number as text
	integer // within what a double holds exactly
	number  // any
	boolean
)

// Shape is the schema of a value. It is made by Of, never changes, and is safe for concurrent use.
type Shape struct {
	kind     kind
	nullable bool

	members  []member       // of an object
	callers  map[string]int // their index by the names of the contract
	upstream map[string]int // and by the sales agent's, but for those that the gateway composes
	drops    api.Names      // names of the sales agent's that are known and left out
	items    *Shape         // of a list
	treat    string         // of a text: "treated" or "word"; "": as it is
	words    map[string]bool
	keys     map[string][]byte // of a map: the keys that pass, as `"key":`; nil: all

	wrong       string          // said of a value of another type: " must be a string."
	rules       []jsonbody.Rule // of a text
	orNumber    bool            // a decimal that may be written as a number
	least, most int64           // of an integer; of the entries of a list
}

// member is a member of an object.
type member struct {
	name     string // ours
	key      []byte // `"name":`
	upstream string // the sales agent's name
	required bool
	given    bool   // composed by the gateway
	unsent   bool   // of a request: checked, and not passed on
	fallback []byte // where it is required and absent; nil: none
	shape    *Shape
}

var shapes sync.Map // of *Shape, by *api.Schema

// Of gives the shape of a schema.
func Of(schema *api.Schema) *Shape {
	if had, ok := shapes.Load(schema); ok {
		return had.(*Shape)
	}
	s := compile(schema)
	had, _ := shapes.LoadOrStore(schema, s)
	return had.(*Shape)
}

func compile(schema *api.Schema) *Shape {
	s := &Shape{nullable: schema.Nullable, treat: schema.Upstream.Text, drops: schema.Upstream.Drops, words: set(schema.Enum),
		keys: keys(schema.Upstream.Keys)}
	switch schema.Type {
	case "object":
		s.kind, s.wrong = object, " must be an object."
		if open := schema.AdditionalProperties; open != nil && *open {
			s.kind = mapping
		}
	case "array":
		s.kind, s.items, s.wrong = list, Of(schema.Items), " must be a list."
		s.least, s.most = int64(or(schema.MinItems, 0)), int64(or(schema.MaxItems, math.MaxInt))
	case "string":
		s.text(schema)
	case "integer":
		s.kind, s.least, s.most = integer, or(schema.Minimum, -jsonbody.MaxInteger), or(schema.Maximum, jsonbody.MaxInteger)
		s.wrong = " must be an integer from " + strconv.FormatInt(s.least, 10) + " to " + strconv.FormatInt(s.most, 10) + "."
	case "number":
		s.kind, s.wrong = number, " must be a number."
	case "boolean":
		s.kind, s.wrong = boolean, " must be true or false."
	}
	for i, c := range schema.Choices {
		switch {
		case c.Format == "decimal":
			s.text(c)
		case c.Type == "number":
			s.orNumber = true
		case i == 0:
			return Of(c)
		}
	}
	s.callers, s.upstream = make(map[string]int, len(schema.Properties)), make(map[string]int, len(schema.Properties))
	required := set(schema.Required)
	for i, p := range schema.Properties {
		up := p.Schema.Upstream
		m := member{name: p.Name, key: key(p.Name), upstream: cmp.Or(up.Name, word.Snake(p.Name)), required: required[p.Name],
			given: up.Given, unsent: up.Sent != nil && !*up.Sent, shape: Of(p.Schema)}
		if up.Default.Kind != 0 {
			m.fallback = api.Literal(&up.Default)
		}
		s.callers[m.name] = i
		if s.members = append(s.members, m); !m.given {
			s.upstream[m.upstream] = i
		}
	}
	return s
}

// text takes over what a schema says of a text.
func (s *Shape) text(schema *api.Schema) {
	switch schema.Format {
	case "date-time":
		s.kind, s.wrong = moment, " must be a time such as 2026-03-19T06:41:08Z."
	case "date":
		s.kind, s.wrong = day, " must be a day such as 2026-03-19."
	case "decimal":
		s.kind, s.wrong = decimal, " must be a decimal number."
	default:
		s.kind, s.wrong = text, " must be a string."
	}
	if schema.Enum != nil {
		s.rules = append(s.rules, jsonbody.OneOf(schema.Enum...))
	}
	if schema.MinLength != nil || schema.MaxLength != nil {
		s.rules = append(s.rules, jsonbody.Length(or(schema.MinLength, 0), or(schema.MaxLength, math.MaxInt)))
	}
	if schema.Pattern != "" {
		s.rules = append(s.rules, matching(schema.Pattern))
	}
}

// said is what patterns are called that a reader need not see.
var said = map[string]string{
	`\S`:                     " can't be blank.",
	`^[^/\\]*$`:              " can't contain / or \\.",
	`^[A-Za-z0-9_-]{1,200}$`: " must be 1 to 200 of the characters A-Z, a-z, 0-9, _ and -.",
	`^[+-]?(\d{1,14}(\.\d{0,6})?|\.\d{1,6})$`: " must be a decimal number of at most 14 digits before and 6 after the point.",
}

// matching wants a pattern of the contract, which the tests of this package hold to be one of package regexp's.
func matching(pattern string) jsonbody.Rule {
	expression := regexp.MustCompile(pattern)
	problem := cmp.Or(said[pattern], " must match "+pattern+".")
	return func(path, value string) string {
		if !expression.MatchString(value) {
			return path + problem
		}
		return ""
	}
}

func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// broken says what is wrong with a text, "" if nothing.
func (s *Shape) broken(content string) string {
	for _, rule := range s.rules {
		if problem := rule("", content); problem != "" {
			return problem
		}
	}
	return ""
}

// needed reports whether a value that is malformed makes its object malformed.
func (m *member) needed() bool {
	return m.required && !m.given && m.fallback == nil && !m.shape.nullable
}

func key(name string) []byte { return append(api.Encode(name), ':') }

func keys(names []string) map[string][]byte { return by(names, key) }

func set(names []string) map[string]bool { return by(names, func(string) bool { return true }) }

// by gives what there is for each name; nil where there are none.
func by[T any](names []string, of func(string) T) map[string]T {
	if len(names) == 0 {
		return nil
	}
	all := make(map[string]T, len(names))
	for _, n := range names {
		all[n] = of(n)
	}
	return all
}
