package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"
)

// Failure is a page in place of one of the admin UI's (contract 13.6). It loads nothing: it may stand in a frame of
// another site's page, at a host that has no files.
type Failure struct {
	Title     string
	Message   string // a sentence or two
	Retry     int    // in so many seconds it is worth trying again; 0: that is not known
	RequestID string
}

//go:embed failure.html
var failureSource string

var failureTemplate = template.Must(template.New("failure").Parse(failureSource))

// FailurePolicy is the Content-Security-Policy of such pages, but for who may frame them.
var FailurePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" + styleHash() + "'"

// styleHash gives the hash by which browsers know the page's style.
func styleHash() string {
	_, rest, _ := strings.Cut(failureSource, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// HTML gives the page.
func (f Failure) HTML() []byte {
	var page bytes.Buffer
	if err := failureTemplate.Execute(&page, f); err != nil {
		panic(err) // the template does not fit, which tests find
	}
	return page.Bytes()
}
