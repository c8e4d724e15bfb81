package sqlstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgError is what is left of an error of pgx or of the server: words of ours.
type pgError struct {
	text  string
	words string // of text, without the place
	code  string // SQLSTATE; empty when the server did not say it
	cause error  // context.Canceled, context.DeadlineExceeded or nil
}

func (e *pgError) Error() string { return e.text }

// OwnWords is the error without the place.
func (e *pgError) OwnWords() string { return "postgres: " + e.words }

// Unwrap returns the context's error, where that is why.
func (e *pgError) Unwrap() error { return e.cause }

// SQLSTATEs that decide something (PostgreSQL, appendix "Error Codes").
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeNotUnique     = "23505"
)

const (
	prepareNothing = "leave out the URL's default_query_exec_mode, or make it exec"
	// prepared is for statements that the server has not, or has already, because a pooler gave its connection
	// to somebody else meanwhile.
	prepared = "a pooler stands before the server and keeps no prepared statements: " + prepareNothing
)

// stateWords say what an operator can do something about.
var stateWords = map[string]string{
	"08P01": "a pooler refused: it can't reach its server, takes no parameter that the URL sets (search_path), or knows no prepared statements: " +
		prepareNothing,
	"26000": prepared,
	"42P05": prepared,
	"28P01": "the password was refused",
	"28000": "the user is not let in: it is unknown, pg_hba.conf has no line for it, or TLS is required",
	"3D000": "there is no such database",
	"42501": "the user may not do this",
	"25006": "the database takes no writes",
	"53100": "the disk is full",
	"53300": "there are too many connections",
	"55000": "the database is not in the state for this",
	"57014": "the server cancelled the statement",
	"57P01": "the server is being shut down",
	"57P02": "the server is recovering from a crash",
	"57P03": "the server is starting up or being shut down",

	codeSerialization: "another transaction was first",
	codeDeadlock:      "another transaction was first (deadlock)",
}

// classWords say the rest, by the first two characters.
var classWords = map[string]string{
	"08": "the connection failed",
	"22": "a value was refused",
	"23": "a constraint was violated",
	"25": "the transaction is not in the state for this",
	"40": "the transaction was rolled back",
	"42": "the statement does not fit the tables",
	"53": "the server lacks resources",
	"54": "a limit of the server was reached",
	"57": "an operator intervened",
	"58": "the server's system failed",
	"XX": "the server failed",
}

// reduce returns an error of pgx without its words, which hold users, hosts and values.
// Every error of a statement, a transaction and a migration goes through it. That there
// is no row, a connection that was bad before anything was sent on it, and an error that
// was reduced already pass as they are; pgx calls a connection bad too when the context
// had ended before it sent anything.
func reduce(ctx context.Context, err error) error {
	var done *pgError
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows), errors.As(err, &done):
		return err
	case errors.Is(err, driver.ErrBadConn) && ctx.Err() == nil:
		return err
	}
	return reduced(ctx, "postgres", err)
}

// reduceConnect is reduce for a failure to connect, and names the place.
func reduceConnect(ctx context.Context, place string, err error) error {
	return reduced(ctx, "postgres at "+place, err)
}

func reduced(ctx context.Context, prefix string, err error) *pgError {
	var server *pgconn.PgError
	if errors.As(err, &server) && ctx.Err() == nil {
		return newPgError(prefix, describe(server), state(server.Code), nil)
	}
	if ended := contextEnd(ctx, err); ended != nil {
		return newPgError(prefix, ended.Error(), "", ended)
	}
	return newPgError(prefix, transport(err), "", nil)
}

func newPgError(prefix, words, code string, cause error) *pgError {
	return &pgError{text: prefix + ": " + words, words: words, code: code, cause: cause}
}

// contextEnd returns how the caller's context ended, if that is why. A deadline on a
// socket can fire a moment before the context's own.
func contextEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && timedOut(err) && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

func timedOut(err error) bool {
	var n net.Error
	return pgconn.Timeout(err) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &n) && n.Timeout()
}

// describe returns a server's error in our words. Its own hold values, and are in the
// server's language.
func describe(e *pgconn.PgError) string {
	code := state(e.Code)
	words, known := stateWords[code]
	if !known {
		words, known = classWords[code[:2]]
	}
	if !known {
		words = "the server refused"
	}
	return words + " (SQLSTATE " + code + ")"
}

// state returns a SQLSTATE if it is one.
func state(code string) string {
	for _, r := range code {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return "unknown"
		}
	}
	if len(code) != 5 {
		return "unknown"
	}
	return code
}

// transport says what kept us from the server, or from its answer.
func transport(err error) string {
	var (
		dns      *net.DNSError
		untaken  *tls.CertificateVerificationError
		hostname x509.HostnameError
		unknown  x509.UnknownAuthorityError
		record   tls.RecordHeaderError
		errno    syscall.Errno
	)
	switch {
	case errors.Is(err, errEncodingOfDatabase):
		return errEncodingOfDatabase.Error()
	case errors.As(err, &dns):
		return "the host's name can't be resolved"
	case errors.As(err, &hostname):
		return "TLS: the server's certificate is for another host"
	case errors.As(err, &unknown):
		return "TLS: the server's certificate is not signed by an authority that is trusted (sslrootcert)"
	case errors.As(err, &untaken):
		return "TLS: the server's certificate is not valid"
	case errors.As(err, &record):
		return "TLS: what answers speaks no TLS"
	case strings.Contains(err.Error(), "server refused TLS connection"): // pgx has no value for it
		return "TLS: the server has none, and sslmode asks for it"
	case strings.Contains(err.Error(), "tls error"):
		return "TLS: the handshake failed"
	case timedOut(err):
		return "no answer in time"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, pgconn.ErrConnClosed):
		return "the connection broke"
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return "the transaction was rolled back, because a statement in it had failed"
	}
	return fmt.Sprintf("the driver failed (%T)", err)
}

// place names hosts and ports, each once.
func place(hosts []*pgconn.FallbackConfig) string {
	var places []string
	for _, h := range hosts {
		at := net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
		if len(places) == 0 || places[len(places)-1] != at {
			places = append(places, at)
		}
	}
	return strings.Join(places, ", ")
}
