// Package docs makes a page for people of the contract that is served to programs.
package docs

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/gateway/assets"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"asset": assets.URL}).Parse(pageHTML))

// What the template shows.
type (
	page struct {
		Title, Version string
		About          template.HTML
		Headings       []heading // of About
		Schemes        []field
		Groups         []group
		Answers        []answer // that operations share
		Sent, Headers  []field  // headers that requests share, and those of answers
		Schemas        []field
	}
	heading struct{ ID, Text string }
	group   struct {
		ID, Name   string
		About      template.HTML
		Operations []operationView
	}
	operationView struct {
		ID, Method, Path, Summary string
		About                     template.HTML
		Open                      bool // no key needed
		Parameters, HeaderFields  []field
		Headers                   []piece // of the request, that operations share
		Body                      []content
		BodyRequired              bool
		Answers                   []answer // successes
		Failures                  []failure
		Curl                      string
		Examples                  []sample
	}
	answer struct {
		ID, Status, Name string
		About            template.HTML
		Contents         []content
		Headers          []piece
		HeaderFields     []field // that have no description elsewhere
		Examples         []sample
	}
	failure struct {
		Status, Name, Href string
		About              template.HTML
	}
	content struct {
		Media  string
		Type   []piece
		Fields []field
	}
	sample struct {
		Title, Text string
		Open        bool // is shown without asking
	}
)

// Render makes the page of an OpenAPI document in JSON. Its lines for curl ask the gateway at publicURL.
func Render(document []byte, publicURL string) ([]byte, error) {
	d := &renderer{publicURL: strings.TrimSuffix(publicURL, "/")}
	if err := json.Unmarshal(document, &d.spec); err != nil {
		return nil, fmt.Errorf("docs: the contract can't be read: %w", err)
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, d.page()); err != nil {
		return nil, fmt.Errorf("docs: the page can't be made: %w", err)
	}
	return out.Bytes(), nil
}

// longSample is how many lines of an example are not shown before somebody asks for them.
const longSample = 90

type renderer struct {
	spec
	publicURL string
}

func (d *renderer) page() *page {
	p := &page{Title: d.Info.Title, Version: d.Info.Version}
	p.About, p.Headings = article(d.Info.Description)
	for _, m := range d.Components.Schemes {
		s := m.Value
		name := "Authorization: Bearer …"
		if s.Type == "apiKey" {
			name = s.Name + ": …"
		}
		p.Schemes = append(p.Schemes, field{Name: name, About: markdown(s.Description)})
	}
	for _, t := range d.Tags {
		g := group{ID: "tag-" + t.Name, Name: capitalized(strings.ReplaceAll(t.Name, "-", " ")), About: markdown(t.Description)}
		for _, item := range d.Paths {
			for _, method := range item.Value {
				if slices.Contains(method.Value.Tags, t.Name) {
					g.Operations = append(g.Operations, d.operation(strings.ToUpper(method.Name), item.Name, &method.Value))
				}
			}
		}
		p.Groups = append(p.Groups, g)
	}
	for _, m := range d.Components.Responses {
		if status := d.statusOf(m.Name); !strings.HasPrefix(status, "2") {
			a := d.answer(status, &m.Value)
			a.ID, a.Name = "answer-"+m.Name, m.Name
			for i := range a.Examples {
				a.Examples[i].Open = i == 0
			}
			p.Answers = append(p.Answers, a)
		}
	}
	for _, m := range d.Components.Parameters {
		if f := d.parameter(&m.Value); f.In == "header" {
			f.ID = "parameter-" + m.Name
			p.Sent = append(p.Sent, f)
		}
	}
	for _, m := range d.Components.Headers {
		f := d.field(m.Name, &m.Value.Schema, m.Value.Required)
		f.ID, f.Name, f.About = "header-"+m.Name, d.headerName(m.Name), markdown(m.Value.Description)
		p.Headers = append(p.Headers, f)
	}
	for _, m := range d.Components.Schemas {
		f := d.field(m.Name, &m.Value, false)
		f.ID, f.Fields = "schema-"+m.Name, d.fields("", &m.Value)
		p.Schemas = append(p.Schemas, f)
	}
	return p
}

// statusOf gives the status of an answer that operations share; "" where none has it.
func (d *renderer) statusOf(name string) string {
	for _, item := range d.Paths {
		for _, method := range item.Value {
			for _, r := range method.Value.Responses {
				if lastOf(r.Value.Ref) == name {
					return r.Name
				}
			}
		}
	}
	return ""
}

// headerName gives the name under which answers have a header.
func (d *renderer) headerName(component string) string {
	for _, r := range d.Components.Responses {
		for _, h := range r.Value.Headers {
			if lastOf(h.Value.Ref) == component {
				return h.Name
			}
		}
	}
	return component
}

