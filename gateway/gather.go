package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
)

// net/http hands an answer of over 4 KiB to the connection in two pieces: two
// system calls and two packets. Here the pieces of an answer whose length is
// known are gathered and written at once.

// Bodies outside these bounds are left as net/http writes them: smaller ones go
// out in one piece anyway, and larger ones are not worth the copy.
const (
	gatherFrom = 3 << 10
	gatherTo   = 32 << 10
)

// gatheringListener makes connections that can gather.
type gatheringListener struct{ net.Listener }

// Accept implements net.Listener.
func (l gatheringListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatheringConn{Conn: c}, nil
}

// gatheringConn passes writes through, except those of an answer that was announced:
// they are held until its last byte. net/http writes from one goroutine at a time. When
// a handler panics, what is held is lost with the connection, as it should be.
type gatheringConn struct {
	net.Conn
	body int           // bytes of the announced answer's body
	held *bytes.Buffer // nil: none is announced
}

var gathered = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// announce says that the next answer has a body of so many bytes.
func (c *gatheringConn) announce(body int) {
	c.body, c.held = body, gathered.Get().(*bytes.Buffer)
	c.held.Reset()
}

// Write implements net.Conn.
func (c *gatheringConn) Write(p []byte) (int, error) {
	if c.held == nil {
		return c.Conn.Write(p)
	}
	c.held.Write(p)
	_, body, begun := bytes.Cut(c.held.Bytes(), []byte("\r\n\r\n"))
	if !begun || len(body) < c.body {
		return len(p), nil
	}
	held := c.held
	c.held = nil
	_, err := c.Conn.Write(held.Bytes())
	gathered.Put(held)
	return len(p), err
}

// CloseWrite says that no more will be written. net/http does so before it closes a
// connection with unread input, so that the client gets the answer and not a reset.
func (c *gatheringConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// boundBuffer has the system hold no more than some bytes that the client does not take.
func (c *gatheringConn) boundBuffer(bytes int) {
	if b, ok := c.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(bytes) // else it holds what it holds
	}
}

type connKey struct{}

// withConn lets handlers find the connection that they answer on.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// writeAtOnce writes a whole body, whose Content-Length is set, in one piece
// with its head where the connection can.
func writeAtOnce(w http.ResponseWriter, r *request, body []byte) {
	if len(body) >= gatherFrom && len(body) <= gatherTo {
		if c, ok := r.Context().Value(connKey{}).(*gatheringConn); ok {
			c.announce(len(body))
		}
	}
	_, _ = w.Write(body) // the client may be gone
}
