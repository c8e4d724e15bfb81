package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connectTimeout bounds how long one host has to let us in, unless the URL's
// connect_timeout says otherwise.
const connectTimeout = 5 * time.Second

// No error here repeats a URL or a part of one: any part can be a piece of a
// password that was not percent-encoded.

// postgresConfig reads a PostgreSQL URL that the config has accepted: the rules of
// what one may hold are there. A setting that it does not have comes from where libpq
// takes it: PGPASSWORD and its like, and ~/.pgpass.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, errors.New("store url: a certificate or key file that it names can't be read: " + plainCause(file.Err))
	case err != nil:
		return nil, errors.New("store url: not a PostgreSQL URL like postgres://user:password@host:5432/database?sslmode=verify-full," +
			" or a parameter has a value that libpq does not know")
	}
	if cfg.ConnectTimeout <= 0 { // 0 would be for ever
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "esagate"
	}
	return cfg, nil
}

// plainCause returns the operating system's words for an error, and no others.
func plainCause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return "its content is not what it should be"
}

// pgConnector makes connections within a time limit, and names the place in errors.
type pgConnector struct {
	driver.Connector
	place string        // host and port, for errors
	limit time.Duration // of all attempts together, name look-up included
}

func newPgConnector(inner driver.Connector, cfg *pgx.ConnConfig) pgConnector {
	// The hosts that a connection is tried with, in their order.
	hosts := append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port}}, cfg.Fallbacks...)
	// One more for what comes after: the session's settings.
	return pgConnector{inner, place(hosts), cfg.ConnectTimeout * time.Duration(len(hosts)+1)}
}

// Connect implements driver.Connector.
func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	// database/sql also connects in the background, with no deadline.
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	conn, err := c.Connector.Connect(limited)
	if errors.Is(err, errPooled) { // the next one is made for it
		conn, err = c.Connector.Connect(limited)
	}
	if err != nil {
		return nil, reduceConnect(ctx, c.place, err)
	}
	return conn, nil
}

// commitPostgres commits a transaction.
func commitPostgres(ctx context.Context, tx *sql.Tx) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return commitOutcome(ctx, tx.Commit())
}

// commitOutcome reduces an error of a commit. One after the command was sent leaves open
// whether the transaction stands, unless the server itself says that it does not. Of
// its severities one is in the server's language.
func commitOutcome(ctx context.Context, err error) error {
	var server *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case pgconn.SafeToRetry(err), errors.Is(err, sql.ErrTxDone): // it was not sent
		if ctx.Err() == nil {
			return driver.ErrBadConn
		}
		return reduce(ctx, err)
	case errors.Is(err, pgx.ErrTxCommitRollback), errors.As(err, &server) && server.SeverityUnlocalized == "ERROR":
		return reduce(ctx, err)
	}
	return outcomeUnknown(reduce(ctx, err))
}
