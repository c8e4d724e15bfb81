package operations

import "errors"

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

// undecided marks a failure of the exchange where it leaves open whether something was changed. What was refused was
// not: for want of a right, or as one request too many.
func (x *exchange) undecided(err error) error {
	if err == nil || !x.reached || x.refused || x.Trial || x.dryRun {
		return err
	}
	return &undecidedError{err}
}
