package upstreamtest

import (
	"context"
	"net/http"
	"time"
)

type testAnswer struct {
	Delivered bool         `json:"delivered"`
	Results   []testResult `json:"results"`
}

type testResult struct {
	EventType      string  `json:"event_type"`
	EventID        string  `json:"event_id"`
	Delivered      bool    `json:"delivered"`
	ResponseStatus *int    `json:"response_status"`
	LatencyMS      int     `json:"latency_ms"`
	Error          *string `json:"error"`
}

// testWebhook delivers one made-up event of each type that is subscribed to, while
// the caller waits. It meets no DeliveryFault. After a restart it can't: the secret
// is gone.
func (a *Agent) testWebhook(c call, l line) answer {
	a.mu.Lock()
	t := a.tenants[c.tenant]
	if t == nil {
		a.mu.Unlock()
		return noTenant(c.tenant)
	}
	s := t.hook(c.part)
	var due []parcel
	if s != nil && s.secret != "" {
		types := s.events
		if len(types) == 0 {
			types = EventTypes
		}
		for _, e := range types {
			due = append(due, parcel{tenant: t.ID, hook: s, secret: s.secret, envelope: envelope{
				EventID: a.newID("evt_"), EventType: e, EventSchemaVersion: "1", TenantID: t.ID,
				OccurredAt: stamp(a.opts.Now(), zoneOffset), DeliveryAttempt: 1, Data: encode(testEvent{true, "tenant", t.ID}),
			}})
		}
	}
	a.mu.Unlock()
	switch {
	case s == nil:
		return noWebhook(c.part)
	case len(due) == 0:
		return problem(http.StatusConflict, "webhook_secret_lost", "The secret is not known any more: delete the webhook and make it anew", nil)
	}
	ctx, cancel := l.context()
	defer cancel()
	ans := testAnswer{Delivered: true}
	for _, p := range due {
		d := Delivery{Err: "no deliveries are sent here"}
		began := time.Now()
		if a.opts.Deliver != nil {
			d = a.send(ctx, p)
			a.record(s, d)
		}
		r := testResult{
			EventType: p.envelope.EventType, EventID: p.envelope.EventID, Delivered: d.ok(),
			LatencyMS: int(time.Since(began).Milliseconds()), Error: orNull(d.Err),
		}
		if d.Status != 0 {
			r.ResponseStatus = &d.Status
		}
		ans.Delivered = ans.Delivered && r.Delivered
		ans.Results = append(ans.Results, r)
	}
	if l.behind().cut() {
		drop()
	}
	return ok(ans)
}

// context ends when the agent, its server or an outage cuts the line; not when the
// client goes.
func (l line) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-l.outage:
		case <-l.server:
		case <-l.agent:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}
