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

// The events that tell of a finished run: what is subscribed to.
const (
	runCompleted = "sync_run.completed"
	runFailed    = "sync_run.failed"
)

// Events that make a snapshot old: by their whole name, and by how it begins.
var (
	knownEvents   = []string{runCompleted, runFailed, "sync_health.changed", "tenant.config_changed", "principal.created", "wholesale_feed.bulk_change"}
	knownFamilies = []string{"workflow.", "media_buy.", "creative.", "product.", "signal."}
)

// knownEvent reports whether an event is one that can change what a status shows.
func knownEvent(eventType string) bool {
	return slices.Contains(knownEvents, eventType) || slices.ContainsFunc(knownFamilies, func(family string) bool {
		return len(eventType) > len(family) && strings.HasPrefix(eventType, family)
	})
}

// delivery is what a body that is to be believed says. What is not required and can't
// be read is absent.
type delivery struct {
	id         string // empty: none that can be kept
	eventType  string
	occurredAt time.Time
	test       bool
	data       members
}

// parse reads a body; its error is a Validation, and the delivery then has what could
// be read. One from a time that is still to come can't be taken in: nothing that really
// happens would be news after it.
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
	case t.Time.After(now): // by a clock ahead of ours: what really follows must still be news
		d.occurredAt = now
	default:
		d.occurredAt = t.Time
	}
	if issues != nil {
		return d, fault.Invalid(issues...)
	}
	return d, nil
}

// countedAs gives the id under which a delivery counts: a hash of its own, which may
// hold anything and is only ever compared, or else of its body.
func (d *delivery) countedAs(raw []byte) string {
	of, sum := "id", sha256.Sum256([]byte(d.id))
	if d.id == "" {
		of, sum = "body", sha256.Sum256(raw)
	}
	return of + ":" + hex.EncodeToString(sum[:])
}

// event gives what the registry is told of it (contract, "From webhooks").
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
