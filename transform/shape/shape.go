// Package shape turns documents of the sales agent into those of the contract, and bodies of the contract into those of
// the sales agent, by what the contract's schemas say. A Shape is a schema of api/openapi.yaml, compiled once and used
// in both directions. What it does not declare does not pass: it is an allow-list.
//
// # Rules
//
// Members are named by the rule of contract 4.2, or as x-upstream says. An object without additionalProperties true is
// closed; one with it, and without properties, is a map, which keeps its keys and values at every depth. A value of
// another type than its schema's is malformed, and treated as absent. What is absent is left out, is null or is the
// default of x-upstream where it is required, and else makes the value that needs it malformed too; an element of a list
// is needed. Numbers are copied digit by digit.
package shape

import (
	"sync"

	"esagate/api"
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
	schema   *api.Schema

	members  []member       // of an object
	upstream map[string]int // their index by the sales agent's names
	drops    api.Names      // names of the sales agent's that are known and left out
	items    *Shape         // of a list
	treat    string         // of a text: "treated" or "word"; "": as it is
	words    map[string]bool
	keys     map[string]bool // of a map: the keys that pass; nil: all
}

// member is a member of an object.
type member struct {
	name     string // ours
	key      []byte // `"name":`
	upstream string // the sales agent's name
	required bool
	given    bool   // composed by the gateway
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
	s := &Shape{schema: schema, nullable: schema.Nullable, treat: schema.Upstream.Text, drops: schema.Upstream.Drops, words: set(schema.Enum),
		keys: set(schema.Upstream.Keys)}
	switch schema.Type {
	case "object":
		s.kind = object
		if open := schema.AdditionalProperties; open != nil && *open {
			s.kind = mapping
		}
	case "array":
		s.kind, s.items = list, Of(schema.Items)
	case "string":
		s.kind = map[string]kind{"": text, "date-time": moment, "date": day, "decimal": decimal}[schema.Format]
	case "integer":
		s.kind = integer
	case "number":
		s.kind = number
	case "boolean":
		s.kind = boolean
	case "":
		for _, c := range schema.Choices {
			if c.Format == "decimal" {
				s.kind = decimal
			}
		}
	}
	s.upstream = make(map[string]int, len(schema.Properties))
	required := set(schema.Required)
	for i, p := range schema.Properties {
		up := p.Schema.Upstream
		m := member{name: p.Name, key: []byte(`"` + p.Name + `":`), upstream: up.Name, required: required[p.Name], given: up.Given, shape: Of(p.Schema)}
		if m.upstream == "" {
			m.upstream = word.Snake(p.Name)
		}
		if up.Default.Kind != 0 {
			m.fallback = api.Literal(&up.Default)
		}
		if s.members = append(s.members, m); !m.given {
			s.upstream[m.upstream] = i
		}
	}
	return s
}

func set(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	all := make(map[string]bool, len(names))
	for _, n := range names {
		all[n] = true
	}
	return all
}
