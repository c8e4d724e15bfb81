package gateway_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
)

// visitor is a browser as far as cookies go.
type visitor struct {
	*world
	origin *url.URL
	jar    http.CookieJar
}

func (w *world) visitor(origin string) *visitor {
	w.Helper()
	u, err := url.Parse(origin)
	w.must(err)
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{w, u, jar}
}

// send asks for something as a page of the origin would; pairs replace headers, or take them away.
func (v *visitor) send(method, path, body string, pairs ...string) answer {
	v.Helper()
	r := httptest.NewRequest(method, v.origin.String()+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for _, c := range v.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Header.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			r.Header.Del(pairs[i])
		}
	}
	return v.ask(r)
}

func (v *visitor) ask(r *http.Request) answer {
	v.Helper()
	rec := httptest.NewRecorder()
	v.gateway.ServeHTTP(rec, r)
	v.jar.SetCookies(r.URL, rec.Result().Cookies())
	a := answer{status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
	v.must(a.header.Write(&v.seen))
	_, _ = v.seen.Write(a.body)
	return a
}

// open follows a launch link.
func (v *visitor) open(link string) answer {
	v.Helper()
	u, err := url.Parse(link)
	v.must(err)
	if u.Scheme+"://"+u.Host != v.origin.String() {
		v.Fatalf("the link %s leads elsewhere than to %s", link, v.origin)
	}
	return v.send("GET", u.Path, "", "Sec-Fetch-Site", "cross-site")
}

// cookie gives the cookie that a browser has for a path.
func (v *visitor) cookie(path string) (text string) {
	for _, c := range v.jar.Cookies(&url.URL{Scheme: v.origin.Scheme, Host: v.origin.Host, Path: path}) {
		if strings.HasSuffix(c.Name, "esagate-console") {
			text = c.Value
		}
	}
	return text
}

// inside gives a browser that has opened a link.
func (w *world) inside(key, path string, pairs ...string) *visitor {
	w.Helper()
	v := w.visitor("https://gateway.example")
	if a := v.open(w.link(key, path, "", pairs...)); a.status != 303 {
		w.Fatalf("opening a link: %d %s", a.status, a.body)
	}
	return v
}
