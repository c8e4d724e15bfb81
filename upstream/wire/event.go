package wire

import (
	"github.com/go-json-experiment/json/jsontext"
)

// Event is the body of a delivery by webhook, of an event of any type (contract 2.14).
type Event struct {
	EventID    string    `json:"event_id"`
	EventType  string    `json:"event_type"`
	TenantID   string    `json:"tenant_id"`
	OccurredAt Time      `json:"occurred_at"`
	Test       Said      `json:"test"`
	Data       EventData `json:"data"`
}

// EventData are the members of an event's `data` that the gateway follows. Those of a finished run are
// declared here; other events have none of them.
type EventData struct {
	SyncType    string     `json:"sync_type"` // snake_case
	StartedAt   Time       `json:"started_at"`
	CompletedAt Time       `json:"completed_at"`
	ItemCount   Opt[int64] `json:"item_count"`
	Error       EventError `json:"error"`
	Test        Said       `json:"test"`
}

// EventError is why a run failed.
type EventError struct {
	Message string `json:"message"` // free text
}

// Said is true for every value but false and null.
type Said bool

func (s *Said) take(r *reader, _ *field) outcome {
	kind := r.value().Kind()
	*s = r.err == nil && kind != jsontext.KindFalse && kind != jsontext.KindNull
	return present
}

// DecodeEvent reads the body of a delivery. None of its members is required.
func DecodeEvent(body []byte) (*Event, error) { return decode[Event](body) }
