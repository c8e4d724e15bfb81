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

// The events of finished runs, which are subscribed to.
const (
	runCompleted = "sync_run.completed"
	runFailed    = "sync_run.failed"
)

// Events that expire a snapshot: by their name, and by how it begins.
var (
	knownEvents   = []string{runCompleted, runFailed, "sync_health.changed", "tenant.config_changed", "principal.created", "wholesale_feed.bulk_change"}
	knownFamilies = []string{"workflow.", "media_buy.", "creative.", "product.", "signal."}
)

// knownEvent reports whether events of a type can change what a status shows.
func knownEvent(eventType string) bool {
	return slices.Contains(knownEvents, eventType) || slices.ContainsFunc(knownFamilies, func(family string) bool {
		return len(eventType) > len(family) && strings.HasPrefix(eventType, family)
	})
}

// delivery is the content of a trusted body. An optional member that can't be read is
// absent.
type delivery struct {
	id         string // empty: none that can be kept
	eventType  string
	occurredAt time.Time
	test       bool
	data       members
}

// parse reads a body; its error is a Validation, and the delivery then has what could
// be read. A delivery from the future is refused: real events after it would count as
// older.
func parse(raw []byte, now time.Time) (*delivery, error) {
	body := object(raw)
	d := &delivery{data: object(body["data"])}
	d.test = body.says("test") || d.data.says("test")
	var issues []fault.Issue
	lacks := func(path, message string) { issues = append(issues, fault.Issue{Path: path, Message: message}) }

	if id, ok := body.text("event_id"); ok && registry.StorableID(id) {
		d.id = id
	} else {
		lacks("event_id", "event_id must be a string of 1 to 255 characters.")
	}
	if kind, ok := body.text("event_type"); ok && kind != "" {
		d.eventType = kind
	} else {
		lacks("event_type", "event_type must be a string that is not empty.")
	}
	at, _ := body.text("occurred_at")
	switch t, ok := wire.ParseTime(at); {
	case !ok:
		lacks("occurred_at", "occurred_at must be a timestamp.")
	case t.Time.After(now.Add(tolerance)):
		lacks("occurred_at", "occurred_at lies in the future.")
	case t.Time.After(now): // the sender's clock is ahead: later events must not count as older
		d.occurredAt = now
	default:
		d.occurredAt = t.Time
	}
	if issues != nil {
		return d, fault.Invalid(issues...)
	}
	return d, nil
}

// countedAs gives the id under which a delivery counts: a hash of its event_id, which may
// hold anything, or else of its body.
func (d *delivery) countedAs(raw []byte) string {
	of, sum := "id", sha256.Sum256([]byte(d.id))
	if d.id == "" {
		of, sum = "body", sha256.Sum256(raw)
	}
	return of + ":" + hex.EncodeToString(sum[:])
}

// event gives what the registry records of a delivery (contract 5.1).
func (d *delivery) event() (registry.Event, Outcome) {
	e := registry.Event{ID: d.countedAs(nil), OccurredAt: d.occurredAt}
	if d.test || !knownEvent(d.eventType) {
		e.Quiet = true
		if d.test {
			return e, OutcomeTest
		}
		return e, OutcomeIgnored
	}
	if d.eventType == runCompleted || d.eventType == runFailed {
		e.Announces = true
		if stream, _ := d.data.text("sync_type"); stream == "inventory" {
			e.Sync = d.inventorySync()
		}
	}
	return e, OutcomeRecorded
}

func (d *delivery) inventorySync() *registry.InventorySync {
	status := "completed" // by the type, whatever a field beside it says
	if d.eventType == runFailed {
		status = "failed"
	}
	message, _ := object(d.data["error"]).text("message")
	s := transform.InventorySyncFromEvent(status, d.time("started_at"), d.time("completed_at"), d.occurredAt, d.data.count("item_count"), message)
	return &s
}

// time gives a timestamp of the data, zero where there is none.
func (d *delivery) time(name string) time.Time {
	text, _ := d.data.text(name)
	t, _ := wire.ParseTime(text)
	return t.Time
}
