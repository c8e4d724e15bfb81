package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const pageOf = "/ops/sources/4711/" + source

func TestSessions(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		b := w.browser()
		if a := b.open("/ops?state=down&q=a+b"); a.status != 303 || a.header.Get("Location") != "/ops/sign-in?next=%2Fops%3Fstate%3Ddown%26q%3Da%2Bb" {
			w.Errorf("without a session: %d to %s", a.status, a.header.Get("Location"))
		}
		if a := b.open("/ops/sign-in?next=%2Fops%3Fstate%3Ddown"); a.status != 200 || !strings.Contains(string(a.body), `value="/ops?state=down"`) {
			w.Errorf("%d: %s", a.status, a.body)
		}
		a := b.signIn(writeKey, "/ops?state=down")
		if a.status != 303 || a.header.Get("Location") != "/ops?state=down" {
			w.Errorf("signing in: %d to %s: %s", a.status, a.header.Get("Location"), a.body)
		}
		cookie := a.header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "__Host-esagate=") || !strings.HasSuffix(cookie, "; Path=/; HttpOnly; Secure; SameSite=Strict") || len(cookie) > 400 {
			w.Errorf("the cookie %s", cookie)
		}
		for _, path := range []string{"/ops", "/ops?state=down", pageOf} {
			if a := b.open(path); a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
				w.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		for i, action := range []string{"test-connection", "refresh", "deactivate", "reactivate"} {
			if a := b.submit(pageOf+"/"+action, ""); a.status != 200 {
				w.Errorf("%s: %d %s", action, a.status, a.body)
			}
			audit := w.send(request("GET", "/audit?limit=1", writeKey, ""))
			if operations := []string{"testInventorySourceEsaConnection", "refreshInventorySourceEsa", "deactivateInventorySourceEsa", "reactivateInventorySourceEsa"}; !strings.Contains(string(audit.body), fmt.Sprintf(`"operation":%q`, operations[i])) ||
				!strings.Contains(string(audit.body), `"actor":"writer"`) {
				w.Errorf("%s in the audit: %s", action, audit.body)
			}
		}
		if a := b.submit("/ops/sign-out", ""); a.status != 303 || a.header.Get("Location") != "/ops/sign-in" || len(b.cookies) != 0 {
			w.Errorf("signing out: %d to %s", a.status, a.header.Get("Location"))
		}
		if a := b.open("/ops"); a.status != 303 {
			w.Errorf("after signing out: %d", a.status)
		}
	})
}

// TestAProxyMayHideTheHost: one on the gateway's machine that puts localhost in its place makes no
// session over plain http, and none is hindered over https.
func TestAProxyMayHideTheHost(t *testing.T) {
	for public, status := range map[string]int{"http://gateway.example": 403, "https://gateway.example": 303, "http://localhost:3000": 303} {
		inWorld(t, setup{publicURL: public}, func(w *world) {
			b := w.browser()
			b.host = "localhost:8080"
			for _, site := range []string{"same-origin", ""} {
				a := b.submit("/ops/sign-in", "key="+writeKey, "Origin", public, "Sec-Fetch-Site", site)
				if a.status != status || status == 403 && (len(b.cookies) != 0 || !strings.Contains(string(a.body), "https")) {
					w.Errorf("at %s: %d, %d cookies: %s", public, a.status, len(b.cookies), a.body)
				}
			}
		})
	}
}

// TestPagesOfOthersLoadNothing with the session of who looks at them, also where they are of the same domain or machine,
// whose cookies are not kept from them.
func TestPagesOfOthersLoadNothing(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://app.example"}}, func(w *world) {
		b := w.signedIn(readKey)
		w.pass(10 * time.Minute) // the session is to be renewed
		for _, site := range []string{"cross-site", "same-site"} {
			for _, mode := range []string{"no-cors", "cors", "websocket", ""} {
				for _, path := range []string{"/ops", pageOf, "/ops/events", "/ops/sign-in"} {
					a := b.open(path, "Sec-Fetch-Site", site, "Sec-Fetch-Mode", mode, "Origin", "https://app.example")
					if want := 303; a.status != want && path != "/ops/sign-in" || a.header.Get("Set-Cookie") != "" {
						w.Errorf("%s for a %s page by %q: %d, Set-Cookie: %q", path, site, mode, a.status, a.header.Get("Set-Cookie"))
					}
				}
			}
		}
		if a := b.open("/ops", "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"); a.status != 200 || a.header.Get("Set-Cookie") == "" {
			w.Errorf("by its own address: %d", a.status)
		}
	})
}
