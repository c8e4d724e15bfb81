package gateway_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/internal/auth"
	"esagate/internal/vault"
)

// sessionOf seals a session with another key than the world's.
func sessionOf(t testing.TB, key, credential string) string {
	t.Helper()
	sealer, err := vault.New(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(context.Background(), auth.Config{}, auth.Deps{Sealer: sealer})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(context.Background())
	text, err := a.NewSession(&auth.Caller{Name: "writer", CustomerID: customer, Write: true}, credential)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOnlyOwnCookiesAreSessions, each alone, and what is none is taken from the browser.
func TestOnlyOwnCookiesAreSessions(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		name, good := b.session()
		raw, err := base64.RawURLEncoding.DecodeString(good)
		w.must(err)
		raw[len(raw)/2] ^= 4
		bad := map[string]string{
			"of another vault": name + "=" + sessionOf(w, vault.Generate(), readKey), "a bit changed": name + "=" + base64.RawURLEncoding.EncodeToString(raw),
			"empty": name + "=", "the key": name + "=" + readKey, "its hash": name + "=" + strings.Repeat("a", 64), "quoted": name + `="` + good[1:] + `"`,
			"huge": name + "=" + strings.Repeat("A", 20<<10), "cut off": name + "=" + good[:len(good)-2], "longer": name + "=" + good + "AAAA",
			"two of them": name + "=" + good + "; " + name + "=" + good, "a good one after a bad one": name + "=x; " + name + "=" + good,
		}
		for what, cookie := range bad {
			for _, path := range []string{"/ops", pageOf} {
				a := b.open(path, "Cookie", cookie)
				if a.status != 303 || !strings.HasPrefix(a.header.Get("Set-Cookie"), "__Host-esagate=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict") {
					w.Errorf("%s: %d, Set-Cookie: %s", what, a.status, a.header.Get("Set-Cookie"))
				}
			}
			b.cookies[name] = good
		}
		for _, other := range []string{"esagate", "__host-esagate", "__Secure-esagate", "__Host-esagate2"} {
			if a := b.open("/ops", "Cookie", other+"="+good); a.status != 303 || a.header.Get("Set-Cookie") != "" {
				w.Errorf("under the name %s: %d", other, a.status)
			}
		}
		if a := b.open("/ops", "Cookie", "other=1; "+name+"="+good+"; esagate=x"); a.status != 200 {
			w.Errorf("beside others: %d", a.status)
		}
		replica := w.replica()
		defer replica.stop()
		if a := replica.browserWith(name, good).open("/ops"); a.status != 200 {
			w.Errorf("at another replica: %d", a.status)
		}
	})
}

// browserWith opens a browser with somebody's cookie.
func (w *world) browserWith(name, value string) *browser {
	b := w.browser()
	b.cookies[name] = value
	return b
}

