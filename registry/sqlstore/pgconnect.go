package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgConnector makes connections within a time limit, and names the place in errors.
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
