package gateway

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"

	"esagate/internal/fault"
)

//go:embed consentpage.html
var consentHTML string

//go:embed consentpage.css
var consentCSS string

var consentTemplate = template.Must(template.New("consent").Parse(consentHTML))

// consentPolicy lets the page use its one style sheet, and nothing else.
var consentPolicy = func() []string {
	sum := sha256.Sum256([]byte(consentCSS))
	return []string{"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
}()

var (
	htmlType   = []string{"text/html; charset=utf-8"}
	noReferrer = []string{"no-referrer"}
	denyFrames = []string{"DENY"}
)

// consentView is what the page shows: sentences of ours alone.
type consentView struct {
	Title, Text, Class, Mark, RequestID string
	Style                               template.CSS
}

// consentPage answers a person, with the status that a program would have got.
func (g *Gateway) consentPage(w http.ResponseWriter, r *request, err error) {
	status := http.StatusOK
	view := consentView{
		Title: "The agent is connected", Class: "good", Mark: "\u2713", RequestID: r.id,
		Text: "You can close this page and go on where you came from.", Style: template.CSS(consentCSS), //nolint:gosec // ours
	}
	h := w.Header()
	if err != nil {
		f := fault.As(err)
		r.failure = f
		status = answerOf[f.Kind].status
		view.Title, view.Class, view.Mark, view.Text = "The agent could not be connected", "bad", "\u2715", f.Message
		setRetryAfter(h, f)
	}
	var page bytes.Buffer
	if err := consentTemplate.Execute(&page, view); err != nil { // strings into a fixed template: can't fail
		panic(err)
	}
	h["Content-Security-Policy"] = consentPolicy
	h["X-Frame-Options"] = denyFrames
	writeUncached(w, r, status, htmlType, page.Bytes())
}
