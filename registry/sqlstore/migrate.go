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
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// errNewerSchema: the tables were made by a later version, whose rows this one
// could misread.
var errNewerSchema = errors.New("store: the database was written by a newer version of esagate")

// migrateTries and migratePause bound how long processes that start on one fresh
// file get in each other's way. Each step is one transaction: whoever loses finds
// it done on the next try. The pause doubles.
const (
	migrateTries = 7
	migratePause = 50 * time.Millisecond
)

// migrate brings the tables up to date, forward only; it does nothing when they are.
func migrate(ctx context.Context, db *sql.DB) error {
	var err error
	for try := range migrateTries {
		if try > 0 {
			select {
			case <-time.After(migratePause << try):
			case <-ctx.Done():
				return fmt.Errorf("store: migrate: %w", errors.Join(ctx.Err(), err))
			}
		}
		if err = migrateOnce(ctx, db); err == nil || !outrun(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// outrun reports whether an error can come of another process that migrates the
// same file: its lock, a table that exists already, a version noted already.
func outrun(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT:
		return true
	}
	return false
}

func migrateOnce(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	// First, because running an older set of steps on newer tables would fail in
	// words that don't say why.
	current, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	sources := p.ListSources()
	if current > sources[len(sources)-1].Version {
		return errNewerSchema
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}
