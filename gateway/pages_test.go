package gateway_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"esagate/gateway"
)

// publicPages are those that need no session. A page that is not listed must be refused without one.
var publicPages = []string{"/ops/sign-in", "/ops/sign-in/oidc", "/ops/callback", "/ops/sign-out"}

// eachPage calls f for each row of the table of pages, with a path to ask for.
func (w *world) eachPage(f func(t testing.TB, route gateway.Route, path string)) {
	w.Helper()
	for _, route := range gateway.Pages() {
		path := strings.NewReplacer("{customerId}", "4711", "{sourceId}", source).Replace(route.Path)
		w.named(route.Method+" "+path, func(t testing.TB) { f(t, route, path) })
	}
}

// recorded gives what the audits of all customers say.
func (w *world) audits() string {
	w.Helper()
	var all strings.Builder
	for _, id := range []int64{customer, stranger} {
		all.Write(w.send(request("GET", "/audit", deskKey, "", forCustomer(id)...)).body)
	}
	return all.String()
}

// guarded wants the headers that keep a page from being framed, leaked, stored and mixed with others' scripts.
func guarded(t testing.TB, a answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Credentials": "",
		"Strict-Transport-Security": "max-age=31536000",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%d with %s: %q, want %q", a.status, name, got, want)
		}
	}
	if a.header.Get("X-Request-Id") == "" {
		t.Errorf("%d without a request id", a.status)
	}
}

// TestEveryPageIsGuarded, also one that will be added: without a session it leads to the page for signing in,
// whatever key comes with it, and the sales agent is not asked.
func TestEveryPageIsGuarded(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://app.example"}}, func(w *world) {
		_, cookie := w.signedIn(readKey).session()
		synctest.Wait() // what goes on in the background asks too; until the clock moves it asks no more
		calls := w.agent.Calls("")
		w.eachPage(func(t testing.TB, route gateway.Route, path string) {
			nobody := w.browser()
			public := slices.Contains(publicPages, route.Path)
			for _, headers := range [][]string{
				nil, {"Authorization", "Bearer " + writeKey}, {"X-Scope3-Api-Key", deskKey, "Esagate-Customer", "4711"},
				{"Authorization", "Bearer " + cookie}, {"Cookie", "esagate=" + cookie}, {"Origin", "https://gateway.example"},
			} {
				a := nobody.send(nobody.request(route.Method, path, "", headers...))
				guarded(t, a)
				if !public && (a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/ops/sign-in?next=%2Fops")) {
					t.Errorf("without a session, with %v: %d to %s", headers, a.status, a.header.Get("Location"))
				}
			}
			if a := nobody.send(nobody.request(route.Method, path, "", "HX-Request", "true")); !public &&
				(a.status != 401 || !strings.HasPrefix(a.header.Get("HX-Redirect"), "/ops/sign-in?next=%2Fops")) {
				t.Errorf("without a session, a script gets %d, %q", a.status, a.header.Get("HX-Redirect"))
			}
		})
		synctest.Wait()
		if n := w.agent.Calls("") - calls; n != 0 {
			w.Errorf("%d calls without a session", n)
		}
		if audits := w.audits(); strings.Contains(audits, "operation") {
			w.Errorf("the audits %s", audits)
		}
	})
}

// TestPagesWithASession: every answer forbids frames, all that are read have HEAD, and what is done needs
// a key that may write.
func TestPagesWithASession(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		reader := w.signedIn(readKey)
		w.eachPage(func(t testing.TB, route gateway.Route, path string) {
			public := slices.Contains(publicPages, route.Path)
			if route.Method == "GET" {
				head := reader.send(reader.request("HEAD", path, ""))
				guarded(t, head)
				if want := 200; head.status != want && !public || len(head.body) > 0 {
					t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
				}
				if path != "/ops/events" { // which does not end
					guarded(t, reader.open(path))
				}
			} else if !public && !strings.HasSuffix(path, "/launch") { // which any key may
				if a := reader.submit(path, ""); a.status != 403 {
					t.Errorf("with a key that may only read: %d", a.status)
				}
			}
			for _, method := range []string{"PUT", "PATCH", "DELETE"} {
				a := reader.send(reader.request(method, path, "", "Content-Type", "application/x-www-form-urlencoded"))
				guarded(t, a)
				if a.status != 405 || !strings.Contains(a.header.Get("Allow"), route.Method) || !strings.Contains(string(a.body), "<h1>") {
					t.Errorf("%s: %d, Allow: %q", method, a.status, a.header.Get("Allow"))
				}
			}
		})
		if audits := w.audits(); strings.Contains(audits, "operation") {
			w.Errorf("the audits %s", audits)
		}
	})
}

