package sqlstore

import (
	"context"
	"fmt"
	"time"

	"esagate/registry"
)

// sweepRows is how many rows one sweep removes at most.
const sweepRows = 100

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
		kept: registry.OnceKept,
	}

	// lockBulk comes first in a transaction that goes through many rows of a table.
	// All others lock one row of such a table at most.
	lockBulk = globalStatement{`SELECT last_value FROM sequences WHERE name = 'bulk'`}
)

// sweep removes some expired rows, in a transaction of its own after one that made a
// row: each makes one and removes up to sweepRows, so they can't pile up. What it
// can't remove is left to the next: the caller's work is done.
func (s *Store) sweep(ctx context.Context, rows expired) {
	before := nullTime(s.instant().Add(-rows.kept))
	var oldest string
	if s.reading(0).globalRow(ctx, rows.probe, before).Scan(&oldest) != nil {
		return // there is none, mostly
	}
	_ = s.writing(ctx, 0, func(in scope) error {
		if err := s.lockBulk(ctx, in); err != nil {
			return err
		}
		_, err := in.globalExec(ctx, rows.remove, before)
		return err
	})
}

func (s *Store) lockBulk(ctx context.Context, in scope) error {
	var none int64
	if err := in.globalRow(ctx, globalStatement{lockBulk.text + s.lock}).Scan(&none); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}
