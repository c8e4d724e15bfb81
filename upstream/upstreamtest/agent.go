// Package upstreamtest is a sales agent to test and demonstrate against: an
// http.Handler that answers the reading half of the Tenant Management API, and
// faults to order. It plays the other side of the wire, so it shares no code
// with the client, and it never imports testing: `esagate demo` links it.
//
// Faults are scripted or follow a schedule, never dice: the same calls in the
// same order meet the same answers. Options.Now dates documents, caches and
// schedules; delays run on timers of package time, so that both follow the fake
// clock inside a testing/synctest bubble (see Agent.Pipe).
//
// A trap: Go's http.Transport repeats a GET by itself when a kept-alive
// connection is closed under it before the first byte of an answer. A dropped
// request can so be counted twice; where the count matters, drop the first
// request of a connection or switch keep-alive off.
package upstreamtest

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What a client of the agent has to know.
const (
	BasePath  = "/api/v1/tenant-management"
	KeyHeader = "X-Tenant-Management-API-Key"
)

// Canary is part of every planted secret: whatever a gateway writes anywhere,
// this word is never in it.
const Canary = "CANARY"

// Options sets up an agent. The zero value is a usable one.
type Options struct {
	APIKey    string           // the only key taken; "": any key, but there has to be one
	Prefix    string           // path before BasePath, such as "/admin"
	Now       func() time.Time // nil: time.Now
	Processes int              // worker processes, each with its own cache of status documents; below 1: 1
	CacheFor  time.Duration    // how long a process keeps a status document; 0: 5 s, negative: not at all
	Seed      uint64           // not 0: counters vary from tenant to tenant, the same for the same seed and id
}

// Agent is a simulated sales agent. All methods are safe for concurrent use.
type Agent struct {
	opts   Options
	base   string
	ledger ledger
	closed chan struct{}

	mu      sync.Mutex
	tenants map[string]*held
	plans   map[string]*plan // faults, by tenant id; "" for all
	slow    time.Duration
	down    bool
	outage  chan struct{} // closed while down
	ended   bool
}

// New makes an agent without tenants or faults. Close it to end what hangs.
func New(opts Options) *Agent {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Processes = max(opts.Processes, 1)
	if opts.CacheFor == 0 {
		opts.CacheFor = 5 * time.Second
	}
	if p := strings.Trim(opts.Prefix, "/"); p != "" {
		opts.Prefix = "/" + p
	} else {
		opts.Prefix = ""
	}
	return &Agent{
		opts:    opts,
		base:    opts.Prefix + BasePath,
		closed:  make(chan struct{}),
		tenants: map[string]*held{},
		plans:   map[string]*plan{},
		outage:  make(chan struct{}),
	}
}

// Close ends every request that waits or hangs and drops all that come later.
func (a *Agent) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.ended = true
		close(a.closed)
	}
}

// SetDown starts or ends an outage: while it lasts every connection is closed
// without an answer, those of requests under way at once.
func (a *Agent) SetDown(down bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case down && !a.down:
		close(a.outage)
	case !down && a.down:
		a.outage = make(chan struct{})
	}
	a.down = down
}

// SetSlow delays every answer by d, beside any fault; 0 ends it.
func (a *Agent) SetSlow(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.slow = max(d, 0)
}

// ServeHTTP answers one request. A dropped one ends in http.ErrAbortHandler, by
// which net/http closes the connection.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, id := a.route(r.URL)
	defer a.ledger.enter(r, route, id, a.opts.Now())()

	// Only once the whole body is read does net/http notice a client that has
	// gone or a server that is closed.
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}

	line, slow := a.line(r)
	f := a.fault(id, route)
	if line.cut() || !line.wait(slow+f.Delay) {
		drop()
	}
	if f.Hang {
		line.hang()
		drop()
	}
	if f.Drop {
		drop()
	}
	ans, replaced := f.answer()
	if !replaced {
		ans = a.answer(r, route, id, f)
	}
	if f.ContentType != "" {
		ans.contentType = f.ContentType
	}
	f.deliver(w, line, ans)
}

// line is what can cut a request short: its client, an outage, the agent's end.
type line struct {
	client <-chan struct{}
	outage <-chan struct{}
	agent  <-chan struct{}
}

// line gives the request's line and the delay that SetSlow asked for.
func (a *Agent) line(r *http.Request) (line, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return line{client: r.Context().Done(), outage: a.outage, agent: a.closed}, a.slow
}

// cut reports whether the line is cut already.
func (l line) cut() bool {
	select {
	case <-l.client:
	case <-l.outage:
	case <-l.agent:
	default:
		return false
	}
	return true
}

// wait waits for d and reports whether the line held.
func (l line) wait(d time.Duration) bool {
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
	case <-l.agent:
	}
	return false
}

// hang waits until the line is cut.
func (l line) hang() {
	select {
	case <-l.client:
	case <-l.outage:
	case <-l.agent:
	}
}

// drop closes the request's connection without (the rest of) an answer.
func drop() { panic(http.ErrAbortHandler) }
