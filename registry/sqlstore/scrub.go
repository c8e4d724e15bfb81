package sqlstore

import (
	"context"
	"database/sql"
	"regexp"
	"time"
)

// erasure matches statements that take away what was sealed and has to be gone then:
// credentials and consents, and whatever a key had sealed that is given up.
var erasure = regexp.MustCompile(`^(DELETE FROM (credentials|consents)|UPDATE \w+ SET (sealed|fingerprint) = \$1) `)

// eraser is a transaction that notes whether it erases something.
type eraser struct {
	runner
	erased bool
}

func (e *eraser) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := e.runner.ExecContext(ctx, query, args...)
	if err == nil && erasure.MatchString(query) {
		if n, _ := res.RowsAffected(); n > 0 { // both drivers know it
			e.erased = true
		}
	}
	return res, err
}

func (e *eraser) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	e.erased = e.erased || erasure.MatchString(query)
	return e.runner.QueryRowContext(ctx, query, args...)
}

// scrubLimit bounds scrubSQLite, which the caller waits for.
const scrubLimit = time.Second

// scrubSQLite moves the log of writes into the file and empties it. What was deleted
// is overwritten in the file (secure_delete), but its pages as they were stand in the
// log until it is moved, and after that until it is written over. It does nothing
// while somebody reads an older state; the next one makes good for it, and so does
// the last connection to close. What a disk keeps of blocks that a file has given up,
// and what a backup has, is out of reach: that is why secrets are sealed.
func (s *Store) scrubSQLite(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), scrubLimit)
	defer cancel()
	_, _ = s.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
}
