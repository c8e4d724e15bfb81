package ops_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/internal/browsertest"
)

// oneSource is a gateway with one source, to which something can be done when a test says so.
type oneSource struct {
	at      string
	release chan struct{} // one for each action

	mu    sync.Mutex
	view  ops.SourceView
	pages int
	asked []string // what was done, and what the form held
}

func newOneSource(t *testing.T) *oneSource {
	s := &oneSource{release: make(chan struct{}), view: aSource()}
	server := httptest.NewServer(withAssets(s.serve))
	s.at = server.URL + s.view.Place().Path()
	t.Cleanup(server.Close)
	return s
}

func (s *oneSource) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ops/events" {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	}
	action := ""
	if r.Method == http.MethodPost {
		_ = r.ParseForm()
		action = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		s.mu.Lock()
		s.asked = append(s.asked, action+" "+r.PostForm.Encode())
		s.mu.Unlock()
		select {
		case <-s.release:
		case <-r.Context().Done():
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
	view := s.view
	view.Form.Once = fmt.Sprint("page-", s.pages)
	switch action {
	case "test-connection":
		view.Outcome, _ = ops.OutcomeOf([]byte(`{"success":true}`))
	case "refresh":
		_, _ = w.Write([]byte("<!DOCTYPE html>"))
		_ = http.NewResponseController(w).Flush() // or browsers ask once more by themselves
		panic(http.ErrAbortHandler)
	case "deactivate":
		view.Outcome = &ops.Outcome{Text: "This can't be done at the moment."}
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(ops.Source(view))
}

// did gives what was done.
func (s *oneSource) did() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, "; ")
}

const open = `document.querySelector("dialog:modal")`

// focusOn waits until what has the focus is called so.
func focusOn(p *browsertest.Page, text string) {
	p.WaitFor(`document.activeElement.innerText === "` + text + `"`)
}

// With the keyboard alone: asked, confirmed, followed while it is done, and told what came of it.
func TestActionByKeyboard(t *testing.T) {
	s := newOneSource(t)
	p := browsertest.Open(t, browsertest.Desktop)
	p.Goto(s.at)
	p.WaitFor(settled)
	p.Eval(`document.querySelector(".crumbs a").focus()`, nil)
	p.Press(kb.Tab)
	focusOn(p, "Test the connection")
	p.Press(kb.Enter)
	p.WaitFor(open + `?.id === "do-test-connection"`)
	p.WaitForText("This can take a minute.")
	p.Accessible()
	p.Press(kb.Escape)
	p.WaitFor("!" + open)
	focusOn(p, "Test the connection")
	p.Press(kb.Enter)
	p.WaitFor(open)
	focusOn(p, "Test the connection")
	var asked string
	const once = `document.querySelector("#do-test-connection [name=once]").value`
	p.Eval(once, &asked)
	p.Press(kb.Enter)
	const button = `document.querySelector("#do-test-connection [data-submit]")`
	p.WaitFor(button + `.getAttribute("aria-busy") === "true"`)
	p.WaitFor(`document.querySelector("#do-test-connection [role=status]").innerText.startsWith("Testing the connection…")`)
	p.WaitFor(button + `.innerText.includes("· 2 s")`)
	p.Press(kb.Enter) // a second time, which does nothing
	p.Eval(`htmx.trigger("#board", "esagate:refresh")`, nil)
	p.WaitFor(`!document.querySelector("#board.htmx-request")`)
	p.WaitFor(open + ` && ` + button + `.getAttribute("aria-busy") === "true"`)
	s.release <- struct{}{}
	p.WaitFor("!" + open)
	p.WaitFor(`document.activeElement.id === "outcome"`)
	p.WaitForText("everything that was tested works.")
	p.Accessible()
	p.WaitFor(button + `.textContent === "Test the connection" && !` + button + `.hasAttribute("aria-busy")`)
	p.WaitFor(once + ` !== "` + asked + `"`) // another test is another request
	if got := s.did(); got != "test-connection once="+asked {
		t.Error(got)
	}
	p.Eval(`htmx.trigger("#board", "esagate:refresh")`, nil) // what came of it stays
	p.WaitFor(`!document.querySelector(".htmx-request")`)
	p.WaitForText("everything that was tested works.")
}

// A failure is shown, and the dialog of what stops selling has its focus on Cancel.
func TestActionThatFailsInABrowser(t *testing.T) {
	s := newOneSource(t)
	p := browsertest.Open(t, browsertest.Narrow)
	p.Expect("503")
	p.Goto(s.at)
	p.WaitFor(settled)
	p.Click(`[commandfor=do-deactivate]`)
	p.WaitFor(open)
	focusOn(p, "Cancel")
	p.Fits()
	p.Accessible()
	p.Click(`#do-deactivate [data-submit]`)
	p.WaitFor(`document.querySelector("#do-deactivate [aria-busy]")`)
	s.release <- struct{}{}
	p.WaitFor("!" + open)
	p.WaitForText("This can't be done at the moment.")
	p.WaitFor(`document.querySelector("#live [role=status]").innerText === "live"`) // the page is up to date all the same
	if got := s.did(); !strings.HasPrefix(got, "deactivate once=page-") || !strings.HasSuffix(got, "&seen=seen-1") {
		t.Error(got)
	}
}

// An action to which no answer comes is not passed over in silence.
func TestActionWithoutAnAnswer(t *testing.T) {
	s := newOneSource(t)
	p := browsertest.Open(t, browsertest.Desktop)
	p.Expect("htmx:error", "net::ERR_INCOMPLETE_CHUNKED_ENCODING")
	p.Goto(s.at)
	p.WaitFor(settled)
	p.Click(`[commandfor=do-refresh]`)
	p.Click(`#do-refresh [data-submit]`)
	s.release <- struct{}{}
	p.WaitFor(open + `?.innerText.includes("No answer came")`)
	p.WaitFor(`!document.querySelector("#do-refresh [aria-busy]")`)
	p.Accessible()
}

// Without a script the forms do the same.
func TestActionWithoutScript(t *testing.T) {
	s := newOneSource(t)
	view := browsertest.Phone
	view.NoScript = true
	p := browsertest.Open(t, view)
	p.Goto(s.at)
	p.Click(`[commandfor=do-test-connection]`)
	p.Click(`#do-test-connection [data-submit]`)
	s.release <- struct{}{}
	p.WaitForText("everything that was tested works.")
	if got := s.did(); got != "test-connection once=page-1" {
		t.Error(got)
	}
}

// What a person has opened stays open when the page is read again.
func TestOpenPartsStayOpen(t *testing.T) {
	s := newOneSource(t)
	p := browsertest.Open(t, browsertest.Desktop)
	p.Goto(s.at)
	p.WaitFor(settled)
	for _, part := range []string{"changes", "done", "raw"} {
		p.Click("#" + part + " > summary")
	}
	p.Click(`[commandfor=do-refresh]`)
	p.WaitFor(open)
	s.mu.Lock()
	s.view.Item.State, s.view.Item.Since = "down", before(0)
	s.view.Item.Issue = &api.OverviewIssue{Code: "ADAPTER_DISCONNECTED", Severity: "critical", Message: "x"}
	s.mu.Unlock()
	p.Eval(`htmx.trigger("#board", "esagate:refresh")`, nil)
	p.WaitForText("nothing can be sold or reported")
	p.WaitFor(`document.querySelectorAll("#changes[open], #done[open], #raw[open]").length === 3 && ` + open + `?.id === "do-refresh"`)
}
