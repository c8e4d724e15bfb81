package webhooks

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

// The events of finished runs, and what older builds call them (contract 2.8).
var (
	runEvents    = []string{"sync_run.completed", "sync_run.failed"}
	oldRunEvents = []string{"sync.completed", "sync.failed"}

	// runStatus is how a run ended, by the event that announces it.
	runStatus = map[string]string{
		runEvents[0]: "completed", oldRunEvents[0]: "completed",
		runEvents[1]: "failed", oldRunEvents[1]: "failed",
	}
)

// Other events that expire a snapshot, by name and by the beginning of a name.
var (
	knownEvents   = []string{"sync_health.changed", "tenant.config_changed", "principal.created", "wholesale_feed.bulk_change"}
	knownFamilies = []string{"workflow.", "media_buy.", "creative.", "product.", "signal."}
)

// knownEvent reports whether events of a type can change what a status shows.
func knownEvent(eventType string) bool {
	return runStatus[eventType] != "" || slices.Contains(knownEvents, eventType) ||
		slices.ContainsFunc(knownFamilies, func(family string) bool {
			return len(eventType) > len(family) && strings.HasPrefix(eventType, family)
		})
}

// delivery is what a trusted body says.
type delivery struct {
	wire.Event
	id string // under which it counts
}

// parse reads a body that was signed for a tenant; its error is a BadRequest or a Validation, and the delivery
// then has its id alone. A delivery from the future is refused: real events after it would count as older.
func parse(raw []byte, tenant string, now time.Time) (d delivery, err error) {
	id := idIn(raw, "event_id")
	d.id = countedAs(raw, id)
	event, err := wire.DecodeEvent(raw)
	if err != nil {
		return d, fault.Wrap(fault.BadRequest, "The delivery is not a JSON object that can be read.", err)
	}
	d.Event = *event
	var issues []fault.Issue
	lacks := func(path, message string) { issues = append(issues, fault.Issue{Path: path, Message: message}) }
	if id == "" || id != event.EventID {
		lacks("event_id", "event_id must be a string of 1 to 255 characters, and there once.")
	}
	if event.EventType == "" {
		lacks("event_type", "event_type must be a string that is not empty.")
	}
	if event.TenantID != tenant {
		lacks("tenant_id", "tenant_id must be there once.")
	}
	switch at := event.OccurredAt.Time; {
	case at.IsZero():
		lacks("occurred_at", "occurred_at must be a timestamp.")
	case at.After(now.Add(tolerance)):
		lacks("occurred_at", "occurred_at lies in the future.")
	case at.After(now): // the sender's clock is ahead: later events must not count as older
		d.OccurredAt.Time = now
	}
	if issues != nil {
		return d, fault.Invalid(issues...)
	}
	return d, nil
}

// countedAs gives the id under which a delivery counts: a hash of its event_id, which may
// hold anything, or else of its body.
func countedAs(raw []byte, id string) string {
	of, sum := "id", sha256.Sum256([]byte(id))
	if id == "" {
		of, sum = "body", sha256.Sum256(raw)
	}
	return of + ":" + hex.EncodeToString(sum[:])
}

// event gives what the registry records of a delivery (contract 5.1).
func (d *delivery) event() (registry.Event, Outcome) {
	e := registry.Event{ID: d.id, OccurredAt: d.OccurredAt.Time}
	switch {
	case bool(d.Test || d.Data.Test):
		e.Quiet = true
		return e, OutcomeTest
	case !knownEvent(d.EventType):
		e.Quiet = true
		return e, OutcomeIgnored
	}
	// The type says how the run ended, whatever a field beside it says.
	if status := runStatus[d.EventType]; status != "" {
		e.Announces = true
		if d.Data.SyncType == "inventory" {
			e.Sync = d.inventorySync(status)
		}
	}
	return e, OutcomeRecorded
}

func (d *delivery) inventorySync(status string) *registry.InventorySync {
	var count *int64
	if n := d.Data.ItemCount; n.Set && n.Value >= 0 {
		count = &n.Value
	}
	s := transform.InventorySyncFromEvent(status, d.Data.StartedAt.Time, d.Data.CompletedAt.Time,
		d.OccurredAt.Time, count, d.Data.Error.Message)
	return &s
}
