package api

import (
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Operation is an operation of the contract.
type Operation struct {
	ID           string // its operationId
	Method, Path string // "GET", "/api/v2/storefront/esa/{esaId}/signals"
	Tag, Summary string
	Parameters   []Parameter
	Body         *Schema // of the request; nil: none
	NeedsBody    bool    // it can not be left out
	Successes    []Success
}

// Success is an answer that is no failure; its Schema is nil where there is no body.
type Success struct {
	Status string // "200"
	Schema *Schema
}

// Parameter is a parameter of an operation.
type Parameter struct {
	Name, In    string
	Description string
	Required    bool
	Schema      *Schema
	Upstream    Upstream
}

// Schema is what the contract says of a value: of JSON Schema the words that the contract uses. An allOf of
// one schema is that schema, and so is a oneOf of one and null.
type Schema struct {
	Name                  string // of the component, without its place; "" of one that stands where it is used
	Type, Format, Pattern string
	Nullable              bool
	Enum                  []string // without null
	MinLength, MaxLength  *int
	MinItems, MaxItems    *int
	Minimum, Maximum      *int64
	Default               string // as it is written; "" for none
	Required              []string
	Properties            []Property
	Items                 *Schema
	AdditionalProperties  *bool     // nil: neither true nor false is said
	Choices               []*Schema // of a oneOf or an anyOf
	Upstream              Upstream
}

// Property is a property of an object, in the order of the contract.
type Property struct {
	Name   string
	Schema *Schema
}

// Upstream is what the contract's own file says in x-upstream: how a value comes from the sales agent, or goes to
// it, where that does not follow from the schema. It is not published.
type Upstream struct {
	Name    string    `yaml:"name"`    // the sales agent's name of the member or parameter; "": by the rule of names (contract 4.2)
	Given   bool      `yaml:"given"`   // the gateway composes the value: it is not read from the sales agent's document
	Text    string    `yaml:"text"`    // "treated": free text (contract 4.11); "word": vocabulary; "": as it is
	Keys    []string  `yaml:"keys"`    // of a map: the keys that pass, and of their values those that are not secret-like
	Drops   Names     `yaml:"drops"`   // of an object: the sales agent's members that are left out on purpose
	Default yaml.Node `yaml:"default"` // of a required member that the sales agent left out
	Sent    *bool     `yaml:"sent"`    // false: checked, and not passed on
	Cursor  string    `yaml:"cursor"`  // what a cursor is made of: offset, object or decimal
}

// Names are names of members; All stands for every one that is not declared.
type Names struct {
	All  bool
	List []string
}

// UnmarshalYAML implements [yaml.Unmarshaler]: a list, or "*".
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	if n.All = node.Value == "*"; n.All {
		return nil
	}
	return node.Decode(&n.List)
}

// Has reports whether a name is among them.
func (n Names) Has(name string) bool { return n.All || slices.Contains(n.List, name) }

// Literal gives a node as JSON.
func Literal(n *yaml.Node) []byte { return Encode(plain(n)) }

// Operations gives the operations of the contract by operationId. They are shared: nobody changes them.
var Operations = sync.OnceValue(func() map[string]*Operation {
	l := loader{parse[yaml.Node](openAPI).Content[0], map[string]*Schema{}}
	all := map[string]*Operation{}
	for path, item := range members(at(l.doc, "paths")) {
		for method, node := range members(item) {
			op := l.operation(node)
			op.Method, op.Path = strings.ToUpper(method), path
			all[op.ID] = op
		}
	}
	return all
})

// loader reads the contract, and follows its references.
type loader struct {
	doc     *yaml.Node
	schemas map[string]*Schema // by reference
}

func (l *loader) resolve(n *yaml.Node) *yaml.Node {
	if ref := at(n, "$ref"); ref != nil {
		return at(l.doc, strings.Split(strings.TrimPrefix(ref.Value, "#/"), "/")...)
	}
	return n
}

func (l *loader) operation(n *yaml.Node) *Operation {
	op := &Operation{ID: text(at(n, "operationId")), Summary: text(at(n, "summary"))}
	if tags := at(n, "tags"); tags != nil {
		op.Tag = tags.Content[0].Value
	}
	if params := at(n, "parameters"); params != nil {
		for _, p := range params.Content {
			op.Parameters = append(op.Parameters, l.parameter(l.resolve(p)))
		}
	}
	op.Body, op.NeedsBody = l.content(at(n, "requestBody")), text(at(n, "requestBody", "required")) == "true"
	for status, answer := range members(at(n, "responses")) {
		if strings.HasPrefix(status, "2") {
			op.Successes = append(op.Successes, Success{status, l.content(l.resolve(answer))})
		}
	}
	return op
}

