package upstreamtest

import (
	"net/http"
	"sync"
	"time"
)

// Fault is what goes wrong with a request. Its fields combine where that makes
// sense: first Delay, then Hang or Drop, then what is answered (Redirect, Body,
// Status, else what the agent would say), then how it is sent (Size, CutShort,
// Drip). A fault stands before the agent, so it meets requests without a valid
// key too. The zero Fault is none. Faults are comparable.
//
// Hang, Drop and what is answered strike in place of the effect (a tenant is not
// made, a config not written) or, with After, when it is done. CutShort, Drip and Size alone never keep the effect
// away. A client that leaves during Delay takes its request with it; during a probe
// the effect comes all the same.
type Fault struct {
	Only Route // "": requests of any kind

	Delay time.Duration // before the effect
	After bool          // the effect comes before all that follows here, so that its outcome is not known
	Hang  bool          // no answer, until the client goes, an outage begins or the agent is closed
	Drop  bool          // the connection is closed without an answer

	Status      int    // answers with this status; below 400 with an empty body
	Shape       Shape  // of an error's body
	Code        string // the error's word; "": one that goes with the status
	Message     string // "": a sentence of no interest
	Echo        bool   // a problem or list has the credentials that were sent in every text, in place of Message
	RetryAfter  string // the header as it stands: seconds, an HTTP date, or nonsense
	Body        string // exactly this body, JSON unless ContentType says otherwise; status 200 unless Status says otherwise
	ContentType string // in place of the answer's own
	Redirect    string // 302 to this address

	CutShort bool          // promises the whole body and closes after half of it
	Drip     time.Duration // one byte each interval
	Size     int64         // pads the answer's JSON object to this many bytes, made while they are sent

	FetchedAt time.Time // dates the status document, past the caches

	up, down time.Duration // see Flap
}

// Shape is the form of an error's body.
type Shape int

// The shapes that errors come in (contract 2.4).
const (
	// ShapeUsual is what goes with the status: 401 and 503 alone, 422 a list, 500 a crash, 502 and
	// 504 HTML, else a problem.
	ShapeUsual   Shape = iota
	ShapeProblem       // {"error","message","details"}, with a canary in the details
	ShapeAlone         // {"error"}
	ShapeList          // a bare list of validation errors that echoes the input, a canary password in it
	ShapeHTML          // a proxy's page
	ShapeCrash         // {"error","error_id"}
)

// faultPlans are the faults of an agent.
type faultPlans struct {
	now   func() time.Time
	mu    sync.Mutex
	plans map[string]*plan // by tenant id; "" for all
}

// plan holds the faults of one tenant, or of all.
type plan struct {
	standing Fault
	since    time.Time // when the standing fault was set: flapping begins with an up phase here
	script   []Fault
}

// Fault makes every request of a tenant meet f, in place of the fault before it;
// the zero Fault clears it, and what is left of a script too. For "" it is every
// request of any kind that meets no fault of its tenant's own.
func (p *faultPlans) Fault(tenantID string, f Fault) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if f == (Fault{}) {
		delete(p.plans, tenantID)
		return
	}
	of := p.plan(tenantID)
	of.standing, of.since = f, now
}

// Script gives the next requests of a tenant one fault each, in order, before
// any standing fault; the zero Fault in a script stands for a request that goes
// well. A fault with Only waits for a request of that kind, and lets the others
// pass to the faults behind it. A script set before is replaced. A schedule
// (Flap) has no meaning here.
func (p *faultPlans) Script(tenantID string, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan(tenantID).script = append([]Fault(nil), faults...)
}

func (p *faultPlans) plan(tenantID string) *plan {
	of := p.plans[tenantID]
	if of == nil {
		of = &plan{}
		p.plans[tenantID] = of
	}
	return of
}

// fault takes the fault that a request meets: the tenant's own before that of
// all, a scripted one before a standing one. A tenant scripted to go well meets
// no fault of all either.
func (p *faultPlans) fault(tenantID string, route Route) Fault {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if tenantID != "" {
		if f, ok := p.plans[tenantID].take(route, now); ok {
			return f
		}
	}
	f, _ := p.plans[""].take(route, now)
	return f
}

func (p *plan) take(route Route, now time.Time) (Fault, bool) {
	if p == nil {
		return Fault{}, false
	}
	for i, f := range p.script {
		if f.meets(route) {
			p.script = append(p.script[:i], p.script[i+1:]...)
			return f, true
		}
	}
	if f := p.standing; f != (Fault{}) && f.meets(route) && f.active(now.Sub(p.since)) {
		return f, true
	}
	return Fault{}, false
}

// Flap puts a fault on a schedule: for `up` it is not there, for `down` it is,
// and so on, by the agent's clock from the moment Agent.Fault sets it.
func Flap(up, down time.Duration, f Fault) Fault {
	f.up, f.down = max(up, 0), max(down, 0)
	return f
}

// active reports whether the fault is there so long after it was set. One
// without a schedule always is.
func (f Fault) active(since time.Duration) bool {
	period := f.up + f.down
	return period <= 0 || max(since, 0)%period >= f.up
}

// strike hangs or drops the request where the fault says so.
func (f Fault) strike(l conn) {
	if f.Hang {
		l.hang()
		drop()
	}
	if f.Drop {
		drop()
	}
}

func (f Fault) meets(route Route) bool { return f.Only == "" || f.Only == route }

// answer gives what the fault puts in place of the agent's answer to a request with
// this body, if anything.
func (f Fault) answer(request []byte) (answer, bool) {
	switch {
	case f.Redirect != "":
		return answer{
			status: http.StatusFound, contentType: contentHTML,
			header: http.Header{"Location": {f.Redirect}}, body: []byte("<p>Moved.</p>\n"),
		}, true
	case f.Body != "":
		status := f.Status
		if status == 0 {
			status = http.StatusOK
		}
		return answer{status: status, contentType: contentJSON, body: []byte(f.Body)}, true
	case f.Status >= 400:
		return f.error(request), true
	case f.Status != 0:
		return answer{status: f.Status, contentType: contentJSON}, true
	}
	return answer{}, false
}
