package docs

import (
	"html/template"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

type (
	// field is a property, a parameter, a header or a schema.
	field struct {
		ID, Name, In string
		Required     bool
		Type         []piece
		About        template.HTML
		Notes        []note
		Fields       []field
	}
	// piece is a part of a type's name, which may lead to the type.
	piece struct{ Text, Href string }
	// note is what holds of a value beside its type.
	note struct {
		Text   string
		Values []string
	}
)

func (d *renderer) field(name string, s *schema, required bool) field {
	return field{Name: name, Required: required, Type: d.typeOf(s), About: markdown(s.Description), Notes: notesOf(s)}
}

// fields gives the properties of an object, and of the objects in it that have no name of their own.
func (d *renderer) fields(prefix string, s *schema) (all []field) {
	for _, p := range s.Properties {
		name := prefix + p.Name
		if len(p.Value.Properties) == 0 || p.Value.Description != "" {
			all = append(all, d.field(name, &p.Value, slices.Contains(s.Required, p.Name)))
		}
		all = append(all, d.fields(name+".", &p.Value)...)
		if p.Value.Items != nil {
			all = append(all, d.fields(name+"[].", p.Value.Items)...)
		}
	}
	for i := range s.AllOf {
		all = append(all, d.fields(prefix, &s.AllOf[i])...)
	}
	if s.Others.schema != nil {
		all = append(all, d.field(prefix+"*", s.Others.schema, false))
	}
	return all
}

// typeOf says in words what a value is.
func (d *renderer) typeOf(s *schema) []piece {
	var all []piece
	switch {
	case s.Ref != "":
		all = []piece{{lastOf(s.Ref), "#schema-" + lastOf(s.Ref)}}
	case len(s.OneOf) > 0:
		all = d.join(s.OneOf, " or ")
	case len(s.AnyOf) > 0:
		all = d.join(s.AnyOf, " or ")
	case len(s.AllOf) > 0:
		all = d.join(s.AllOf, " and ")
	case s.Items != nil:
		all = append([]piece{{Text: "list of "}}, d.typeOf(s.Items)...)
	case s.Others.schema != nil && len(s.Properties) == 0:
		all = append([]piece{{Text: "object of "}}, d.typeOf(s.Others.schema)...)
	case s.Others.open && len(s.Properties) == 0:
		all = []piece{{Text: "map of anything"}}
	case s.Format != "":
		all = []piece{{Text: s.Type + " (" + s.Format + ")"}}
	case s.Type != "":
		all = []piece{{Text: s.Type}}
	}
	if s.Nullable {
		all = append(all, piece{Text: " or null"})
	}
	return all
}

// join names the parts of a type. Objects without a name are not named: their properties are shown.
func (d *renderer) join(parts []schema, by string) (all []piece) {
	for i := range parts {
		if parts[i].Type == "object" || len(parts[i].AnyOf) > 0 {
			continue
		}
		if len(all) > 0 {
			all = append(all, piece{Text: by})
		}
		all = append(all, d.typeOf(&parts[i])...)
	}
	return all
}

func notesOf(s *schema) (all []note) {
	add := func(text string, values ...jsontext.Value) {
		n := note{Text: text}
		for _, v := range values {
			n.Values = append(n.Values, plain(v))
		}
		all = append(all, n)
	}
	of := s
	if s.Items != nil {
		of = s.Items
	}
	switch {
	case len(of.Enum) == 1:
		add("Always", of.Enum...)
	case len(of.Enum) > 1:
		add("One of", of.Enum...)
	}
	if s.Not != nil && len(s.Not.Enum) > 0 {
		add("None of", s.Not.Enum...)
	}
	for _, span := range []struct {
		least, most jsontext.Value
		one, unit   string
	}{{s.Minimum, s.Maximum, "", ""}, {s.MinLength, s.MaxLength, " character", " characters"}, {s.MinItems, s.MaxItems, " entry", " entries"}} {
		switch {
		case span.least != nil && span.most != nil:
			add("From " + string(span.least) + " to " + string(span.most) + span.unit)
		case string(span.least) == "1":
			add("At least 1" + span.one)
		case span.least != nil:
			add("At least " + string(span.least) + span.unit)
		case span.most != nil:
			add("At most " + string(span.most) + span.unit)
		}
	}
	if s.Pattern != "" {
		all = append(all, note{"Pattern", []string{s.Pattern}})
	}
	if s.Default != nil {
		add("Without it", s.Default)
	}
	if s.Example != nil {
		add("For example", s.Example)
	}
	if s.WriteOnly {
		add("Never part of an answer")
	}
	return all
}
