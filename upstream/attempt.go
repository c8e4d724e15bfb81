package upstream

import (
	"log/slog"
	"net/http"
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
	cl.last = t.c.attempt(r, cl)
	if cl.last != nil {
		return nil, cl.last
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// attempt makes one attempt, if the breakers allow it. The whole upstream's keeps back
// every call, a tenant's keeps back the reads of its status. A breaker lets its own probe pass.
func (c *Client) attempt(r *http.Request, cl *call) *failure {
	if err := r.Context().Err(); err != nil {
		return neverSent(lost(r.Context(), err)) // past the breakers: upstream was not asked
	}
	var t *tenant
	var changes int64
	if cl.readsStatus() {
		t = c.tenants.get(cl.tenantID)
		changes = t.breaker.changes.Load()
	}
	if cl.op == opStatus && t.breaker.open.Load() {
		return t.breaker.refusal()
	}
	if cl.probes != c.upstream && c.upstream.open.Load() {
		return c.upstream.refusal()
	}
	began := c.tenants.now()
	if cl.op == opStatus {
		var done func()
		r, done = c.watchHanging(r, t, began, cl.attempts < c.cfg.Attempts)
		defer done()
	}
	f := c.exchange(r, cl)
	if cl.quick && f != nil && f.outcome == outcomeTimeout {
		f.blame = blameUnknown // it had too little time to say anything
	}
	c.recordKey(f)
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
	case ofUpstream && (f.outcome == outcomeError || f.outcome == outcomeInvalid) && !c.symptoms.widespread.Load():
		t.read(c.tenants.now(), true)
		c.well(true, began) // it can be reached and takes our key; the failure is the tenant's
	case ofUpstream || f.blame == blameUpstream:
		c.unwell(cl, t, began, f)
	case cl.op == opStatus:
		if t.breaker.record(changes, true) {
			c.log.Warn("breaker opened", slog.String("breaker", "tenant"), slog.String("tenant", t.id),
				slog.String("after", string(f.outcome)))
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
