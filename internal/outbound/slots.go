package outbound

import (
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

// acquire waits for a slot until ctx ends. release gives it back.
func (s *slots) acquire(ctx context.Context, to *url.URL) (release func(), err error) {
	name := strings.ToLower(to.Hostname()) + " " + portOf(to)
	s.mu.Lock()
	h := s.hosts[name]
	if h == nil {
		h = &hostSlots{taken: make(chan struct{}, MaxPerHost)}
		s.hosts[name] = h
	}
	h.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(s.hosts, name)
		}
	}
	select {
	case h.taken <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-h.taken
		leave()
		return nil, ctx.Err()
	}
	return func() { <-s.all; <-h.taken; leave() }, nil
}
