// Package shapetest makes documents for tests, from the contract's schemas: those that the sales agent answers with, and
// those that callers send; and plants faults in them.
package shapetest

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/internal/word"
)

// Canary is in everything that [Mutate] plants and that may come out only where the contract passes what it does not know.
const Canary = "CANARY"

// Upstream gives a document of the sales agent, as a schema of the contract says that it is.
func Upstream(t *rapid.T, s *api.Schema) []byte { return generator{t, true, spacing(t)}.value(nil, s) }

// Body gives a value as the contract has it: a caller's body, or what the gateway composes.
func Body(t *rapid.T, s *api.Schema) []byte { return generator{t, false, spacing(t)}.value(nil, s) }

// Name gives the sales agent's name of a property.
func Name(p api.Property) string { return cmp.Or(p.Schema.Upstream.Name, word.Snake(p.Name)) }

// generator makes one document.
type generator struct {
	t        *rapid.T
	upstream bool   // in the sales agent's names
	space    string // behind commas and colons
}

func spacing(t *rapid.T) string { return rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space") }

func draw[T any](g generator, name string, from *rapid.Generator[T]) T { return from.Draw(g.t, name) }

func pick[T any](g generator, name string, from ...T) T {
	return draw(g, name, rapid.SampledFrom(from))
}

// one reports true once in so many times.
func (g generator) one(in int) bool { return draw(g, "one", rapid.IntRange(1, in)) == 1 }

func (g generator) value(b []byte, s *api.Schema) []byte {
	if s.Nullable && g.one(4) {
		return append(b, "null"...)
	}
	if len(s.Choices) > 0 {
		choice := pick(g, "choice", s.Choices...)
		if s.Choices[0].Type == "object" { // package shape reads such a document by the first
			choice = s.Choices[0]
		}
		return g.value(b, choice)
	}
	switch s.Type {
	case "object":
		if open := s.AdditionalProperties; open != nil && *open {
			return g.mapping(b, s)
		}
		return g.object(b, s)
	case "array":
		return g.list(b, s)
	case "string":
		return g.text(b, s)
	case "integer":
		least, most := int64(-1<<53+1), int64(1<<53-1)
		if s.Minimum != nil {
			least = *s.Minimum
		}
		if s.Maximum != nil {
			most = *s.Maximum
		}
		return strconv.AppendInt(b, draw(g, "integer", rapid.Int64Range(least, most)), 10)
	case "number":
		return append(b, g.number()...)
	case "boolean":
		return strconv.AppendBool(b, draw(g, "boolean", rapid.Bool()))
	}
	return g.anything(b, 3)
}

func (g generator) number() string {
	return pick(g, "number", "0", "-1.50", "1e2", "12345678.000001", "0.1", "3.0", "99999999999999")
}

func (g generator) object(b []byte, s *api.Schema) []byte {
	var members [][]byte
	for _, p := range s.Properties {
		required := slices.Contains(s.Required, p.Name)
		switch {
		case g.upstream && p.Schema.Upstream.Given:
			continue
		case required && !(g.upstream && p.Schema.Upstream.Default.Kind != 0 && g.one(4)):
		case g.one(4):
			continue
		case g.upstream && g.one(8): // where null is not allowed, it is as good as absent
			members = append(members, append(g.name(nil, Name(p)), "null"...))
			continue
		}
		name := p.Name
		if g.upstream {
			name = Name(p)
		}
		members = append(members, g.value(g.name(nil, name), p.Schema))
	}
	if g.upstream {
		for _, name := range s.Upstream.Drops.List {
			members = append(members, g.anything(g.name(nil, name), 1))
		}
		if s.Upstream.Drops.All {
			members = append(members, g.anything(g.name(nil, "any_other"), 1))
		}
	}
	return g.braced(b, members)
}

// braced writes an object of members, in any order.
func (g generator) braced(b []byte, members [][]byte) []byte {
	if len(members) > 1 && g.one(2) {
		members = draw(g, "order", rapid.Permutation(members))
	}
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(append(b, ','), g.space...)
		}
		b = append(b, m...)
	}
	return append(b, '}')
}

