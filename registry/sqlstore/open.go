// Package sqlstore is the registry.Store on an SQL database. Today that is a
// SQLite file; statements use $1 placeholders and SQL that PostgreSQL shares.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"esagate/registry"
)

// Store is a registry.Store on an SQL database.
type Store struct {
	read  *sql.DB // never writes; the same pool as write for a database in memory
	write *sql.DB // its transactions take the write lock when they begin
	lock  string  // what a SELECT ends with to lock its rows; SQLite needs nothing, its writers queue
	now   func() time.Time
}

var _ registry.Store = (*Store)(nil)

// Option changes how a Store is opened.
type Option func(*Store)

// WithClock sets the clock that creation and change times come from.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// Open opens the database that a store URL names and brings its tables up to
// date; it may wait for another process that is doing the same. The URL is
// `sqlite://path`, relative or absolute (`sqlite:///var/lib/esagate.db`), or
// `sqlite://:memory:`. A file that does not exist is made, readable and writable
// by its owner alone; its folder must exist.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	path, err := sqlitePath(url)
	if err != nil {
		return nil, err
	}
	s := &Store{now: time.Now}
	for _, opt := range opts {
		opt(s)
	}
	if err := s.openSQLite(path); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.write); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Ping asks whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("registry: ping: %w", err)
	}
	return nil
}

// Close waits for running statements and closes the database. A second call does
// nothing.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != s.read {
		// Last, because the last connection to close folds the log into the file,
		// and a reader must not.
		err = errors.Join(err, s.write.Close())
	}
	if err != nil {
		return fmt.Errorf("registry: close: %w", err)
	}
	return nil
}

// Customer gives access to one customer's rows.
func (s *Store) Customer(id int64) registry.CustomerStore { return customerStore{s, id} }

// instant is the store's clock in the precision that it keeps.
func (s *Store) instant() time.Time { return registry.Instant(s.now()) }
