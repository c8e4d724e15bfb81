package outbound_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"esagate/internal/outbound"
)

// TestTheDirectClientFollowsNothing: a request with a secret goes where it was sent,
// and its answer comes from there.
func TestTheDirectClientFollowsNothing(t *testing.T) {
	c := newClient(t, options())
	for _, location := range []string{"/elsewhere", "https://agents.test/" + canary, "http://agents.test/", "%zz" + canary, "https://a b/" + canary, "?x#y", ""} {
		var elsewhere atomic.Int32
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" || r.URL.RawQuery != "" {
				elsewhere.Add(1)
				return
			}
			if got, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && string(got) != "secret="+canary {
				t.Errorf("the server got %q", got)
			}
			to(location)(w, r)
			_, _ = io.WriteString(w, "moved")
		})
		for _, status := range []int{301, 302, 303, 307, 308} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				req := request(t, method, srv.URL+"/"+strconv.Itoa(status), "")
				if method == http.MethodPost {
					req = request(t, method, srv.URL+"/"+strconv.Itoa(status), "secret="+canary)
				}
				secrets(req.Header)
				resp, err := c.HTTPDirect().Do(req)
				if err != nil {
					t.Errorf("%s %d to %q: %v", method, status, location, err)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != status || string(body) != "moved" || err != nil || resp.Header.Get("Location") != "" {
					t.Errorf("%s %d to %q: %d %q %v", method, status, location, resp.StatusCode, body, err)
				}
			}
		}
		if n := elsewhere.Load(); n != 0 {
			t.Errorf("%q was gone to %d times", location, n)
		}
	}
}

// TestTheDirectClientIsGuarded as the other is.
func TestTheDirectClientIsGuarded(t *testing.T) {
	c := newClient(t, options().WithResolver(resolve(t, map[string][]string{"inside.agents.test": {"10.0.0.1"}})))
	srv := serve(t, fill)
	for url, want := range map[string]error{
		"http://agents.test/":             outbound.ErrNotHTTPS,
		"https://169.254.169.254/latest/": outbound.ErrNotPublic,
		"https://inside.agents.test/":     outbound.ErrNotPublic,
		"https://user:pw@agents.test/":    outbound.ErrURL,
	} {
		if _, err := c.HTTPDirect().Do(request(t, http.MethodPost, url, "x")); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", url, err, want)
		}
	}
	resp, err := c.HTTPDirect().Do(request(t, http.MethodGet, srv.URL+"/"+strconv.Itoa(outbound.MaxBody+1), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != outbound.MaxBody || err != outbound.ErrTooLarge {
		t.Errorf("a long body: %d %v", n, err)
	}
}

// TestRedirectsWithAFragment: it is the client's own affair, and no reason to refuse.
func TestRedirectsWithAFragment(t *testing.T) {
	c := newClient(t, options())
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/echo" {
			to("/echo#part")(w, r)
			return
		}
		if strings.Contains(r.RequestURI, "#") {
			t.Error("the fragment was sent")
		}
		echo(w, r)
	})
	if got := answer(t, c, request(t, http.MethodGet, srv.URL+"/302", "")); got.Method != http.MethodGet {
		t.Errorf("%+v", got)
	}
}
