package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"esagate/registry"
)

// Bounds of a sweep: how many rows it removes, and how long it takes, because the caller
// waits for it.
const (
	sweepRows  = 100
	sweepLimit = 250 * time.Millisecond
)

// expired is a table's rows that have had their time.
type expired struct {
	probe, remove globalStatement // $1: rows of this instant or before it
	kept          time.Duration   // how long a row outlives the instant in its column
}

var (
	expiredConsents = expiredRows("consents", "state_hash", "expires_at", 0)
	expiredLaunches = expiredRows("launches", "token_hash", "expires_at", 0)
	expiredOnce     = expiredRows("idempotency", "customer_id, name", "begun_at", registry.IdempotencyKept)
	expiredEvents   = expiredRows("webhook_events", "customer_id, connection, event_id", "received_at", registry.EventsKept)
	expiredStates   = expiredRows("state_changes", "customer_id, connection, at", "ended_at", registry.StatesKept)
	expiredAudit    = expiredRows("audit", "customer_id, id", "at", registry.AuditKept)

	// selectBulk comes first in a transaction that goes through many rows of a table.
	// All others lock one row of such a table at most, but for the deletion of a source
	// with its events: the one that loses to it is run again.
	selectBulk = global(`SELECT last_value FROM sequences WHERE name = 'bulk'`)
)

// expiredRows has its condition twice in what removes: a row that was renewed meanwhile
// is checked again where it is deleted, not where it was found.
func expiredRows(table, key, instant string, kept time.Duration) expired {
	const (
		probe  = `SELECT %[1]s FROM %[2]s WHERE %[1]s <= $1 ORDER BY %[1]s LIMIT 1`
		remove = `DELETE FROM %[2]s WHERE %[1]s <= $1 AND (%[3]s) IN (SELECT %[3]s FROM %[2]s WHERE %[1]s <= $1 ORDER BY %[1]s LIMIT %[4]d)`
	)
	return expired{
		probe:  global(fmt.Sprintf(probe, instant, table)),
		remove: global(fmt.Sprintf(remove, instant, table, key, sweepRows)),
		kept:   kept,
	}
}

// sweep removes some expired rows, in a transaction of its own after one that made a
// row. Each caller adds one row and removes up to sweepRows, so they do not pile up. What it
// can't remove within sweepLimit is left to the next one: the caller's work is done.
func (s *Store) sweep(ctx context.Context, rows expired) {
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	_, _ = s.remove(ctx, rows, s.tryLock)
}

// Sweep removes some rows of every kind that have had their time. Unlike sweep it
// waits for the lock on bulk work.
func (s *Store) Sweep(ctx context.Context) (more bool, err error) {
	audit := expiredAudit
	audit.kept = s.auditKept
	for _, rows := range []expired{expiredEvents, expiredStates, audit, expiredConsents, expiredLaunches, expiredOnce} {
		removed, err := s.remove(ctx, rows, s.lock)
		if err != nil {
			return more, failed("sweep", err)
		}
		more = more || removed == sweepRows
	}
	return more, nil
}

// remove returns how many rows it removed. Where there are none, which is mostly so, it
// begins no transaction.
func (s *Store) remove(ctx context.Context, rows expired, lock string) (removed int64, err error) {
	before := nullTime(s.instant().Add(-rows.kept))
	var oldest string
	err = s.reading(0).queryRow(ctx, rows.probe, before).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = s.writing(ctx, 0, func(in scope) error {
		err := lockBulk(ctx, in, lock)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // another transaction goes through many rows
		}
		if err != nil {
			return err
		}
		removed, err = in.exec(ctx, rows.remove, before)
		return err
	})
	return removed, err
}

// lockBulk takes the lock with one of the Store's ways to do so; with tryLock
// sql.ErrNoRows says that another transaction has it.
func lockBulk(ctx context.Context, in scope, how string) error {
	_, err := in.number(ctx, selectBulk.ending(how))
	return err
}
