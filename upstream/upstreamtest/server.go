package upstreamtest

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves an agent over HTTP, with switches under /_agent/ for the
// person who runs the demo. Its Close leaves the agent usable, for another Listen.
type Server struct {
	agent  *Agent
	http   *http.Server
	addr   string
	served chan struct{} // closed when the listener's loop has ended

	mu       sync.Mutex
	closing  bool
	end      chan struct{} // closed by Close
	handlers sync.WaitGroup
}

// Listen serves the agent at an address of the loopback interface, such as
// "127.0.0.1:0"; any other is refused, since the switches need no key.
func (a *Agent) Listen(addr string) (*Server, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("upstreamtest: listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("upstreamtest: listen: not a loopback address")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("upstreamtest: listen: %w", err)
	}
	return a.serve(l), nil
}

func (a *Agent) serve(l net.Listener) *Server {
	s := &Server{agent: a, addr: l.Addr().String(), served: make(chan struct{}), end: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // of the request alone: it does not end a fault that hangs
		IdleTimeout:       2 * time.Minute,
		// No WriteTimeout: a fault may hang or drip for as long as its client stays.
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l) // always an error; after Close it says no more than that
	}()
	return s
}

// Addr is host:port of the server, where the switches are.
func (s *Server) Addr() string { return s.addr }

// URL is what a gateway's upstream.base_url is set to.
func (s *Server) URL() string { return "http://" + s.addr }

// Close closes every connection at once and waits until no request is left.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.end)
	}
	s.mu.Unlock()
	err := s.http.Close()
	<-s.served
	s.handlers.Wait()
	return err
}

// ServeHTTP answers the switches itself, also during an outage, and leaves all
// else to the agent.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		drop()
	}
	s.handlers.Add(1)
	s.mu.Unlock()
	defer s.handlers.Done()
	if !s.control(w, r) {
		s.agent.serveHTTP(w, r, s.end)
	}
}