// TestOtherSitesCanDoNothing: on every page that changes something, whatever a page of another site can make
// a browser send with the cookie.
func TestOtherSitesCanDoNothing(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://app.example"}}, func(w *world) {
		b := w.signedIn(writeKey)
		_, before := b.session()
		calls, tried := w.agent.Calls(""), 0
		w.eachPage(func(t testing.TB, route gateway.Route, path string) {
			if route.Method == "GET" {
				return
			}
			tried++
			for name, c := range map[string]struct {
				status  int
				headers []string
			}{
				"another site":              {403, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
				"a site of the domain":      {403, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.gateway.example"}},
				"an allowed origin":         {403, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}},
				"from no page":              {403, []string{"Sec-Fetch-Site", "none", "Origin", ""}},
				"nothing said":              {403, []string{"Sec-Fetch-Site", "", "Origin", ""}},
				"an empty origin":           {403, []string{"Sec-Fetch-Site", "", "Origin", " "}},
				"a frame without origin":    {403, []string{"Sec-Fetch-Site", "", "Origin", "null"}},
				"one with a lying header":   {403, []string{"Origin", "null"}},
				"another origin alone":      {403, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}},
				"the own host over http":    {403, []string{"Sec-Fetch-Site", "", "Origin", "http://gateway.example"}},
				"another port":              {403, []string{"Sec-Fetch-Site", "", "Origin", "https://gateway.example:8443"}},
				"a longer name":             {403, []string{"Sec-Fetch-Site", "", "Origin", "https://gateway.example.evil.example"}},
				"a user before the name":    {403, []string{"Sec-Fetch-Site", "", "Origin", "https://gateway.example@evil.example"}},
				"an origin that is another": {403, []string{"Origin", "https://evil.example"}},
				"spelled otherwise":         {403, []string{"Sec-Fetch-Site", "Same-Origin", "Origin", ""}},
				"JSON":                      {415, []string{"Content-Type", "application/json"}},
				"text":                      {415, []string{"Content-Type", "text/plain"}},
				"parts":                     {415, []string{"Content-Type", "multipart/form-data; boundary=x"}},
				"no type":                   {415, []string{"Content-Type", ""}},
			} {
				a := b.send(b.request(route.Method, path, "a=b", c.headers...))
				guarded(t, a)
				if _, now := b.session(); a.status != c.status || now != before || !strings.Contains(string(a.body), "<h1>") {
					t.Errorf("%s: %d, the session is the same: %t", name, a.status, now == before)
				}
			}
			twice := b.request(route.Method, path, "")
			twice.Header["Origin"] = []string{"https://gateway.example", "https://evil.example"}
			if a := b.send(twice); a.status != 403 {
				t.Errorf("two origins: %d", a.status)
			}
			if path == "/ops/sign-in" {
				return
			}
			if a := b.open(path + "?confirm=yes"); a.status != 405 {
				t.Errorf("GET: %d", a.status)
			}
			get := b.request("GET", path, "", "X-HTTP-Method-Override", "POST")
			if a := b.send(get); a.status != 405 {
				t.Errorf("GET as POST: %d", a.status)
			}
		})
		if tried < 6 || w.agent.Calls("") != calls || strings.Contains(w.audits(), "operation") {
			w.Errorf("%d tried, %d calls, the audits %s", tried, w.agent.Calls("")-calls, w.audits())
		}
		if got := w.count(`esagate_auth_refusals_total{reason="cross_site"}`); got != fmt.Sprint(16*tried) { // those of 403
			w.Errorf("of what other sites sent %s are counted", got)
		}
		for _, headers := range [][]string{{"Sec-Fetch-Site", ""}, {"Origin", ""}, {"Sec-Fetch-Site", "", "Origin", "https://GATEWAY.example:443"}} {
			if a := b.submit(pageOf+"/refresh", "", headers...); a.status != 200 {
				w.Errorf("of its own page, with %v: %d %s", headers, a.status, a.body)
			}
		}
	})
}

