// Package ops makes the operators' pages: HTML from views, which say how sources stand. It asks
// nobody: what a page shows, its caller has gathered.
package ops

import (
	"bytes"
	"embed"
	"html/template"
	"time"

	"esagate/gateway/assets"
)

// Page is what every page has around its own part.
type Page struct {
	Title     string
	Viewer    *Viewer // nil: nobody is signed in
	RequestID string
	Now       time.Time
	Events    string // where the events are that keep the page up to date; "": it stays as it is
}

// Viewer is a person who has signed in.
type Viewer struct {
	Name       string // of their key or token
	CustomerID int64  // whose sources they see; 0 of an operator who sees all customers'
	Operator   bool
	Write      bool // they may test, refresh and switch sources
}

//go:embed *.html
var sources embed.FS

// functions are what all templates may call.
var functions = template.FuncMap{"asset": assets.URL}

// parse makes the template of a page: the layout with the page's own parts. What is to be kept up to date of a page
// that follows events is its element #board.
func parse(names ...string) *template.Template {
	return template.Must(template.New("layout").Funcs(functions).Funcs(words).Funcs(looks).ParseFS(sources, append([]string{"layout.html", "live.html"}, names...)...))
}

// render gives a page. A template that does not fit its view is a fault of the program, which the
// tests of all pages find.
func render(t *template.Template, view any) []byte {
	var page bytes.Buffer
	if err := t.ExecuteTemplate(&page, "layout", view); err != nil {
		panic(err)
	}
	return page.Bytes()
}
