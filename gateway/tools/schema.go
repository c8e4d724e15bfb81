package tools

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// What is read of the published contract.
type (
	contract struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
		Paths      api.Members[api.Members[operation]] `json:"paths"`
		Components struct {
			Parameters api.Members[*parameter] `json:"parameters"`
			Responses  api.Members[*response]  `json:"responses"`
			Schemas    api.Members[*schema]    `json:"schemas"`
		} `json:"components"`
	}
	operation struct {
		ID         string                 `json:"operationId"`
		Summary    string                 `json:"summary"`
		Parameters []*parameter           `json:"parameters"`
		Body       *response              `json:"requestBody"`
		Responses  api.Members[*response] `json:"responses"`

		method, path string
	}
	parameter struct {
		Ref         string  `json:"$ref"`
		Name        string  `json:"name"`
		In          string  `json:"in"`
		Description string  `json:"description"`
		Required    bool    `json:"required"`
		Schema      *schema `json:"schema"`
	}
	// response is the body of a request too.
	response struct {
		Ref      string             `json:"$ref"`
		Required bool               `json:"required"`
		Content  api.Members[media] `json:"content"`
	}
	media struct {
		Schema *schema `json:"schema"`
	}
)

// schema is a schema of the contract (OpenAPI 3.0), and what becomes of it for a tool (JSON Schema 2020-12), where no
// member has null for a value. What is not named here does not pass.
type schema struct {
	Ref         string                `json:"$ref,omitzero"`
	Type        jsontext.Value        `json:"type,omitzero"`
	Format      string                `json:"format,omitzero"`
	Description string                `json:"description,omitzero"`
	Enum        []jsontext.Value      `json:"enum,omitzero"`
	Default     jsontext.Value        `json:"default,omitzero"`
	Minimum     jsontext.Value        `json:"minimum,omitzero"`
	Maximum     jsontext.Value        `json:"maximum,omitzero"`
	MinLength   jsontext.Value        `json:"minLength,omitzero"`
	MaxLength   jsontext.Value        `json:"maxLength,omitzero"`
	MinItems    jsontext.Value        `json:"minItems,omitzero"`
	MaxItems    jsontext.Value        `json:"maxItems,omitzero"`
	Pattern     string                `json:"pattern,omitzero"`
	Items       *schema               `json:"items,omitzero"`
	Required    []string              `json:"required,omitzero"`
	Properties  api.Members[*schema]  `json:"properties,omitzero"`
	Others      *others               `json:"additionalProperties,omitzero"`
	AllOf       []*schema             `json:"allOf,omitzero"`
	OneOf       []*schema             `json:"oneOf,omitzero"`
	AnyOf       []*schema             `json:"anyOf,omitzero"`
	Not         *schema               `json:"not,omitzero"`
	Definitions *api.Members[*schema] `json:"$defs,omitzero"`

	Nullable  bool `json:"nullable,omitzero"`  // of the contract alone
	WriteOnly bool `json:"writeOnly,omitzero"` // of the contract alone: a credential
}

// others is what an object may hold beside its properties: true, false, or a schema.
type others struct {
	schema *schema
	open   bool
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (o *others) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if kind := dec.PeekKind(); kind != '{' {
		o.open = kind == 't'
		return dec.SkipValue()
	}
	o.schema = new(schema)
	return json.UnmarshalDecode(dec, o.schema)
}

// MarshalJSONTo implements [json.MarshalerTo].
func (o *others) MarshalJSONTo(enc *jsontext.Encoder) error {
	if o.schema == nil {
		return enc.WriteToken(jsontext.Bool(o.open))
	}
	return json.MarshalEncode(enc, o.schema)
}

// readContract reads the published contract. Its operations know their methods and paths, and hold no references but
// those of schemas.
var readContract = sync.OnceValue(func() *contract {
	c := new(contract)
	if err := json.Unmarshal(api.Spec(false).JSON.Plain, c); err != nil {
		panic("tools: the contract can't be read: " + err.Error())
	}
	return c
})

// operation finds an operation; nil where the contract has none of that id.
func (c *contract) operation(id string) *operation {
	for _, path := range c.Paths {
		for _, method := range path.Value {
			if method.Value.ID != id {
				continue
			}
			op := method.Value
			op.method, op.path = strings.ToUpper(method.Name), path.Name
			for i, p := range op.Parameters {
				if p.Ref != "" {
					op.Parameters[i] = find(c.Components.Parameters, p.Ref)
				}
			}
			return &op
		}
	}
	return nil
}

