package upstreamtest

import (
	"net/http"
	"sync"
	"time"
)

const (
	requestsKept = 256  // how many requests Requests looks back
	countersKept = 8192 // how many tenant ids are counted, known or not
)

// Request is one request as it reached the agent.
type Request struct {
	Method   string
	Path     string // escaped, prefix included
	Query    string
	Header   http.Header // a copy; shared by all who ask, so read only
	Route    Route
	TenantID string
	At       time.Time // by the agent's clock
}

// requestLog counts requests. It never grows past its bounds: ids past the bound
// are counted as requests only.
type requestLog struct {
	mu       sync.Mutex
	all      counter
	statuses map[string]*counter
	last     []Request
}

// counter counts requests begun, under way, and the most ever under way.
type counter struct{ total, now, most int }

func (c *counter) enter() {
	c.total++
	c.now++
	c.most = max(c.most, c.now)
}

// enter notes a request; the function it gives notes its end.
func (l *requestLog) enter(r *http.Request, route Route, id string, now time.Time) (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.enter()
	c := &counter{}
	if route == RouteStatus {
		c = l.status(id)
		c.enter()
	}
	if len(l.last) == requestsKept {
		copy(l.last, l.last[1:])
		l.last = l.last[:requestsKept-1]
	}
	l.last = append(l.last, Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Route: route, TenantID: id, At: now,
	})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all.now--
		c.now--
	}
}

// status gives the counter of a tenant's status calls.
func (l *requestLog) status(id string) *counter {
	c := l.statuses[id]
	if c == nil {
		c = &counter{}
		if l.statuses == nil {
			l.statuses = map[string]*counter{}
		}
		if len(l.statuses) < countersKept {
			l.statuses[id] = c
		}
	}
	return c
}

// Calls gives the number of status calls that reached the agent for a tenant,
// known or not; for "" the number of all requests of any kind. Calls that a
// fault or an outage cut off have reached it too.
func (l *requestLog) Calls(tenantID string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if tenantID == "" {
		return l.all.total
	}
	if c := l.statuses[tenantID]; c != nil {
		return c.total
	}
	return 0
}

// InFlightStatus gives how many status calls of a tenant are under way, and the most that
// ever were at once.
func (l *requestLog) InFlightStatus(tenantID string) (now, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.statuses[tenantID]; c != nil {
		return c.now, c.most
	}
	return 0, 0
}

// InFlight gives how many requests of any kind are under way, and the most that ever were at
// once.
func (l *requestLog) InFlight() (now, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.now, l.all.most
}

// Requests gives the last requests, at most 256, oldest first.
func (l *requestLog) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request(nil), l.last...)
}