func (d *renderer) operation(method, path string, op *operation) operationView {
	v := operationView{
		ID: op.ID, Method: method, Path: path, Summary: op.Summary, About: markdown(op.Description),
		Open: op.Security != nil && len(*op.Security) == 0,
	}
	var given []parameter
	for _, p := range op.Parameters {
		component := lastOf(p.Ref)
		if found := find(d.Components.Parameters, p.Ref); found != nil {
			p = *found
		}
		given = append(given, p)
		switch f := d.parameter(&p); {
		case p.In == "header" && component != "":
			v.Headers = append(v.Headers, piece{p.Name, "#parameter-" + component})
		case p.In == "header":
			v.HeaderFields = append(v.HeaderFields, f)
		default:
			v.Parameters = append(v.Parameters, f)
		}
	}
	var sent jsontext.Value
	if op.Body != nil {
		v.BodyRequired = op.Body.Required
		for _, m := range op.Body.Content {
			v.Body = append(v.Body, d.content(m.Name, &m.Value))
			for i, e := range d.samples(&m.Value) {
				if i == 0 { // which the request shows
					sent = jsontext.Value(e.Text)
					continue
				}
				v.Examples = append(v.Examples, sample{Title: "Another body: " + e.Title, Text: e.Text})
			}
		}
	}
	streams := false
	for _, m := range op.Responses {
		r := &m.Value
		if m.Name[0] != '2' {
			v.Failures = append(v.Failures, d.failure(m.Name, r))
			continue
		}
		if found := find(d.Components.Responses, r.Ref); found != nil {
			r = found
		}
		a := d.answer(m.Name, r)
		for i, e := range a.Examples {
			v.Examples = append(v.Examples, sample{a.Status + ": " + e.Title, e.Text, i == 0 && strings.Count(e.Text, "\n") < longSample})
		}
		v.Answers = append(v.Answers, a)
		streams = streams || r.Content.Index("text/event-stream") >= 0
	}
	if op.Body == nil || !op.Body.Required || sent != nil {
		v.Curl = curl(method, d.publicURL+expand(path, given), !v.Open, streams, sent)
	}
	return v
}

func (d *renderer) parameter(p *parameter) field {
	f := d.field(p.Name, &p.Schema, p.Required)
	f.About, f.In = markdown(p.Description), p.In
	if p.Example != nil {
		f.Notes = append(f.Notes, note{"For example", []string{plain(p.Example)}})
	}
	return f
}

// failure names an answer that is no success: one that is described elsewhere, or of the operation's own.
func (d *renderer) failure(status string, r *response) failure {
	f := failure{Status: status, Name: statusText(status), About: markdown(r.Description)}
	if r.Ref != "" {
		f.Href = "#answer-" + lastOf(r.Ref)
	}
	return f
}

func (d *renderer) answer(status string, r *response) answer {
	a := answer{Status: status, Name: statusText(status), About: markdown(r.Description)}
	for _, h := range r.Headers {
		if h.Value.Ref != "" {
			a.Headers = append(a.Headers, piece{h.Name, "#header-" + lastOf(h.Value.Ref)})
			continue
		}
		f := d.field(h.Name, &h.Value.Schema, h.Value.Required)
		f.About = markdown(h.Value.Description)
		a.HeaderFields = append(a.HeaderFields, f)
	}
	for _, m := range r.Content {
		a.Contents = append(a.Contents, d.content(m.Name, &m.Value))
		a.Examples = append(a.Examples, d.samples(&m.Value)...)
	}
	return a
}

func (d *renderer) content(name string, m *media) content {
	c := content{Media: name, Type: d.typeOf(&m.Schema), Fields: d.fields("", &m.Schema)}
	for _, event := range m.Data {
		c.Fields = append(c.Fields, d.field(event.Name, &event.Value, false))
	}
	return c
}

// samples gives the examples of a body, as people read them.
func (d *renderer) samples(m *media) (all []sample) {
	if m.Example != nil {
		all = append(all, sample{Title: "Example", Text: pretty(m.Example)})
	}
	for _, e := range m.Examples {
		one := &e.Value
		if found := find(d.Components.Examples, one.Ref); found != nil {
			one = found
		}
		title := one.Summary
		if title == "" {
			title = capitalized(e.Name)
		}
		all = append(all, sample{Title: title, Text: pretty(one.Value)})
	}
	return all
}

// pretty gives JSON with its members one below the other. Text is given as it is.
func pretty(v jsontext.Value) string {
	if v.Kind() == '"' {
		return strings.TrimSpace(plain(v))
	}
	v = v.Clone()
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return string(v)
	}
	return string(v)
}

// plain gives a scalar without the quotes of JSON, and anything else as JSON.
func plain(v jsontext.Value) string {
	var text string
	if v.Kind() == '"' && json.Unmarshal(v, &text) == nil {
		return text
	}
	return string(v)
}

// lastOf gives the name of a component from a reference.
func lastOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func statusText(status string) string {
	code, _ := strconv.Atoi(status)
	return http.StatusText(code)
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
