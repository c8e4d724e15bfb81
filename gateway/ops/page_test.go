package ops_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkPage holds a page against what all pages promise: well-formed, with no references to nothing, nothing
// inline, a text for every picture, landmarks and headings in order, and nothing of hostile names as markup.
func checkPage(t *testing.T, page []byte) {
	t.Helper()
	checkTags(t, page)
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	c := pageCheck{t: t, ids: map[string]*html.Node{}, labels: map[string]string{}, count: map[string]int{}}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			c.collect(n)
		}
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			c.element(n)
		}
	}
	for _, one := range []string{"main", "h1", "title"} {
		if c.count[one] != 1 {
			t.Errorf("there are %d %s", c.count[one], one)
		}
	}
}

// void are elements that have no end.
var void = []string{"meta", "link", "input", "br", "hr", "img"}

// checkTags holds that every element is closed in its turn: what html.Parse would put right without a word.
func checkTags(t *testing.T, page []byte) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %s", open)
			}
			return
		case html.StartTagToken:
			token := z.Token()
			names := map[string]bool{}
			for _, a := range token.Attr {
				if names[a.Key] {
					t.Errorf("two %s at a %s", a.Key, token.Data)
				}
				names[a.Key] = true
			}
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if n := len(open); n == 0 || open[n-1] != name {
				t.Fatalf("</%s> within %s", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// pageCheck looks at a page's elements.
type pageCheck struct {
	t      *testing.T
	ids    map[string]*html.Node
	labels map[string]string // by the ids of what they are for
	count  map[string]int
	level  int // of the last heading
}

func (c *pageCheck) collect(n *html.Node) {
	if n.Data != "title" || n.Parent.Data == "head" { // pictures have titles too
		c.count[n.Data]++
	}
	if of, ok := attribute(n, "for"); ok {
		c.labels[of] = c.name(n)
	}
	id, ok := attribute(n, "id")
	if !ok {
		return
	}
	if c.ids[id] != nil || id == "" || strings.ContainsAny(id, " \t\n") {
		c.t.Errorf("the id %q is there twice, or is none", id)
	}
	c.ids[id] = n
}

// references are attributes that hold ids of other elements.
var references = []string{
	"for", "form", "list", "commandfor", "popovertarget", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "aria-details",
}

func (c *pageCheck) element(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on"):
			c.t.Errorf("a %s has %s=%q", n.Data, a.Key, a.Val)
		case slices.Contains(references, a.Key):
			for id := range strings.FieldsSeq(a.Val) {
				if c.ids[id] == nil {
					c.t.Errorf("%s=%q of a %s leads nowhere", a.Key, a.Val, n.Data)
				}
			}
		case (a.Key == "href" || a.Key == "hx-target" || a.Key == "hx-select") && strings.HasPrefix(a.Val, "#"):
			if c.ids[a.Val[1:]] == nil {
				c.t.Errorf("%s=%q of a %s leads nowhere", a.Key, a.Val, n.Data)
			}
		case a.Key == "href" || a.Key == "src" || a.Key == "action":
			if before, _, ok := strings.Cut(a.Val, ":"); ok && before != "https" && before != "http" && !strings.ContainsAny(before, "/?#") {
				c.t.Errorf("%s=%q", a.Key, a.Val)
			}
		}
	}
	switch n.Data {
	case "script":
		if src, ok := attribute(n, "src"); !ok || !strings.HasPrefix(src, "/assets/") || n.FirstChild != nil {
			c.t.Errorf("a script from %q, with text: %t", src, n.FirstChild != nil)
		}
	case "style", "iframe", "object", "embed", "base":
		c.t.Errorf("there is a %s", n.Data)
	case "svg", "img":
		if alt, ok := attribute(n, "alt"); !c.hidden(n) && c.name(n) == "" && (!ok || alt != "") { // an empty alt: it says nothing
			c.t.Errorf("a %s has no text", n.Data)
		}
	case "a", "button":
		if c.name(n) == "" {
			c.t.Errorf("a %s has no text: %v", n.Data, n.Attr)
		}
	case "input", "select", "textarea":
		c.control(n)
	case "h1", "h2", "h3", "h4", "h5", "h6":
		level := int(n.Data[1] - '0')
		if level > c.level+1 {
			c.t.Errorf("%s %q after an h%d", n.Data, c.name(n), c.level)
		}
		c.level = level
	}
}

// control holds that a control of a form has a label.
func (c *pageCheck) control(n *html.Node) {
	if kind, _ := attribute(n, "type"); kind == "hidden" {
		return
	}
	label, _ := attribute(n, "aria-label")
	if id, _ := attribute(n, "id"); label == "" && c.labels[id] == "" {
		c.t.Errorf("a %s has no label: %v", n.Data, n.Attr)
	}
}

func (c *pageCheck) hidden(n *html.Node) bool {
	hidden, _ := attribute(n, "aria-hidden")
	return hidden == "true"
}

// name gives what an element is called: its label or its text.
func (c *pageCheck) name(n *html.Node) string {
	if label, _ := attribute(n, "aria-label"); label != "" {
		return label
	}
	if alt, _ := attribute(n, "alt"); alt != "" {
		return alt
	}
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && !c.hidden(d.Parent) {
			text.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(text.String())
}
