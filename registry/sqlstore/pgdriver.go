package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// The types here stand between database/sql and pgx, so that no error of pgx gets
// any further: its texts hold users, hosts and values. See reduce. They pass on
// what this package uses, and nothing else.

// pgConnector makes connections.
type pgConnector struct {
	driver.Connector
	place string        // host and port, for errors
	limit time.Duration // of all attempts together, name look-up included
}

func newPgConnector(inner driver.Connector, cfg *pgx.ConnConfig) pgConnector {
	hosts := attempts(&cfg.Config)
	// One more for what comes after: the session's settings.
	return pgConnector{inner, place(hosts), cfg.ConnectTimeout * time.Duration(len(hosts)+1)}
}

// Connect implements driver.Connector.
func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	// database/sql also connects in the background, with no deadline.
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	conn, err := c.Connector.Connect(limited)
	if err != nil {
		return nil, reduceConnect(ctx, c.place, err)
	}
	return &pgConn{conn.(*stdlib.Conn)}, nil
}

// pgConn is a connection.
type pgConn struct{ inner *stdlib.Conn }

var errNotPrepared = errors.New("postgres: statements are prepared by the driver itself")

func (c *pgConn) Prepare(string) (driver.Stmt, error)        { return nil, errNotPrepared }
func (c *pgConn) Begin() (driver.Tx, error)                  { return nil, errors.ErrUnsupported }
func (c *pgConn) Close() error                               { return reduce(context.Background(), c.inner.Close()) }
func (c *pgConn) CheckNamedValue(v *driver.NamedValue) error { return c.inner.CheckNamedValue(v) }

// Ping and ResetSession say driver.ErrBadConn, whatever the cause: database/sql then
// throws the connection away.
func (c *pgConn) Ping(ctx context.Context) error { return reduce(ctx, c.inner.Ping(ctx)) }
func (c *pgConn) ResetSession(ctx context.Context) error {
	return reduce(ctx, c.inner.ResetSession(ctx))
}

// BeginTx implements driver.ConnBeginTx. A connection that breaks here has done
// nothing yet: database/sql tries another.
func (c *pgConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.inner.BeginTx(ctx, opts)
	switch {
	case err == nil:
		return pgTx{ctx, tx}, nil
	case ctx.Err() == nil && c.inner.Conn().IsClosed():
		return nil, driver.ErrBadConn
	}
	return nil, reduce(ctx, err)
}

// ExecContext implements driver.ExecerContext.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.inner.ExecContext(ctx, query, args)
	if err != nil {
		return nil, reduceStatement(ctx, err)
	}
	return result, nil
}

// QueryContext implements driver.QueryerContext.
func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.inner.QueryContext(ctx, query, args)
	if err != nil {
		return nil, reduceStatement(ctx, err)
	}
	return pgRows{ctx, rows}, nil
}

// pgRows are a statement's rows.
type pgRows struct {
	ctx   context.Context // the statement's
	inner driver.Rows
}

func (r pgRows) Columns() []string { return r.inner.Columns() }
func (r pgRows) Close() error      { return reduce(r.ctx, r.inner.Close()) }

func (r pgRows) Next(dest []driver.Value) error {
	err := r.inner.Next(dest)
	if err == io.EOF { // the end of the rows, by no other name
		return err
	}
	return reduce(r.ctx, err)
}

// pgTx is a transaction.
type pgTx struct {
	ctx   context.Context // the transaction's
	inner driver.Tx
}

func (t pgTx) Rollback() error { return reduce(t.ctx, t.inner.Rollback()) }

// Commit implements driver.Tx. An error after the command was sent leaves open
// whether the transaction stands, unless the server itself says that it does not. Of
// its severities one is in the server's language.
func (t pgTx) Commit() error {
	err := t.inner.Commit()
	var server *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case pgconn.SafeToRetry(err): // it was not sent
		return reduceUnsent(t.ctx, err)
	case errors.Is(err, pgx.ErrTxCommitRollback), errors.As(err, &server) && server.SeverityUnlocalized == "ERROR":
		return reduce(t.ctx, err)
	}
	return outcomeUnknown(reduce(t.ctx, err))
}
