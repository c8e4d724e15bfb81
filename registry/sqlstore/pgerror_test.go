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
