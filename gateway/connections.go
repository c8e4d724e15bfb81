package gateway

import (
	"cmp"
	"container/list"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"esagate/api"
	"esagate/internal/ratelimit"
)

// Connections that the listeners hold at once, where the config says nothing else.
const (
	maxConnections           = 2048
	maxConnectionsPerAddress = 1024
	maxAdminConnections      = 64

	refuseTimeout = 100 * time.Millisecond // for a refusal, which an empty send buffer takes at once
)

// connLimit is a listener that bounds its connections, in all and of one address. A new one
// beyond the bound takes the place of the one that has waited longest without a request:
// for the next one on a connection that is kept open, or for a header that does not
// end. Only where a request is worked on in every place the new one is refused.
type connLimit struct {
	net.Listener
	max, perAddress int
	refused         func()

	mu      sync.Mutex
	conns   map[net.Conn]*heldConn
	waiting list.List // of *heldConn, the longest first
	clients map[netip.Addr]*connClient
}

// connClient is an address with what it holds.
type connClient struct {
	address netip.Addr
	count   int
	waiting list.List // of *heldConn, the longest first
}

// heldConn is a connection; its elements are nil while a request is worked on.
type heldConn struct {
	net.Conn
	client           *connClient
	inAll, ofAddress *list.Element
}

func newConnLimit(l net.Listener, most, perAddress int, refused func()) *connLimit {
	most = cmp.Or(most, maxConnections)
	return &connLimit{
		Listener: l, max: most, perAddress: min(cmp.Or(perAddress, maxConnectionsPerAddress), most), refused: refused,
		conns: map[net.Conn]*heldConn{}, clients: map[netip.Addr]*connClient{},
	}
}

// Accept implements net.Listener.
func (l *connLimit) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		displaced, ok := l.admit(c)
		if displaced != nil {
			_ = displaced.Close()
		}
		if ok {
			return c, nil
		}
		l.refused()
		refuse(c)
	}
}

// admit takes a connection in, perhaps in the place of another one.
func (l *connLimit) admit(c net.Conn) (displaced net.Conn, ok bool) {
	address := ratelimit.Network(parseClient(c.RemoteAddr().String()))
	l.mu.Lock()
	defer l.mu.Unlock()
	client := l.clients[address]
	if client == nil {
		client = &connClient{address: address}
	}
	var longest *list.Element
	switch {
	case client.count >= l.perAddress:
		longest = client.waiting.Front()
	case len(l.conns) >= l.max:
		longest = l.waiting.Front()
	default:
		l.hold(c, client)
		return nil, true
	}
	if longest == nil {
		return nil, false
	}
	h := longest.Value.(*heldConn)
	l.drop(h)
	l.hold(c, client)
	return h.Conn, true
}

func (l *connLimit) hold(c net.Conn, client *connClient) {
	l.clients[client.address] = client
	client.count++
	h := &heldConn{Conn: c, client: client}
	l.conns[c] = h
	l.wait(h)
}

func (l *connLimit) wait(h *heldConn) {
	h.inAll, h.ofAddress = l.waiting.PushBack(h), h.client.waiting.PushBack(h)
}

// work takes a connection from those that wait.
func (l *connLimit) work(h *heldConn) {
	if h.inAll != nil {
		l.waiting.Remove(h.inAll)
		h.client.waiting.Remove(h.ofAddress)
		h.inAll, h.ofAddress = nil, nil
	}
}

func (l *connLimit) drop(h *heldConn) {
	l.work(h)
	delete(l.conns, h.Conn)
	if h.client.count--; h.client.count == 0 {
		delete(l.clients, h.client.address)
	}
}

// connState follows the server's connections; it is an http.Server's ConnState. The server
// calls one active once the header of a request has come in whole.
func (l *connLimit) connState(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.conns[c]
	if h == nil {
		return // it had to make room
	}
	switch state {
	case http.StateActive:
		l.work(h)
	case http.StateIdle:
		l.work(h)
		l.wait(h)
	case http.StateClosed, http.StateHijacked:
		l.drop(h)
	}
}

// refuse answers a connection that there is no place for, and closes it. Its request has not
// been read: a proxy may send it elsewhere.
func refuse(c net.Conn) {
	body := api.Encode(api.ErrorBody{Error: api.Error{
		Code: "SERVICE_UNAVAILABLE", Message: "There are too many connections.",
	}})
	_ = c.SetWriteDeadline(time.Now().Add(refuseTimeout))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Cache-Control: no-store\r\nRetry-After: 1\r\nX-Content-Type-Options: nosniff\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		headerRequestID, requestID(nil), len(body), body)
	_ = c.Close()
}
