package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"
)

// runner is a pool or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scope is one customer's view of the database. All statements on customers' rows
// run through it, and it binds the customer itself, as $1.
type scope struct {
	on       runner
	customer int64
	store    *Store
}

// statement is SQL that touches rows of customer $1 and of no other. Its own arguments
// begin at $2.
type statement struct{ text string }

// scoped makes a statement and panics, when the program starts, at one that does
// not narrow itself to customer $1.
func scoped(text string) statement {
	if !strings.Contains(text, "customer_id = $1") &&
		!(strings.HasPrefix(text, "INSERT INTO ") && strings.Contains(text, " (customer_id, ") && strings.Contains(text, "VALUES ($1, ")) {
		panic("sqlstore: a statement that is not narrowed to one customer: " + text)
	}
	return statement{text}
}

// ending returns the statement with more text at its end, such as a lock.
func (st statement) ending(text string) statement { return statement{st.text + text} }

func (st statement) bind(customer int64, args []any) (string, []any) {
	return st.text, append([]any{customer}, args...)
}

// globalStatement is SQL on what belongs to no customer: sequences, ids ever given,
// and whether a tenant is taken. None returns one customer's values to another: those
// that read any are for operators and background work.
type globalStatement struct{ text string }

func global(text string) globalStatement { return globalStatement{text} }

func (st globalStatement) ending(text string) globalStatement { return globalStatement{st.text + text} }

func (st globalStatement) bind(_ int64, args []any) (string, []any) { return st.text, args }

// anyStatement is a statement of either kind. What takes one for a customer's rows takes
// the type statement instead, so that a global one does not compile there.
type anyStatement interface {
	bind(customer int64, args []any) (text string, all []any)
}

var subject = regexp.MustCompile(`^(INSERT INTO \w+|UPDATE \w+|DELETE FROM \w+|\w+)`)

// failed reduces an error of a statement, and says which one it was.
func (s scope) failed(ctx context.Context, text string, err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return fmt.Errorf("%s: %w", subject.FindString(text), s.store.reduce(ctx, err))
}

// exec runs a statement and returns how many rows it changed.
func (s scope) exec(ctx context.Context, st anyStatement, args ...any) (int64, error) {
	text, args := st.bind(s.customer, args)
	if err := s.store.file.there(); err != nil {
		return 0, s.failed(ctx, text, err)
	}
	res, err := s.on.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, s.failed(ctx, text, err)
	}
	return res.RowsAffected()
}

// queryRow runs a statement that returns one row.
func (s scope) queryRow(ctx context.Context, st anyStatement, args ...any) row {
	text, args := st.bind(s.customer, args)
	return rowOf{s.on.QueryRowContext(ctx, text, args...), ctx, s, text}
}

type rowOf struct {
	row  *sql.Row
	ctx  context.Context // the statement's
	in   scope
	text string // the statement's
}

func (r rowOf) Scan(dest ...any) error {
	err := r.row.Scan(dest...) // which also ends the row
	if gone := r.in.store.file.there(); gone != nil {
		err = gone
	}
	return r.in.failed(r.ctx, r.text, err)
}

// number runs a statement that returns one number.
func (s scope) number(ctx context.Context, st anyStatement, args ...any) (n int64, err error) {
	err = s.queryRow(ctx, st, args...).Scan(&n)
	return n, err
}

// query runs a statement and reads its rows. Without an error the result is not nil.
func query[T any](ctx context.Context, in scope, st anyStatement, scan func(row) (T, error), args ...any) ([]T, error) {
	text, args := st.bind(in.customer, args)
	if err := in.store.file.there(); err != nil {
		return nil, in.failed(ctx, text, err)
	}
	rows, err := in.on.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, in.failed(ctx, text, err)
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, in.failed(ctx, text, err)
	}
	return all, nil
}

// reading returns a scope for reads outside of a transaction.
func (s *Store) reading(customer int64) scope { return scope{s.read, customer, s} }

// writeTries is how often a transaction is run that lost to others, or whose
// connection was dead; writePause is the pause in between, doubled each time.
const (
	writeTries = 4
	writePause = 10 * time.Millisecond
)

// writing runs f in one transaction of a customer, which is committed if f returns no
// error. On PostgreSQL f can be called again after its changes were rolled back.
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

// write is writing for what returns a value: the zero value with an error, which names
// what could not be done.
func write[T any](ctx context.Context, s *Store, customer int64, what string, f func(scope) (T, error)) (T, error) {
	var v, none T
	err := s.writing(ctx, customer, func(in scope) (err error) {
		v, err = f(in)
		return err
	})
	if err != nil {
		return none, failed(what, err)
	}
	return v, nil
}

func (s *Store) writeOnce(ctx context.Context, customer int64, f func(scope) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // of no effect once committed
	on := &eraser{runner: tx}
	if err := f(scope{on, customer, s}); err != nil {
		return err
	}
	if err := s.commit(ctx, tx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if on.erased && s.scrubber != nil {
		s.scrubber.erased()
	}
	return nil
}
