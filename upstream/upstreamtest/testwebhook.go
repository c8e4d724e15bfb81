package upstreamtest

import (
	"context"
	"net/http"
)

type testDelivery struct {
	EventType      string `json:"event_type"`
	EventID        string `json:"event_id"`
	Delivered      bool   `json:"delivered"`
	ResponseStatus *int   `json:"response_status"`
}

type testDeliveries struct {
	Delivered bool           `json:"delivered"`
	Results   []testDelivery `json:"results"`
}

// testSubject is the data of a test delivery. An older build says in it that it is one, others say
// so beside it.
type testSubject struct {
	Test        bool   `json:"test,omitempty"`
	SubjectType string `json:"subject_type"`
	SubjectID   string `json:"subject_id"`
}

// testWebhook sends one made-up event of each type that a subscription wants, and says what came of
// each.
func (a *Agent) testWebhook(ctx context.Context, c call, l conn) answer {
	a.mu.Lock()
	t := a.tenants[c.tenant]
	var s *subscription
	var older bool
	if t != nil {
		s, older = t.hook(c.part), t.Status.Build == Older
	}
	types, secret := EventTypes, ""
	if s != nil {
		secret = s.secret
		if len(s.events) > 0 {
			types = s.events
		}
	}
	a.mu.Unlock()
	switch {
	case t == nil:
		return noTenant(c.tenant)
	case s == nil:
		return noWebhook(c.part)
	case secret == "":
		return problem(http.StatusConflict, "webhook_secret_lost",
			"The secret of webhook '"+s.id+"' is not known any more.", nil)
	}
	d := testDeliveries{Delivered: true}
	for _, name := range types {
		if older {
			name = olderEvent(name)
		}
		a.mu.Lock()
		e := a.envelope(c.tenant, name, a.opts.Now(), encode(testSubject{older, "tenant", c.tenant}))
		a.mu.Unlock()
		e.Test = !older
		status := 0
		if a.opts.Deliver != nil {
			status = a.send(ctx, delivery{secret: secret, hook: s, envelope: e})
		}
		if l.broken() {
			drop()
		}
		result := testDelivery{EventType: name, EventID: e.EventID, Delivered: status >= 200 && status < 300}
		if status != 0 {
			result.ResponseStatus = &status
		}
		d.Delivered = d.Delivered && result.Delivered
		d.Results = append(d.Results, result)
	}
	return ok(d)
}
