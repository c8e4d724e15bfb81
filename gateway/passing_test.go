package gateway_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/gateway"
	"esagate/gateway/proxy"
	"esagate/internal/auth"
	"esagate/internal/background"
	"esagate/registry"
)

// Paths that are passed on, of two sources of customer's.
const (
	passed     = "/passed/" + source
	passedToo  = "/passed/a%20house"
	otherHouse = "a house"
)

// passing runs a test before a gateway that passes requests on to a server.
func passing(t *testing.T, behind http.HandlerFunc, body func(w *world, l *pipes, stop func(), stopped <-chan error)) {
	t.Helper()
	passingAs(t, setup{}, behind, body)
}

func passingAs(t *testing.T, s setup, behind http.HandlerFunc, body func(w *world, l *pipes, stop func(), stopped <-chan error)) {
	t.Helper()
	s.sources = []registry.ConfigSource{{CustomerID: customer, SourceID: otherHouse, Name: "A house", TenantID: "tnt_house"}}
	servedAs(t, s, func(w *world, l *pipes, stop func(), stopped <-chan error) {
		back := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), faults: make(chan error)}
		server := &http.Server{Handler: behind, ErrorLog: log.New(io.Discard, "", 0)}
		go func() { _ = server.Serve(back) }()
		transport := &http.Transport{DisableCompression: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case <-back.closed:
				return nil, errors.New("CANARY refused")
			default:
				return back.dial(), nil
			}
		}}
		p := gateway.NewProxies(nil, transport, gateway.AgentsConfig{FirstByte: 75 * time.Second, Idle: 5 * time.Minute}).Agents
		w.gateway.PassAt(p, proxy.Target{URL: &url.URL{Scheme: "http", Host: "agent.example", Path: "/mcp"}, Upgrade: true})
		body(w, l, stop, stopped)
		w.pass(time.Second)
		transport.CloseIdleConnections()
		_ = server.Close()
	})
}

// passage is one call that is passed on.
type passage struct {
	*world
	net.Conn
	*http.Response

	mu    sync.Mutex
	got   string
	ended time.Time // zero: not yet
	err   error     // of reading the answer
}

// call sends a request of the tested path.
func (w *world) call(l *pipes, method, key, headers string) *passage {
	w.Helper()
	return w.callAt(l, method, passed, key, headers)
}

func (w *world) callAt(l *pipes, method, path, key, headers string) *passage {
	w.Helper()
	return w.begin(l, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer %s\r\nContent-Length: 12\r\n%s\r\nCANARY-body\n",
		method, path, key, headers))
}

// begin sends a request as it is, and reads its answer beside the test once it has begun.
func (w *world) begin(l *pipes, text string) *passage {
	w.Helper()
	c := w.dial(l)
	go func() { // the answer is read at once: ReverseProxy holds a lock while it writes, which the bubble's clock waits for
		_, _ = io.WriteString(c.Conn, text)
	}()
	resp, err := http.ReadResponse(c.r, nil)
	w.must(err)
	p := &passage{world: w, Conn: c.Conn, Response: resp}
	go func() {
		from := io.Reader(resp.Body)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			from = c.r
		}
		got, err := io.ReadAll(from)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got, p.err, p.ended = string(got), err, time.Now()
	}()
	return p
}

// over gives when the answer ended, and whether it was cut; zero: it goes on.
func (p *passage) over() (at time.Time, cut bool) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended, p.err != nil
}

func (p *passage) leave() { _ = p.Close(); synctest.Wait() }

// Close closes the connection.
func (p *passage) Close() error { return p.Conn.Close() }

// streams sends an event each minute.
func streams(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	for ; r.Context().Err() == nil; background.Sleep(r.Context(), time.Minute) {
		_, _ = io.WriteString(w, "data: CANARY-event\n\n")
		_ = http.NewResponseController(w).Flush()
	}
}

func (w *world) count(metric string) string {
	w.Helper()
	for line := range strings.SplitSeq(string(w.do("GET", "/metrics").body), "\n") {
		if value, ok := strings.CutPrefix(line, metric+" "); ok {
			return value
		}
	}
	return ""
}

