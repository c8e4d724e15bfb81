package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"esagate/internal/browsertest"
)

// signIn opens the wall of a process in a browser, by a key.
func signIn(p *browsertest.Page, base, key string) {
	p.Goto(base + "/ops")
	p.WaitFor(`location.pathname === "/ops/sign-in" && document.activeElement.id === "key"`)
	p.Press(key + kb.Enter)
	p.WaitFor(`location.pathname === "/ops" && document.readyState === "complete"`)
}

// following: the page has its stream of events.
const following = `document.querySelector("#live")?.dataset.state === "live"`

// tabTo presses the tabulator until the element with a text has the focus.
func tabTo(t *testing.T, p *browsertest.Page, text string) {
	t.Helper()
	for range 200 {
		var at string
		if p.Eval(`document.activeElement.textContent.trim()`, &at); at == text {
			return
		}
		p.Press(kb.Tab)
	}
	t.Fatalf("the tabulator does not lead to %q", text)
}

// harbour is the row of the source that scenes are played on.
const harbour = `document.querySelector("#s-4210-harbour-news")`

// TestWallInABrowser is what an operator does and sees, with the keyboard alone.
func TestWallInABrowser(t *testing.T) {
	d := startDemo(t, nil, nil, "--address", "127.0.0.1:0")
	p := browsertest.Open(t, browsertest.Desktop)
	p.Expect("answered with 401", "status of 401") // of the wrong key
	p.Goto(d.base + "/ops")
	p.WaitFor(`document.activeElement.id === "key"`)
	p.Accessible()
	p.Press("not-a-key" + kb.Enter)
	p.WaitFor(`document.querySelector("[role=alert]")?.textContent.includes("not valid")`)
	p.Accessible()
	signIn(p, d.base, demoOperator)
	p.WaitFor(following)
	p.WaitFor(`document.querySelectorAll(".rows > li").length >= 3`)
	p.Eval(`window.mark = "the same document"`, nil)

	d.play("ad-server-refusing")
	p.WaitFor(harbour + `?.querySelector(".word").textContent === "Down"`)
	p.WaitFor(harbour + `.dataset.note === "changed"`)
	p.Accessible()
	d.play("agent-unplugged")
	p.WaitFor(`document.querySelector(".lead.away")`)
	p.Accessible()
	d.play("start")
	p.WaitFor(`!document.querySelector(".lead.away") && !(` + harbour + `)`)
	p.WaitFor(`window.mark === "the same document"`)

	p.Press("/")
	p.WaitFor(`document.activeElement.id === "q"`)
	p.Press("summit" + kb.Enter)
	p.WaitFor(`new URLSearchParams(location.search).get("q") === "summit" && document.readyState === "complete"`)
	p.WaitFor(following)
	p.WaitFor(`document.querySelectorAll(".rows > li").length === 1`)
	p.Press("j" + kb.Enter)
	p.WaitFor(`location.pathname.endsWith("/summit-sports") && document.readyState === "complete"`)
	p.WaitFor(following)
	p.Accessible()
	p.Eval(`window.mark = "the same document"`, nil)
	tabTo(t, p, "Test the connection")
	p.Press(kb.Enter)
	p.WaitFor(`document.querySelector("#do-test-connection").open`)
	p.Accessible()
	p.Press(kb.Escape)
	p.WaitFor(`!document.querySelector("#do-test-connection").open`)
	p.Press(kb.Enter)
	p.WaitFor(`document.querySelector("#do-test-connection").open`)
	tabTo(t, p, "Test the connection")
	p.Press(kb.Enter)
	p.WaitFor(`document.querySelector("#do-test-connection [data-submit]")?.ariaBusy === "true"`)
	p.WaitFor(`document.querySelector("#outcome") && !document.querySelector("dialog[open]")`)
	p.WaitFor(`document.activeElement.id === "outcome" && window.mark === "the same document"`)
	p.Accessible()
	tabTo(t, p, "Sign out")
	p.Press(kb.Enter)
	p.WaitFor(`location.pathname === "/ops/sign-in"`)
	p.Goto(d.base + "/ops")
	p.WaitFor(`location.pathname === "/ops/sign-in"`)
}

// TestWallWithoutScript: pages are whole without script, and so are actions.
func TestWallWithoutScript(t *testing.T) {
	d := startDemo(t, nil, nil, "--address", "127.0.0.1:0")
	view := browsertest.Desktop
	view.NoScript = true
	p := browsertest.Open(t, view)
	signIn(p, d.base, demoKey)
	p.WaitFor(`document.querySelectorAll(".rows > li").length >= 2 && document.querySelector("#live").hidden`)
	p.Click("#s-4210-summit-sports h3 a")
	p.WaitFor(`location.pathname.endsWith("/summit-sports") && document.readyState === "complete"`)
	p.Click("[commandfor=do-refresh]")
	p.Click("#do-refresh [data-submit]")
	p.WaitFor(`document.querySelector("#outcome")?.textContent.includes("syncs have been started")`)
}

// TestAKeyIsRevokedUnderAPage: a page whose key is revoked says so, and keeps what it shows.
func TestAKeyIsRevokedUnderAPage(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	g := start(t, env, "serve", "--config", config)
	key, _ := good(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "wall")
	p := browsertest.Open(t, browsertest.Desktop)
	p.Expect("401", "htmx:sse:error")
	signIn(p, g.base, strings.TrimSpace(key))
	p.WaitFor(following)
	list, _ := good(t, env, "key", "list", "--config", config)
	id := found(t, list, `(?m)^(\d+)\s+4711\s+wall\s`)
	good(t, env, "key", "revoke", "--config", config, id)
	p.WaitFor(`document.querySelector("#live").dataset.state === "out"`)
	p.WaitFor(fmt.Sprintf(`document.querySelector("#live a").getAttribute("href") === %q`, "/ops/sign-in?next=%2Fops"))
	p.WaitFor(`document.querySelector("h1") && location.pathname === "/ops"`)
}

// TestARestartUnderAPage: a page finds the gateway again after its restart, and its session goes on.
func TestARestartUnderAPage(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	g := start(t, env, "serve", "--config", config)
	p := browsertest.Open(t, browsertest.Desktop)
	p.Expect("htmx:sse:error", "htmx:error", "net::ERR_", "Failed to fetch", "answered with 503", "status of 503")
	key, _ := good(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "wall")
	signIn(p, g.base, strings.TrimSpace(key))
	p.WaitFor(following)
	p.Eval(`window.mark = "the same document"`, nil)
	g.stop()
	p.WaitFor(`document.querySelector("#live").dataset.state === "lost"`)
	start(t, env, "serve", "--config", config, "--address", strings.TrimPrefix(g.base, "http://"))
	p.WaitFor(following)
	p.WaitFor(`window.mark === "the same document" && location.pathname === "/ops"`)
}
