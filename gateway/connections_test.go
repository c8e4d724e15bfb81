package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fromAddress is a connection whose client has an address.
type fromAddress struct {
	net.Conn
	address string
}

func (c fromAddress) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(c.address), Port: 40_000}
}

// dialFrom connects from an address.
func (w *world) dialFrom(l *pipes, address string) *line {
	client, server := net.Pipe()
	l.conns <- fromAddress{server, address}
	return &line{w, client, bufio.NewReader(client)}
}

const health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

// TestWaitingConnectionsMakeRoom: however many send no request, or no end of its header, a new one is answered at once.
func TestWaitingConnectionsMakeRoom(t *testing.T) {
	servedAs(t, setup{connections: 16}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		kept := w.dialFrom(l, "192.0.2.1")
		kept.say(health)
		kept.hears("the first", 200)
		var silent []*line
		for range 100 {
			c := w.dialFrom(l, "198.51.100.7")
			c.say("GET / HTTP/1.1\r\nX-Padding: %s", strings.Repeat("x", 1000))
			silent = append(silent, c)
		}
		c := w.dialFrom(l, "192.0.2.1")
		c.say(health)
		c.hears("a new one", 200)
		open := 0
		for _, s := range append(silent, kept) {
			_ = s.SetReadDeadline(time.Now().Add(1)) // fails where the other end is closed
			if _, err := s.Read(make([]byte, 1)); err != io.EOF {
				open++
			}
			w.must(s.Close())
		}
		if open != 15 {
			w.Errorf("%d of those that wait are open", open)
		}
		w.must(c.Close())
	})
}

// TestAnAddressHasItsShare, of which it is refused more while requests are worked on; others go on.
func TestAnAddressHasItsShare(t *testing.T) {
	release := make(chan struct{})
	hangs := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Header().Set("Content-Type", "text/plain")
	})
	servedAs(t, setup{connections: 16, perAddress: 4, metrics: hangs}, func(w *world, l *pipes, _ func(), _ <-chan error) {
		release = make(chan struct{})
		var busy []*line
		ask := func(address string, request string) *line {
			c := w.dialFrom(l, address)
			c.say("%s", request)
			return c
		}
		refused := func(address string) {
			w.Helper()
			c := ask(address, health)
			if h := c.hears("one too many", 503); h.Get("Retry-After") != "1" || h.Get("Connection") != "close" || h.Get("X-Request-Id") == "" {
				w.Errorf("%v", h)
			}
			w.must(c.Close())
		}
		for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.4"} {
			for range 4 {
				busy = append(busy, ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
			}
			refused(address)
			if address == "192.0.2.2" {
				c := ask("192.0.2.99", health)
				c.hears("another address", 200)
				w.must(c.Close())
				synctest.Wait()
			}
		}
		refused("2001:db8::2") // one network with the last but one
		refused("192.0.2.99")  // none is left at all
		close(release)
		for _, c := range busy {
			c.hears("what was worked on", 200)
			w.must(c.Close())
		}
		synctest.Wait()
		c := ask("192.0.2.1", health)
		c.hears("afterwards", 200)
		w.must(c.Close())
		if page := string(w.do("GET", "/metrics").body); page != "" {
			w.Errorf("%s", page)
		}
	})
}
