package sqlstore

import (
	"context"
	"strings"

	"github.com/pressly/goose/v3"

	"esagate/registry"
)

// changedAtOnce is how many changed sources are read by one statement.
const changedAtOnce = 50

// A cursor on PostgreSQL is the time at which the server was started and the snapshot of a look; on SQLite it is a
// number. All that committed since the snapshot of the last look is visible now and was not then, in whatever order
// the transactions began. A server that was started since may be another one, which lost some of them.
const (
	postgresCursor = `SELECT CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS TEXT) || ' ' || CAST(pg_current_snapshot() AS TEXT) AS cursor`
	sqliteCursor   = `SELECT CAST(COALESCE(MAX(written), 0) AS TEXT) AS cursor FROM changes`
	changedRow     = `, COALESCE(g.connection, 0), COALESCE(g.customer_id, 0), COALESCE(g.source_id, '')`
)

var (
	beginChanges = map[goose.Dialect]globalStatement{
		goose.DialectPostgres: global(postgresCursor),
		goose.DialectSQLite3:  global(sqliteCursor),
	}
	// There is one row at least, for the cursor. The last condition passes over what was restored from another server.
	selectChanges = map[goose.Dialect]globalStatement{
		goose.DialectPostgres: global(`SELECT n.cursor` + changedRow + ` FROM (` + postgresCursor + `) n LEFT JOIN changes g ON
			g.written >= pg_snapshot_xmin(CAST(CAST($1 AS TEXT) AS pg_snapshot)) AND
			NOT pg_visible_in_snapshot(g.written, CAST(CAST($1 AS TEXT) AS pg_snapshot)) AND
			g.written < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY g.written`),
		goose.DialectSQLite3: global(`SELECT n.cursor` + changedRow + ` FROM (` + sqliteCursor + `) n LEFT JOIN changes g ON
			g.written > CAST($1 AS BIGINT) ORDER BY g.written`),
	}
	selectChanged = global(`SELECT c.customer_id, ` + managedColumns + ` FROM connections c CROSS JOIN sources s
		WHERE c.id IN (` + placeholders(1, changedAtOnce) + `) AND s.customer_id = c.customer_id AND s.id = c.source`)
)

// Changes tells of the managed sources that were written since a cursor.
func (s *Store) Changes(ctx context.Context, since string, each func(registry.Change)) (next string, gap bool, err error) {
	next, gap, err = s.changes(ctx, since, each)
	return next, gap, failed("read the change feed", err)
}

func (s *Store) changes(ctx context.Context, since string, each func(registry.Change)) (next string, gap bool, err error) {
	in := s.reading(0)
	server, position, _ := strings.Cut(since, " ")
	if s.dialect == goose.DialectSQLite3 {
		server, position = "", since
	}
	if since == "" {
		err = in.queryRow(ctx, beginChanges[s.dialect]).Scan(&next)
		return next, true, err
	}
	changed, err := query(ctx, in, selectChanges[s.dialect], func(r row) (c registry.Change, err error) {
		err = r.Scan(&next, &c.ESAID, &c.CustomerID, &c.SourceID)
		return c, err
	}, position)
	if err != nil {
		return "", false, err
	}
	if s.dialect == goose.DialectPostgres && !strings.HasPrefix(next, server+" ") {
		return next, true, nil
	}
	if changed[0].ESAID == 0 { // the row for the cursor
		return next, false, nil
	}
	for len(changed) > 0 {
		batch := changed[:min(len(changed), changedAtOnce)]
		changed = changed[len(batch):]
		if err := s.changed(ctx, in, batch); err != nil {
			return "", false, err
		}
		for _, c := range batch {
			each(c)
		}
	}
	return next, false, nil
}

// changed reads the sources of a batch as they are now.
func (s *Store) changed(ctx context.Context, in scope, batch []registry.Change) error {
	ids := make([]any, changedAtOnce)
	for i := range ids {
		ids[i] = batch[min(i, len(batch)-1)].ESAID
	}
	read, err := query(ctx, in, selectChanged, func(r row) (*registry.Source, error) {
		var customer int64
		return scanSource(r, &customer, &customer)
	}, ids...)
	if err != nil {
		return err
	}
	for _, src := range read {
		for i := range batch {
			if batch[i].ESAID == src.Connection.ID {
				batch[i].Source = src
			}
		}
	}
	return nil
}
