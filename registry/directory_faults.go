package registry

import (
	"errors"
	"time"

	"esagate/internal/fault"
)

// retryWrite is when a write that the store could not take is worth another try: the
// store is looked at every second while it is away.
const retryWrite = 3 * time.Second

const (
	unreachable = "The registry can't be reached."
	unknownFate = "The registry did not answer: whether the change was made is not known."
	unreadable  = "The stored data can't be read."
)

// storeFault returns a store's error about a managed source in the words for clients.
func storeFault(err error) error {
	switch {
	case isNotFound(err):
		return fault.Wrap(fault.NotFound, "There is no managed source with this id.", err)
	case isRefusal(err):
		return fault.Wrap(fault.Internal, "The registry refused a value.", err)
	case errors.Is(err, errUnreadable):
		return fault.Wrap(fault.Internal, unreadable, err)
	}
	return fault.Wrap(fault.Unavailable, unreachable, err)
}

// sourceFaults are the answers of a store about sources of both kinds.
var sourceFaults = []struct {
	is      error
	kind    fault.Kind
	message string
	field   string
	again   time.Duration // when to come again; 0: that would not help
}{
	{ErrNotFound, fault.NotFound, "There is no inventory source with this id.", "", 0},
	{ErrSourceTaken, fault.Conflict, "There is a source with this sourceId already.", "sourceId", 0},
	{ErrKeyReused, fault.Conflict, "This Idempotency-Key was used for another request already.", "", 0},
	{ErrAnswerPending, fault.Conflict, "The first request with this Idempotency-Key is still being answered.", "", time.Second},
	{ErrTenantTaken, fault.Conflict, "The tenant belongs to another connection.", "", 0},
	{ErrStale, fault.Conflict, "The source has been changed meanwhile.", "", 0},
	{ErrSecret, fault.Internal, "The stored credentials can't be read.", "", 0},
}

// sourceFault returns a store's error about a source in the words for clients.
func sourceFault(err error) error {
	for _, f := range sourceFaults {
		if errors.Is(err, f.is) {
			return &fault.Error{Kind: f.kind, Message: f.message, Field: f.field, RetryAfter: f.again, Cause: err}
		}
	}
	return storeFault(err)
}

// managedFault is sourceFault for what only managed sources have.
func managedFault(err error) error {
	if isNotFound(err) {
		return storeFault(err)
	}
	return sourceFault(err)
}

// faultOr is sourceFault with other words for what is not there.
func faultOr(err error, none string) error {
	if isNotFound(err) {
		return fault.Wrap(fault.NotFound, none, err)
	}
	return sourceFault(err)
}

// writeFault completes the fault of a write: a client learns whether nothing was
// done, and when to come again.
func writeFault(err error) error {
	e := fault.As(err)
	if e.Kind == fault.Unavailable {
		e.RetryAfter = retryWrite
		if errors.Is(err, ErrOutcomeUnknown) {
			e.Message = unknownFate
		}
	}
	return e
}

// answered reports whether a store's error, or none, is an answer of it.
func answered(err error) bool { return err == nil || isNotFound(err) || isRefusal(err) }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// refusals are the errors of a store that could be asked and said no.
var refusals = []error{
	ErrInvalid, ErrTenantTaken, ErrIDTaken, ErrSourceTaken, ErrNameTaken,
	ErrKeyReused, ErrAnswerPending, ErrStale, ErrSecret,
}

func isRefusal(err error) bool {
	for _, r := range refusals {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}