func (l *loader) parameter(n *yaml.Node) Parameter {
	return Parameter{Name: text(at(n, "name")), In: text(at(n, "in")), Description: text(at(n, "description")),
		Required: text(at(n, "required")) == "true", Schema: l.schema(at(n, "schema")), Upstream: decoded[Upstream](at(n, "x-upstream"))}
}

// content gives the schema of a JSON body; nil where there is none.
func (l *loader) content(n *yaml.Node) *Schema {
	return l.schema(at(n, "content", "application/json", "schema"))
}

func (l *loader) schema(n *yaml.Node) *Schema {
	if n == nil {
		return nil
	}
	if ref := at(n, "$ref"); ref != nil {
		if had := l.schemas[ref.Value]; had != nil {
			return had
		}
		s := new(Schema)
		l.schemas[ref.Value] = s // a schema may name itself
		*s = *l.schema(l.resolve(n))
		s.Name = ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
		return s
	}
	s := &Schema{}
	if all := at(n, "allOf"); all != nil && len(all.Content) == 1 {
		s.be(l.schema(all.Content[0]))
	} else if at(n, "type") != nil {
		s.read(l, n)
	}
	s.Nullable = s.Nullable || text(at(n, "nullable")) == "true"
	for _, word := range []string{"oneOf", "anyOf"} {
		if list := at(n, word); list != nil {
			s.choose(l, list.Content)
		}
	}
	if up := at(n, "x-upstream"); up != nil {
		drops := s.Upstream.Drops
		if s.Upstream = decoded[Upstream](up); s.Upstream.Drops.List == nil && !s.Upstream.Drops.All {
			s.Upstream.Drops = drops
		}
	}
	return s
}

// be makes it another schema, but for what depends on where that stands.
func (s *Schema) be(other *Schema) {
	nullable := s.Nullable
	*s = *other
	s.Nullable, s.Upstream = s.Nullable || nullable, Upstream{Drops: s.Upstream.Drops}
}

// choose takes over the choices of a oneOf or an anyOf. Of one and null it is that one.
func (s *Schema) choose(l *loader, list []*yaml.Node) {
	for _, c := range list {
		choice := l.schema(c)
		s.Nullable = s.Nullable || choice.Nullable
		if values := at(l.resolve(c), "enum"); values == nil || choice.Enum != nil { // not of null alone
			s.Choices = append(s.Choices, choice)
		}
	}
	if len(s.Choices) == 1 {
		s.be(s.Choices[0])
	}
}

// read takes over what a schema with a type says.
func (s *Schema) read(l *loader, n *yaml.Node) {
	s.Type, s.Format, s.Pattern = text(at(n, "type")), text(at(n, "format")), text(at(n, "pattern"))
	s.Default, s.Required = text(at(n, "default")), decoded[[]string](at(n, "required"))
	for _, value := range decoded[[]*string](at(n, "enum")) {
		if value != nil {
			s.Enum = append(s.Enum, *value)
		}
	}
	s.MinLength, s.MaxLength = decoded[*int](at(n, "minLength")), decoded[*int](at(n, "maxLength"))
	s.MinItems, s.MaxItems = decoded[*int](at(n, "minItems")), decoded[*int](at(n, "maxItems"))
	s.Minimum, s.Maximum = decoded[*int64](at(n, "minimum")), decoded[*int64](at(n, "maximum"))
	if extra := at(n, "additionalProperties"); extra != nil && extra.Kind == yaml.ScalarNode {
		s.AdditionalProperties = decoded[*bool](extra)
	}
	s.Items = l.schema(at(n, "items"))
	for name, property := range members(at(n, "properties")) {
		s.Properties = append(s.Properties, Property{name, l.schema(property)})
	}
}

func text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// decoded reads a node, which the tests of this package hold to be of its type; nil gives the zero value.
func decoded[T any](n *yaml.Node) (v T) {
	if n == nil {
		return v
	}
	if err := n.Decode(&v); err != nil {
		panic("api: the contract can't be read: " + err.Error())
	}
	return v
}
