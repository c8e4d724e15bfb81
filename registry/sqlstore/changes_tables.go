package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// changesVersion is the migration that makes the change feed. It is no file, because the two databases write triggers
// in two ways.
const changesVersion = 10

// changesTables make the change feed: of each connection that was ever written, where its last write stands in the
// order of writes. The rows stay when a connection goes, as those of esa_ids do.
//
// Triggers fill it, so that the writes of a version that does not know it are in it too, while replicas are replaced
// one after the other. What makes no new version and no new epoch nobody follows.
var changesTables = map[goose.Dialect][]string{
	// One writes at a time: the order is that of the commits.
	goose.DialectSQLite3: append([]string{
		`CREATE TABLE changes (connection BIGINT NOT NULL PRIMARY KEY, customer_id BIGINT NOT NULL, source_id TEXT NOT NULL, written BIGINT NOT NULL)`,
		`CREATE UNIQUE INDEX changes_written ON changes (written)`,
	}, sqliteTriggers()...),
	// Transactions end in another order than they began. A row has the transaction that wrote it, and which of these
	// a reader has seen before is in its snapshot.
	goose.DialectPostgres: {
		`CREATE TABLE changes (connection BIGINT NOT NULL PRIMARY KEY, customer_id BIGINT NOT NULL, source_id TEXT NOT NULL, written xid8 NOT NULL)`,
		`CREATE INDEX changes_written ON changes (written)`,
		`CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO changes (connection, customer_id, source_id, written)
			SELECT COALESCE(NEW.id, OLD.id), s.customer_id, s.source_id, pg_current_xact_id() FROM sources s
			WHERE s.customer_id = COALESCE(NEW.customer_id, OLD.customer_id) AND s.id = COALESCE(NEW.source, OLD.source)
			ON CONFLICT (connection) DO UPDATE SET written = excluded.written;
			RETURN NULL; END $$`,
		`CREATE TRIGGER connection_made AFTER INSERT OR DELETE ON connections FOR EACH ROW EXECUTE FUNCTION note_change()`,
		`CREATE TRIGGER connection_changed AFTER UPDATE ON connections FOR EACH ROW
			WHEN (OLD.version <> NEW.version OR OLD.epoch <> NEW.epoch) EXECUTE FUNCTION note_change()`,
	},
}

func sqliteTriggers() (all []string) {
	for _, on := range []struct{ name, event, row string }{
		{"connection_made", "INSERT ON connections", "NEW"},
		{"connection_deleted", "DELETE ON connections", "OLD"},
		{"connection_changed", "UPDATE ON connections WHEN OLD.version <> NEW.version OR OLD.epoch <> NEW.epoch", "NEW"},
	} {
		all = append(all, fmt.Sprintf(`CREATE TRIGGER %[1]s AFTER %[2]s BEGIN
			INSERT INTO changes (connection, customer_id, source_id, written)
			SELECT %[3]s.id, s.customer_id, s.source_id, (SELECT COALESCE(MAX(written), 0) + 1 FROM changes) FROM sources s
			WHERE s.customer_id = %[3]s.customer_id AND s.id = %[3]s.source
			ON CONFLICT (connection) DO UPDATE SET written = excluded.written; END`, on.name, on.event, on.row))
	}
	return all
}

// changesMigration makes them.
func changesMigration(dialect goose.Dialect) *goose.Migration {
	return goose.NewGoMigration(changesVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		for _, text := range changesTables[dialect] {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}
