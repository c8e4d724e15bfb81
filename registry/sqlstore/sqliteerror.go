package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteError is an error of SQLite that can also be told in words of ours.
type sqliteError struct {
	error
	words string
}

// Unwrap returns SQLite's error.
func (e *sqliteError) Unwrap() error { return e.error }

// OwnWords is the error without what SQLite says of statements and columns.
func (e *sqliteError) OwnWords() string { return "sqlite: " + e.words }

// resultWords say what an operator can do something about, by the primary result code.
var resultWords = map[int]string{
	sqlite3.SQLITE_BUSY:       "the database is locked by another process",
	sqlite3.SQLITE_LOCKED:     "the database is locked",
	sqlite3.SQLITE_FULL:       "the disk is full",
	sqlite3.SQLITE_IOERR:      "the disk failed",
	sqlite3.SQLITE_CANTOPEN:   "the file can't be opened",
	sqlite3.SQLITE_READONLY:   "the file can't be written",
	sqlite3.SQLITE_PERM:       "the file may not be used",
	sqlite3.SQLITE_CORRUPT:    "the file is damaged",
	sqlite3.SQLITE_NOTADB:     "the file is no database",
	sqlite3.SQLITE_NOMEM:      "there is no memory left",
	sqlite3.SQLITE_INTERRUPT:  "the statement was interrupted",
	sqlite3.SQLITE_CONSTRAINT: "a constraint was violated",
}

// reduceSQLite gives an error of SQLite words of ours beside its own.
func reduceSQLite(_ context.Context, err error) error {
	var said *sqliteError
	var theirs *sqlite.Error
	if errors.As(err, &said) || !errors.As(err, &theirs) {
		return err
	}
	words, known := resultWords[theirs.Code()&0xff]
	if !known {
		words = "it failed"
	}
	return &sqliteError{err, fmt.Sprintf("%s (code %d)", words, theirs.Code())}
}
