package upstream_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
)

// listen serves the connections of a listener, one after another, until the test ends.
func listen(t *testing.T, l net.Listener, serve func(net.Conn)) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
}

// answerOne reads a request whole and answers it with a tenant; false if none came.
func answerOne(c net.Conn, in *bufio.Reader) bool {
	q, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, q.Body)
	const body = `{"tenant_id":"tnt_kiosk"}`
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"+body)
	return true
}

// The server answers one request and drops the connection when the next one begins. That
// one may have been acted upon: a read is sent again, a write is not, and its outcome is
// unknown.
func TestAWriteOnADroppedConnection(t *testing.T) {
	var begun atomic.Int32 // requests of which at least a byte came on a used connection
	var fresh atomic.Int32 // requests on new connections
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen(t, l, func(c net.Conn) {
		in := bufio.NewReader(c)
		fresh.Add(1)
		if !answerOne(c, in) {
			return
		}
		if _, err := in.ReadByte(); err == nil {
			begun.Add(1)
		}
	})
	r := newRig(t, upstream.Config{BaseURL: "http://" + l.Addr().String(), Attempts: 1, Breaker: lenient}, nil)
	read := func() error {
		_, err := r.client.Tenant(context.Background(), tenant)
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if err := read(); err != nil || begun.Load() != 1 || fresh.Load() != 2 {
		t.Fatalf("a read: %v, %d and %d: the connection did not die as it should", err, begun.Load(), fresh.Load())
	}
	_, err = r.client.Provision(context.Background(), provisioning())
	if e := r.fault(err); e == nil || e.Reason != fault.UpstreamUnreachable || upstream.NotSent(err) {
		t.Errorf("%v: it may have been done", err)
	}
	if begun.Load() != 2 || fresh.Load() != 2 {
		t.Errorf("the provisioning was sent again: %d begun, %d connections", begun.Load(), fresh.Load())
	}
}

// dials is a transport whose connections come from a function. net/http goes on dialling
// when the call has ended, for the next call.
func dials(dial func() (net.Conn, error)) *http.Transport {
	return &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() }}
}

// TestNotSent lists the failures after which it is certain that upstream received nothing.
// Each transport gets a function that ends the caller's context.
func TestNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		transport func(t *testing.T, end func()) http.RoundTripper
		want      bool
	}{
		"connection refused": {func(*testing.T, func()) http.RoundTripper {
			return dials(func() (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:1") })
		}, true},
		"the dial hangs": {func(t *testing.T, end func()) http.RoundTripper {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			return dials(func() (net.Conn, error) {
				end()
				<-over
				return nil, io.EOF
			})
		}, true},
		"no such host": {func(*testing.T, func()) http.RoundTripper {
			return breaks(&net.DNSError{Err: "no such host", Name: "CANARY"})
		}, true},
		"a dial's error": {func(*testing.T, func()) http.RoundTripper { return breaks(&net.OpError{Op: "dial", Err: io.EOF}) }, true},
		"the context had ended": {func(t *testing.T, end func()) http.RoundTripper {
			end()
			return neverAsked(t)
		}, true},
		"it ends while the call waits": {func(_ *testing.T, end func()) http.RoundTripper {
			return roundTrip(func(q *http.Request) (*http.Response, error) {
				end()
				return hang(q)
			})
		}, false},
		"it ends as the request is read": {func(_ *testing.T, end func()) http.RoundTripper {
			return dials(func() (net.Conn, error) {
				client, server := net.Pipe()
				go func() {
					_, _ = server.Read(make([]byte, 1))
					end()
					_, _ = io.Copy(io.Discard, server) // until the client gives it up
					_ = server.Close()
				}()
				return client, nil
			})
		}, false},
		"closed at once": {func(*testing.T, func()) http.RoundTripper {
			return dials(func() (net.Conn, error) {
				client, server := net.Pipe()
				return client, server.Close()
			})
		}, false},
		"a write's error": {func(*testing.T, func()) http.RoundTripper {
			return breaks(&net.OpError{Op: "write", Err: io.ErrClosedPipe})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			r := newRig(t, upstream.Config{BaseURL: "http://agent.invalid"}, c.transport(t, cancel))
			_, err := r.client.Provision(ctx, provisioning())
			if e := r.fault(err); e == nil || e.Kind != fault.Unavailable {
				t.Fatalf("%v", err)
			}
			if got := upstream.NotSent(err); got != c.want {
				t.Errorf("not sent: %v, want %v (%v)", got, c.want, err)
			}
			if strings.Contains(err.Error(), credential) {
				t.Error("a credential in the error")
			}
		})
	}
}
