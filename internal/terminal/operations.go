package terminal

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"esagate/api"
	"esagate/internal/word"
)

// streamed is the one operation that is no question with an answer: [Watch] follows it.
const streamed = "followEvents"

// Operations are the operations of the contract that a [Client] can call, by tag, path and method: those that want
// a key, without the stream of events.
func Operations() []*api.Operation {
	var all []*api.Operation
	for _, op := range api.Operations() {
		if strings.HasPrefix(op.Path, root+"/") && op.ID != streamed {
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b *api.Operation) int {
		return cmp.Or(strings.Compare(a.Tag, b.Tag), strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return all
}

// Find gives the operations of a name: the one with that operationId, or all that have it as their tag. Its error
// says which name may be meant.
func Find(name string) ([]*api.Operation, error) {
	all := Operations()
	var tags, ids []string
	for _, op := range all {
		tags, ids = append(tags, op.Tag), append(ids, op.ID)
	}
	if i := slices.Index(ids, name); i >= 0 {
		return all[i : i+1], nil
	}
	if slices.Contains(tags, name) {
		return slices.DeleteFunc(all, func(op *api.Operation) bool { return op.Tag != name }), nil
	}
	p := &Problem{text: "there is no operation " + clip(Safe(name), maxTold) + " that can be called"}
	if near := word.Closest(name, append(ids, tags...)); near != "" {
		p.text += ": did you mean " + near + "?"
	}
	return nil, p
}

// List writes a line for each operation, in groups.
func List(out io.Writer, v View, ops []*api.Operation) error {
	var b strings.Builder
	for len(ops) > 0 {
		n := slices.IndexFunc(ops, func(op *api.Operation) bool { return op.Tag != ops[0].Tag })
		if n < 0 {
			n = len(ops)
		}
		var id, path int
		for _, op := range ops[:n] {
			id, path = max(id, len(op.ID)), max(path, len(op.Path)-len(root))
		}
		b.WriteString(style(v.Colour).paint(bold, ops[0].Tag) + "\n")
		for _, op := range ops[:n] {
			line := fmt.Sprintf("  %-*s  %-6s  %-*s  %s", id, op.ID, op.Method, path, strings.TrimPrefix(op.Path, root), op.Summary)
			b.WriteString(v.fit(line) + "\n")
		}
		if ops = ops[n:]; len(ops) > 0 {
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Describe writes what an operation takes.
func Describe(out io.Writer, op *api.Operation) error {
	var o outline
	o.add(0, op.Summary+".", "")
	o.add(0, op.Method+" "+op.Path, "")
	o.add(0, "", "")
	usage := "Usage: esagate call " + op.ID + " [name=value ...]"
	switch {
	case op.NeedsBody:
		usage += " --body FILE|-"
	case op.Body != nil:
		usage += " [--body FILE|-]"
	}
	o.add(0, usage+" [flags of esagate call]", "")
	o.add(0, "", "")
	var headers []string
	for _, p := range op.Parameters {
		switch {
		case p.In == "header" && p.Name != customerHeader:
			headers = append(headers, p.Name)
		case p.In != "header":
			what := kind(p.Schema)
			if p.Name == "esaId" {
				what += "; source=NAME finds it by the sourceId"
			}
			o.add(1, marked(p.Name+"=", p.Required), what)
		}
	}
	if len(headers) > 0 {
		o.add(1, strings.Join(headers, "=, ")+"=", "headers")
	}
	if op.Body != nil {
		o.add(0, "", "")
		o.add(0, "The body (* must be there):", "")
		o.schema(1, op.Body)
	}
	return o.write(out)
}

// outline collects lines of a name and what it stands for.
type outline struct{ lines [][2]string }

// maxNesting bounds how deep schemas are shown: one may hold itself.
const maxNesting = 6

func (o *outline) add(level int, name, what string) {
	o.lines = append(o.lines, [2]string{strings.Repeat("  ", level) + name, what})
}

// schema adds the members of an object, of the elements of a list, or of each choice.
func (o *outline) schema(level int, s *api.Schema) {
	if level > maxNesting {
		return
	}
	for i, c := range s.Choices {
		if len(c.Properties) > 0 {
			o.add(level, map[bool]string{true: "either", false: "or"}[i == 0]+" "+c.Name, "")
			o.schema(level+1, c)
		}
	}
	if s.Items != nil {
		o.schema(level, s.Items)
	}
	for _, p := range s.Properties {
		o.add(level, marked(p.Name, slices.Contains(s.Required, p.Name)), kind(p.Schema))
		o.schema(level+1, p.Schema)
	}
}

func (o *outline) write(out io.Writer) error {
	wide := 0
	for _, l := range o.lines {
		if l[1] != "" {
			wide = max(wide, len(l[0]))
		}
	}
	var b strings.Builder
	for _, l := range o.lines {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %s", wide, l[0], l[1]), " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func marked(name string, required bool) string {
	if required {
		return name + " *"
	}
	return name
}

const orNull = ", or null"

// kind says in a few words what values a schema takes.
func kind(s *api.Schema) string {
	what, null := s.Type, s.Nullable
	switch {
	case len(s.Enum) > 0:
		what = strings.Join(s.Enum, " | ")
	case len(s.Choices) > 0:
		of := map[string]bool{}
		for _, c := range s.Choices {
			choice, nullable := strings.CutSuffix(kind(c), orNull)
			of[choice], null = true, null || nullable
		}
		what = strings.Join(slices.Sorted(maps.Keys(of)), " or ")
	case s.Type == "array":
		what = strings.TrimSuffix("list of "+kind(s.Items), " of ") + span(s.MinItems, s.MaxItems, "")
	case s.Type == "string":
		if s.Format != "" {
			what = s.Format
		}
		what += span(s.MinLength, s.MaxLength, " characters")
		if s.Pattern != "" {
			what += " " + s.Pattern
		}
	}
	what += span(s.Minimum, s.Maximum, "")
	if s.Default != "" {
		what += ", default " + s.Default
	}
	if null {
		what += orNull
	}
	return what
}

// span says the bounds of a number, of so many of something.
func span[N int | int64](least, most *N, of string) string {
	text := func(n *N) string { return strconv.FormatInt(int64(*n), 10) }
	switch {
	case least != nil && most != nil:
		return ", " + text(least) + " to " + text(most) + of
	case least != nil:
		return ", at least " + text(least) + of
	case most != nil:
		return ", at most " + text(most) + of
	}
	return ""
}
