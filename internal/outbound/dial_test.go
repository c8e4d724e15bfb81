package outbound_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"esagate/internal/outbound"
)

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// TestANameThatRebinds is an allowed address first and then one that is not, at which a
// server stands as well.
func TestANameThatRebinds(t *testing.T) {
	good := serve(t, hello)
	inside := listenAt(t, "127.0.0.2"+port(good))
	reached := make(chan error, 1)
	go func() {
		_, err := inside.Accept()
		reached <- err
	}()
	resolver, names := resolve(t, map[string]string{"example.com": "127.0.0.1"})
	c := newClient(t, options().WithResolver(resolver))

	url := "https://example.com" + port(good) + "/"
	if status, body, err := get(t, c, url); err != nil || status != 200 || body != "hello" {
		t.Fatalf("before: %d %q %v", status, body, err)
	}
	c.Close() // so that the next request connects anew
	names.set("example.com", "127.0.0.2")
	if _, _, err := get(t, c, url); !errors.Is(err, outbound.ErrNotPublic) {
		t.Errorf("after: %v", err)
	}
	_ = inside.Close()
	if <-reached == nil {
		t.Error("the address that is not allowed got a connection")
	}
}

func TestURLsAreCheckedBeforeTheyAreAsked(t *testing.T) {
	resolver, _ := resolve(t, map[string]string{"inside.example.com": "10.0.0.1"})
	c := newClient(t, options().WithResolver(resolver))
	for url, want := range map[string]error{
		"http://example.com/":            outbound.ErrNotHTTPS,
		"https://169.254.169.254/":       outbound.ErrNotPublic,
		"https://inside.example.com/":    outbound.ErrNotPublic,
		"https://127.1/":                 outbound.ErrURL,
		"https://me:pw@example.com/":     outbound.ErrURL,
		"https://[64:ff9b::7f00:1]:443/": outbound.ErrNotPublic,
		"opaque":                         outbound.ErrURL,
	} {
		for _, client := range []*http.Client{c.HTTP(), c.HTTPDirect()} {
			body := &closing{}
			req := request(t, http.MethodPost, url, "")
			req.Body = body
			if url == "opaque" {
				req = request(t, http.MethodPost, "https://example.com/", "")
				req.URL.Opaque, req.Body = "//169.254.169.254/", body
			}
			if _, err := client.Do(req); !errors.Is(err, want) {
				t.Errorf("%s: %v, not %v", url, err, want)
			}
			if !body.closed.Load() {
				t.Errorf("%s: the request's body is left open", url)
			}
		}
	}
}

type closing struct{ closed atomic.Bool }

func (*closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closing) Close() error           { c.closed.Store(true); return nil }

// TestProxiesOfTheEnvironmentAreIgnored: net/http takes no proxy for 127.0.0.1, so the
// server has a name here.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	srv := serve(t, hello)
	url := "https://example.com" + port(srv) + "/"
	if proxy, err := http.ProxyFromEnvironment(request(t, http.MethodGet, url, "")); proxy == nil {
		t.Fatalf("the environment names no proxy (%v)", err)
	}
	resolver, _ := resolve(t, map[string]string{"example.com": "127.0.0.1"})
	if status, _, err := get(t, newClient(t, options().WithResolver(resolver)), url); err != nil || status != 200 {
		t.Errorf("%d %v", status, err)
	}
}

func TestTLS(t *testing.T) {
	old := serve(t, hello, func(s *httptest.Server) { s.TLS.MaxVersion = tls.VersionTLS11; s.TLS.MinVersion = tls.VersionTLS10 })
	good := serve(t, hello)
	plain := httptest.NewServer(http.HandlerFunc(hello))
	defer plain.Close()
	resolver, _ := resolve(t, map[string]string{"example.com": "127.0.0.1", "other.test": "127.0.0.1"})
	c := newClient(t, options().WithResolver(resolver))
	stranger := newClient(t, outbound.Options{Allow: loopback}.WithResolver(resolver))
	for _, tt := range []struct {
		name   string
		client *outbound.Client
		url    string
	}{
		{"TLS 1.1", c, old.URL}, {"a certificate for another name", c, "https://other.test" + port(good)},
		{"a certificate of an unknown authority", stranger, good.URL}, {"no TLS at all", c, "https://127.0.0.1" + port(plain)},
	} {
		if _, _, err := get(t, tt.client, tt.url); !errors.Is(err, outbound.ErrTLS) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	resp, err := c.HTTP().Do(request(t, http.MethodGet, "https://example.com"+port(good), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.TLS == nil || resp.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s over %+v", resp.Proto, resp.TLS)
	}
}

func TestUserAgentAndCookies(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
		_, _ = io.WriteString(w, r.Header.Get("User-Agent")+"|"+r.Header.Get("Cookie"))
	})
	o := options()
	o.UserAgent = "esagate/test"
	c := newClient(t, o)
	for range 2 {
		if _, body, err := get(t, c, srv.URL); err != nil || body != "esagate/test|" {
			t.Errorf("%q %v", body, err)
		}
	}
	req := request(t, http.MethodGet, srv.URL, "")
	req.Header.Set("User-Agent", "mine")
	if _, body, err := ask(c, req); err != nil || body != "mine|" {
		t.Errorf("%q %v", body, err)
	}
}
