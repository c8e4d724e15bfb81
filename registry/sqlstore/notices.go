package sqlstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Notices are messages between the replicas that share a PostgreSQL database, by NOTIFY: none is kept, and each
// reaches those that listen at that moment, at most once.
type Notices struct {
	store *Store
	cfg   *pgx.ConnConfig
}

// NoticesOf gives the Notices of a Store; nil for SQLite, which has none.
func NoticesOf(s *Store) *Notices {
	if s.listens == nil {
		return nil
	}
	return &Notices{s, s.listens}
}

// The channel is that of the schema, as another gateway may have one of its own in the same database.
const (
	channelName = `'esagate_' || md5(current_schema())`
	notify      = `SELECT pg_notify(` + channelName + `, m) FROM unnest($1::text[]) m`

	leaveTimeout = time.Second // to say that a connection ends
)

// Publish sends messages, of less than 8,000 bytes each (PostgreSQL, "NOTIFY"), to all that listen.
func (n *Notices) Publish(ctx context.Context, messages []string) error {
	_, err := n.store.write.ExecContext(ctx, notify, messages)
	return n.store.reduce(ctx, err)
}

// Receive calls listening once messages begin to come, and got for each, until ctx ends or the connection,
// which is its own, breaks. Behind a pooler none come, as that gives the connection to others too: it waits
// for ctx then.
func (n *Notices) Receive(ctx context.Context, listening func(), got func(message string)) error {
	conn, err := n.listen(ctx)
	if errors.Is(err, errPooled) {
		<-ctx.Done()
		return ctx.Err()
	}
	if err != nil {
		return reduce(ctx, err)
	}
	defer hangUp(ctx, conn)
	listening()
	for {
		m, err := conn.WaitForNotification(ctx)
		if err != nil {
			return reduce(ctx, err)
		}
		got(m.Payload)
	}
}

// listen makes a connection that listens.
func (n *Notices) listen(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*n.cfg.ConnectTimeout) // of one host and what comes after
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, n.cfg.Copy())
	if err != nil {
		return nil, err
	}
	var channel, pid string
	err = conn.QueryRow(ctx, `SELECT `+channelName+`, pg_backend_pid()::text`).Scan(&channel, &pid)
	if err == nil && pid != strconv.FormatUint(uint64(conn.PgConn().PID()), 10) {
		err = errPooled
	}
	if err == nil {
		_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize())
	}
	if err != nil {
		hangUp(ctx, conn)
		return nil, err
	}
	return conn, nil
}

func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
