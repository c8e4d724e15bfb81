package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // also registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readers is how many reads of a SQLite file run at once; more wait in the pool.
const readers = 4

// busyTimeout is how long the driver waits for another process's lock in one go.
// It waits without looking at the context, so beginSQLite asks for little at a
// time, busyTries times at most.
const (
	busyTimeout = "100" // milliseconds
	busyTries   = 50
)

// logLimit is what is left of the log, in bytes, after a checkpoint that emptied a longer one.
const logLimit = "67108864"

// memoryPath is the path of a database that lives and dies with its Store.
const memoryPath = ":memory:"

// openSQLite opens the pools of a SQLite database. SQLite has one writer at a
// time: one connection for writes queues them in the pool, where waiting ends with
// the caller's context, and not in the driver's busy loop, which knows no context.
// That loop is only for other processes.
func (s *Store) openSQLite(path string) error {
	s.dialect = goose.DialectSQLite3
	s.commit, s.reduce = s.commitSQLite, reduceSQLite
	s.begin = func(ctx context.Context) (*sql.Tx, error) {
		tx, err := beginSQLite(ctx, s.write)
		return tx, reduceSQLite(ctx, err)
	}
	s.again = func(error) bool { return false } // it has queued; nothing else is worth a second try
	memory := path == memoryPath
	left := !memory && leftLog(path)
	if !memory {
		if err := createFile(path); err != nil {
			return err
		}
		var err error
		if s.file, err = newFile(path); err != nil {
			return err
		}
	}
	var err error
	if s.write, err = sqlitePool(path, s.file, 1, "0"); err != nil {
		return err
	}
	if memory { // a database in memory is its one connection
		s.read = s.write
		return nil
	}
	if s.read, err = sqlitePool(path, s.file, readers, "1"); err != nil {
		return both(err, s.write.Close())
	}
	s.scrubber = startScrubber(s.write, left)
	return nil
}

// sqlitePool makes a pool of at most size connections, which stay open.
func sqlitePool(path string, file *dbFile, size int, queryOnly string) (*sql.DB, error) {
	params := url.Values{
		"_busy_timeout": {busyTimeout},
		"_journal_mode": {"WAL"},  // readers go on while one writes
		"_synchronous":  {"FULL"}, // a commit is on disk when it returns
		"_foreign_keys": {"1"},
		"_query_only":   {queryOnly},
		"_txlock":       {"immediate"}, // no upgrade from read to write, which can't wait
		"_pragma": {
			"secure_delete(1)", // what is deleted is overwritten, in the file
			"journal_size_limit(" + logLimit + ")",
		},
		"_dqs":      {"0"}, // a misspelt column is an error, never a text
		"_error_rc": {"1"}, // error texts of the failure at hand alone
	}
	if file != nil {
		params.Set("mode", "rw") // a file that was taken away is not made anew, which would remove its log
	}
	name := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: params.Encode()}).String()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	if file != nil {
		_ = db.Close() // it has no connection; what is wanted of it is its driver
		db = sql.OpenDB(connector{db.Driver(), name, file, queryOnly == "0"})
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// beginSQLite begins a transaction that holds the write lock, waiting for another
// process to give it up until the context ends.
func beginSQLite(ctx context.Context, db *sql.DB) (tx *sql.Tx, err error) {
	for range busyTries {
		if tx, err = db.BeginTx(ctx, nil); err == nil || primaryCode(err) != sqlite3.SQLITE_BUSY {
			return tx, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, err
}

// commitSQLite commits a transaction. One that went into a file that is not there any more may stand
// if that is put back.
func (s *Store) commitSQLite(ctx context.Context, tx *sql.Tx) error {
	err := tx.Commit()
	if err == nil {
		if err = s.file.committed(); err != nil {
			return outcomeUnknown(err)
		}
	}
	err = reduceSQLite(ctx, err)
	if primaryCode(err) == sqlite3.SQLITE_IOERR { // the disk may have taken it before it failed
		return outcomeUnknown(err)
	}
	return err
}

// primaryCode returns SQLite's result code without its extension, or -1.
func primaryCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return -1
	}
	return e.Code() & 0xff
}

// createFile makes the database file when there is none, for its owner alone:
// SQLite would make it by the umask, and gives its side files the same mode.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("store: %s is not a regular file", path)
	}
	return nil
}
