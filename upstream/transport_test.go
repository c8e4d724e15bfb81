package upstream_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"esagate/internal/fault"
	"esagate/upstream"
)

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
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(document()))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	r := newRig(t, upstream.Config{BaseURL: server.URL, Breaker: lenient}, nil)
	for range 8 { // 500, then good
		r.works(tenant)
	}
	alone := newRig(t, upstream.Config{BaseURL: server.URL, Attempts: 1, Breaker: lenient}, nil)
	for range 8 { // every other one is given up
		alone.status(tenant)
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections for two clients", n)
	}
}

func TestATenantIDIsOnePathSegment(t *testing.T) {
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
		alone(t, upstream.Config{}, func(q *http.Request) (*http.Response, error) {
			if uri := q.URL.RequestURI(); uri != "/admin/api/v1/tenant-management/tenants/"+want+"/status" {
				t.Errorf("%q became %s", id, uri)
			}
			return respond(200, document()), nil
		}, func(t *testing.T, r *rig) { r.works(id) })
	}
}

func TestUntrustedCertificate(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	r := newRig(t, upstream.Config{BaseURL: server.URL}, nil)
	e := r.must(tenant, fault.UpstreamUnreachable)
	if !strings.Contains(e.Error(), "unknown authority") || calls.Load() != 0 {
		t.Errorf("%d calls, %v", calls.Load(), e)
	}
	r.metric("esagate.upstream.retries{operation=status}", 0)
}

// rawServer answers every connection of its dial with the same bytes.
func rawServer(answer string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				_, _ = io.WriteString(server, answer)
			}
		}()
		return client, nil
	}
}

// net/http's read errors quote trailers and chunk headers. None of that may reach a span,
// an error or the log.
func TestErrorsQuoteNothingOfABrokenAnswer(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, c := range map[string]struct {
		answer string
		reason fault.Reason
	}{
		"trailer":      {head + "2\r\n{}\r\n0\r\nsecret hunter2 CANARY here\r\n\r\n", fault.UpstreamInvalidResponse},
		"chunk header": {head + "CANARY hunter2\r\n{}\r\n", fault.UpstreamInvalidResponse},
		"gzip": {strings.Replace(head, "Transfer", "Content-Encoding: gzip\r\nTransfer", 1) + "f\r\nhunter2 CANARY.\r\n0\r\n\r\n",
			fault.UpstreamInvalidResponse},
		"no HTTP": {"CANARY hunter2 is no protocol\r\n\r\n", fault.UpstreamUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, upstream.Config{BaseURL: "http://agent.invalid", Attempts: 1},
					&http.Transport{DialContext: rawServer(c.answer), DisableKeepAlives: true})
				r.must(tenant, c.reason)
			})
		})
	}
}
