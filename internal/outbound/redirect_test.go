package outbound_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"esagate/internal/outbound"
)

// to answers with a redirect; the request's path is the status.
func to(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			status = http.StatusFound
		}
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// echo answers with what it got, as an echoed.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(echoed{r.Method, string(b), r.Header})
}

type echoed struct {
	Method, Body string
	Header       http.Header
}

// TestRedirectsThatAreRefused: the errors repeat nothing of the place.
func TestRedirectsThatAreRefused(t *testing.T) {
	gone := listenAt(t, "127.0.0.1:0")
	_ = gone.Close()
	resolver, _ := resolve(t, map[string]string{"inside.example.com": "10.0.0.1"})
	c := newClient(t, options().WithResolver(resolver))
	for location, want := range map[string][]error{
		"http://example.com/" + canary:                                {outbound.ErrRedirect, outbound.ErrNotHTTPS},
		"https://169.254.169.254/latest/" + canary:                    {outbound.ErrRedirect, outbound.ErrNotPublic},
		"https://127.0.0.2/":                                          {outbound.ErrRedirect, outbound.ErrNotPublic},
		"https://[::ffff:127.0.0.1]/":                                 {outbound.ErrRedirect, outbound.ErrNotPublic},
		"https://2130706433/":                                         {outbound.ErrRedirect, outbound.ErrURL},
		"https://" + canary + ":pw@example.com/":                      {outbound.ErrRedirect, outbound.ErrURL},
		"javascript:" + canary:                                        {outbound.ErrRedirect, outbound.ErrNotHTTPS},
		"https://example.com/" + strings.Repeat("x", outbound.MaxURL): {outbound.ErrRedirect, outbound.ErrURL},
		"https://inside.example.com/?k=" + canary:                     {outbound.ErrNotPublic},
		"https://gone.example.com/?" + canary:                         {outbound.ErrUnreachable},
		"https://" + canary + ".example.com/":                         {outbound.ErrUnreachable},
		"https://" + gone.Addr().String() + "/" + canary:              {outbound.ErrUnreachable},
		"https://a b/" + canary:                                       {outbound.ErrExchange}, // net/http can't read it
		"%zz" + canary:                                                {outbound.ErrExchange},
	} {
		srv := serve(t, to(location))
		_, _, err := get(t, c, srv.URL+"/302")
		for _, w := range want {
			if !errors.Is(err, w) {
				t.Errorf("%.60s: %v is not %v", location, err, w)
			}
		}
		silent(t, err)
	}
}

func TestRedirectsAreCounted(t *testing.T) {
	c := newClient(t, options())
	var asked atomic.Int32
	loop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		left, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if left == 0 {
			return
		}
		w.Header().Set("Location", "/"+strconv.Itoa(left-1))
		w.WriteHeader(http.StatusMovedPermanently)
	})
	if status, _, err := get(t, c, loop.URL+"/3"); err != nil || status != 200 {
		t.Errorf("3 redirects: %d %v", status, err)
	}
	asked.Store(0)
	if _, _, err := get(t, c, loop.URL+"/4"); !errors.Is(err, outbound.ErrRedirect) {
		t.Errorf("4 redirects: %v", err)
	}
	if n := asked.Load(); n != 1+outbound.MaxRedirects {
		t.Errorf("asked %d times", n)
	}
}

func TestNothingIsSentToAnotherOrigin(t *testing.T) {
	resolver, _ := resolve(t, map[string]string{
		"example.com": "127.0.0.1", "sub.example.com": "127.0.0.1", "other.example.com": "127.0.0.1",
	})
	c := newClient(t, options().WithResolver(resolver))
	target := serve(t, echo)
	for name, location := range map[string]string{
		"another port":      "https://example.com" + port(target) + "/",
		"a host below":      "https://sub.example.com" + port(target) + "/",
		"a literal address": target.URL,
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, to(location))
			from := "https://example.com" + port(srv)
			for _, tt := range []struct{ method, statuses, body string }{
				{http.MethodGet, "301 302 303 307 308", ""},
				{http.MethodPost, "301 302 303", "secret=" + canary}, // these make a GET of it
			} {
				for _, status := range strings.Fields(tt.statuses) {
					req := request(t, tt.method, from+"/"+status+"?q="+canary, tt.body)
					secrets(req.Header)
					got := answer(t, c, req)
					if got.Method != http.MethodGet || got.Body != "" ||
						got.Header.Get("Accept") != "application/json" || got.Header.Get("User-Agent") != "mine" {
						t.Errorf("%s %s: %+v", tt.method, status, got)
					}
					bare(t, got)
				}
			}
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodGet} {
				for _, status := range []string{"307", "308"} {
					if _, _, err := ask(c, request(t, method, from+"/"+status, "secret="+canary)); !errors.Is(err, outbound.ErrRedirect) {
						t.Errorf("%s %s with a body: %v", method, status, err)
					}
				}
			}
			if _, _, err := ask(c, request(t, http.MethodDelete, from+"/307", "")); !errors.Is(err, outbound.ErrRedirect) {
				t.Errorf("DELETE 307: %v", err)
			}
		})
	}
}

