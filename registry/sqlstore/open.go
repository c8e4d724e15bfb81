// Package sqlstore is the registry.Store on an SQL database: a SQLite file, or
// PostgreSQL 15 and later. There is one set of statements for both, with $1
// placeholders.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"esagate/internal/vault"
	"esagate/registry"
)

// Store is a registry.Store on an SQL database.
type Store struct {
	read  *sql.DB // never writes; the same pool as write for a database in memory
	write *sql.DB
	// begin begins a transaction; on SQLite it holds the one write lock from then on.
	begin func(ctx context.Context) (*sql.Tx, error)
	// commit commits one; its error says whether the outcome is known.
	commit func(ctx context.Context, tx *sql.Tx) error
	// reduce takes what must not be told out of an error of the driver.
	reduce func(ctx context.Context, err error) error
	// again reports whether a transaction that failed so can be run again.
	again func(error) bool
	// scrubber overwrites what committed transactions took away, where more of it is left
	// than they could reach themselves; nil where nothing is.
	scrubber *scrubber
	// lock is what a SELECT ends with to lock its rows, of all tables that it names: no
	// outer join may be among them. SQLite needs nothing, its writers queue. With tryLock
	// it passes over the rows that another transaction holds.
	lock    string
	tryLock string
	dialect goose.Dialect
	file    *dbFile         // of SQLite; nil: none
	listens *pgx.ConnConfig // of connections that listen for Notices; nil: of SQLite
	now     func() time.Time
	vault   *vault.Vault // seals and opens secrets; nil: none can be kept
	// auditKept is how long audit entries are kept.
	auditKept time.Duration
}

var _ registry.Store = (*Store)(nil)

// Option changes how a Store is opened.
type Option func(*Store)

// WithClock sets the clock that creation and change times come from.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithAuditKept sets how long audit entries are kept, instead of [registry.AuditKept].
func WithAuditKept(kept time.Duration) Option { return func(s *Store) { s.auditKept = kept } }

// Open opens the database that a store URL names and brings its tables up to
// date; it may wait for another process that is doing the same. The URL is one of
//
//   - `sqlite://path`, relative or absolute (`sqlite:///var/lib/esagate.db`), or
//     `sqlite://:memory:`. A file that does not exist is made, readable and writable
//     by its owner alone; its folder must exist.
//   - `postgres://user:password@host:port/database?sslmode=verify-full`, with the
//     parameters of libpq. The database exists and is encoded in UTF8.
//
// No error repeats the URL, a user or a password; a host may be named.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	s, err := pools(url, opts...)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.migrate(ctx); err != nil {
		return nil, both(err, s.Close())
	}
	if err := s.checkVault(ctx); err != nil {
		return nil, both(err, s.Close())
	}
	return s, nil
}

// pools returns a Store with open pools, whose tables may not be up to date.
func pools(url string, opts ...Option) (*Store, error) {
	s := &Store{now: time.Now, auditKept: registry.AuditKept}
	for _, opt := range opts {
		opt(s)
	}
	switch scheme, rest, _ := strings.Cut(url, "://"); scheme {
	case "sqlite":
		return s, s.openSQLite(rest)
	case "postgres", "postgresql":
		return s, s.openPostgres(url)
	}
	return nil, errors.New("store url: must be sqlite://<path>, for instance sqlite://esagate.db, or postgres://user:password@host/database")
}

// Ping checks that the database can be reached.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.reading(0).number(ctx, global("SELECT 1")); err != nil {
		return fmt.Errorf("registry: ping: %w", err)
	}
	return nil
}

// Close waits for running statements and closes the database. A second call does
// nothing.
func (s *Store) Close() error {
	if s.scrubber != nil {
		s.scrubber.stop()
	}
	err := s.read.Close()
	if s.scrubber != nil {
		s.scrubber.last()
	}
	if s.write != s.read {
		// Last, because the last connection to close folds the log into the file,
		// and a reader must not.
		err = both(err, s.write.Close())
	}
	if err != nil {
		return fmt.Errorf("registry: close: %w", s.reduce(context.Background(), err))
	}
	return nil
}

// Pools returns the figures of a Store's pools of connections: "read" and "write". A database
// in memory has one connection, for both.
func Pools(s *Store) map[string]sql.DBStats {
	return map[string]sql.DBStats{"read": s.read.Stats(), "write": s.write.Stats()}
}

// Customer returns access to one customer's rows.
func (s *Store) Customer(id int64) registry.CustomerStore { return customerStore{s, id} }

// instant is the store's clock in the precision that it keeps.
func (s *Store) instant() time.Time { return registry.Instant(s.now()) }
