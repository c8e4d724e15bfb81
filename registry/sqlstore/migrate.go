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
var errNewerSchema = errors.New("store: the database was written by a newer version of esagate")

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
	lockPeriod  = 1 // seconds
	lockTries   = 300
	unlockLimit = 10 * time.Second
)

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

func (s *Store) migrate(ctx context.Context) (from, to int64, err error) {
	from = -1 // not known yet
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
		if from < 0 && found >= 0 {
			from = found
		}
		if err == nil || !outrun(err) || ctx.Err() != nil {
			break
		}
	}
	return max(from, 0), to, err
}

func (s *Store) migrateFailed(ctx context.Context, err error) error {
	return fmt.Errorf("store: migrate: %w", s.reduce(ctx, err))
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

// migrateOnce returns the version that it found, -1 if it did not get so far, and the
// one that it left.
func (s *Store) migrateOnce(ctx context.Context) (found, left int64, err error) {
	look, err := provider(s.dialect, s.write)
	if err != nil {
		return -1, 0, err
	}
	// First, because running an older set of steps on newer tables would fail in
	// words that don't say why; and without a lock, because mostly it is all.
	if found, err = look.GetDBVersion(ctx); err != nil {
		return -1, 0, s.migrateFailed(ctx, err)
	}
	sources := look.ListSources()
	if found > sources[len(sources)-1].Version {
		return found, found, errNewerSchema
	}
	pending, err := look.HasPending(ctx)
	if err != nil {
		return found, found, s.migrateFailed(ctx, err)
	}
	if !pending {
		return found, found, nil
	}
	var options []goose.ProviderOption
	if s.dialect == goose.DialectPostgres {
		locker, err := sessionLocker()
		if err != nil {
			return found, found, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	work, err := provider(s.dialect, s.write, options...)
	if err != nil {
		return found, found, err
	}
	if _, err := work.Up(ctx); err != nil {
		return found, found, s.migrateFailed(ctx, err)
	}
	if left, err = look.GetDBVersion(ctx); err != nil {
		return found, found, s.migrateFailed(ctx, err)
	}
	return found, left, nil
}

func provider(dialect goose.Dialect, db *sql.DB, more ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, files,
		append(more, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))...)
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	return p, nil
}

// boundedLocker is goose's locker, whose unlocking has no deadline.
type boundedLocker struct{ lock.SessionLocker }

func sessionLocker() (lock.SessionLocker, error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPeriod, lockTries))
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	return boundedLocker{l}, nil
}

// SessionUnlock implements lock.SessionLocker. What it can't unlock goes with the
// session.
func (l boundedLocker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, unlockLimit)
	defer cancel()
	return l.SessionLocker.SessionUnlock(ctx, conn)
}
