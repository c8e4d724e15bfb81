package gateway_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"esagate/internal/browsertest"
)

// framing serves the page of another origin that shows an address in a frame and says what the framed page tells it.
func framing(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><link rel="icon" href="data:,"><p id="told"></p><script>
			addEventListener("message", e => { if (e.data.type === "psa:navigate") told.textContent = e.data.pathname + e.data.search })
			</script><iframe src="%s" onload="window.loaded = true"></iframe>`, html.EscapeString(r.URL.Query().Get("show")))
	}))
	t.Cleanup(server.Close)
	return server
}

// TestConsoleInABrowser: a link opens the admin UI, whose form, cookies and websocket work; it stands in a frame of an
// allowed origin and of no other, and what it tells there leads back to where its reader is.
func TestConsoleInABrowser(t *testing.T) {
	p := browsertest.Open(t, browsertest.Desktop)
	allowed, other := framing(t), framing(t)
	w, address := live(t, nil, allowed.URL)
	w.identify(source)
	link := func(key, path string) string {
		t.Helper()
		l := w.link(key, launchOf, fmt.Sprintf(`{"path": %q}`, path))
		if !strings.HasPrefix(l, address+"/launch/") {
			t.Fatalf("the link is %s", l)
		}
		return l
	}

	p.Goto(link(writeKey, "/products"))
	p.WaitFor(fmt.Sprintf("location.href == %q", address+meadowPages+"/products?embedded=1"))
	p.WaitForText("You are writer@esagate.invalid, admin.")
	p.Eval(`document.querySelector("[name=name]").focus()`, nil)
	p.Press("Dawn edition" + kb.Enter)
	p.WaitForText("Added Dawn edition.") // which a cookie has said
	var products string
	p.Eval(`String(document.querySelectorAll("main li").length)`, &products)
	p.WaitFor(fmt.Sprintf(`document.getElementById("live").textContent === %q`, products))
	p.WaitFor(`Number(document.getElementById("seen").textContent) > 1`)
	p.WaitFor(`socket.readyState === WebSocket.OPEN`)
	var cookies string
	if p.Eval("document.cookie", &cookies); cookies != "" {
		t.Errorf("scripts see the cookies %q", cookies)
	}
	p.Goto(address + meadowPages + "/") // the sales agent redirects to its own address
	p.WaitFor(fmt.Sprintf("location.href == %q", address+meadowPages))

	p.Expect("asks somebody else: " + address)
	p.Goto(allowed.URL + "/?show=" + link(writeKey, "/products"))
	p.WaitForText(meadowPages + "/products?embedded=1")
	p.Goto(link(writeKey, p.Text("#told")))
	p.WaitFor(fmt.Sprintf("location.href == %q", address+meadowPages+"/products?embedded=1"))

	p.Expect("frame-ancestors", "Refused to frame", "ERR_BLOCKED_BY_RESPONSE")
	p.Goto(other.URL + "/?show=" + link(writeKey, "/products"))
	p.WaitFor("window.loaded")
	if told := p.Text("#told"); told != "" {
		t.Errorf("in a frame of an origin that is not allowed: %s", told)
	}

	p.Expect("WebSocket connection", "answered with 403", "status of 403")
	p.Goto(link(readKey, "/products"))
	p.WaitForText("You are reader@esagate.invalid, viewer.")
	p.Eval(`document.querySelector("[name=name]").focus()`, nil)
	p.Press("Dusk edition" + kb.Enter)
	p.WaitForText("You may look at this and change nothing")
	p.Accessible()
	p.Fits()
	p.Look(browsertest.View{Width: 320, Height: 640, Dark: true})
	p.Accessible()
	p.Fits()
}
