package upstream

import (
	"log/slog"
	"net/http"
	"time"
)

// attemptTransport makes the attempts. It is the transport of the client that
// go-retryablehttp drives, and has no CloseIdleConnections on purpose: that one is
// called after every failure, and would close the connections of calls that are doing
// well.
type attemptTransport struct{ c *Client }

// RoundTrip makes one attempt and leaves its failure in the call. The response that it
// returns is empty: the call's decode has read what upstream sent.
func (t attemptTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	cl := callFrom(r.Context())
	cl.attempts++
	f := t.c.attempt(r, cl)
	if f != nil && f.outcome == outcomeBusy && cl.last != nil && !cl.last.overtaken {
		f = cl.last // what went wrong before says more
		f.retry = false
	}
	cl.last = f
	if f != nil {
		return nil, f
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// keptBack gives the refusal of a call that an open breaker keeps back, or nil. The whole
// upstream's keeps back every call, a tenant's the reads of its status. A breaker lets its
// own probe pass.
func (c *Client) keptBack(cl *call) *failure {
	if cl.op == opStatus {
		if b := c.tenants.get(cl.tenantID).breaker; b.open.Load() {
			return b.refusal()
		}
	}
	if cl.probes != c.upstream && c.upstream.open.Load() {
		return c.upstream.refusal()
	}
	return nil
}

// attempt makes one attempt, if the breakers allow it, when it has its slot.
func (c *Client) attempt(r *http.Request, cl *call) *failure {
	ctx, leave, f := c.enter(r.Context(), cl)
	if f != nil {
		return f
	}
	defer leave()
	r = r.WithContext(ctx)
	var t *tenant
	var changes int64
	if cl.readsStatus() {
		t = c.tenants.get(cl.tenantID)
		changes = t.breaker.changes.Load()
	}
	began := c.tenants.now()
	cl.sent = new(sending)
	if cl.op == opStatus {
		var done func()
		r, done = c.watchHanging(r, t, cl.sent, began, cl.attempts < c.cfg.Attempts)
		defer done()
	}
	f = c.exchange(r, cl)
	if f != nil && f.outcome == outcomeTimeout && cl.waited > waitNoted && time.Now().Before(cl.deadline) {
		f.blame = blameUnknown // its caller's time ended, of which waiting for a slot took a part
	}
	if cl.quick && f != nil && f.outcome == outcomeTimeout {
		f.blame = blameUnknown // it had too little time to say anything
	}
	recordKey(c, f)
	c.record(cl, t, began, changes, f)
	return f
}

// record counts an attempt for the breakers. began is when it began, and changes how
// often its tenant's breaker had changed then. t is nil unless it was a status read or a
// probe.
func (c *Client) record(cl *call, t *tenant, began, changes int64, f *failure) {
	ofUpstream := cl.probes == c.upstream
	switch {
	case f == nil || f.blame == blameNobody:
		if t != nil {
			t.read(c.tenants.now(), false)
		}
		if cl.op == opStatus {
			t.breaker.record(changes, false)
			t.took.Store(c.tenants.now() - began)
		}
		if cl.op == opProbe && !ofUpstream {
			c.recovered(cl.probes, began)
		}
		c.well(ofUpstream, began)
	case f.blame == blameUnknown || t == nil:
	case ofUpstream && (f.outcome == outcomeError || f.outcome == outcomeInvalid) && !c.symptoms.needAnswer():
		t.read(c.tenants.now(), true)
		c.well(true, began) // it can be reached and takes our key; the failure is the tenant's
	case ofUpstream || f.blame == blameUpstream:
		c.unwell(cl, t, began, f)
	case cl.op == opStatus:
		if t.breaker.record(changes, true) {
			c.log.Warn("breaker opened", slog.String("breaker", "tenant"), slog.String("tenant", t.id),
				slog.String("after", string(f.outcome)))
			c.slots.recall(func(w *claim) bool { return w.class == classStatus && w.tenant == t.id })
			c.watch(t.breaker)
		}
		c.unwell(cl, t, began, f)
	}
}

// recovered closes a tenant's breaker after a good probe, and ends the calls that still
// hang from before it began.
func (c *Client) recovered(b *breaker, began int64) {
	wanted, opened := b.close()
	if opened {
		c.log.Info("breaker closed", slog.String("breaker", "tenant"), slog.String("tenant", b.tenantID))
	}
	if wanted {
		c.onRecover(b.tenantID) // first: a call that fails all the same is not backed off
	}
	c.overtake(b, began)
}
