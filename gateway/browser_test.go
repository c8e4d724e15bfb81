package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"
)

// browser is a person's browser at the operators' pages of a world.
type browser struct {
	*world
	name    string // of its key; empty: nobody has signed in
	scheme  string
	host    string
	cookies map[string]string
}

// browser opens a browser, which has no session yet.
func (w *world) browser() *browser {
	return &browser{world: w, host: "gateway.example", scheme: "https", cookies: map[string]string{}}
}

// signedIn opens a browser that has signed in with a key.
func (w *world) signedIn(key string) *browser {
	w.Helper()
	b := w.browser()
	if a := b.signIn(key, ""); a.status != http.StatusSeeOther || len(b.cookies) != 1 {
		w.Fatalf("signing in: %d, %d cookies: %s", a.status, len(b.cookies), a.body)
	}
	b.name = key
	return b
}

func (b *browser) signIn(key, next string) answer {
	b.Helper()
	return b.submit("/ops/sign-in", url.Values{"key": {key}, "next": {next}}.Encode())
}

// open asks for a page.
func (b *browser) open(path string, pairs ...string) answer {
	b.Helper()
	return b.send(b.request("GET", path, "", pairs...))
}

// submit sends a form of one of the gateway's own pages.
func (b *browser) submit(path, form string, pairs ...string) answer {
	b.Helper()
	return b.send(b.request("POST", path, form, pairs...))
}

// request makes what a browser sends from a page of the gateway's; pairs replace its headers, or take
// them away.
func (b *browser) request(method, path, form string, pairs ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(form))
	r.Host = b.host
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.scheme+"://"+b.host)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Header.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			r.Header.Del(pairs[i])
		}
	}
	return r
}

// send sends a request, and keeps the cookies of the answer.
func (b *browser) send(r *http.Request) answer {
	b.Helper()
	rec := httptest.NewRecorder()
	begun := time.Now()
	b.gateway.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.Bytes(), time.Since(begun)}
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	b.must(a.header.Write(&b.seen))
	_, _ = b.seen.Write(a.body)
	return a
}

// session gives the browser's cookie.
func (b *browser) session() (name, value string) {
	for name, value = range b.cookies {
	}
	return name, value
}
