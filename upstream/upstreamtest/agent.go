// Package upstreamtest is a sales agent to test and demonstrate against: an
// http.Handler that answers the part of the Tenant Management API that a gateway
// calls, and faults to order. It plays the other side of the wire, so it shares
// no code with the client, and it never imports testing: `esagate demo` links it.
//
// # What it keeps
//
// Tenants come by SetTenant, Play (a scene of the demo) or POST /tenants/provision. A tenant has an
// ad-server config with runtime settings, sync runs (FinishRun, FailRun) and webhook
// subscriptions (Subscriptions), and a catalog: what it sells, whom it sells to, and what its ad
// server has. Catalogs are made when they are first asked for; those of stocked tenants
// (Tenant.Stocked) begin with made-up products, signals, media buys and the like. Their documents
// are kept as JSON, so many of a kind at most.
// Its admin UI (admin.go) and what buyers speak with it, MCP and A2A (buyers.go), believe the identity headers, as
// contract 2.16 has it, and are as careless as the real ones: a server before the agent has to see to who comes in, and
// where to.
//
// Provisioning and writing a config ask a small world of ad servers (AdServer,
// Probe), which follows rules of its own where nothing is scripted:
//
//   - an account (network code, network id, user name or e-mail) that begins with
//     404 is not known: network_not_found
//   - one that begins with 403 has not let us in: permission_denied
//   - one that begins with 503 belongs to an ad server that is away:
//     upstream_unavailable
//   - the password, token or key "wrong" is refused: invalid_credentials
//   - everything else is fine
//
// # Faults
//
// Faults are scripted or follow a schedule, never dice: the same calls in the
// same order meet the same answers. A Fault strikes in place of what was asked
// for, or with After when that is done. Options.Now dates documents, caches, runs and schedules; delays and the ends
// of runs run on timers of package time, so that all of it follows the fake clock
// inside a testing/synctest bubble (see Agent.Pipe). Deliveries are sent by one
// goroutine, from the first one until Close.
//
// # Switches
//
// A Server (Listen, Pipe) takes these beside the API, all by POST and without a key:
//
//	/_agent/down                          every connection is closed without an answer
//	/_agent/up
//	/_agent/slow?for=2s                   every answer takes longer; 0s ends it
//	/_agent/restart                       signing secrets and caches are forgotten
//	/_agent/tenant/{tenant}/off           a tenant is deactivated, as its operator may do
//	/_agent/tenant/{tenant}/on
//	/_agent/media-buy/{tenant}/{id}/{status}
//	/_agent/scene/{name}                  sets a scene (Scenes); GET /_agent/scene lists them
//	/_agent/adserver/{account}/{outcome}  what that ad server says from now on: ok,
//	                                      network_not_found, permission_denied,
//	                                      invalid_credentials, invalid_config,
//	                                      connection_failed, upstream_unavailable,
//	                                      or rules for the rules above
//
// # A trap
//
// Go's http.Transport repeats a GET by itself when a kept-alive connection is
// closed under it before the first byte of an answer. A dropped request can so be
// counted twice; where the count matters, drop the first request of a connection
// or switch keep-alive off.
package upstreamtest

