package outbound

import (
	"context"
	"net/url"
	"strings"
	"sync"
)

// turns bounds the exchanges at once: of one host, so that one which never answers
// takes nobody else's turn, and then of all.
type turns struct {
	all chan struct{} // one is filled by each exchange under way

	mu    sync.Mutex
	hosts map[string]*host // those that somebody asks, or waits to
}

// host is a scheme's host with its port.
type host struct {
	under chan struct{} // as turns.all
	users int           // who asks or waits; guarded by turns.mu
}

func newTurns() *turns {
	return &turns{all: make(chan struct{}, MaxAtOnce), hosts: map[string]*host{}}
}

// take waits for a turn until ctx ends. done gives it back.
func (t *turns) take(ctx context.Context, at *url.URL) (done func(), err error) {
	name := strings.ToLower(at.Hostname()) + " " + portOf(at)
	t.mu.Lock()
	h := t.hosts[name]
	if h == nil {
		h = &host{under: make(chan struct{}, MaxPerHost)}
		t.hosts[name] = h
	}
	h.users++
	t.mu.Unlock()

	select {
	case h.under <- struct{}{}:
	case <-ctx.Done():
		t.leave(name, h)
		return nil, ctx.Err()
	}
	select {
	case t.all <- struct{}{}:
	case <-ctx.Done():
		<-h.under
		t.leave(name, h)
		return nil, ctx.Err()
	}
	return func() {
		<-t.all
		<-h.under
		t.leave(name, h)
	}, nil
}

func (t *turns) leave(name string, h *host) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(t.hosts, name)
	}
}
