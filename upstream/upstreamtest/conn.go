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

// conn gives the request's connection. server is closed when the server ends that the request
// came by.
func (a *Agent) conn(r *http.Request, server <-chan struct{}) conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return conn{client: r.Context().Done(), outage: a.outage, server: server, agent: a.closed}
}

// slowness gives the delay that SetSlow asked for, and what is closed when it asks for another.
func (a *Agent) slowness() (time.Duration, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.slow, a.slowed
}

// withoutClient is for work that goes on when its client has gone: upstream does not
// notice that the caller of a probe has stopped waiting.
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

// wait waits for d, or until enough is closed, and reports whether the connection held.
func (l conn) wait(d time.Duration, enough <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-enough:
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

// context gives a context that ends when the connection is cut. done releases it.
func (l conn) context(parent context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(parent)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer cancel()
		select {
		case <-ctx.Done():
		case <-l.outage:
		case <-l.server:
		case <-l.agent:
		}
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// drop closes the request's connection without (the rest of) an answer.
func drop() { panic(http.ErrAbortHandler) }
