package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAdminListener: metrics, details and profiles are there, and nowhere else.
func TestAdminListener(t *testing.T) {
	servedAs(t, setup{admin: true}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		if a := w.do("GET", "/readyz"); string(a.body) != `{"status":"ready"}` || a.status != 200 {
			w.Errorf("/readyz: %d %s", a.status, a.body)
		}
		for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap"} {
			if a := w.do("GET", path, "Authorization", "Bearer "+writeKey); a.status != 404 {
				w.Errorf("%s: %d", path, a.status)
			}
		}
		w.do("GET", "/metrics").failure(w, 404, "NOT_FOUND")

		admin := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), faults: make(chan error)}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- w.gateway.ServeAdmin(ctx, admin) }()
		ask := func(method, path string) (int, http.Header, string) {
			c := w.dial(admin)
			defer func() { _ = c.Close() }()
			c.say("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path)
			resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
			w.must(err)
			body, err := io.ReadAll(resp.Body)
			w.must(err)
			return resp.StatusCode, resp.Header, string(body)
		}
		for path, want := range map[string]string{
			"/healthz": `"ok"`, "/readyz": `"store":"ok"`, "/metrics": "esagate_ready 1", "/debug/pprof/": "goroutine",
			"/debug/pprof/heap?debug=1": "heap profile", "/debug/pprof/goroutine": "",
		} {
			status, header, body := ask("GET", path)
			if status != 200 || !strings.Contains(body, want) || header.Get("X-Request-Id") == "" {
				w.Errorf("%s: %d %.80q", path, status, body)
			}
			if status, _, body := ask("HEAD", path); !strings.HasPrefix(path, "/debug") && (status != 200 || body != "") {
				w.Errorf("HEAD %s: %d %q", path, status, body)
			}
		}
		for request, want := range map[string]int{
			"GET /debug/pprof/nothing": 404, "GET /nothing": 404, "GET " + statusOf: 404, "DELETE /metrics": 405, "POST /debug/pprof/profile": 405,
			"GET /debug/pprof/profile?seconds=61": 400, "GET /debug/pprof/heap?seconds=x": 400, "GET /debug/pprof/trace?seconds=0": 400,
		} {
			method, path, _ := strings.Cut(request, " ")
			status, header, body := ask(method, path)
			var failure struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(body), &failure); err != nil || status != want || failure.Error.Code == "" ||
				header.Get("Content-Type") != "application/json" || (header.Get("Allow") == "") != (want != 405) {
				w.Errorf("%s: %d %v %s", request, status, header, body)
			}
		}

		// One profile at a time, and a stop ends it early.
		long := w.dial(admin)
		long.say("GET /debug/pprof/heap?seconds=50 HTTP/1.1\r\nHost: x\r\n\r\n")
		if status, header, body := ask("GET", "/debug/pprof/heap"); status != 503 || header.Get("Retry-After") == "" {
			w.Errorf("beside another: %d %s", status, body)
		}
		begun := time.Now()
		stop()
		if status, _, _ := long.hear(); time.Since(begun) != 0 {
			w.Errorf("a profile at a stop: %d after %s", status, time.Since(begun))
		}
		w.must(<-ended)
		w.must(long.Close())
		synctest.Wait()
	})
}

// TestAdminConnectionsAreTheirOwn: a flood of the one listener does not reach the other.
func TestAdminConnectionsAreTheirOwn(t *testing.T) {
	servedAs(t, setup{admin: true, connections: 16}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		admin := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), faults: make(chan error)}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- w.gateway.ServeAdmin(ctx, admin) }()
		var busy []*line
		for range 20 {
			c := w.dial(l)
			c.say("POST /webhooks/esa-sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			busy = append(busy, c)
		}
		scrape := w.dial(admin)
		scrape.say("%s", strings.Replace(health, "/healthz", "/metrics", 1))
		scrape.hears("a scrape", 200)
		page := w.dial(admin)
		page.say("%s", strings.Replace(health, "/healthz", "/metrics", 1))
		resp, err := http.ReadResponse(page.r, nil)
		w.must(err)
		text, err := io.ReadAll(resp.Body)
		w.must(err)
		if !strings.Contains(string(text), "esagate_connections_refused_total") {
			w.Errorf("no count of refusals in %.200s", text)
		}
		for _, c := range append(busy, scrape, page) {
			w.must(c.Close())
		}
		stop()
		w.must(<-ended)
		w.pass(time.Minute)
	})
}
