package outbound_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"esagate/internal/outbound"
)

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// TestANameThatRebinds is looked up once as an allowed address and then as one that
// is not, at which a server stands as well.
func TestANameThatRebinds(t *testing.T) {
	good := serve(t, hello)
	var reached atomic.Int32
	bad := serveOn(t, listenAt(t, "127.0.0.2"+port(good)), func(http.ResponseWriter, *http.Request) {},
		func(s *httptest.Server) { s.Listener = counting{s.Listener, &reached} })
	c := newClient(t, options().WithResolver(resolve(t, map[string][]string{
		"agents.test": {"127.0.0.1", "127.0.0.2"},
	})))

	url := "https://agents.test" + port(bad) + "/"
	if status, body, err := get(t, c, url); err != nil || status != 200 || body != "hello" {
		t.Fatalf("before: %d %q %v", status, body, err)
	}
	c.Close() // so that the next request connects anew
	if _, _, err := get(t, c, url); !errors.Is(err, outbound.ErrNotPublic) {
		t.Errorf("after: %v", err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the address that is not allowed got %d connections", n)
	}
}

// counting counts the connections to a listener.
type counting struct {
	net.Listener
	n *atomic.Int32
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func TestNamesThatMeanLoopback(t *testing.T) {
	c := newClient(t, outbound.Options{}.WithResolver(resolve(t, map[string][]string{
		"mixed.agents.test": {"127.0.0.2 127.0.0.3 ::1"},
	})))
	for _, host := range []string{"localhost", "mixed.agents.test"} {
		if got := c.CheckURL("https://" + host + "/"); got != "" {
			t.Errorf("%s: %s", host, got)
		}
		if _, _, err := get(t, c, "https://"+host+"/"); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestURLsAreCheckedBeforeTheyAreAsked(t *testing.T) {
	c := newClient(t, options())
	for url, want := range map[string]error{
		"http://agents.test/":            outbound.ErrNotHTTPS,
		"https://169.254.169.254/":       outbound.ErrNotPublic,
		"https://[::1]/":                 outbound.ErrNotPublic,
		"https://127.1/":                 outbound.ErrURL,
		"https://me:pw@agents.test/":     outbound.ErrURL,
		"https://agents.test:0/":         outbound.ErrURL,
		"https://[64:ff9b::7f00:1]:443/": outbound.ErrNotPublic,
	} {
		body := &closing{}
		req := request(t, http.MethodPost, url, "")
		req.Body = body
		if _, _, err := ask(c, req); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", url, err, want)
		}
		if !body.closed.Load() {
			t.Errorf("%s: the request's body is left open", url)
		}
	}
	req := request(t, http.MethodGet, "https://agents.test/", "")
	req.URL.Opaque = "//169.254.169.254/"
	if _, _, err := ask(c, req); !errors.Is(err, outbound.ErrURL) {
		t.Errorf("opaque: %v", err)
	}
}

type closing struct{ closed atomic.Bool }

func (*closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closing) Close() error           { c.closed.Store(true); return nil }

// TestProxiesOfTheEnvironmentAreIgnored: net/http takes no proxy for 127.0.0.1, so the
// server has a name here.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	srv := serve(t, hello)
	url := "https://agents.test" + port(srv) + "/"
	if proxy, err := http.ProxyFromEnvironment(request(t, http.MethodGet, url, "")); proxy == nil {
		t.Fatalf("the environment names no proxy (%v)", err)
	}
	c := newClient(t, options().WithResolver(resolve(t, map[string][]string{"agents.test": {"127.0.0.1"}})))
	if status, _, err := get(t, c, url); err != nil || status != 200 {
		t.Errorf("%d %v", status, err)
	}
}

func TestTLS(t *testing.T) {
	old := serve(t, hello, func(s *httptest.Server) { s.TLS.MaxVersion = tls.VersionTLS11; s.TLS.MinVersion = tls.VersionTLS10 })
	good := serve(t, hello)
	resolver := resolve(t, map[string][]string{"agents.test": {"127.0.0.1"}, "other.test": {"127.0.0.1"}})
	c := newClient(t, options().WithResolver(resolver))
	stranger := newClient(t, outbound.Options{Allow: loopback}.WithResolver(resolver))

	if _, _, err := get(t, c, old.URL); !errors.Is(err, outbound.ErrTLS) {
		t.Errorf("TLS 1.1: %v", err)
	}
	if _, _, err := get(t, c, "https://other.test"+port(good)); !errors.Is(err, outbound.ErrTLS) {
		t.Errorf("a certificate for another name: %v", err)
	}
	if _, _, err := get(t, stranger, good.URL); !errors.Is(err, outbound.ErrTLS) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	plain := httptest.NewServer(http.HandlerFunc(hello))
	defer plain.Close()
	if _, _, err := get(t, c, "https://127.0.0.1"+port(plain)); !errors.Is(err, outbound.ErrTLS) {
		t.Errorf("no TLS at all: %v", err)
	}

	resp, err := c.HTTP().Do(request(t, http.MethodGet, "https://agents.test"+port(good), ""))
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
