package proxy_test

import (
	"bufio"
	"context"
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

	"go.uber.org/goleak"

	"esagate/gateway/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a listener in memory.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newNetwork() *network { return &network{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { n.once.Do(func() { close(n.closed) }); return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func (n *network) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.closed:
		return nil, errors.New("nobody listens")
	}
}

// limits are those of the tests that say nothing else.
var limits = proxy.Limits{
	FirstByte: 20 * time.Second, Idle: time.Minute, Client: 5 * time.Second,
	Request: 1 << 20, Answer: 1 << 20, Stream: 2 << 20, Line: 100 << 10,
}

// rig is a server, a proxy before it and its client, on a fake clock.
type rig struct {
	*testing.T
	front  *network
	target proxy.Target // of every request

	mu    sync.Mutex
	end   context.CancelCauseFunc // ends the last request
	ended []proxy.Exchange
	errs  []error // of Serve, where it did not panic
}

// inRig runs a test before a proxy of a server.
func inRig(t *testing.T, l proxy.Limits, behind http.HandlerFunc, body func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		back := newNetwork()
		r := &rig{T: t, front: newNetwork(), target: proxy.Target{URL: &url.URL{Scheme: "http", Host: "behind.example", Path: "/"}}}
		r.target.Header = http.Header{"X-Ours": {"1"}}
		transport := &http.Transport{DialContext: back.dial, DisableCompression: true}
		p := proxy.New(transport, l)
		quiet := log.New(io.Discard, "", 0)
		servers := []*http.Server{{Handler: behind, ErrorLog: quiet}, {ErrorLog: quiet, WriteTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("X-Front", "1")
				ctx, end := context.WithCancelCause(q.Context())
				defer end(nil)
				r.mu.Lock()
				r.end = end
				r.mu.Unlock()
				err := p.Serve(w, q.WithContext(ctx), r.target, proxy.Follow{Ends: func(x proxy.Exchange) {
					r.mu.Lock()
					defer r.mu.Unlock()
					r.ended = append(r.ended, x)
				}})
				r.mu.Lock()
				r.errs = append(r.errs, err)
				r.mu.Unlock()
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
				}
			})}}
		for i, l := range []*network{back, r.front} {
			go func() { _ = servers[i].Serve(l) }()
		}
		defer func() {
			time.Sleep(time.Second)
			transport.CloseIdleConnections()
			for _, s := range servers {
				_ = s.Close()
			}
		}()
		body(r)
	})
}

// conn is a client's connection.
type conn struct {
	net.Conn
	*bufio.Reader
	t *rig
}

// say opens a connection and sends something, in the background.
func (r *rig) say(format string, args ...any) conn {
	r.Helper()
	c, err := r.front.dial(r.Context(), "", "")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = c.Close() })
	go func() { _, _ = fmt.Fprintf(c, format, args...) }()
	return conn{c, bufio.NewReader(c), r}
}

// get opens a connection and asks for something.
func (r *rig) get(headers string) conn {
	return r.say("GET /asked?for=it HTTP/1.1\r\nHost: front.example\r\n%s\r\n", headers)
}

func (r *rig) post(body string) conn {
	return r.say("POST / HTTP/1.1\r\nHost: front.example\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// answer reads an answer's header.
func (c conn) answer() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// whole reads an answer; cut reports that it ended early.
func (c conn) whole() (status int, body string, cut bool) {
	c.t.Helper()
	resp := c.answer()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), err != nil
}

// outcome is what the only exchange came to.
func (r *rig) outcome() proxy.Exchange {
	r.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ended) != 1 {
		r.Fatalf("%d exchanges have ended", len(r.ended))
	}
	return r.ended[0]
}

// stream begins an event stream.
func stream(w http.ResponseWriter) func(format string, args ...any) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	return func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, format, args...)
		_ = flush()
	}
}

func repeat(n int) string { return strings.Repeat("0123456789abcde\n", (n+15)/16)[:n] }