// TestSessionsEnd when they are idle for an hour, and with their key at once; what is copied before it was renewed
// is no good either then.
func TestSessionsEnd(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.keep(customer, "lasting", auth.KeyPrefix+"lasting")
		key := w.keep(customer, "revoked", auth.KeyPrefix+"revoked")
		lasting, revoked, idle := w.signedIn(auth.KeyPrefix+"lasting"), w.signedIn(auth.KeyPrefix+"revoked"), w.signedIn(writeKey)
		name, first := lasting.session()
		if a := lasting.open("/ops"); a.header.Get("Set-Cookie") != "" {
			w.Error("a new session is renewed")
		}
		for range 12 {
			w.pass(10 * time.Minute)
			for _, b := range []*browser{lasting, revoked} {
				if a := b.open(pageOf); a.status != 200 || a.header.Get("Set-Cookie") == "" {
					w.Fatalf("a session that is in use: %d, Set-Cookie: %q", a.status, a.header.Get("Set-Cookie"))
				}
			}
		}
		for what, b := range map[string]*browser{"idle": idle, "a copy": w.browserWith(name, first)} {
			if a := b.open("/ops"); a.status != 303 || len(b.cookies) != 0 {
				w.Errorf("%s: %d", what, a.status)
			}
			if a := b.submit(pageOf+"/refresh", ""); a.status != 303 || a.header.Get("Location") != "/ops/sign-in?next="+url.QueryEscape(pageOf) {
				w.Errorf("%s: %d to %s", what, a.status, a.header.Get("Location"))
			}
		}
		_, copied := revoked.session()
		_, err := w.store.APIKeys().RevokeKey(w.Context(), key.ID)
		w.must(err)
		w.pass(3 * time.Second)
		for _, b := range []*browser{revoked, w.browserWith(name, copied)} {
			if a := b.submit(pageOf+"/deactivate", ""); a.status != 303 || len(b.cookies) != 0 {
				w.Errorf("with a revoked key: %d", a.status)
			}
		}
		w.callers.SetKeys(nil)
		if a := w.browserWith(name, copied).open("/ops"); a.status != 303 {
			w.Errorf("with a revoked key: %d", a.status)
		}
		if a := lasting.open("/ops"); a.status != 200 {
			w.Errorf("another key's session: %d", a.status)
		}
		if strings.Contains(w.audits(), "deactivate") {
			w.Error("a revoked key's session has done something")
		}
	})
}

// TestPlainHTTP: without https there are sessions on the gateway's own machine alone.
func TestPlainHTTP(t *testing.T) {
	inWorld(t, setup{publicURL: "http://127.0.0.1:8080"}, func(w *world) {
		here := func(host string) *browser {
			b := w.browser()
			b.scheme, b.host = "http", host
			return b
		}
		var cookie string
		for _, host := range []string{"localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost", "LOCALHOST:8080", "127.9.9.9", "[::1]"} {
			b := here(host)
			a := b.signIn(writeKey, "")
			cookie = b.cookies["esagate"]
			if set := a.header.Get("Set-Cookie"); a.status != 303 || !strings.HasSuffix(set, "; Path=/; HttpOnly; SameSite=Strict") {
				w.Errorf("at %s: %d, Set-Cookie: %s", host, a.status, set)
			}
			if a := b.open("/ops"); a.status != 200 {
				w.Errorf("at %s: %d", host, a.status)
			}
			if a := b.submit(pageOf+"/refresh", "", "Sec-Fetch-Site", ""); a.status != 200 {
				w.Errorf("at %s: %d %s", host, a.status, a.body)
			}
		}
		for _, host := range []string{
			"gateway.example", "gateway.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7:8080", "[fe80::1]", "0.0.0.0:8080",
			"evil-localhost", "localhost:8080.evil.example", "x.localhost", "", "127.0.0.1:8080:8080", "user@localhost",
		} {
			b := here(host)
			if a := b.open("/ops/sign-in"); a.status != 403 || !strings.Contains(string(a.body), "https") || strings.Contains(string(a.body), "<form") {
				w.Errorf("at %q: %d %s", host, a.status, a.body)
			}
			if a := b.signIn(writeKey, ""); a.status != 403 || len(b.cookies) != 0 {
				w.Errorf("signing in at %q: %d", host, a.status)
			}
			for _, name := range []string{"esagate", "__Host-esagate"} {
				b.cookies = map[string]string{name: cookie}
				if a := b.open("/ops"); a.status != 303 {
					w.Errorf("with the cookie %s at %q: %d", name, host, a.status)
				}
				if a := b.submit(pageOf+"/deactivate", ""); a.status != 303 && a.status != 403 {
					w.Errorf("with the cookie %s at %q: %d", name, host, a.status)
				}
			}
		}
		b := here("localhost:8080")
		b.cookies["esagate"] = cookie
		for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1:3000", "https://localhost:8080", "http://evil.example"} {
			if a := b.submit(pageOf+"/deactivate", "", "Sec-Fetch-Site", "", "Origin", origin); a.status != 403 {
				w.Errorf("from %s: %d", origin, a.status)
			}
		}
		if strings.Contains(w.audits(), "deactivate") {
			w.Error("something was done")
		}
	})
}

