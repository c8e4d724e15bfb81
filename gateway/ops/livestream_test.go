package ops_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"esagate/internal/browsertest"
)

func TestStreamsComeBack(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	_, before := s.counts()
	s.end()
	s.set(func() { s.items = toFront("alder-press", "down")(s.items) }) // nobody says so
	p.WaitFor(order + `.startsWith("Alder Press")`)
	p.WaitFor(settled)
	if _, opened := s.counts(); opened != before+1 {
		t.Errorf("%d streams were opened after the first had ended; want 1", opened-before)
	}
}

func TestTheGatewayIsAway(t *testing.T) {
	t.Parallel() // it waits
	s, p := newStage(t, browsertest.Desktop)
	p.Expect("503", "htmx:sse:error")
	s.set(func() { s.fault = http.StatusServiceUnavailable })
	s.news <- "resync"
	p.WaitFor(`document.querySelector("#live").textContent.includes("not up to date")`)
	s.end()
	p.WaitFor(`document.querySelector("#live").textContent.includes("read again every 15 s")`)
	p.WaitFor(`document.querySelectorAll(".rows h3").length === 6`) // what is known stays
	s.set(func() { s.fault, s.items = 0, toFront("alder-press", "down")(s.items) })
	p.WaitFor(order + `.startsWith("Alder Press")`)
	p.WaitFor(settled)
}

func TestStreamsAreRefused(t *testing.T) {
	t.Parallel() // it waits
	s, p := newStage(t, browsertest.Desktop)
	p.Expect("429", "htmx:sse:error")
	s.set(func() { s.refusing = http.StatusTooManyRequests })
	s.end()
	p.WaitFor(`document.querySelector("#live").textContent.includes("read again every 15 s")`)
	s.set(func() { s.items = toFront("alder-press", "down")(s.items) })
	p.WaitFor(order + `.startsWith("Alder Press")`)
	p.WaitFor(`document.querySelector("#live").dataset.state === "lost"`)

	// A page that never had a stream asks for one again.
	p.Goto(s.at)
	p.Eval(`window.mark = "the same document"`, nil)
	p.WaitFor(`document.querySelector("#live").textContent.includes("read again every 15 s")`)
	s.set(func() { s.refusing = 0 })
	p.WaitFor(settled)
}

// TestStreamsThatAreNone: what is in front of the gateway may answer in its place, and say that all is well.
func TestStreamsThatAreNone(t *testing.T) {
	t.Parallel() // it waits
	s, p := newStage(t, browsertest.Desktop)
	_, before := s.counts()
	s.set(func() { s.refusing = http.StatusOK })
	s.end()
	p.WaitFor(`document.querySelector("#live").textContent.includes("read again every 15 s")`)
	if _, opened := s.counts(); opened-before > 4 {
		t.Errorf("%d streams were asked for", opened-before)
	}
	s.set(func() { s.refusing = 0 })
	p.WaitFor(settled)
}

func TestASessionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*stage)
	}{
		{"while the stream is open", func(s *stage) { s.news <- "status.changed" }},
		{"and so does its stream", (*stage).end},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, p := newStage(t, browsertest.Desktop)
			p.Expect("401", "htmx:sse:error")
			s.set(func() { s.fault = http.StatusUnauthorized })
			tt.end(s)
			p.WaitFor(`/signed out:\s+sign in again/.test(document.querySelector("#live").innerText)`)
			p.WaitFor(`document.querySelector("#live a").href.endsWith("/ops/sign-in?next=%2Fops")`)
			p.WaitFor(`document.querySelectorAll(".rows h3").length === 6`)
			p.Accessible()
			// Somebody signs in elsewhere, and comes back to the page.
			s.set(func() { s.fault = 0 })
			p.Eval(hide+"hide(true); hide(false)", nil)
			p.WaitFor(settled)
		})
	}
}

// hide has the page believe that it can't be seen, or can again.
const hide = `function hide(yes) {
	Object.defineProperty(document, "hidden", {configurable: true, get: () => yes});
	document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
};`

func TestAHiddenPageIsQuiet(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	p.Eval(hide+"hide(true)", nil)
	p.WaitFor(`document.querySelector("#live").textContent.includes("updates are paused")`)
	before, _ := s.counts()
	s.set(func() { s.items = toFront("alder-press", "down")(s.items) })
	p.Eval(`document.querySelector("#live").dispatchEvent(new CustomEvent("htmx:sse:after:message", {bubbles: true, detail: {}}))`, nil)
	for range 20 { // its timers run, and read nothing
		p.Eval(`new Promise(done => setTimeout(done, 100))`, nil)
	}
	if reads, _ := s.counts(); reads != before {
		t.Errorf("a hidden page read itself %d times", reads-before)
	}
	p.Eval(hide+"hide(false)", nil)
	p.WaitFor(order + `.startsWith("Alder Press")`)
	p.WaitFor(settled)
}

// TestAPageBehindOthers: one that was opened in a tab that nobody has looked at takes no connection.
func TestAPageBehindOthers(t *testing.T) {
	s, p := newStage(t, browsertest.Desktop)
	p.RunFirst(hide + "hide(true)")
	_, before := s.counts()
	p.Goto(s.at)
	p.Eval(`window.mark = "the same document"`, nil)
	p.WaitFor(`window.htmx && document.querySelector("#live").textContent.includes("updates are paused")`)
	p.Eval(`htmx.trigger("#live", "esagate:connect")`, nil)
	for range 5 { // it has had time to ask
		p.Eval(`fetch("/ops")`, nil)
	}
	if _, opened := s.counts(); opened != before {
		t.Errorf("it opened %d streams", opened-before)
	}
	p.Eval("hide(false)", nil)
	p.WaitFor(settled)
	p.Eval("hide(true); hide(false)", nil)
	p.WaitFor(settled)
}

// TestWithoutHtmx: a page that did not get all of its scripts is as useful as one without script, and says that it stays
// as it is.
func TestWithoutHtmx(t *testing.T) {
	s := &stage{items: troubled()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "htmx") {
			w.Header().Set("Content-Type", "text/javascript")
			return
		}
		withAssets(s.serve).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p := browsertest.Open(t, browsertest.Desktop)
	p.Expect("htmx is not defined") // says hx-sse
	p.Goto(server.URL + "/ops")
	p.WaitForText("no live updates")
	p.Accessible()
	p.Press("/granite" + kb.Enter)
	p.WaitFor(`new URLSearchParams(location.search).get("q") === "granite" && document.readyState === "complete"`)
	p.Press("j" + kb.Enter)
	p.WaitFor(`location.pathname.endsWith("/granite-video")`)
}
