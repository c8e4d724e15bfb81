package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// errNewerSchema: the tables were made by a later version, whose rows this one
// could misread.
var errNewerSchema error = ownError("store: the database was written by a newer version of esagate")

// migrateTries and migratePause bound how long processes that start on one fresh
// file get in each other's way. Each step is one transaction: the process
// that loses finds it done on the next try. The pause doubles.
const (
	migrateTries = 7
	migratePause = 50 * time.Millisecond
)

// On PostgreSQL the process that migrates holds a lock. The others ask for it every second,
// five minutes long: a step on a large table takes its time.
const (
	lockPeriod = time.Second
	lockTries  = 300
)

// errMigrating: another process kept the lock for all of lockTries.
var errMigrating error = ownError("store: another process has been migrating for five minutes")

// Migrate brings the tables of the database that a store URL names up to date,
// forward only, and says from which version to which; they are the same when there
// was nothing to do. Processes that do so at once, or open the database, wait for
// each other.
func Migrate(ctx context.Context, url string) (from, to int64, err error) {
	s, err := pools(url)
	if err != nil {
		return 0, 0, err
	}
	from, to, err = s.migrate(ctx)
	return from, to, both(err, s.Close())
}

// unread stands for a version that could not be read.
const unread = -1

func (s *Store) migrate(ctx context.Context) (from, to int64, err error) {
	from = unread
	for try := range migrateTries {
		if try > 0 {
			select {
			case <-time.After(migratePause << try):
			case <-ctx.Done():
				return 0, 0, fmt.Errorf("store: migrate: %w", both(ctx.Err(), err))
			}
		}
		var found int64
		found, to, err = s.migrateOnce(ctx)
		if from == unread { // what a later try finds can be another process's work
			from = found
		}
		if err == nil || !outrun(err) || ctx.Err() != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, errNewerSchema) && !errors.Is(err, errMigrating) {
		err = fmt.Errorf("store: migrate: %w", s.reduce(ctx, err))
	}
	return from, to, err
}

// outrun reports whether an error can come of another process that migrates the
// same file: its lock, a table that exists already, a version noted already. On
// PostgreSQL the lock keeps them apart.
func outrun(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT:
		return true
	}
	return false
}

// migrateOnce returns the version that it found and the one that it left.
func (s *Store) migrateOnce(ctx context.Context) (from, to int64, err error) {
	look, err := provider(s.dialect, s.write)
	if err != nil {
		return unread, unread, err
	}
	// First, because running an older set of steps on newer tables would fail in
	// words that don't say why; and without a lock, because mostly it is all.
	from, err = look.GetDBVersion(ctx)
	if err != nil {
		return unread, unread, err
	}
	sources := look.ListSources()
	if from > sources[len(sources)-1].Version {
		return from, from, errNewerSchema
	}
	pending, err := look.HasPending(ctx)
	if err != nil || !pending {
		return from, from, err
	}
	if s.dialect == goose.DialectPostgres {
		unlock, err := lockMigrations(ctx, s)
		if err != nil {
			return from, from, err
		}
		defer unlock()
		// The lock keeps one connection. Where there is no other, what fails later would not say why.
		if err := s.write.PingContext(ctx); err != nil {
			return from, from, fmt.Errorf("a migration needs two connections at once: %w", err)
		}
	}
	if _, err := look.Up(ctx); err != nil {
		return from, from, err
	}
	to, err = look.GetDBVersion(ctx)
	return from, to, err
}

// lockMigrations takes the lock. It belongs to a transaction, because a session's would stay with a connection
// that a pooler gives to somebody else. The steps run in transactions of their own meanwhile.
func lockMigrations(ctx context.Context, s *Store) (unlock func(), err error) {
	for range lockTries {
		tx, err := s.write.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		var ours bool
		in := scope{on: tx, store: s}
		// It is idle for as long as the steps take.
		_, err = in.exec(ctx, global(`SET LOCAL idle_in_transaction_session_timeout = 0`))
		if err == nil {
			err = in.queryRow(ctx, global(`SELECT pg_try_advisory_xact_lock($1)`), lock.DefaultLockID).Scan(&ours)
		}
		unlock := func() { _ = tx.Rollback() } // if that fails it ends with the connection
		if ours {
			return unlock, nil
		}
		unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(lockPeriod):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errMigrating
}

func provider(dialect goose.Dialect, db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()), goose.WithGoMigrations(changesMigration(dialect)))
}