// TestWhereOneGoesOn after signing in is a page of ours, or the wall.
func TestWhereOneGoesOn(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for next, want := range map[string]string{
			"":                             "/ops",
			"/ops":                         "/ops",
			"/ops?state=down&q=":           "/ops?state=down&q=",
			"/ops?q=https://evil.example/": "/ops?q=https://evil.example/",
			pageOf + "?a=%2F":              pageOf + "?a=%2F",
			pageOf + "#task-1":             pageOf,
			"/ops/sources/4711/a%20b":      "/ops/sources/4711/a%20b",

			"https://evil.example/ops": "/ops", "//evil.example/ops": "/ops", `/\evil.example/ops`: "/ops", `\\evil.example`: "/ops",
			"///evil.example": "/ops", "/%2fevil.example": "/ops", "/%5cevil.example": "/ops", "javascript:alert(1)": "/ops",
			"data:text/html,x": "/ops", "/ops/../admin": "/ops", "/ops/%2e%2e/admin": "/ops", "/ops/..%2fadmin": "/ops", "/ops//evil.example": "/ops",
			`/ops/\evil.example`: "/ops", "/opsy": "/ops", "/": "/ops", "ops": "/ops", "/ops\r\nSet-Cookie: a=b": "/ops", "/ops?a=\x00": "/ops",
			" /ops?a=b": "/ops", "/ops?a=\u00fc": "/ops", "//ops": "/ops", "http:/ops": "/ops", "/ops/sign-in?next=/ops": "/ops", "/ops/sign-out": "/ops",
			"/ops/events": "/ops", "/ops/%": "/ops", "//evil.example@gateway.example/ops": "/ops", "/ops?" + strings.Repeat("a", 3000): "/ops",
			`"><script>alert(1)</script>`: "/ops", "/ops?<script>": "/ops?<script>",
		} {
			page := string(w.browser().open("/ops/sign-in?next=" + url.QueryEscape(next)).body)
			if strings.Contains(page, "<script>alert") || strings.Contains(page, "evil.example\"") && !strings.Contains(want, "evil") {
				w.Errorf("%q stands on the page", next)
			}
			b := w.browser()
			if a := b.signIn(readKey, next); a.status != 303 || a.header.Get("Location") != want {
				w.Errorf("%q leads to %d, %q, want %q", next, a.status, a.header.Get("Location"), want)
			}
			if a := b.open("/ops/sign-in?next=" + url.QueryEscape(next)); a.status != 303 || a.header.Get("Location") != want {
				w.Errorf("who has signed in goes from %q to %d, %q, want %q", next, a.status, a.header.Get("Location"), want)
			}
		}
	})
}

// TestScriptsAreSentWhereTheyWere: to a page for signing in that leads back to the page that they are part of.
func TestScriptsAreSentWhereTheyWere(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for current, want := range map[string]string{
			"https://gateway.example/ops?q=a": "/ops?q=a", "https://gateway.example" + pageOf + "#x": pageOf, "https://evil.example/ops?q=b": "/ops?q=b",
			"https://evil.example/x": "/ops", "%": "/ops", "": "/ops",
		} {
			a := w.browser().open("/ops/events?types=x", "HX-Request", "true", "HX-Current-URL", current)
			if a.status != 401 || a.header.Get("HX-Redirect") != "/ops/sign-in?next="+url.QueryEscape(want) {
				w.Errorf("from %q: %d to %s", current, a.status, a.header.Get("HX-Redirect"))
			}
		}
		if a := w.browser().open("/ops/events", "Accept", "text/event-stream"); a.status != 401 {
			w.Errorf("an EventSource: %d", a.status)
		}
	})
}