import (
	"fmt"
	"hash/fnv"
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

// maxBody bounds what is kept of a request's body.
const maxBody = 1 << 20

// Options sets up an agent. The zero value is a usable one.
type Options struct {
	APIKey    string           // the only key taken; "": any key, but there has to be one
	Now       func() time.Time // nil: time.Now
	Processes int              // worker processes, each with its own cache of status documents; below 1: 1
	Workers   int              // requests that are worked on at once, the others wait; 0: all
	CacheFor  time.Duration    // how long a process keeps a status document; 0: 5 s, negative: not at all

	IdentityKey string // identities have to be signed with it (Options.signed); "": they need no signature

	Production bool // fields that the agent does not know are dropped, else refused

	PublicURL  string        // where the agent speaks MCP and A2A; "": https://sales-agent.example
	Domain     string        // each tenant speaks MCP and A2A at a host of its own below this one; "": all at PublicURL
	AgentHosts []string      // the hosts that a public_agent_url may name; none: any
	ProbeTakes time.Duration // how long an ad server takes to answer a probe

	// How long sync runs are pending, and how long they then run; 0: until FinishRun or FailRun.
	RunWaits, RunTakes time.Duration
	// Scheduler is how long after its failure the agent reads the inventory of a tenant anew that is
	// not on Google Ad Manager, which it does well; 0: never by itself.
	Scheduler time.Duration

	// Deliver sends a webhook delivery; http.Client.Do fits. It has to give up when
	// the request's context ends. nil: nothing is ever sent.
	Deliver    func(*http.Request) (*http.Response, error)
	AnyWebhook bool // http and private addresses are taken too
}

// Agent is a simulated sales agent. All methods are safe for concurrent use.
type Agent struct {
	requestLog
	faultPlans
	adServers

	opts    Options
	born    time.Time
	closed  chan struct{}
	workers chan struct{} // holds one for each worker that is busy; nil: there are enough

	playing sync.Mutex // held while a scene is set; before mu

	mu         sync.Mutex
	tenants    map[string]*tenantState
	slow       time.Duration
	slowed     chan struct{} // closed when slow changes
	down       bool
	outage     chan struct{} // closed while down
	ended      bool
	ids        uint64 // how many ids were given out
	made       int    // tenants provisioned
	underway   []underway
	wake       *time.Timer // when the next run changes by itself
	deliveries deliveries
	changed    chan struct{} // closed when a catalog changes
	buyers     buyersAgent
}

// New makes an agent without tenants or faults. Close it to end what hangs or is
// to be delivered.
func New(opts Options) *Agent {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Processes = max(opts.Processes, 1)
	if opts.CacheFor == 0 {
		opts.CacheFor = 5 * time.Second
	}
	if opts.PublicURL = strings.TrimSuffix(opts.PublicURL, "/"); opts.PublicURL == "" {
		opts.PublicURL = "https://sales-agent.example"
	}
	a := &Agent{
		faultPlans: faultPlans{now: opts.Now, plans: map[string]*plan{}},
		adServers:  adServers{scripts: map[string][]Probe{}, asked: map[string]int{}},
		opts:       opts,
		born:       opts.Now(),
		closed:     make(chan struct{}),
		tenants:    map[string]*tenantState{},
		outage:     make(chan struct{}),
		changed:    make(chan struct{}),
		slowed:     make(chan struct{}),
	}
	a.buyers.open(a)
	if opts.Workers > 0 {
		a.workers = make(chan struct{}, opts.Workers)
	}
	return a
}

// Close ends every request that waits or hangs and drops all that come later. It
// gives up deliveries, and returns when the last one has ended.
func (a *Agent) Close() {
	a.mu.Lock()
	if !a.ended {
		a.ended = true
		close(a.closed)
		if a.wake != nil {
			a.wake.Stop()
		}
	}
	sending := a.deliveries.stop()
	a.mu.Unlock()
	if sending != nil {
		<-sending
	}
	a.buyers.end()
}

// SetDown starts or ends an outage: while it lasts every connection is closed
// without an answer, those of requests under way at once, and no news is sent.
// A probe that is cut off so leaves nothing behind.
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

// SetSlow delays every answer by d, beside any fault; 0 ends it. Answers that were delayed by
// what was asked for before come at once.
func (a *Agent) SetSlow(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.slowed)
	a.slow, a.slowed = max(d, 0), make(chan struct{})
}

// Restart is a new start of the agent's process: status documents are cached no
// more, what is queued for delivery is lost, and the secrets that deliveries were
// signed with are forgotten, so that nothing is delivered to subscriptions that
// read active as before. What is under way for buyers ends, and their sessions and tasks are forgotten.
func (a *Agent) Restart() {
	a.buyers.end()
	a.buyers.tasks.begin()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deliveries.restarts++
	for _, t := range a.tenants {
		clear(t.cache)
		for _, s := range t.hooks {
			s.secret = ""
		}
	}
}

// ServeHTTP answers one request. A dropped one ends in http.ErrAbortHandler, by
// which net/http closes the connection.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.serveHTTP(w, r, nil) }

func (a *Agent) serveHTTP(w http.ResponseWriter, r *http.Request, server <-chan struct{}) {
	c := route(r)
	defer a.enter(r, c.route, c.tenant, a.opts.Now())()

	// Only once the whole body is read does net/http notice a client that has
	// gone or a server that is closed.
	if r.Body != nil {
		c.body, _ = io.ReadAll(io.LimitReader(r.Body, maxBody))
		_, _ = io.Copy(io.Discard, r.Body)
	}

	conn := a.conn(r, server)
	slow, slowed := a.slowness()
	worker, free := a.work(conn)
	defer free()
	f := a.fault(c.tenant, c.route)
	if worker.broken() || !worker.wait(slow, slowed) || !worker.wait(f.Delay, nil) {
		drop()
	}
	var done answer
	if f.After {
		done = a.answer(r, c, conn, f)
	}
	f.strike(conn)
	ans, replaced := f.answer(c.body)
	switch {
	case replaced:
	case f.After:
		ans = done
	default:
		ans = a.answer(r, c, conn, f)
	}
	if f.Body == "" && !takesJSON(r.Header) {
		ans = ans.inText()
	}
	if f.ContentType != "" {
		ans.contentType = f.ContentType
	}
	f.deliver(w, conn, ans)
}

// work waits for a worker, where their number is bounded; done sends it back. It does not
// notice that its client has gone, and goes on to the end of a delay.
func (a *Agent) work(c conn) (worker conn, done func()) {
	if a.workers == nil {
		return c, func() {}
	}
	worker = c.withoutClient()
	select {
	case a.workers <- struct{}{}:
	case <-c.outage:
		drop()
	case <-c.server:
		drop()
	case <-c.agent:
		drop()
	}
	return worker, func() { <-a.workers }
}

// newID gives an id that no other of this agent has. Another agent's differ too,
// unless it was made at the same instant.
func (a *Agent) newID(prefix string) string {
	a.ids++
	return idOf(prefix, a.born.UnixNano(), a.ids)
}

// idOf makes an id of what tells a thing from others: the same parts give the same id.
func idOf(prefix string, parts ...any) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, parts...)
	return fmt.Sprintf("%s%016x", prefix, h.Sum64())
}
