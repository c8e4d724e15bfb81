package proxy_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/gateway/proxy"
)

// BenchmarkPass is one call through the proxy, over real connections, beside one through a bare ReverseProxy and one of the
// server itself: a small answer, a larger one, and the first event of a stream.
func BenchmarkPass(b *testing.B) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/stream":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: 1\n\n")
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("0123456789abcdef", 4<<10))
		default:
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
		}
	}))
	defer behind.Close()
	at, err := url.Parse(behind.URL)
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	p := proxy.New(transport, limits)
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := *at
		to.Path = r.URL.Path
		header := http.Header{"Content-Type": r.Header["Content-Type"], "Accept": r.Header["Accept"]}
		if err := p.Serve(w, r, proxy.Target{URL: &to, Header: header}, proxy.Follow{}); err != nil {
			b.Error(err)
		}
	}))
	defer ours.Close()
	bare := httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }})
	defer bare.Close()
	client := &http.Client{Transport: &http.Transport{
		DisableCompression: true, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
	}}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/small", "/large", "/stream"} {
		for _, by := range []struct{ name, url string }{{"none", behind.URL}, {"bare", bare.URL}, {"ours", ours.URL}} {
			b.Run(path[1:]+"/"+by.name, func(b *testing.B) {
				for b.Loop() {
					resp, err := client.Post(by.url+path, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
	}
}
