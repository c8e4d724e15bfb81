package docs

import (
	"bytes"
	"html/template"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// writer turns Markdown into HTML. HTML in it is no HTML but text, and addresses that run scripts lead nowhere.
var writer = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(but(parser.DefaultBlockParsers(), parser.NewHTMLBlockParser())...),
		parser.WithInlineParsers(but(parser.DefaultInlineParsers(), parser.NewRawHTMLParser())...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(extension.Table),
)

func but(all []util.PrioritizedValue, html any) []util.PrioritizedValue {
	return slices.DeleteFunc(all, func(p util.PrioritizedValue) bool { return p.Value == html })
}

func markdown(source string) template.HTML {
	if source == "" {
		return ""
	}
	return render(writer.Parser().Parse(text.NewReader([]byte(source))), source)
}

func render(doc ast.Node, source string) template.HTML {
	var out bytes.Buffer
	_ = writer.Renderer().Render(&out, []byte(source), doc) // a buffer does not fail
	return template.HTML(out.String())                      //nolint:gosec // made above, of text that may be anything
}

// article renders a text with headings, each of which gets an id, and lists them.
func article(source string) (template.HTML, []heading) {
	doc := writer.Parser().Parse(text.NewReader([]byte(source)))
	var all []heading
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			words := string(h.Lines().Value([]byte(source)))
			id := "about-" + strings.ToLower(strings.Join(strings.FieldsFunc(words, func(r rune) bool {
				return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
			}), "-"))
			h.SetAttributeString("id", []byte(id))
			all = append(all, heading{id, words})
		}
	}
	return render(doc, source), all
}
