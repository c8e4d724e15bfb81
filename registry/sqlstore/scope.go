package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
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
// given, and whether a tenant is taken. None gives a customer's values.
type globalStatement struct{ text string }

func (s scope) globalRow(ctx context.Context, st globalStatement, args ...any) *sql.Row {
	return s.on.QueryRowContext(ctx, st.text, args...)
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

// writing runs f in one transaction of a customer, which stands if f gives no error.
func (s *Store) writing(ctx context.Context, customer int64, f func(scope) error) error {
	tx, err := beginSQLite(ctx, s.write)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // of no effect once committed
	if err := f(scope{tx, customer}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