// TestWhatASessionMayDo: a key's customer and access are its session's.
func TestWhatASessionMayDo(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const elsewhere = "/ops/sources/4712/" + source
		reader, writer, other, desk, wall := w.signedIn(readKey), w.signedIn(writeKey), w.signedIn(otherKey), w.signedIn(deskKey), w.signedIn(wallKey)
		for _, c := range []struct {
			who          *browser
			method, path string
			status       int
		}{
			{reader, "GET", pageOf, 200}, {wall, "GET", pageOf, 200}, {other, "GET", pageOf, 404}, {other, "GET", elsewhere, 404},
			{desk, "GET", elsewhere, 404}, {desk, "GET", "/ops/sources/0/" + source, 404}, {desk, "GET", "/ops/sources/04711/" + source, 404},
			{desk, "GET", "/ops/sources/4711%2F../" + source, 404}, {writer, "GET", "/ops/sources/4711/nowhere", 404},
			{writer, "GET", "/ops/sources/4711/a%00b", 400}, {writer, "GET", "/ops/sources/4711/..%2F..", 400},
			{reader, "GET", "/ops?customer=4711", 200}, {reader, "GET", "/ops?customer=4712", 404}, {desk, "GET", "/ops?customer=4712", 200},
			{reader, "GET", "/ops?customer=x", 404}, {desk, "GET", "/ops?customer=", 200}, {desk, "GET", "/ops?customer=4711&customer=4712", 400},
			{reader, "HEAD", "/ops/events?customer=4712", 404}, {wall, "HEAD", "/ops/events?customer=4712", 200}, {wall, "HEAD", "/ops/events", 200},
			{reader, "HEAD", "/ops/events?customer=4711", 200},
			{reader, "POST", pageOf + "/refresh", 403}, {wall, "POST", pageOf + "/refresh", 403}, {wall, "POST", elsewhere + "/refresh", 403},
			{other, "POST", pageOf + "/refresh", 404}, {other, "POST", pageOf + "/deactivate", 404}, {desk, "POST", elsewhere + "/refresh", 404},
			{writer, "POST", pageOf + "/nothing", 404}, {writer, "POST", pageOf + "/refresh?a=b", 400},
			{reader, "GET", "/ops/nowhere", 404}, {reader, "GET", "/ops/", 404}, {reader, "GET", "/ops/sources", 404}, {reader, "GET", "/opsy", 401},
			{desk, "POST", pageOf + "/refresh", 200}, {writer, "POST", pageOf + "/refresh", 200},
		} {
			a := c.who.send(c.who.request(c.method, c.path, ""))
			if a.status != c.status {
				w.Errorf("%s %s with the session of %s: %d, want %d: %s", c.method, c.path, c.who.name, a.status, c.status, a.body)
			}
			if strings.Contains(c.path, "/opsy") {
				continue
			}
			if guarded(w, a); a.status >= 400 && c.method != "HEAD" && !strings.Contains(c.path, "/refresh?") && (!strings.Contains(string(a.body), "<h1>") || !strings.Contains(string(a.body), "Request "+a.header.Get("X-Request-Id"))) {
				w.Errorf("%s is refused with %s", c.path, a.body)
			}
		}
		audits := w.audits()
		if strings.Count(audits, `"outcome":"succeeded"`) != 2 || !strings.Contains(audits, `"actor":"desk"`) {
			w.Errorf("the audits %s", audits)
		}
	})
}

