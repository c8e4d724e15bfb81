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

// The condition stands twice in what removes: a row that was renewed meanwhile is
// looked at again where it is deleted, not where it was found.
var (
	expiredConsents = expired{
		probe: globalStatement{`SELECT expires_at FROM consents WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1`},
		remove: globalStatement{fmt.Sprintf(`DELETE FROM consents WHERE expires_at <= $1 AND state_hash IN
			(SELECT state_hash FROM consents WHERE expires_at <= $1 ORDER BY expires_at LIMIT %d)`, sweepRows)},
	}
	expiredOnce = expired{
		probe: globalStatement{`SELECT begun_at FROM idempotency WHERE begun_at <= $1 ORDER BY begun_at LIMIT 1`},
		remove: globalStatement{fmt.Sprintf(`DELETE FROM idempotency WHERE begun_at <= $1 AND (customer_id, name) IN
			(SELECT customer_id, name FROM idempotency WHERE begun_at <= $1 ORDER BY begun_at LIMIT %d)`, sweepRows)},
		kept: registry.IdempotencyKept,
	}
	expiredEvents = expired{
		probe: globalStatement{`SELECT received_at FROM webhook_events WHERE received_at <= $1 ORDER BY received_at LIMIT 1`},
		remove: globalStatement{fmt.Sprintf(`DELETE FROM webhook_events WHERE received_at <= $1 AND (customer_id, connection, event_id) IN
			(SELECT customer_id, connection, event_id FROM webhook_events WHERE received_at <= $1 ORDER BY received_at LIMIT %d)`, sweepRows)},
		kept: registry.EventsKept,
	}
	expiredAudit = expired{
		probe: globalStatement{`SELECT at FROM audit WHERE at <= $1 ORDER BY at LIMIT 1`},
		remove: globalStatement{fmt.Sprintf(`DELETE FROM audit WHERE at <= $1 AND (customer_id, id) IN
			(SELECT customer_id, id FROM audit WHERE at <= $1 ORDER BY at LIMIT %d)`, sweepRows)},
		kept: registry.AuditKept,
	}

	// lockBulk comes first in a transaction that goes through many rows of a table.
	// All others lock one row of such a table at most, but for the deletion of a source
	// with its events: the one that loses to it is run again.
	lockBulk = globalStatement{`SELECT last_value FROM sequences WHERE name = 'bulk'`}
)

// sweep removes some expired rows, in a transaction of its own after one that made a
// row: each makes one and removes up to sweepRows, so that they do not pile up as long
// as a sweep gets done in sweepLimit. What it can't remove is left to the next: the
// caller's work is done.
func (s *Store) sweep(ctx context.Context, rows expired) {
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	_ = s.sweepOnce(ctx, rows)
}

// Sweep removes some rows of every kind that have had their time. Unlike sweep it
// waits for the lock on bulk work.
func (s *Store) Sweep(ctx context.Context) (more bool, err error) {
	for _, rows := range []expired{expiredEvents, expiredAudit, expiredConsents, expiredOnce} {
		removed, err := s.remove(ctx, rows, s.lock)
		if err != nil {
			return more, failed("sweep", err)
		}
		more = more || removed == sweepRows
	}
	return more, nil
}

func (s *Store) sweepOnce(ctx context.Context, rows expired) error {
	_, err := s.remove(ctx, rows, s.tryLock)
	return err
}

// remove gives how many rows it removed. Where there are none, which is mostly so, it
// begins no transaction.
func (s *Store) remove(ctx context.Context, rows expired, lock string) (removed int64, err error) {
	before := nullTime(s.instant().Add(-rows.kept))
	var oldest string
	err = s.reading(0).globalRow(ctx, rows.probe, before).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = s.writing(ctx, 0, func(in scope) error {
		err := s.lockBulk(ctx, in, lock)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // somebody else goes through many rows, who may take their time
		}
		if err != nil {
			return err
		}
		removed, err = in.globalExec(ctx, rows.remove, before)
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// lockBulk takes the lock with one of the Store's ways to do so; with tryLock
// sql.ErrNoRows says that another transaction has it.
func (s *Store) lockBulk(ctx context.Context, in scope, how string) error {
	var none int64
	if err := in.globalRow(ctx, globalStatement{lockBulk.text + how}).Scan(&none); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}
