package outbound_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"esagate/internal/outbound"
)

// TestMain names proxies in the environment that can't be reached, for all tests:
// net/http reads it once.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		_ = os.Setenv(name, "http://proxy.invalid:1")
	}
	_, _ = os.Unsetenv("NO_PROXY"), os.Unsetenv("no_proxy")
	goleak.VerifyTestMain(m)
}

// canary is what a stranger or a caller put somewhere; no error may repeat it.
const canary = "cnry7Q2"

// loopback is what the tests' clients may ask although it is not public.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// authority is the certificate of httptest's servers, for example.com, the names below
// it and loopback. It is good in a synctest bubble too, where it is 2000.
var authority = sync.OnceValue(func() tls.Certificate {
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	return srv.TLS.Certificates[0]
})

// options are those of a client that trusts the tests' servers on 127.0.0.1.
func options() outbound.Options {
	leaf, err := x509.ParseCertificate(authority().Certificate[0])
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return outbound.Options{Allow: loopback, RootCAs: pool}
}

func newClient(t *testing.T, o outbound.Options) *outbound.Client {
	t.Helper()
	c := outbound.New(o)
	t.Cleanup(c.Close)
	return c
}

// listenAt listens on an address.
func listenAt(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve answers on 127.0.0.1 over TLS, with HTTP/2 where the client speaks it.
func serve(t *testing.T, h http.HandlerFunc, shape ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, f := range shape {
		f(srv)
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// port gives ":port" of a server.
func port(srv *httptest.Server) string {
	return srv.URL[strings.LastIndexByte(srv.URL, ':'):]
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, from)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// ask makes an exchange, and gives the answer's status and body, or what went wrong
// with either.
func ask(c *outbound.Client, req *http.Request) (int, string, error) {
	resp, err := c.HTTP().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// get is ask for a GET.
func get(t *testing.T, c *outbound.Client, url string) (int, string, error) {
	t.Helper()
	return ask(c, request(t, http.MethodGet, url, ""))
}