// TestALinkFromElsewhereIsFollowed: a browser keeps the cookie to itself then, and goes on from a page of ours with it.
func TestALinkFromElsewhereIsFollowed(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.signedIn(readKey)
		const onward = "/ops/sign-in?next=%2Fops%3Fq%3Da"
		for _, site := range []string{"cross-site", "same-site"} {
			link := []string{"Sec-Fetch-Site", site, "Sec-Fetch-Mode", "navigate"}
			a := w.browser().open("/ops?q=a", link...)
			if guarded(w, a); a.status != 200 || !strings.Contains(string(a.body), `<meta http-equiv="refresh" content="0; url=`+onward+`">`) {
				w.Errorf("from a %s link: %d %s", site, a.status, a.body)
			}
			if a := b.open("/ops?q=a", link...); a.status != 200 || strings.Contains(string(a.body), "/ops/sign-in?next=") {
				w.Errorf("with the cookie: %d %s", a.status, a.body)
			}
		}
		if a := b.open(onward); a.status != 303 || a.header.Get("Location") != "/ops?q=a" {
			w.Errorf("who has signed in goes on to %d, %s", a.status, a.header.Get("Location"))
		}
		if a := w.browser().open(onward); a.status != 200 || !strings.Contains(string(a.body), "<form") {
			w.Errorf("who has not: %d", a.status)
		}
	})
}

// TestWrongKeysAtTheDoor count with those in headers, keep where one wanted to go, and stand nowhere.
func TestWrongKeysAtTheDoor(t *testing.T) {
	inWorld(t, setup{limits: someWrong, proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, func(w *world) {
		b := w.browser()
		try := func(address, key string) answer {
			w.Helper()
			form := url.Values{"key": {key}, "next": {"/ops?state=down"}}
			return b.submit("/ops/sign-in", form.Encode(), "X-Forwarded-For", address)
		}
		for _, key := range []string{"", "CANARY-wrong", `"><script>CANARY</script>`} {
			a := try("198.51.100.7", key)
			if page := string(a.body); a.status != 401 || len(b.cookies) != 0 || !strings.Contains(page, "This key is not valid.") || !strings.Contains(page, `value="/ops?state=down"`) {
				w.Errorf("%q: %d %s", key, a.status, page)
			}
			guarded(w, a)
		}
		a := try("198.51.100.7", "CANARY-one-more")
		if page := string(a.body); a.status != 429 || a.header.Get("Retry-After") == "" || !strings.Contains(page, "Too many requests") || !strings.Contains(page, `value="/ops?state=down"`) {
			w.Errorf("too many: %d %s", a.status, page)
		}
		w.send(request("GET", statusOf, "CANARY", "", "X-Forwarded-For", "198.51.100.7")).failure(w, 429, reason429)
		for range 10 { // of old and made-up cookies, which can't be guesses
			if a := b.open("/ops", "Cookie", "__Host-esagate=CANARY", "X-Forwarded-For", "198.51.100.9"); a.status != 303 {
				w.Errorf("a wrong cookie: %d", a.status)
			}
		}
		if a := try("198.51.100.9", "CANARY"); a.status != 401 {
			w.Errorf("after wrong cookies: %d", a.status)
		}
		if a := try("198.51.100.7", readKey); a.status != 303 {
			w.Errorf("a good key: %d", a.status)
		}
	})
}

// TestKeysStandNowhere: in no URL, log, page or cookie. The world looks for the canary in all answers and logs.
func TestKeysStandNowhere(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const key = auth.KeyPrefix + "CANARY-0123456789"
		w.keep(customer, "hidden", key)
		b := w.browser()
		for _, query := range []string{"", "?key=" + key, "?next=%2Fops&key=" + key} {
			b.open("/ops/sign-in" + query)
		}
		if a := b.signIn("  "+key+"\r\n", ""); a.status != 303 {
			w.Fatalf("%d %s", a.status, a.body)
		}
		_, text := b.session()
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if w.must(err); strings.Contains(string(raw), "CANARY") {
			w.Error("the key stands in the cookie")
		}
		for _, path := range []string{"/ops", pageOf, "/ops/nowhere", "/ops/sources/4712/x"} {
			b.open(path)
		}
		b.submit(pageOf+"/refresh", "")
		b.submit("/ops/sign-in", "key="+key, "Sec-Fetch-Site", "cross-site")
		b.submit("/ops/sign-in", "key="+key+"%zz")
		b.submit("/ops/sign-in", `{"key":"`+key+`"}`, "Content-Type", "application/json")
		b.submit("/ops/sign-out", "")
		if line := lineWith(w.logs.String(), "somebody has signed in"); !strings.Contains(line, `"key_name":"hidden"`) || !strings.Contains(line, `"level":"INFO"`) {
			w.Errorf("the log of signing in: %s", line)
		}
		if logs := w.logs.String(); strings.Contains(logs, text) || strings.Contains(logs, text[20:60]) {
			w.Error("the session stands in the log")
		}
		audits := w.send(request("GET", "/audit", deskKey, "", forCustomer(customer)...))
		if strings.Contains(string(audits.body), "sign") {
			w.Errorf("the audit %s", audits.body)
		}
	})
}

