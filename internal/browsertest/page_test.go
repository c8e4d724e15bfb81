package browsertest

import (
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"

// serve serves a page with a script.
func serve(t *testing.T, body, script string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">%s</head><body>%s</body></html>`,
			`<script src="/script.js" defer></script>`, body)
	})
	mux.HandleFunc("GET /script.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, script)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

const goodBody = `<main><h1>Good</h1><label>Name <input id="name"></label> <p id="out">waiting</p></main>`

func TestAGoodPageHasNoComplaints(t *testing.T) {
	p := Open(t, Desktop)
	p.Goto(serve(t, goodBody, `document.querySelector("input").addEventListener("input", e =>
		setTimeout(() => { document.querySelector("#out").textContent = "hello " + e.target.value }, 100))`))
	p.Click("#name")
	p.Press("Ada")
	p.WaitForText("hello Ada")
	p.Press(kb.Backspace)
	p.WaitFor(`document.querySelector("#out").textContent === "hello Ad"`)
	p.Accessible()
	p.Fits()
	if got := p.Complaints(); len(got) > 0 {
		t.Errorf("complaints: %q", got)
	}
}

func TestWhatAPageDoesWrongIsFound(t *testing.T) {
	const fine = `<main><h1>Fine</h1></main>`
	for _, tt := range []struct{ name, body, script, want string }{
		{"an error in the console", fine, `console.error("oh", {a: 1}, "no")`, "console: oh Object no"},
		{"a warning in the console", fine, `console.warn("careful")`, "console: careful"},
		{"an exception", fine, `throw new Error("thrown away")`, "thrown away"},
		{"a promise that nobody looks after", fine, `Promise.reject(new Error("forsaken"))`, "forsaken"},
		{"a script in the page", fine + `<script>1</script>`, ``, "the policy blocks inline by script-src-elem"},
		{"a style in the page", `<main><h1 style="color: red">Red</h1></main>`, ``, "the policy blocks inline by style-src-attr"},
		{"eval", fine, `try { eval("1") } catch {}`, "the policy blocks eval by script-src"},
		{"a file that there is none of", fine, `fetch("/missing")`, "answered with 404"},
		{"a picture of somebody else", fine + `<img alt="" src="http://example.org/a.png">`, ``, "http://example.org/a.png"},
		{"a request to somebody else", fine, `fetch("http://example.org/").catch(() => {})`, "http://example.org/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Open(t, Desktop)
			p.Goto(serve(t, tt.body, tt.script))
			p.WaitFor(`document.readyState === "complete"`)
			found := func() bool {
				return slices.ContainsFunc(p.Complaints(), func(c string) bool { return strings.Contains(c, tt.want) })
			}
			for range 100 { // the browser may say it a little later than the page is there
				if found() {
					break
				}
				p.WaitFor("new Promise(done => setTimeout(() => done(true), 20))")
			}
			if !found() {
				t.Errorf("complaints %q lack %q", p.Complaints(), tt.want)
			}
			p.Expect("")
			if got := p.Complaints(); len(got) > 0 {
				t.Errorf("expected, and still complained of: %q", got)
			}
		})
	}
}

func TestAxeFindsWhatIsNotAccessible(t *testing.T) {
	if os.Getenv(axeEnv) == "" {
		t.Skip(noAxe)
	}
	p := Open(t, Desktop)
	p.Goto(serve(t, `<main><h1>Bad</h1><input id="nameless"></main>`, ""))
	if got := fmt.Sprint(p.violations(allRules)); !strings.Contains(got, "#nameless") {
		t.Errorf("axe finds %s, and not the field without a label", got)
	}
	p.Eval(`document.querySelector("h1").style.color = "#eee"`, nil)
	if got := fmt.Sprint(p.violations(ofLook)); !strings.Contains(got, "color-contrast") || strings.Contains(got, "#nameless") {
		t.Errorf("axe finds %s; want the pale heading alone", got)
	}
}

func TestViews(t *testing.T) {
	at := serve(t, goodBody+`<noscript>no script</noscript>`, `document.querySelector("#out").textContent = "ran"`)
	for _, tt := range []struct {
		name string
		view View
		want string
	}{
		{"desktop", Desktop, "1200x980 false false ran"},
		{"phone, dark", View{Width: 390, Height: 844, Dark: true}, "390x844 true false ran"},
		{"still, no script", View{Width: 320, Height: 640, Still: true, NoScript: true}, "320x640 false true waiting"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Open(t, tt.view)
			p.Goto(at)
			var got string
			p.Eval("`${innerWidth}x${innerHeight} ${matchMedia('(prefers-color-scheme: dark)').matches} "+
				"${matchMedia('(prefers-reduced-motion: reduce)').matches} ${document.querySelector('#out').textContent}`", &got)
			if got != tt.want {
				t.Errorf("the page is looked at as %q; want %q", got, tt.want)
			}
		})
	}
}

func TestScreenshotIsOfTheWholePage(t *testing.T) {
	p := Open(t, Phone)
	p.Goto(serve(t, `<main><h1>Long</h1><svg width="10" height="2000"></svg></main>`, ""))
	name := filepath.Join(t.TempDir(), "pictures", "long.png")
	p.Screenshot(name)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := png.DecodeConfig(f)
	if err != nil || c.Width != 390 || c.Height < 2000 {
		t.Errorf("the picture is %dx%d (%v)", c.Width, c.Height, err)
	}
}

func TestPagesHaveCookiesOfTheirOwn(t *testing.T) {
	at := serve(t, goodBody, "")
	var cookies string
	p := Open(t, Desktop)
	p.Goto(at)
	p.Eval(`document.cookie = "a=1"`, nil)
	other := Open(t, Desktop)
	other.Goto(at)
	if other.Eval("document.cookie", &cookies); cookies != "" {
		t.Errorf("another page has the cookies %q", cookies)
	}
}

func TestTheBrowserLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	Stop() // so that the next page starts another one, here
	p := Open(t, Desktop)
	p.Goto(serve(t, goodBody, ""))
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "browsertest-*")); len(left) != 1 {
		t.Fatalf("the profiles are %q", left)
	}
	Stop()
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestProfilesOfTheDeadAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	for id, stays := range map[int]bool{dead.Process.Pid: false, os.Getpid(): true} {
		folder := filepath.Join(os.TempDir(), fmt.Sprintf("browsertest-%d-123", id))
		if err := os.MkdirAll(filepath.Join(folder, "Default"), 0o700); err != nil {
			t.Fatal(err)
		}
		sweep()
		if _, err := os.Stat(folder); (err == nil) != stays {
			t.Errorf("the profile of process %d: %v", id, err)
		}
	}
}
