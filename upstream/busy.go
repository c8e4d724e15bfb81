package upstream

import "errors"

// IsBusy reports whether a call was not begun because too many calls of the sales agent
// wait already, or because nobody waited for it any more. It says nothing of the sales agent.
func IsBusy(err error) bool {
	var b *busyError
	return errors.As(err, &b)
}

// busyError marks the cause of a call that did not get a slot.
type busyError struct{ why string }

// Error implements error.
func (e *busyError) Error() string { return e.why }