// answer gives the schema of the document that an operation answers with; nil: none.
func (c *contract) answer(op *operation) *schema {
	for _, r := range op.Responses {
		if !strings.HasPrefix(r.Name, "2") {
			continue
		}
		answer := r.Value
		if answer.Ref != "" {
			answer = find(c.Components.Responses, answer.Ref)
		}
		return answer.json()
	}
	return nil
}

// json gives the schema of a body in JSON; nil: there is none.
func (r *response) json() *schema {
	if r == nil {
		return nil
	}
	if i := r.Content.Index("application/json"); i >= 0 {
		return r.Content[i].Value.Schema
	}
	return nil
}

// find gives a component by a reference to it, which the tests of the contract hold to be there.
func find[T any](all api.Members[T], ref string) T {
	return all[all.Index(ref[strings.LastIndexByte(ref, '/')+1:])].Value
}

// converter makes one schema of a tool of schemas of the contract.
type converter struct {
	contract    *contract
	input       bool // of what a tool takes: without credentials
	definitions api.Members[*schema]
	credentials []string // names of those that were left out
}

// formats are those of the contract that JSON Schema knows. The others say nothing that type and pattern don't.
var formats = []string{"date", "date-time", "email", "uri"}

// convert gives a schema as JSON Schema. A component that it refers to becomes a definition.
func (c *converter) convert(s *schema) *schema {
	if s == nil {
		return nil
	}
	if s.Ref != "" {
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		if c.definitions.Index(name) < 0 {
			c.definitions = append(c.definitions, api.Member[*schema]{Name: name}) // a schema may name itself
			converted := c.convert(find(c.contract.Components.Schemas, s.Ref))
			c.definitions[c.definitions.Index(name)].Value = converted
		}
		return &schema{Ref: "#/$defs/" + name}
	}
	to := *s
	to.Nullable, to.WriteOnly = false, false
	to.Description = strings.Join(strings.Fields(s.Description), " ")
	if !slices.Contains(formats, to.Format) {
		to.Format = ""
	}
	to.Items, to.Not = c.convert(s.Items), c.convert(s.Not)
	to.AllOf, to.AnyOf = c.all(s.AllOf), c.all(s.AnyOf)
	to.OneOf = c.all(slices.DeleteFunc(slices.Clone(s.OneOf), c.wantsCredentials))
	if s.Others != nil && s.Others.schema != nil {
		to.Others = &others{schema: c.convert(s.Others.schema)}
	}
	to.Properties = nil
	for _, p := range s.Properties {
		to.Properties = append(to.Properties, api.Member[*schema]{Name: p.Name, Value: c.convert(p.Value)})
	}
	if !s.Nullable {
		return &to
	}
	return orNull(&to)
}

func (c *converter) all(list []*schema) (converted []*schema) {
	for _, s := range list {
		converted = append(converted, c.convert(s))
	}
	return converted
}

// wantsCredentials reports whether a choice has a member for a credential, which no assistant is asked for
// (contract 13.13). It notes their names.
func (c *converter) wantsCredentials(s *schema) bool {
	if s.Ref != "" {
		s = find(c.contract.Components.Schemas, s.Ref)
	}
	wants := false
	for _, p := range s.Properties {
		if c.input && p.Value.WriteOnly {
			wants = true
			if !slices.Contains(c.credentials, p.Name) {
				c.credentials = append(c.credentials, p.Name)
			}
		}
	}
	return wants
}

var nullType = jsontext.Value(`"null"`)

// orNull lets a schema take null too. A type of two would be shorter, and is refused by some clients.
func orNull(s *schema) *schema {
	about := s.Description
	s.Description = ""
	if len(s.Enum) > 0 {
		s.Enum = slices.DeleteFunc(slices.Clone(s.Enum), func(v jsontext.Value) bool { return v.Kind() == 'n' })
		if len(s.Enum) == 0 { // a choice of none is no JSON Schema, and clients refuse all tools for it
			return &schema{Description: about, Type: nullType}
		}
	}
	return &schema{Description: about, AnyOf: []*schema{s, {Type: nullType}}}
}

// finish gives a schema, which was converted, as the whole of a tool's.
func (c *converter) finish(s *schema) jsontext.Value {
	if len(c.definitions) > 0 {
		whole := *s
		whole.Definitions = &c.definitions
		s = &whole
	}
	return api.Encode(s)
}
