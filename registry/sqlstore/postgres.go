package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"esagate/registry"
)

// The pools of a PostgreSQL database. Reads have their own, so that writers that
// wait for each other never keep a read waiting. That nothing writes there is seen on
// SQLite, which runs the same statements: a session that is set to read only would be a
// writer's the next moment behind a pooler, and a transaction of its own would cost
// each read two more round trips.
const (
	postgresReaders = 6
	postgresWriters = 6
	idleTime        = 5 * time.Minute
	lifeTime        = 30 * time.Minute // so that servers and addresses that have changed are found
)

// openPostgres opens the pools of a PostgreSQL database. It does not connect.
func (s *Store) openPostgres(url string) error {
	cfg, err := postgresConfig(url)
	if err != nil {
		return err
	}
	// A peer that is gone without a word is noticed within 30 seconds.
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	cfg.DialFunc = dialer.DialContext

	// There is nothing to scrub with: a deleted row goes with the next vacuum of its
	// table, and from the server's log with its segment.
	s.dialect, s.begin, s.commit, s.again, s.reduce = goose.DialectPostgres, s.beginPostgres, commitPostgres, postgresAgain, reduce
	s.lock, s.tryLock = " FOR UPDATE", " FOR UPDATE SKIP LOCKED"
	s.listens = cfg
	modes := &queryModes{chosen: strings.Contains(url, "default_query_exec_mode=")}
	s.read = postgresPool(cfg, modes, postgresReaders)
	s.write = postgresPool(cfg, modes, postgresWriters)
	return nil
}

func postgresPool(cfg *pgx.ConnConfig, modes *queryModes, size int) *sql.DB {
	after := func(ctx context.Context, conn *pgx.Conn) error {
		pid, err := settle(ctx, conn)
		if err == nil {
			err = modes.check(conn, pid)
		}
		if err != nil {
			return both(err, conn.Close(ctx)) // no other code does
		}
		return nil
	}
	inner := stdlib.GetConnector(*cfg, stdlib.OptionBeforeConnect(modes.before), stdlib.OptionAfterConnect(after))
	db := sql.OpenDB(newPgConnector(inner, cfg))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifeTime)
	return db
}

// settleSession makes a session what this store needs, whatever the server, the
// database or the user have been given as a default: a commit is on disk when it is
// answered, a transaction whose client has gone gives up its locks. It is no startup
// parameter, because connection poolers refuse those.
//
// Behind a pooler that gives a server connection for each transaction they reach only the
// connection that was given for them, whose next user may be another client: it only
// becomes more careful. Where the server's defaults are others, the role is to be given
// these (ALTER ROLE ... SET).
const settleSession = `SELECT current_setting('server_encoding'), pg_backend_pid(),
	CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END,
	CASE WHEN current_setting('idle_in_transaction_session_timeout') IN ('0', '0ms') THEN set_config('idle_in_transaction_session_timeout', '60s', false) END`

// settle settles a session, and gives the id of the server's process behind it.
func settle(ctx context.Context, conn *pgx.Conn) (pid string, err error) {
	results, err := conn.PgConn().Exec(ctx, settleSession).ReadAll()
	if err != nil {
		return "", err
	}
	row := results[0].Rows[0]
	if string(row[0]) != "UTF8" {
		return "", errEncodingOfDatabase
	}
	return string(row[1]), nil
}

// queryModes says how statements are sent. pgx prepares each once for a connection. Behind a pooler, whose next
// transaction may get another connection of the server, nothing is prepared, which takes up to twice as long. A
// default_query_exec_mode in the URL takes precedence.
type queryModes struct {
	chosen bool        // by the URL
	pooled atomic.Bool // a pooler was met
}

// errPooled: the connection turned out to be a pooler's, after it was set up for a server's.
var errPooled = errors.New("there is a pooler before the server")

func (m *queryModes) before(_ context.Context, cfg *pgx.ConnConfig) error {
	if m.pooled.Load() {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return nil
}

// check gives errPooled for a connection to a pooler that is set to prepare statements. For cancellations, a server
// tells a client the id of its process; a pooler tells one of its own making.
func (m *queryModes) check(conn *pgx.Conn, pid string) error {
	if m.chosen || conn.Config().DefaultQueryExecMode == pgx.QueryExecModeExec ||
		pid == strconv.FormatUint(uint64(conn.PgConn().PID()), 10) {
		return nil
	}
	m.pooled.Store(true)
	return errPooled
}

// errEncodingOfDatabase: no other encoding takes every text that a Store keeps.
var errEncodingOfDatabase = errors.New("the database's encoding is not UTF8")

// beginPostgres begins a transaction. READ COMMITTED is part of how rows are locked:
// a statement after one that has waited for a lock sees what the last writer left.
func (s *Store) beginPostgres(ctx context.Context) (*sql.Tx, error) {
	tx, err := s.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	var unconnected *pgError
	var server *pgconn.PgError
	switch {
	case err == nil:
		return tx, nil
	case ctx.Err() != nil, errors.As(err, &unconnected), errors.As(err, &server) && server.SeverityUnlocalized == "ERROR":
		return nil, reduce(ctx, err)
	}
	return nil, driver.ErrBadConn // the connection broke, and nothing was done on it yet
}

// postgresAgain reports whether a transaction that failed so has left nothing behind
// and may well succeed when it is run again: it lost to another one, or its
// connection turned out to be dead before something was sent on it. A commit whose
// answer was lost is none of these: it may stand.
func postgresAgain(err error) bool {
	var e *pgError
	switch {
	case errors.Is(err, registry.ErrOutcomeUnknown):
		return false
	case errors.As(err, &e):
		return e.code == codeSerialization || e.code == codeDeadlock
	}
	return errors.Is(err, driver.ErrBadConn)
}