// TestAPassageIsOfItsCaller and counted as such; nothing of a body is in a log.
func TestAPassageIsOfItsCaller(t *testing.T) {
	passing(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Ours") == "" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked with %v", r.Header)
		}
		if r.Method == http.MethodGet {
			streams(w, r)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		for range 2 {
			p := w.call(l, "POST", readKey, "X-Request-Id: mine\r\n")
			if _, cut := p.over(); cut || p.StatusCode != 200 || p.got != "CANARY-body\n" || p.Header.Get("X-Request-Id") != "mine" {
				w.Errorf("%d %q %v", p.StatusCode, p.got, p.Header)
			}
			p.leave()
		}
		s := w.call(l, "GET", writeKey, "")
		if s.Header.Get("X-Accel-Buffering") != "no" {
			w.Errorf("a stream's header: %v", s.Header)
		}
		if open, others := w.count("esagate_proxy_open"), w.count("esagate_requests_in_flight"); open != "1" || others != "1" {
			w.Errorf("%s are open, and %s others with this one", open, others)
		}
		w.pass(time.Hour)
		if at, _ := s.over(); !at.IsZero() {
			w.Error("the stream has ended")
		}
		s.leave()
		w.pass(time.Second)
		for metric, want := range map[string]string{
			`esagate_proxy_duration_seconds_count{door="mcp",outcome="done"}`: "2",
			`esagate_proxy_duration_seconds_count{door="mcp",outcome="left"}`: "1",
			`esagate_proxy_bytes_total{direction="sent",door="mcp"}`:          "36",
			"esagate_proxy_open": "0", "esagate_panics_total": "0",
		} {
			if got := w.count(metric); got != want {
				w.Errorf("%s is %q, not %q", metric, got, want)
			}
		}
		if !strings.Contains(w.logs.String(), "a request was passed on") {
			w.Error("no log line")
		}
	})
}

// TestAPassageEndsWithItsKey or its source, within some seconds, and no other does.
func TestAPassageEndsWithItsKey(t *testing.T) {
	passing(t, streams, func(w *world, l *pipes, _ func(), _ <-chan error) {
		clear := auth.KeyPrefix + "key-to-be-revoked"
		key, err := w.store.APIKeys().CreateKey(w.Context(), registry.APIKey{Name: "gone", CustomerID: customer, SHA256: sha256.Sum256([]byte(clear))})
		w.must(err)
		w.pass(time.Minute)
		revoked, fallen, good := w.call(l, "GET", clear, ""), w.call(l, "POST", writeKey, ""), w.call(l, "GET", readKey, "")
		house := w.callAt(l, "GET", passedToo, readKey, "")
		w.pass(time.Hour)
		_, err = w.store.APIKeys().RevokeKey(w.Context(), key.ID)
		w.must(err)
		w.callers.SetKeys([]auth.Key{{Name: "reader", CustomerID: customer, Identity: registry.Identity{PrincipalID: "prin_pelican"}, SHA256: sha256.Sum256([]byte(readKey))}})
		begun := time.Now()
		w.pass(10 * time.Second)
		for name, p := range map[string]*passage{"revoked": revoked, "taken from the config": fallen} {
			if at, cut := p.over(); at.Before(begun) || !cut {
				w.Errorf("%s: ended at %v, cut: %t", name, at, cut)
			}
			p.leave()
		}
		if at, _ := good.over(); !at.IsZero() {
			w.Error("a good key's has ended")
		}
		_, err = w.directory.DeleteSource(w.Context(), customer, source, func(*registry.Source) error { return nil })
		w.must(err)
		w.pass(40 * time.Second)
		if at, _ := good.over(); at.IsZero() {
			w.Error("that of a source that is not there any more goes on")
		}
		if at, _ := house.over(); !at.IsZero() {
			w.Error("another source's has ended")
		}
		house.leave()
		if got := w.count(`esagate_proxy_duration_seconds_count{door="mcp",outcome="ended"}`); got != "3" {
			w.Errorf("%s have ended", got)
		}
		good.leave()
	})
}

