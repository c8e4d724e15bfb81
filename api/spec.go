package api

import (
	"bytes"
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Specification is the published contract.
type Specification struct {
	YAML, JSON *Body
}

// Spec gives the contract as a gateway serves it that answers in one of the two forms (contract
// 8.1): the schemas and examples of its successes are of that form alone.
func Spec(envelope bool) *Specification {
	if envelope {
		return wrappedSpec()
	}
	return bareSpec()
}

//go:embed openapi.yaml
var openAPI []byte

//go:embed envelope.yaml
var envelopeParts []byte

var (
	bareSpec    = sync.OnceValue(func() *Specification { return published(func(*yaml.Node) {}) })
	wrappedSpec = sync.OnceValue(func() *Specification { return published(wrap) })
)

// published gives the contract without x-upstream, in a form.
func published(form func(doc *yaml.Node)) *Specification {
	doc := parse[yaml.Node](openAPI)
	strip(doc)
	form(doc.Content[0])
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	_ = enc.Encode(doc) // a buffer does not fail
	_ = enc.Close()
	return &Specification{YAML: NewBody(text.Bytes()), JSON: NewBody(Encode(plain(doc)))}
}

// strip takes x-upstream out of a node.
func strip(n *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "x-upstream" {
			n.Content = slices.Delete(n.Content, i, i+2)
			break
		}
	}
	for _, inner := range n.Content {
		strip(inner)
	}
}

// parse reads what is embedded, which the tests of this package hold to be readable.
func parse[T any](text []byte) *T {
	v := new(T)
	if err := yaml.Unmarshal(text, v); err != nil {
		panic("api: an embedded file can't be read: " + err.Error())
	}
	return v
}

// plain gives a node as Encode writes it: members keep their order.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.MappingNode:
		object := Members[any]{}
		for name, value := range members(n) {
			object = append(object, Member[any]{name, plain(value)})
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = plain(item)
		}
		return list
	}
	var scalar any
	_ = n.Decode(&scalar) // any scalar is something
	return scalar
}

// members goes through a mapping. Without one there are none.
func members(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// at follows names into mappings; nil where there is no such member.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		var found *yaml.Node
		for member, value := range members(n) {
			if member == name {
				found = value
			}
		}
		n = found
	}
	return n
}

// wrapping turns the contract into its enveloped form.
type wrapping struct {
	doc, schemas *yaml.Node
	done         map[*yaml.Node]bool // answers and examples that are in the form
}

// wrap turns the contract into its enveloped form: the successes of all operations that need a key.
func wrap(doc *yaml.Node) {
	parts := parse[struct {
		Description string
		Schemas     yaml.Node
	}](envelopeParts)
	description := at(doc, "info", "description")
	description.Value = description.Value[:strings.LastIndex(description.Value, "## ")] + parts.Description
	w := wrapping{doc, at(doc, "components", "schemas"), map[*yaml.Node]bool{}}
	for _, item := range members(at(doc, "paths")) {
		for _, operation := range members(item) {
			if at(operation, "security") != nil {
				continue // no key: the gateway itself answers
			}
			for status, response := range members(at(operation, "responses")) {
				if strings.HasPrefix(status, "2") {
					w.response(w.resolve(response))
				}
			}
		}
	}
	w.schemas.Content = append(w.schemas.Content, parts.Schemas.Content...)
}

// resolve follows a reference.
func (w *wrapping) resolve(n *yaml.Node) *yaml.Node {
	if ref := at(n, "$ref"); ref != nil {
		return at(w.doc, strings.Split(strings.TrimPrefix(ref.Value, "#/"), "/")...)
	}
	return n
}

// response wraps a success that is a document. One that names other pages says so in the body too.
func (w *wrapping) response(response *yaml.Node) {
	media := at(response, "content", "application/json")
	if media == nil || w.done[response] {
		return
	}
	w.done[response] = true
	paged := at(response, "headers", "Link") != nil
	ref := at(media, "schema", "$ref")
	document := ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
	name := "Enveloped" + document
	if at(w.schemas, name) == nil {
		forms := parse[struct{ Document, Page yaml.Node }](bytes.ReplaceAll(envelopeParts, []byte("DOCUMENT"), []byte(document)))
		form := &forms.Document
		if paged {
			form = &forms.Page
		}
		w.schemas.Content = append(w.schemas.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, form)
	}
	ref.Value = strings.TrimSuffix(ref.Value, document) + name
	for _, example := range members(at(media, "examples")) {
		w.example(at(w.resolve(example), "value"), paged)
	}
}

// example wraps a document.
func (w *wrapping) example(value *yaml.Node, paged bool) {
	if w.done[value] {
		return
	}
	envelope := "data:\nerror: null\n"
	if paged {
		total := strconv.Itoa(len(value.Content)) // of a list
		if n := at(value, "total"); n != nil {
			total = n.Value
		}
		envelope += "meta:\n  pagination: {skip: 0, take: 200, total: " + total + ", hasMore: false}\n"
	}
	document := *value
	*value = *parse[yaml.Node]([]byte(envelope)).Content[0]
	*at(value, "data") = document
	w.done[value] = true
}
