package operations

import (
	"errors"

	"esagate/internal/fault"
)

// Undecided reports whether a write that failed may have been done all the same: the sales agent may have heard of it,
// and has not said no.
func Undecided(err error) bool {
	var u *undecidedError
	return errors.As(err, &u)
}

// undecidedError marks the failure of a write that may have been done.
type undecidedError struct{ error }

// Unwrap gives the failure.
func (e *undecidedError) Unwrap() error { return e.error }

// undecided marks a failure of the exchange where it leaves open whether something was changed. A sales agent that does
// not accept the gateway's key has changed nothing.
func (x *exchange) undecided(err error) error {
	if err == nil || !x.reached || x.Trial || x.dryRun {
		return err
	}
	f := fault.As(err)
	if f.Kind != fault.Internal && f.Kind != fault.Unavailable || f.Reason == fault.UpstreamUnauthorized {
		return err
	}
	return &undecidedError{err}
}