// secrets fills a header with what must stay at its origin.
func secrets(h http.Header) {
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Apikey", "Proxy-Authorization", "X-Anything", "Content-Type"} {
		h.Set(name, canary)
	}
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "mine")
}

// bare fails when what a server got has something of secrets, or the URL before.
func bare(t *testing.T, got echoed) {
	t.Helper()
	for name, values := range got.Header {
		if strings.Contains(strings.Join(values, " "), canary) || name == "Referer" {
			t.Errorf("%s went along: %q", name, values)
		}
	}
}

func answer(t *testing.T, c *outbound.Client, req *http.Request) (got echoed) {
	t.Helper()
	_, body, err := ask(c, req)
	if err == nil {
		err = json.Unmarshal([]byte(body), &got)
	}
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
	return got
}

// TestRedirectsWithinAnOrigin, with a fragment, which is the client's own affair.
func TestRedirectsWithinAnOrigin(t *testing.T) {
	c := newClient(t, options())
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/echo" && !strings.Contains(r.RequestURI, "#") {
			echo(w, r)
			return
		}
		to("/echo#part")(w, r)
	})
	req := request(t, http.MethodPost, srv.URL+"/307?q=1", "a=b")
	req.Header.Set("Authorization", "Bearer x")
	got := answer(t, c, req)
	if got.Method != http.MethodPost || got.Body != "a=b" || got.Header.Get("Authorization") != "Bearer x" || got.Header.Get("Referer") != "" {
		t.Errorf("%+v", got)
	}
	req = request(t, http.MethodPost, srv.URL+"/303", "a=b")
	if got := answer(t, c, req); got.Method != http.MethodGet || got.Body != "" {
		t.Errorf("%+v", got)
	}
	// A body that can't be sent again: the answer is the redirect itself.
	req = request(t, http.MethodPost, srv.URL+"/307", "a=b")
	req.GetBody = nil
	if status, _, err := ask(c, req); err != nil || status != http.StatusTemporaryRedirect {
		t.Errorf("%d %v", status, err)
	}
}

// TestBackFromAnotherOrigin: what was kept from a stranger is not sent where the
// stranger says either, though it be where it came from. The answer says which address
// gave it.
func TestBackFromAnotherOrigin(t *testing.T) {
	c := newClient(t, options())
	var home string
	stranger := serve(t, func(w http.ResponseWriter, r *http.Request) { to(home+"/echo")(w, r) })
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/echo" {
			echo(w, r)
			return
		}
		to(stranger.URL)(w, r)
	})
	home = srv.URL
	req := request(t, http.MethodGet, srv.URL, "")
	secrets(req.Header)
	resp, err := c.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got echoed
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	bare(t, got)
	if got := resp.Request.URL.String(); got != home+"/echo" {
		t.Errorf("the answer of %s is said to be that of %s", home+"/echo", got)
	}
}

// TestTheDirectClientFollowsNothing: a request with a secret goes where it was sent,
// and its answer comes from there.
func TestTheDirectClientFollowsNothing(t *testing.T) {
	c := newClient(t, options())
	for _, location := range []string{
		"/elsewhere", "https://example.com/" + canary, "http://example.com/", "%zz" + canary, "https://a b/" + canary, "?x#y", "",
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" || r.URL.RawQuery != "" {
				t.Errorf("%q was gone to", location)
			}
			to(location)(w, r)
			_, _ = io.Copy(w, r.Body)
		})
		for _, status := range []int{301, 302, 303, 307, 308} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				req := request(t, method, srv.URL+"/"+strconv.Itoa(status), "secret="+canary)
				secrets(req.Header)
				resp, err := c.HTTPDirect().Do(req)
				if err != nil {
					t.Errorf("%s %d to %q: %v", method, status, location, err)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != status || string(body) != "secret="+canary || err != nil || resp.Header.Get("Location") != "" {
					t.Errorf("%s %d to %q: %d %q %v", method, status, location, resp.StatusCode, body, err)
				}
			}
		}
	}
}