// TestStreamsOfSessions are those of the API: with the cookie, and for as long as the key is good. They end after
// half an hour, so that the session is renewed.
func TestStreamsOfSessions(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		key := w.keep(customer, "revoked", auth.KeyPrefix+"revoked")
		open := func(b *browser, query string) *follower {
			w.Helper()
			name, text := b.session()
			return w.followAt(l, "/ops/events"+query, fmt.Sprintf("Cookie: %s=%s\r\n", name, text))
		}
		mine, all, revoked := w.signedIn(readKey), w.signedIn(wallKey), w.signedIn(auth.KeyPrefix+"revoked")
		w.pass(4 * time.Minute)
		streams := []*follower{open(mine, "?types=sync.completed"), open(all, ""), open(all, "?customer=4712"), open(revoked, "?sourceId=a&customer=4711")}
		w.publish(customer, "a")
		w.publish(stranger, "b")
		streams[0].got(completed + "a")
		streams[1].got(completed+"a", completed+"b")
		streams[2].got(completed + "b")
		streams[3].got(completed + "a")
		if streams[0].header.Get("Set-Cookie") != "" || streams[0].header.Get("X-Frame-Options") != "DENY" {
			w.Errorf("the headers %v", streams[0].header)
		}
		w.pass(10 * time.Minute)
		_, err := w.store.APIKeys().RevokeKey(w.Context(), key.ID)
		w.must(err)
		w.pass(10 * time.Second)
		if _, over := streams[3].over(); !over {
			w.Error("the stream of a revoked key goes on")
		}
		w.pass(19 * time.Minute)
		for _, f := range streams[:3] {
			if _, over := f.over(); over {
				w.Error("a stream ends before half an hour")
			}
		}
		w.pass(time.Minute)
		for _, f := range streams[:3] {
			if _, over := f.over(); !over || f.retry[0] > 5*time.Second {
				w.Errorf("over: %t, its client comes back after %v", over, f.retry)
			}
		}
		again := open(mine, "")
		cookies, err := http.ParseSetCookie(again.header.Get("Set-Cookie"))
		w.must(err)
		w.pass(26 * time.Minute) // an hour after signing in
		if a := w.browserWith(cookies.Name, cookies.Value).open("/ops"); a.status != 200 {
			w.Errorf("the session that the stream has renewed: %d", a.status)
		}
		if a := mine.open("/ops"); a.status != 303 {
			w.Errorf("the one before: %d", a.status)
		}
		for _, f := range append(streams, again) {
			f.leave()
		}
	})
}
