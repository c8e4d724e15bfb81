package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
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
func (s scope) query(ctx context.Context, st scopedStatement, args ...any) (rows, error) {
	return s.rows(ctx, st.text, s.bind(args))
}

// queryRow runs a statement that gives one row.
func (s scope) queryRow(ctx context.Context, st scopedStatement, args ...any) row {
	return reducedRow{ctx, s.on.QueryRowContext(ctx, st.text, s.bind(args)...), s.store.reduce}
}

// exec runs a statement and gives how many rows it changed.
func (s scope) exec(ctx context.Context, st scopedStatement, args ...any) (int64, error) {
	return s.changed(ctx, st.text, s.bind(args))
}

// globalStatement is SQL on what belongs to no customer: sequences, ids ever
// given, and whether a tenant is taken. None returns one customer's values to another:
// those that read any are for background work.
type globalStatement struct{ text string }

func (s scope) globalRow(ctx context.Context, st globalStatement, args ...any) row {
	return reducedRow{ctx, s.on.QueryRowContext(ctx, st.text, args...), s.store.reduce}
}

// globalRows is for what is an operator's: all API keys, all secrets to rewrite.
func (s scope) globalRows(ctx context.Context, st globalStatement, args ...any) (rows, error) {
	return s.rows(ctx, st.text, args)
}

func (s scope) globalExec(ctx context.Context, st globalStatement, args ...any) (int64, error) {
	return s.changed(ctx, st.text, args)
}

func (s scope) changed(ctx context.Context, text string, args []any) (int64, error) {
	res, err := s.on.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, s.store.reduce(ctx, err)
	}
	return res.RowsAffected()
}

func (s scope) rows(ctx context.Context, text string, args []any) (rows, error) {
	r, err := s.on.QueryContext(ctx, text, args...)
	if err != nil {
		return rows{}, s.store.reduce(ctx, err)
	}
	return rows{r, ctx, s.store.reduce}, nil
}

// rows and reducedRow are the answers of a statement, with its errors reduced.
type rows struct {
	*sql.Rows
	ctx    context.Context // the statement's
	reduce func(context.Context, error) error
}

func (r rows) Err() error { return r.reduce(r.ctx, r.Rows.Err()) }

type reducedRow struct {
	ctx    context.Context
	row    *sql.Row
	reduce func(context.Context, error) error
}

func (r reducedRow) Scan(dest ...any) error { return r.reduce(r.ctx, r.row.Scan(dest...)) }

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

// collect reads the rows that a query gave, and closes them. Without an error the result
// is not nil.
func collect[T any](rows rows, err error, scan func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
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
		return nil, err
	}
	return all, nil
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
