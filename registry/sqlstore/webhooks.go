package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"esagate/registry"
)

var (
	selectEvent = scoped(`SELECT received_at, delivered FROM webhook_events WHERE customer_id = $1 AND connection = $2 AND event_id = $3`)
	// A row that was there is one of a failure, or has had its time.
	storeEvent = scoped(`INSERT INTO webhook_events (customer_id, connection, event_id, received_at, delivered) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer_id, connection, event_id) DO UPDATE SET received_at = excluded.received_at, delivered = excluded.delivered`)
	// The time is compared as text, which is in the order of time. NULL is before all, and
	// as $3 it leaves the time as it is.
	announce = scoped(`UPDATE subscriptions SET dead = FALSE, announced_at = CASE WHEN announced_at IS NULL OR announced_at < $3 THEN $3 ELSE announced_at END
		WHERE customer_id = $1 AND connection = $2`)

	// $3 and $4 begin the time that is counted, and that in which a failure is known. The
	// counts are of the index alone.
	selectNews = scoped(`SELECT
		(SELECT COUNT(*) FROM webhook_events WHERE customer_id = $1 AND connection = $2 AND delivered = TRUE AND received_at > $3),
		(SELECT COUNT(*) FROM webhook_events WHERE customer_id = $1 AND connection = $2 AND delivered = FALSE AND received_at > $3),
		(SELECT MAX(received_at) FROM webhook_events WHERE customer_id = $1 AND connection = $2 AND delivered = FALSE AND received_at > $4),
		(SELECT w.webhook_id IS NOT NULL AND NOT w.dead FROM subscriptions w WHERE w.customer_id = $1 AND w.connection = $2)
		FROM connections c WHERE c.customer_id = $1 AND c.id = $2`)
)

// RecordEvent takes in a delivery. It locks the connection's row first, so that
// nobody else writes an event between the look for this one and its insertion.
func (c customerStore) RecordEvent(ctx context.Context, esaID int64,
	e registry.Event) (duplicate bool, m *registry.Source, err error) {
	if !registry.StorableID(e.ID) {
		return false, nil, registry.ErrInvalid
	}
	err = c.store.writing(ctx, c.customer, func(in scope) error {
		rec, err := locked(ctx, in, selectManagedByID, esaID)
		if err != nil {
			return err
		}
		m = &rec.Source
		now := c.store.instant()
		if duplicate, err = in.processed(ctx, esaID, e.ID, now); err != nil || duplicate {
			return err
		}
		if _, err := in.exec(ctx, storeEvent, esaID, e.ID, nullTime(now), !e.Failed); err != nil || e.Quiet {
			return err
		}
		if e.Failed {
			e.Sync, e.Announces = nil, false
		}
		return in.takeIn(ctx, rec, e)
	})
	if err != nil {
		return false, nil, failed("record an event", err)
	}
	return duplicate, m, nil
}

// processed reports whether an event came before and was processed then, within the
// time that events are known for.
func (s scope) processed(ctx context.Context, esaID int64, event string, now time.Time) (bool, error) {
	var (
		received  time.Time
		delivered bool
	)
	err := s.queryRow(ctx, selectEvent, esaID, event).Scan(instantColumn{&received}, &delivered)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return delivered && received.After(now.Add(-registry.EventsKept)), nil
}

// takeIn applies an event to a locked connection.
func (s scope) takeIn(ctx context.Context, rec *record, e registry.Event) error {
	if e.Sync != nil {
		rec.observe(e.Sync.Kept())
	}
	rec.Connection.Epoch++
	rec.Connection.Version++
	if err := s.save(ctx, rec); err != nil || !e.Announces {
		return err
	}
	_, err := s.exec(ctx, announce, rec.Connection.ID, nullTime(e.OccurredAt))
	return err
}

// DeliveryCounts counts a connection's deliveries.
func (c customerStore) DeliveryCounts(ctx context.Context, esaID int64) (registry.DeliveryCounts, error) {
	now := c.store.instant()
	var counts registry.DeliveryCounts
	err := c.store.reading(c.customer).queryRow(ctx, selectNews, esaID, nullTime(now.Add(-registry.EventWindow)), nullTime(now.Add(-registry.EventsKept))).
		Scan(&counts.Delivered, &counts.Failed, instantColumn{&counts.LastFailureAt}, orZero(&counts.Subscribed))
	if err != nil {
		return registry.DeliveryCounts{}, failed("count deliveries", found(err))
	}
	return counts, nil
}
