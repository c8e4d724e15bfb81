package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"esagate/registry"
)

// TestReduce: of an error of the driver or the server no word of theirs is left.
func TestReduce(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	hostile := &pgconn.PgError{Code: "23505", Severity: "CANARY", Message: "CANARY", Detail: "Key (x)=(CANARY)", Hint: "CANARY",
		Where: "CANARY", InternalQuery: "CANARY", ConstraintName: "CANARY", TableName: "CANARY", ColumnName: "CANARY"}
	for name, test := range map[string]struct {
		ctx   context.Context
		err   error
		want  string
		cause error
	}{
		"server":           {t.Context(), hostile, "a constraint was violated (SQLSTATE 23505)", nil},
		"wrapped":          {t.Context(), fmt.Errorf("CANARY: %w", hostile), "a constraint was violated (SQLSTATE 23505)", nil},
		"unknown class":    {t.Context(), &pgconn.PgError{Code: "99Z99"}, "the server refused (SQLSTATE 99Z99)", nil},
		"prepared before":  {t.Context(), &pgconn.PgError{Code: "42P05"}, "keeps no prepared statements: leave out the URL's default_query_exec_mode, or make it exec (SQLSTATE 42P05)", nil},
		"not prepared":     {t.Context(), &pgconn.PgError{Code: "26000"}, "keeps no prepared statements: leave out the URL's default_query_exec_mode, or make it exec (SQLSTATE 26000)", nil},
		"a pooler's":       {t.Context(), &pgconn.PgError{Code: "08P01", Message: "CANARY"}, "or knows no prepared statements: leave out the URL's default_query_exec_mode, or make it exec (SQLSTATE 08P01)", nil},
		"no state at all":  {t.Context(), &pgconn.PgError{Code: "CANARY"}, "(SQLSTATE unknown)", nil},
		"an empty state":   {t.Context(), &pgconn.PgError{}, "(SQLSTATE unknown)", nil},
		"values":           {t.Context(), errors.New(`failed to encode args[1]: unable to encode "CANARY"`), "the driver failed (*errors.errorString)", nil},
		"config":           {t.Context(), pgconn.NewParseConfigError("postgres://u:CANARY@h", "CANARY", errors.New("CANARY")), "the driver failed (*pgconn.ParseConfigError)", nil},
		"network":          {t.Context(), &net.OpError{Op: "CANARY", Err: io.ErrUnexpectedEOF}, "the connection broke", nil},
		"cancelled":        {ended, errors.New("CANARY"), "context canceled", context.Canceled},
		"cancelled, heard": {ended, hostile, "context canceled", context.Canceled},
		"deadline":         {late, errors.New("CANARY"), "context deadline exceeded", context.DeadlineExceeded},
		"its own time":     {t.Context(), &net.DNSError{Err: "CANARY", Name: "CANARY", Server: "CANARY"}, "the host's name can't be resolved", nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := reduce(test.ctx, test.err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				if strings.Contains(text, "CANARY") {
					t.Errorf("%s", text)
				}
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q, want %q", err, test.want)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v is not %v", err, test.cause)
			}
			var server *pgconn.PgError
			if errors.As(err, &server) {
				t.Error("the server's error is still to be had")
			}
			if again := reduce(test.ctx, fmt.Errorf("read: %w", err)); !strings.HasPrefix(again.Error(), "read: ") {
				t.Errorf("reduced twice: %v", again)
			}
		})
	}
	// What database/sql acts upon stays what it is.
	for _, err := range []error{nil, driver.ErrBadConn} {
		if got := reduce(t.Context(), err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if err := reduce(ended, driver.ErrBadConn); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// unsent is how pgx says that nothing was sent.
type unsent struct{}

func (unsent) Error() string     { return "CANARY" }
func (unsent) SafeToRetry() bool { return true }

// TestCommitOutcome: an error of a commit says whether it may stand, in one line.
func TestCommitOutcome(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		err     error
		unknown bool
		cause   error
	}{
		"refused":                      {t.Context(), &pgconn.PgError{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: "23505"}, false, nil},
		"refused, in another language": {t.Context(), &pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "23505"}, false, nil},
		"the session was ended":        {t.Context(), &pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}, true, nil},
		"a severity without its other": {t.Context(), &pgconn.PgError{Severity: "ERROR", Code: "23505"}, true, nil},
		"the connection broke":         {t.Context(), io.ErrUnexpectedEOF, true, nil},
		"the caller has gone":          {ended, errors.New("CANARY"), true, context.Canceled},
		"without a word of ours":       {t.Context(), driver.ErrBadConn, true, nil},
		"a deadlock, and who knows":    {t.Context(), &pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: codeDeadlock}, true, nil},
		"never sent":                   {t.Context(), unsent{}, false, driver.ErrBadConn},
		"never sent, the caller gone":  {ended, unsent{}, false, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			err := commitOutcome(test.ctx, test.err)
			if got := errors.Is(err, registry.ErrOutcomeUnknown); got != test.unknown {
				t.Errorf("unknown: %t, %v", got, err)
			}
			if test.unknown && postgresAgain(err) {
				t.Errorf("it would be done again: %v", err)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v is not %v", err, test.cause)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%q", err)
			}
		})
	}
}
