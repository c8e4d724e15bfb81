package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// runner is a pool or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scope is one customer's view of the database. All statements on customers' rows
// run through it, and it binds the customer itself, as $1: nobody has to remember to.
type scope struct {
	on       runner
	customer int64
}

// scopedStatement is SQL that touches rows of customer $1 and of no other.
type scopedStatement struct{ text string }

// scoped makes a statement and panics, when the program starts, at one that does
// not narrow itself to customer $1. Its own arguments begin at $2.
func scoped(text string) scopedStatement {
	if !strings.Contains(text, "customer_id = $1") &&
		!(strings.HasPrefix(text, "INSERT INTO ") && strings.Contains(text, " (customer_id, ") && strings.Contains(text, "VALUES ($1, ")) {
		panic("sqlstore: a statement that is not narrowed to one customer: " + text)
	}
	return scopedStatement{text}
}

func (s scope) bind(args []any) []any { return append([]any{s.customer}, args...) }

// query runs a statement that gives rows.
func (s scope) query(ctx context.Context, st scopedStatement, args ...any) (*sql.Rows, error) {
	return s.on.QueryContext(ctx, st.text, s.bind(args)...)
}

// queryRow runs a statement that gives one row.
func (s scope) queryRow(ctx context.Context, st scopedStatement, args ...any) *sql.Row {
	return s.on.QueryRowContext(ctx, st.text, s.bind(args)...)
}

// exec runs a statement and gives how many rows it changed.
func (s scope) exec(ctx context.Context, st scopedStatement, args ...any) (int64, error) {
	return changed(s.on.ExecContext(ctx, st.text, s.bind(args)...))
}

// globalStatement is SQL on what belongs to no customer: sequences, ids ever
// given, and whether a tenant is taken. None gives a customer's values to another: those
// that read any are for background work.
type globalStatement struct{ text string }

func (s scope) globalRow(ctx context.Context, st globalStatement, args ...any) *sql.Row {
	return s.on.QueryRowContext(ctx, st.text, args...)
}

// globalRows is for what is an operator's: all API keys, all secrets to rewrite.
func (s scope) globalRows(ctx context.Context, st globalStatement, args ...any) (*sql.Rows, error) {
	return s.on.QueryContext(ctx, st.text, args...)
}

func (s scope) globalExec(ctx context.Context, st globalStatement, args ...any) (int64, error) {
	return changed(s.on.ExecContext(ctx, st.text, args...))
}

func changed(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// reading gives a scope for reads outside of a transaction.
func (s *Store) reading(customer int64) scope { return scope{s.read, customer} }

// writeTries is how often a transaction is run that lost to others, or whose
// connection was dead; writePause is waited in between, twice as long each time.
const (
	writeTries = 4
	writePause = 10 * time.Millisecond
)

// writing runs f in one transaction of a customer, which stands if f gives no error.
// On PostgreSQL f can be called again, with nothing left of what it did before.
func (s *Store) writing(ctx context.Context, customer int64, f func(scope) error) (err error) {
	for try := range writeTries {
		if try > 0 {
			select {
			case <-time.After(rand.N(writePause << try)): // jitter, or two would meet again
			case <-ctx.Done():
				return both(ctx.Err(), err)
			}
		}
		if err = s.writeOnce(ctx, customer, f); err == nil || !s.again(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Store) writeOnce(ctx context.Context, customer int64, f func(scope) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // of no effect once committed
	on := &eraser{runner: tx}
	if err := f(scope{on, customer}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		if primaryCode(err) == sqlite3.SQLITE_IOERR { // the disk may have taken it before it failed
			err = outcomeUnknown(err)
		}
		return fmt.Errorf("commit: %w", err)
	}
	if on.erased && s.scrubber != nil {
		s.scrubber.erased()
	}
	return nil
}
