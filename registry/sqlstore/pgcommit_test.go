package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"esagate/registry"
)

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
