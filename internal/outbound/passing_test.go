package outbound_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"esagate/internal/outbound"
)

// TestPassingIsGuarded as the other clients are: by the address's text, and by what its name stands for at last.
func TestPassingIsGuarded(t *testing.T) {
	resolver, names := resolve(t, map[string]string{
		"inside.example.com": "10.0.0.1", "metadata.example.com": "169.254.169.254", "mapped.example.com": "::ffff:127.0.0.2",
	})
	srv := serve(t, hello)
	names.set("example.com", "127.0.0.1")
	c := newClient(t, options().WithResolver(resolver))
	for url, want := range map[string]error{
		"http://example.com/":                   outbound.ErrNotHTTPS,
		"https://169.254.169.254/" + canary:     outbound.ErrNotPublic,
		"https://inside.example.com/" + canary:  outbound.ErrNotPublic,
		"https://metadata.example.com/":         outbound.ErrNotPublic,
		"https://mapped.example.com/":           outbound.ErrNotPublic,
		"https://127.1/":                        outbound.ErrURL,
		"https://" + canary + ":pw@example.com": outbound.ErrURL,
		"https://" + canary + ".example.com/":   outbound.ErrUnreachable,
		"https://other.test" + port(srv) + "/":  outbound.ErrUnreachable,
	} {
		body := &closing{}
		req := request(t, http.MethodPost, url, "")
		req.Body = body
		resp, err := c.Passing().RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, want) || err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, not %v", url, err, want)
		}
		if !body.closed.Load() {
			t.Errorf("%s: the request's body is left open", url)
		}
	}
}

// TestPassingLeavesAnswersAlone: redirects, codings, cookies and however much there is, for however long.
func TestPassingLeavesAnswersAlone(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			to("https://169.254.169.254/")(w, r)
			return
		}
		if len(r.Header["Accept-Encoding"])+len(r.Header["User-Agent"])+len(r.Header["Cookie"]) > 0 {
			t.Errorf("asked with %v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Set-Cookie", "a=b")
		_, _ = io.WriteString(w, strings.Repeat("x", 2*outbound.MaxBody))
	})
	c := newClient(t, options())
	ask := func(path string) *http.Response {
		t.Helper()
		req := request(t, http.MethodGet, srv.URL+path, "")
		req.Header["User-Agent"] = nil
		resp, err := c.Passing().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	if resp := ask("/redirect"); resp.StatusCode != http.StatusFound {
		t.Errorf("a redirect: %d", resp.StatusCode)
	}
	ask("/")
	if body, err := io.ReadAll(ask("/").Body); err != nil || len(body) != 2*outbound.MaxBody {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// TestPassingTakesNobodysPlace: what goes on for long keeps no other exchange waiting, also not of its own kind.
func TestPassingTakesNobodysPlace(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/stream" {
			<-r.Context().Done()
		}
	}, func(s *httptest.Server) { s.EnableHTTP2 = false })
	c := newClient(t, options())
	for range outbound.MaxAtOnce + 1 {
		resp, err := c.Passing().RoundTrip(request(t, http.MethodGet, srv.URL+"/stream", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	if status, _, err := get(t, c, srv.URL); err != nil || status != 200 {
		t.Errorf("beside streams: %d, %v", status, err)
	}
}
