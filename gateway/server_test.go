package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/upstream/upstreamtest"
)

// pipes is a listener in memory that counts what its server writes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	faults chan error // of Accept, before it is asked again
	once   sync.Once
	writes atomic.Int64
	buffer atomic.Int64 // what the system may hold of the last connection on which that was bounded; 0: none was
}

type countedConn struct {
	net.Conn
	of *pipes
}

func (c countedConn) Write(p []byte) (int, error) { c.of.writes.Add(1); return c.Conn.Write(p) }

func (c countedConn) SetWriteBuffer(bytes int) error { c.of.buffer.Store(int64(bytes)); return nil }

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.faults:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipes) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- countedConn{server, l}
	return client
}

// served runs a test before a gateway that serves over connections in memory.
// stop tells it to stop; Serve's error comes out of stopped.
func served(t *testing.T, body func(w *world, l *pipes, stop func(), stopped <-chan error)) {
	servedAs(t, setup{}, body)
}

// servedAs is served in another world.
func servedAs(t *testing.T, s setup, body func(w *world, l *pipes, stop func(), stopped <-chan error)) {
	inWorld(t, s, func(w *world) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), faults: make(chan error)}
		ctx, stop := context.WithCancel(context.Background())
		stopped := make(chan error, 1)
		go func() { stopped <- w.gateway.Serve(ctx, l) }()
		body(w, l, stop, stopped)
		stop()
		w.pass(time.Second) // the server closes its end half a second after it has said that it will
	})
}

// ask sends requests over a connection and reads as many answers.
func ask(w *world, c net.Conn, r *bufio.Reader, count int, headers string) (bodies [][]byte) {
	w.Helper()
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer %s\r\n%s\r\n", statusOf, readKey, headers)
	go func() { _, _ = io.WriteString(c, strings.Repeat(request, count)) }()
	for range count {
		resp, err := http.ReadResponse(r, nil)
		w.must(err)
		body, err := io.ReadAll(resp.Body)
		w.must(err)
		if resp.StatusCode != http.StatusOK || int64(len(body)) != resp.ContentLength {
			w.Errorf("%d with %d of %d bytes", resp.StatusCode, len(body), resp.ContentLength)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

// A client that announces content is waited for only where the answer depends on the content.
func TestPromisedContent(t *testing.T) {
	const inChunks = "Transfer-Encoding: chunked\r\n\r\n"
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		for _, test := range []struct {
			rest   string // of the request
			status int
			took   time.Duration
		}{
			{inChunks + "0\r\n\r\n", 200, 0},
			{inChunks + "0\r\nX-Trailer: x\r\n\r\n", 200, 0},
			{inChunks + "2\r\n{}\r\n0\r\n\r\n", 415, 0},
			{inChunks + "nonsense\r\n\r\n", 400, 0},
			{inChunks, 400, 30 * time.Second},
			{"Expect: 100-continue\r\n" + inChunks, 100, 0},
			{"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", 415, 0},
			{"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", 413, 0},
		} {
			c := l.dial()
			begun := time.Now()
			go func() {
				_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer %s\r\n%s",
					statusOf, readKey, test.rest)
			}()
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			w.must(err)
			if took := time.Since(begun); resp.StatusCode != test.status || took != test.took {
				w.Errorf("%q: %d after %s", test.rest, resp.StatusCode, took)
			}
			_ = c.Close()
			w.pass(time.Second) // the server has closed its end
		}
	})
}

func TestAnAnswerIsWrittenInOnePiece(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		want := w.get(statusOf).body
		if len(want) < 4096 {
			w.Fatalf("%d bytes are too few to tell", len(want))
		}
		c := l.dial()
		r := bufio.NewReader(c)
		for name, test := range map[string]struct {
			count   int
			headers string
		}{"one": {1, ""}, "another on the same connection": {1, ""}, "three pipelined": {3, ""}, "compressed": {1, "Accept-Encoding: gzip\r\n"}} {
			l.writes.Store(0)
			for _, body := range ask(w, c, r, test.count, test.headers) {
				if test.headers == "" && !bytes.Equal(body, want) {
					w.Errorf("%s: another body", name)
				}
			}
			synctest.Wait()
			if n := l.writes.Load(); n != int64(test.count) {
				w.Errorf("%s: %d writes for %d answers", name, n, test.count)
			}
		}
		w.must(c.Close())
	})
}

func TestStoppingWaits18SecondsAtMost(t *testing.T) {
	served(t, func(w *world, l *pipes, stop func(), stopped <-chan error) {
		w.get(statusOf)
		c := l.dial() // asks and never reads the answer
		_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", statusOf, readKey)
		w.must(err)
		synctest.Wait()
		begun := time.Now()
		stop()
		if err := <-stopped; err == nil || time.Since(begun) != 18*time.Second {
			w.Errorf("stopping gave %v after %s, want an error after 18 s", err, time.Since(begun))
		}
		w.must(c.Close())
	})
}

func TestWhatNetHTTPReportsIsNotRepeated(t *testing.T) {
	served(t, func(w *world, l *pipes, _ func(), _ <-chan error) {
		l.faults <- &net.DNSError{Err: "CANARY", IsTemporary: true}
		w.pass(time.Second)
		if logs := w.logs.String(); !strings.Contains(logs, "the HTTP server reported") || strings.Contains(logs, "CANARY") {
			w.Errorf("logs: %s", logs)
		}
	})
}

// The answer to headers beyond all limits is net/http's own, and ends with the
// connection: it must end in an end of file, not in a reset.
func TestAnEarlyAnswerReachesItsClient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := setup{database: filepath.Join(t.TempDir(), "registry.db")}
	agent := upstreamtest.New(upstreamtest.Options{APIKey: agentKey})
	defer agent.Close()
	w := start(t, base, agent)
	defer w.stop()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(ctx, listener) }()
	c, err := net.Dial("tcp", listener.Addr().String())
	w.must(err)
	go func() {
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Padding: "+strings.Repeat("x", 300<<10)+"\r\n\r\n")
	}()
	answer, err := io.ReadAll(c)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 431")) {
		t.Errorf("%.40q, then %v", answer, err)
	}
	w.must(c.Close())
	stop()
	w.must(<-served)
}
