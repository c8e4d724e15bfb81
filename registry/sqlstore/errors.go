package sqlstore

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"esagate/registry"
)

// known is an error that is also one of the registry's own, in its own words alone:
// errors.Join would put both texts into it, in two lines.
type known struct{ is, cause error }

func (e known) Error() string   { return e.cause.Error() }
func (e known) Unwrap() []error { return []error{e.is, e.cause} }

// outcomeUnknown marks a commit's error that leaves open whether it stands.
func outcomeUnknown(err error) error {
	return known{registry.ErrOutcomeUnknown, fmt.Errorf("the commit may stand or not: %w", err)}
}

// notUnique reports whether a statement was refused because of a row that holds what has
// to be unique. On PostgreSQL its transaction can do nothing any more.
func notUnique(err error) bool {
	var p *pgError
	var l *sqlite.Error
	return errors.As(err, &p) && p.code == codeNotUnique || errors.As(err, &l) && l.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// both joins two errors, each of which may be nil, in one line.
func both(err, also error) error {
	switch {
	case err == nil:
		return also
	case also == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, also)
}

// decisionError is an error of a caller's decision. It unwraps to nothing, so that it is
// not taken for one of the database; failed returns its reason as it is.
type decisionError struct{ reason error }

func (decisionError) Error() string { return "refused by the caller" }

// failed names what could not be done; nil stays nil. A refusal, and the reason of
// a decision, are returned as they are.
func failed(what string, err error) error {
	var decision decisionError
	switch {
	case errors.As(err, &decision):
		return decision.reason
	case err == nil, registry.Refusal(err):
		return err
	}
	return fmt.Errorf("registry: %s: %w", what, err)
}
