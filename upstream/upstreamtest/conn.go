package upstreamtest

import (
	"context"
	"net/http"
	"time"
)

// conn is what can cut a request short: its client, an outage, the end of the
// server that it came by, the agent's end.
type conn struct {
	client <-chan struct{}
	outage <-chan struct{}
	server <-chan struct{}
	agent  <-chan struct{}
}

// serverEnd is the key under which a Server's requests carry its end.
type serverEnd struct{}

// conn gives the request's connection and the delay that SetSlow asked for.
func (a *Agent) conn(r *http.Request) (conn, time.Duration) {
	server, _ := r.Context().Value(serverEnd{}).(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	return conn{client: r.Context().Done(), outage: a.outage, server: server, agent: a.closed}, a.slow
}

// withEnd gives a request the end of the server that it came by.
func withEnd(r *http.Request, end chan struct{}) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), serverEnd{}, end))
}

// withoutClient is for work that goes on when its client has gone: upstream does not
// notice that nobody waits for a probe any more.
func (l conn) withoutClient() conn {
	l.client = nil
	return l
}

// broken reports whether the connection is cut already.
func (l conn) broken() bool {
	select {
	case <-l.client:
	case <-l.outage:
	case <-l.server:
	case <-l.agent:
	default:
		return false
	}
	return true
}

// wait waits for d and reports whether the connection held.
func (l conn) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.client:
	case <-l.outage:
	case <-l.server:
	case <-l.agent:
	}
	return false
}

// hang waits until the connection is cut.
func (l conn) hang() {
	select {
	case <-l.client:
	case <-l.outage:
	case <-l.server:
	case <-l.agent:
	}
}

// drop closes the request's connection without (the rest of) an answer.
func drop() { panic(http.ErrAbortHandler) }