// TestPagesHaveTheLimitsOfTheAPI, and say so on a page.
func TestPagesHaveTheLimitsOfTheAPI(t *testing.T) {
	limits := someWrites
	limits.Reads = someReads.Reads
	inWorld(t, setup{limits: limits}, func(w *world) {
		b := w.signedIn(writeKey) // which is a read
		b.open("/ops").limit(w, 200, `"reads";q=3;w=2`, `"reads";r=1;t=1`, "")
		w.get(statusOf)
		for _, path := range []string{"/ops", "/ops/nowhere", pageOf} {
			a := b.open(path)
			if a.limit(w, 429, `"reads";q=3;w=2`, `"reads";r=0;t=1`, "1"); !strings.Contains(string(a.body), "Try again in 1 s.") {
				w.Errorf("%s: %s", path, a.body)
			}
		}
		if a := w.browser().signIn(readKey, "/ops?q=a"); a.status != 429 || !strings.Contains(string(a.body), `value="/ops?q=a"`) {
			w.Errorf("signing in beyond the limit: %d %s", a.status, a.body)
		}
		const policy = `"writes";q=2;w=20`
		b.submit(pageOf+"/refresh", "").limit(w, 200, policy, `"writes";r=1;t=10`, "")
		b.submit(pageOf+"/refresh", "").limit(w, 200, policy, `"writes";r=0;t=10`, "")
		b.submit(pageOf+"/refresh", "").limit(w, 429, policy, `"writes";r=0;t=10`, "10")
	})
}

// TestPagesSayWhatIsWrong with a request that is too large, or can.t be read.
func TestPagesSayWhatIsWrong(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://app.example"}}, func(w *world) {
		b := w.signedIn(writeKey)
		for name, c := range map[string]struct {
			request *http.Request
			status  int
		}{
			"headers": {b.request("GET", "/ops", "", "X-Long", strings.Repeat("x", 33<<10)), 431},
			"form":    {b.request("POST", pageOf+"/refresh", strings.Repeat("x", 5<<10)), 413},
			"body":    {b.request("POST", "/ops/sign-in", strings.Repeat("x", 2<<20)), 413},
			"fields":  {b.request("POST", "/ops/sign-in", "key=%zz"), 400},
			"coded":   {b.request("POST", "/ops/sign-in", "key=a", "Content-Encoding", "gzip"), 415},
		} {
			a := b.send(c.request)
			if guarded(w, a); a.status != c.status || !strings.Contains(string(a.body), "<h1>") {
				w.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		zipped := b.open("/ops", "Accept-Encoding", "gzip")
		if zipped.header.Get("Content-Encoding") != "gzip" || strings.Join(zipped.header["Vary"], "; ") != "Origin; Accept-Encoding, Cookie" {
			w.Errorf("a page is not compressed: %v", zipped.header)
		}
	})
}

// TestCookiesOpenNoOperation of the API, and none of the operator's listener.
func TestCookiesOpenNoOperation(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(deskKey)
		_, text := b.session()
		w.eachPrivate(func(t testing.TB, route gateway.Route, path string) {
			for _, headers := range [][]string{
				{"Cookie", "__Host-esagate=" + text}, {"Authorization", "Bearer " + text}, {"X-Scope3-Api-Key", text},
				{"Cookie", "__Host-esagate=" + deskKey},
			} {
				w.do(route.Method, path, append(headers, forCustomer(customer)...)...).failure(t, 401, "UNAUTHORIZED")
			}
		})
		rec := httptest.NewRecorder()
		w.gateway.ServeHTTP(rec, b.request("GET", "/opsworth", ""))
		if rec.Code != 401 || slices.Contains(slices.Collect(maps.Keys(rec.Header())), "Content-Security-Policy") {
			w.Errorf("what only begins like a page: %d", rec.Code)
		}
	})
}