// TestPassagesAtAStop: what does not end by itself ends at once, the rest has some time.
func TestPassagesAtAStop(t *testing.T) {
	passing(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			conn, both, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			_, _ = both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_ = both.Flush()
			_, _ = io.Copy(io.Discard, both)
		case r.Method == http.MethodGet:
			streams(w, r)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Second)
			_, _ = fmt.Fprint(w, "data: the result\n\n")
			_ = http.NewResponseController(w).Flush()
			if r.ContentLength == 12 {
				<-r.Context().Done()
			}
		}
	}, func(w *world, l *pipes, stop func(), stopped <-chan error) {
		socket := w.call(l, "GET", readKey, "Connection: Upgrade\r\nUpgrade: websocket\r\n")
		stream, call := w.call(l, "GET", readKey, ""), w.call(l, "POST", readKey, "")
		w.pass(2 * time.Second)
		begun := time.Now()
		stop()
		for name, p := range map[string]*passage{"a stream": stream, "a websocket": socket} {
			if at, _ := p.over(); !at.Equal(begun) {
				w.Errorf("%s ended at %v", name, at)
			}
		}
		if err := <-stopped; err != nil || time.Since(begun) > 16*time.Second {
			w.Errorf("stopped after %s: %v", time.Since(begun), err)
		}
		if at, cut := call.over(); !cut || call.got != "data: the result\n\n" || at.Sub(begun) != 15*time.Second {
			w.Errorf("a call ended after %s with %q", at.Sub(begun), call.got)
		}
	})
}

// TestPassagesAreBounded: a customer has a number of them, which others are not held up by.
func TestPassagesAreBounded(t *testing.T) {
	passing(t, streams, func(w *world, l *pipes, _ func(), _ <-chan error) {
		var open []*passage
		for range 8 {
			open = append(open, w.call(l, "POST", writeKey, ""))
		}
		refused := w.call(l, "POST", readKey, "")
		if refused.StatusCode != http.StatusTooManyRequests || refused.Header.Get("Retry-After") == "" {
			w.Errorf("one too many: %d %v", refused.StatusCode, refused.Header)
		}
		refused.leave()
		if other := w.call(l, "POST", otherKey, ""); other.StatusCode != 200 {
			w.Errorf("another customer's: %d", other.StatusCode)
		} else {
			defer other.leave()
		}
		open[0].leave()
		w.pass(time.Second)
		open[0] = w.call(l, "POST", readKey, "")
		if open[0].StatusCode != 200 {
			w.Errorf("in the place of another: %d", open[0].StatusCode)
		}
		for _, p := range open {
			p.leave()
		}
	})
}

// TestPassagesLeaveConnectionsToOthers also where no customer has many.
func TestPassagesLeaveConnectionsToOthers(t *testing.T) {
	passingAs(t, setup{connections: 16}, streams, func(w *world, l *pipes, _ func(), _ <-chan error) {
		var open []*passage
		for _, key := range []string{readKey, otherKey, readKey, otherKey} {
			open = append(open, w.call(l, "POST", key, ""))
		}
		full := w.call(l, "POST", otherKey, "")
		if full.StatusCode != http.StatusServiceUnavailable || full.Header.Get("Retry-After") == "" {
			w.Errorf("one too many: %d %v", full.StatusCode, full.Header)
		}
		for _, p := range append(open, full) {
			p.leave()
		}
	})
}

// TestNoAnswerIsAnError of the API, in words of its own.
func TestNoAnswerIsAnError(t *testing.T) {
	for name, test := range map[string]struct {
		behind http.HandlerFunc
		status int
		code   string
		took   time.Duration
	}{
		"silence": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, 503, "UPSTREAM_TIMEOUT", 75 * time.Second}, // longer than the server has for other answers
		"nobody": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 503, "UPSTREAM_UNREACHABLE", 0},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "10000000000") }, 503,
			"UPSTREAM_INVALID_RESPONSE", 0},
	} {
		t.Run(name, func(t *testing.T) {
			passing(t, test.behind, func(w *world, l *pipes, _ func(), _ <-chan error) {
				begun := time.Now()
				p := w.call(l, "POST", readKey, "")
				took := time.Since(begun)
				if _, cut := p.over(); cut || p.StatusCode != test.status || !strings.Contains(p.got, `"`+test.code+`"`) || took != test.took {
					w.Errorf("%d %s after %s", p.StatusCode, p.got, took)
				}
				_, _ = w.seen.Write([]byte(p.got))
				p.leave()
			})
		})
	}
}
