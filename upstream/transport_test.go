package upstream_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
)

// serve runs a handler on a real socket and gives a client with a transport of
// its own.
func serve(t *testing.T, cfg upstream.Config, h http.HandlerFunc) (*rig, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg.APIKey = key
	cfg.BaseURL = server.URL + cfg.BaseURL
	r := newRig(t, cfg, nil)
	t.Cleanup(func() {
		r.client.Close()
		r.assertSilent()
	})
	return r, server
}

func good(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(document()))
}

// TestConnectionsOutliveFailures: go-retryablehttp closes all idle connections of
// its client after each failure, if it can.
func TestConnectionsOutliveFailures(t *testing.T) {
	var conns, calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(strings.Repeat("trouble ", 1000)))
			return
		}
		good(w)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	r := newRig(t, upstream.Config{BaseURL: server.URL, APIKey: key, Breaker: lenient}, nil)
	defer r.client.Close()
	for range 8 { // 500, then good
		r.works(tenant)
	}
	alone := newRig(t, upstream.Config{BaseURL: server.URL, APIKey: key, Attempts: 1, Breaker: lenient}, nil)
	defer alone.client.Close()
	for range 8 { // every other one is given up
		alone.status(tenant)
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections for two clients", n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		good(w)
	}))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		r, _ := serve(t, upstream.Config{}, func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, target.URL, status)
		})
		r.must(tenant, fault.UpstreamError)
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("followed %d times, with the key", n)
	}
}

func TestATenantIDIsOnePathSegment(t *testing.T) {
	var got atomic.Pointer[string]
	r, _ := serve(t, upstream.Config{BaseURL: "/admin/"}, func(w http.ResponseWriter, q *http.Request) {
		got.Store(&q.RequestURI)
		good(w)
	})
	for id, want := range map[string]string{
		tenant:             tenant,
		"../../secrets":    "..%2F..%2Fsecrets",
		"a?b=c#d":          "a%3Fb=c%23d",
		"a%2fb":            "a%252fb",
		"a\r\nX: y":        "a%0D%0AX:%20y",
		"..\\..":           "..%5C..",
		"\xff\x00":         "%FF%00",
		"@evil.invalid/":   "@evil.invalid%2F",
		"http://evil.test": "http:%2F%2Fevil.test",
	} {
		r.works(id)
		if uri := *got.Load(); uri != "/admin/api/v1/tenant-management/tenants/"+want+"/status" {
			t.Errorf("%q became %s", id, uri)
		}
	}
	got.Store(nil)
	for _, id := range []string{"", ".", "..", strings.Repeat("x", 10_000)} {
		r.must(id, fault.TenantNotFound)
	}
	if uri := got.Load(); uri != nil {
		t.Errorf("asked for %s", *uri)
	}
}

func TestNobodyListens(t *testing.T) {
	r, server := serve(t, upstream.Config{}, func(w http.ResponseWriter, _ *http.Request) { good(w) })
	server.Close()
	e := r.must(tenant, fault.UpstreamUnreachable)
	if !strings.Contains(e.Error(), "connection refused") {
		t.Errorf("an operator reads: %v", e)
	}
}

func TestACertificateThatIsNotTrusted(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	server.Config.ErrorLog = silentLog
	server.StartTLS()
	defer server.Close()
	r := newRig(t, upstream.Config{BaseURL: server.URL, APIKey: key}, nil)
	defer r.client.Close()
	e := r.must(tenant, fault.UpstreamUnreachable)
	if !strings.Contains(e.Error(), "unknown authority") || calls.Load() != 0 {
		t.Errorf("%d calls, %v", calls.Load(), e)
	}
	r.metric("esagate.upstream.retries{operation=status}", 0)
}

// An answer that is no HTTP at all is quoted by net/http; we don't.
func TestGarbageIsNotQuoted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("CANARY is no protocol\r\n\r\n"))
			_ = c.Close()
		}
	}()
	r := newRig(t, upstream.Config{BaseURL: "http://" + l.Addr().String(), APIKey: key}, nil)
	defer r.client.Close()
	r.must(tenant, fault.UpstreamUnreachable)
	r.assertSilent()
}

func TestReadsAtTheSameTime(t *testing.T) {
	var calls atomic.Int32
	r, _ := serve(t, upstream.Config{Breaker: lenient}, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%5 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		good(w)
	})
	done := make(chan error)
	for range 16 {
		go func() {
			var last error
			for range 20 {
				if doc, err := r.client.Status(context.Background(), tenant); doc == nil && err == nil {
					t.Error("neither a document nor an error")
				}
				_, last = r.client.Tenant(context.Background(), tenant)
				_ = r.client.Health()
			}
			done <- last
		}()
	}
	for range 16 {
		<-done
	}
}
