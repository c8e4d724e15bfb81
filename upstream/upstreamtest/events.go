package upstreamtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// envelope is the body of every delivery. delivery_attempt alone differs between
// deliveries of one event.
type envelope struct {
	EventID            string          `json:"event_id"`
	EventType          string          `json:"event_type"`
	EventSchemaVersion string          `json:"event_schema_version"`
	TenantID           string          `json:"tenant_id"`
	OccurredAt         string          `json:"occurred_at"`
	DeliveryAttempt    int             `json:"delivery_attempt"`
	Test               bool            `json:"test,omitempty"`
	Data               json.RawMessage `json:"data"`
}

type runEvent struct {
	SyncRunID   string `json:"sync_run_id"`
	SyncType    string `json:"sync_type"`
	AdapterType string `json:"adapter_type"`
	Status      string `json:"status"` // a raw word
	Trigger     string `json:"trigger"`
	StartedAt   string `json:"started_at"`
	CompletedAt string `json:"completed_at"`
}

type completedEvent struct {
	runEvent
	ItemCount *int    `json:"item_count"` // null on Google Ad Manager
	Summary   *string `json:"summary"`    // JSON as text
}

type failedEvent struct {
	runEvent
	Error runErrorBlock `json:"error"`
}

type runErrorBlock struct {
	Message  string  `json:"message"`
	Class    *string `json:"class"`
	Category string  `json:"category"` // auth, transient or permanent
}

type healthEvent struct {
	SyncType         string  `json:"sync_type"`
	AdapterType      string  `json:"adapter_type"`
	Health           string  `json:"health"`
	PreviousHealth   string  `json:"previous_health"`
	Reason           *string `json:"reason"`
	Message          *string `json:"message"`
	Action           *string `json:"action"`
	RelatedSyncRunID string  `json:"related_sync_run_id"`
}

// announceRun tells of a run that is over. a.mu is held.
func (a *Agent) announceRun(t *tenantState, r *run) {
	base := runEvent{
		SyncRunID: r.ID, SyncType: r.Stream, AdapterType: t.adapterType(), Status: r.Status, Trigger: r.Trigger,
		StartedAt: stamp(r.StartedAt, zoneOffset), CompletedAt: stamp(r.CompletedAt, zoneOffset),
	}
	if r.Status == runCompleted {
		e := completedEvent{runEvent: base, Summary: orNull(fmt.Sprintf(`{"items_processed":%d}`, r.Items))}
		if !speaksSOAP(base.AdapterType) {
			e.ItemCount = &r.Items
		}
		a.announce(t, "sync_run.completed", r.CompletedAt, encode(e))
		return
	}
	a.announce(t, "sync_run.failed", r.CompletedAt, encode(failedEvent{base, runErrorBlock{Message: r.publicError(), Category: r.category()}}))
}

// announceHealth tells that a stream's severity is another one. a.mu is held.
func (a *Agent) announceHealth(t *tenantState, r *run, before, after string) {
	e := healthEvent{SyncType: r.Stream, AdapterType: t.adapterType(), Health: after, PreviousHealth: before, RelatedSyncRunID: r.ID}
	if r.Status == runFailed {
		issue := r.issue()
		e.Reason, e.Message, e.Action = &issue.Category, &issue.Message, &issue.Action
	}
	a.announce(t, "sync_health.changed", r.CompletedAt, encode(e))
}

// announce queues the deliveries of an event, one for each subscription: each has an
// event id of its own. a.mu is held.
func (a *Agent) announce(t *tenantState, eventType string, at time.Time, data json.RawMessage) {
	if t.Status.Build == Older {
		eventType = olderEvent(eventType)
	}
	for _, s := range t.hooks {
		if s.wants(eventType) && s.secret != "" {
			a.deliver(delivery{hook: s, secret: s.secret, envelope: a.envelope(t.ID, eventType, at, data)})
		}
	}
}

func (a *Agent) envelope(tenantID, eventType string, at time.Time, data json.RawMessage) envelope {
	return envelope{
		EventID: a.newID("evt_"), EventType: eventType, EventSchemaVersion: "1", TenantID: tenantID,
		OccurredAt: stamp(at, zoneOffset), DeliveryAttempt: 1, Data: data,
	}
}
