package outbound

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"sync"
)

// slots bounds the exchanges at once: those of one host, so that one which never
// answers takes no other's slot, and then all of them.
type slots struct {
	all chan struct{} // holds one for each exchange under way

	mu    sync.Mutex
	hosts map[string]*hostSlots // hosts with exchanges under way or waiting
}

// hostSlots are the slots of one host and port.
type hostSlots struct {
	taken chan struct{} // as slots.all
	users int           // exchanges under way or waiting; guarded by slots.mu
}

func newSlots() *slots {
	return &slots{all: make(chan struct{}, MaxAtOnce), hosts: map[string]*hostSlots{}}
}

// acquire waits for the slots of an exchange, until ctx ends. They are given back when it
// does, whatever comes of waiting.
func (s *slots) acquire(ctx context.Context, to *url.URL) error {
	name := strings.ToLower(to.Hostname()) + " " + cmp.Or(to.Port(), "443")
	s.mu.Lock()
	h := s.hosts[name]
	if h == nil {
		h = &hostSlots{taken: make(chan struct{}, MaxPerHost)}
		s.hosts[name] = h
	}
	h.users++
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(s.hosts, name)
		}
	})
	for _, taken := range []chan struct{}{h.taken, s.all} { // so that waiting for a host holds none of all
		select {
		case taken <- struct{}{}:
			context.AfterFunc(ctx, func() { <-taken })
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
