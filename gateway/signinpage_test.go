package gateway_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"esagate/gateway"
	"esagate/internal/browsertest"
	"esagate/internal/sqlitetest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// live serves a world by the real clock at an address of this machine, for a real browser. People sign in at
// the issuer, if there is one. Pages of origins may ask the API.
func live(t *testing.T, i *issuer, origins ...string) (w *world, address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.gateway.ServeHTTP(rw, r) }))
	s := setup{publicURL: "http://" + server.Listener.Addr().String(), database: sqlitetest.File(t), origins: origins}
	if i != nil {
		s.outside, s.oidc = i, i.world().oidc
		s.oidc.Client.RedirectURI = s.publicURL + gateway.CallbackPath
	}
	agent := s.newAgent(&w)
	w = start(t, s, agent)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		w.stop()
		agent.Close()
		w.noCanary()
	})
	return w, server.URL
}

// typeKey types a key into the page for signing in, whose field gets the focus by itself.
func typeKey(p *browsertest.Page, key string) {
	p.WaitFor(`document.activeElement.id === "key"`)
	p.Press(key + kb.Enter)
}

// TestSigningInWithABrowser: by keyboard, after a wrong key, to the page that was asked for; a link from another
// site finds the session, and the way back after signing out does not.
func TestSigningInWithABrowser(t *testing.T) {
	p := browsertest.Open(t, browsertest.Desktop)
	w, address := live(t, nil)
	at := func(path string) {
		t.Helper()
		p.WaitFor(fmt.Sprintf("location.href == %q && document.readyState == 'complete'", address+path))
	}
	p.Goto(address + pageOf)
	at("/ops/sign-in?next=%2Fops%2Fsources%2F4711%2F" + source)
	for _, view := range []browsertest.View{browsertest.Desktop, browsertest.Narrow, {Width: 390, Height: 844, Dark: true}} {
		p.Look(view)
		p.Accessible()
		p.Fits()
	}
	p.Expect("answered with 401: "+address+"/ops/sign-in", "status of 401")
	typeKey(p, "CANARY-wrong")
	p.WaitForText("This key is not valid.")
	p.Accessible()
	typeKey(p, readKey)
	at(pageOf)
	var cookies string
	if p.Eval("document.cookie", &cookies); cookies != "" {
		t.Errorf("scripts see the cookies %q", cookies)
	}

	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><link rel="icon" href="data:,"><a href="%s%s?from=elsewhere">A link</a>
			<form method="post" action="%s%s/deactivate"><button>A trap</button></form>`, address, pageOf, address, pageOf)
	}))
	defer elsewhere.Close()
	other := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) // is another site
	p.Expect("asks somebody else: " + address)
	p.Goto(other)
	p.Click("a")
	at(pageOf + "?from=elsewhere")
	p.WaitForText("Sign out") // the page before, which leads on, has the same address
	p.Expect("answered with 403: "+address+pageOf+"/deactivate", "status of 403")
	p.Goto(other)
	p.Click("button")
	p.WaitForText("This did not come from a page of this gateway")
	if strings.Contains(w.audits(), "operation") {
		t.Error("a page of another site has done something")
	}

	p.Goto(address + pageOf)
	p.WaitForText("Sign out")
	p.Click("form[action='/ops/sign-out'] button")
	at("/ops/sign-in")
	p.Eval("history.back()", nil)
	at("/ops/sign-in?next=%2Fops%2Fsources%2F4711%2F" + source)
}

// TestSigningInAtTheIssuerWithABrowser, whose page is another site: its cookies come along all the same when
// somebody clicks there.
func TestSigningInAtTheIssuerWithABrowser(t *testing.T) {
	p := browsertest.Open(t, browsertest.Desktop)
	i := newIssuer(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		back := i.consent(strings.Split(i.page, "/authorize")[0] + r.URL.RequestURI())
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><link rel="icon" href="data:,"><a href="%s">Consent</a>`, html.EscapeString(back))
	}))
	defer elsewhere.Close()
	i.page = strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + "/authorize"
	w, address := live(t, i)
	p.Expect("asks somebody else: " + address)
	p.Expect("asks somebody else: " + strings.TrimSuffix(i.page, "/authorize"))
	p.Goto(address + pageOf)
	p.Click("a[href*='/ops/sign-in/oidc']")
	p.WaitForText("Consent")
	p.Click("a")
	p.WaitFor(fmt.Sprintf("location.href == %q && document.readyState == 'complete'", address+pageOf))
	p.WaitForText("Sign out")
	p.Goto("about:blank") // the server waits for the page's stream to end
	w.secretsKept(i)
}

// TestPagesOfAnotherPortGetNothing: to the browser they are of the same site, and the cookie comes along. Neither does it
// help that they may ask the API.
func TestPagesOfAnotherPortGetNothing(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!DOCTYPE html><link rel="icon" href="data:,">`)
	}))
	defer elsewhere.Close()
	w, address := live(t, nil, elsewhere.URL)
	p := browsertest.Open(t, browsertest.Desktop) // closed before the gateway, which waits for its stream
	p.Goto(address + "/ops/sign-in")
	typeKey(p, writeKey)
	p.WaitForText("Sign out")
	p.Expect(address)
	p.Goto(elsewhere.URL)
	var got string
	p.Eval(fmt.Sprintf(`(async () => {
		const got = [], source = %q + %q, ops = %q + '/ops';
		for (const mode of ['cors', 'no-cors'])
			for (const [url, how] of [[ops], [ops + '/events'], [source], [source + '/deactivate', {method: 'POST', body: new URLSearchParams()}]])
				got.push(await fetch(url, {...how, mode, credentials: 'include'}).then(() => url, () => 'no'));
		got.push(await new Promise((done) => {
			const stream = new EventSource(ops + '/events', {withCredentials: true});
			stream.onopen = () => done('a stream');
			stream.onerror = () => { stream.close(); done('no'); };
		}));
		return got.join(' ');
	})()`, address, pageOf, address), &got)
	if got != strings.TrimSpace(strings.Repeat("no ", 9)) {
		t.Errorf("a page of another port gets %s", got)
	}
	if strings.Contains(w.audits(), "operation") {
		t.Error("a page of another port has done something")
	}
	p.Goto(address + "/ops")
	p.WaitForText("Sign out")
}
