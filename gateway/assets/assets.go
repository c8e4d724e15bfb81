// Package assets holds the files that pages load: style sheets, scripts and icons. The address of
// each carries a hash of what it holds, so that browsers may keep it for good and never mix two versions.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"strings"

	"esagate/api"
)

// Prefix begins the address of every file.
const Prefix = "/assets/"

// Policy is the Content-Security-Policy of every page: what it loads comes from here, nothing is
// inline, and no other page may frame it.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// The scripts of others, unchanged; docs/dependencies.md says which they are.
//
//go:embed files
var embedded embed.FS

// File is a file as it is served.
type File struct {
	*api.Body
	Type []string // Content-Type
}

var (
	files = map[string]*File{}  // by their names in addresses
	urls  = map[string]string{} // by their own names
)

func init() {
	entries, err := fs.ReadDir(embedded, "files")
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, e := range entries {
		content, err := embedded.ReadFile("files/" + e.Name())
		if err != nil {
			panic(err)
		}
		add(e.Name(), content)
	}
	add("htmx.js", bytes.Join([][]byte{Named("htmx-4.0.1.min.js").Plain, Named("hx-sse-4.0.1.min.js").Plain}, []byte("\n")))
}

// add has a file served. "htmx.js" is htmx with its extension in one: htmx begins as soon as it runs and the browser
// has a moment, and where the extension came later than that no stream would ever be opened.
func add(name string, content []byte) {
	ext := path.Ext(name)
	sum := sha256.Sum256(content)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	files[hashed] = &File{Body: api.NewBody(content), Type: []string{typeOf(ext)}}
	urls[name] = Prefix + hashed
}

// typeOf does not ask the system: what it knows differs from machine to machine.
func typeOf(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".ico":
		return "image/vnd.microsoft.icon"
	}
	return mime.TypeByExtension(ext)
}

// URL gives the address of a file by its own name ("base.css"). It panics for a name that there is none
// of: names are written in templates.
func URL(name string) string {
	url, ok := urls[name]
	if !ok {
		panic("assets: no file " + name)
	}
	return url
}

// Get gives a file by the last part of its address; nil: there is none.
func Get(hashed string) *File { return files[hashed] }

// Named gives a file by its own name.
func Named(name string) *File { return Get(strings.TrimPrefix(URL(name), Prefix)) }