func (g generator) name(b []byte, name string) []byte {
	return append(append(quote(b, name), ':'), g.space...)
}

func (g generator) list(b []byte, s *api.Schema) []byte {
	least, most := 0, math.MaxInt
	if s.MinItems != nil {
		least = *s.MinItems
	}
	if s.MaxItems != nil {
		most = *s.MaxItems
	}
	b = append(b, '[')
	for i := range draw(g, "entries", rapid.IntRange(least, min(least+3, most))) {
		if i > 0 {
			b = append(append(b, ','), g.space...)
		}
		b = g.value(b, s.Items)
	}
	return append(b, ']')
}

func (g generator) text(b []byte, s *api.Schema) []byte {
	switch {
	case len(s.Enum) > 0:
		return quote(b, pick(g, "enum", s.Enum...))
	case s.Format == "date-time":
		return quote(b, pick(g, "moment", "2026-05-04T03:02:01Z", "2026-05-04T03:02:01.123456+02:00", "2026-05-04T03:02:01", "2026-12-31T23:59:59.9-0530"))
	case s.Format == "date":
		return quote(b, pick(g, "day", "2026-05-04", "2024-02-29"))
	case s.Format == "decimal":
		return quote(b, pick(g, "decimal", "0", "10.000000", "-5.5", "+1", ".5", "99999999999999.999999"))
	case s.Upstream.Text == "word":
		return quote(b, pick(g, "word", "missing_field", "E-17", "on_track"))
	case s.Upstream.Text == "treated":
		return quote(b, pick(g, "sentence", "The field is missing.", "HTTP 503 (status=503)", "", "two\nlines", "token=a9f8e7d6c5"))
	}
	least, most := 0, 24
	if s.MinLength != nil {
		least = *s.MinLength
	}
	if s.MaxLength != nil {
		most = min(most, *s.MaxLength)
	}
	if s.Pattern != "" {
		return quote(b, draw(g, "form", rapid.StringMatching(s.Pattern).Filter(func(text string) bool {
			n := utf8.RuneCountInString(text)
			return least <= n && n <= most && strings.IndexByte(text, 0) < 0
		})))
	}
	return quote(b, g.string(least, most))
}

func (g generator) string(least, most int) string {
	runes := rapid.OneOf(rapid.RuneFrom([]rune(`abcXYZ019_- "\/<&é漢🌧`)), rapid.Rune().Filter(func(r rune) bool { return r != 0 }))
	return draw(g, "text", rapid.StringOfN(runes, least, most, -1))
}

// mapping gives an object whose members are data.
func (g generator) mapping(b []byte, s *api.Schema) []byte {
	names := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
		return generator{t, g.upstream, ""}.string(0, 8)
	}), 0, 3, rapid.ID[string])
	all := draw(g, "names", names)
	if keys := s.Upstream.Keys; keys != nil {
		for range 3 {
			if key := pick(g, "key", keys...); !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	var members [][]byte
	for _, name := range all {
		members = append(members, g.anything(g.name(nil, name), 3))
	}
	return g.braced(b, members)
}

// anything gives a value of so many levels at most.
func (g generator) anything(b []byte, levels int) []byte {
	switch kind := draw(g, "kind", rapid.IntRange(0, 6)); {
	case kind == 0:
		return append(b, "null"...)
	case kind == 1:
		return append(b, pick(g, "truth", "true", "false")...)
	case kind == 2:
		return append(b, g.number()...)
	case kind == 3 && levels > 1:
		return g.braced(b, [][]byte{g.anything(g.name(nil, "keyId"), levels-1), g.anything(g.name(nil, "key_id"), levels-1)})
	case kind == 4 && levels > 1:
		return append(g.anything(append(b, '['), levels-1), ']')
	}
	return quote(b, g.string(0, 12))
}

func quote(b []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("shapetest: " + err.Error())
	}
	return append(b, quoted...)
}
