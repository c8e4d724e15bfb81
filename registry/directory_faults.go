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
	noSource    = "There is no inventory source with this id."
	noManaged   = "There is no managed source with this id."
)

// storeFaults are the answers of a store that mean something to clients.
var storeFaults = []struct {
	is      error
	kind    fault.Kind
	message string
	field   string
	again   time.Duration // when to come again; 0: that would not help
}{
	{ErrSourceTaken, fault.Conflict, "There is a source with this sourceId already.", "sourceId", 0},
	{ErrKeyReused, fault.Conflict, "This Idempotency-Key was used for another request already.", "", 0},
	{ErrAnswerPending, fault.Conflict, "The first request with this Idempotency-Key is still being answered.", "", time.Second},
	{ErrTenantTaken, fault.Conflict, "The tenant belongs to another connection.", "", 0},
	{ErrStale, fault.Conflict, "The source has been changed meanwhile.", "", 0},
	{ErrTooMany, fault.RateLimited, "Too many launch links wait to be opened.", "", 10 * time.Second},
	{ErrSecret, fault.Internal, "The stored credentials can't be read.", "", 0},
	{errUnreadable, fault.Internal, "The stored data can't be read.", "", 0},
}

// storeFault returns a store's error in the words for clients; none is the message for
// what does not exist.
func storeFault(err error, none string) error {
	if isNotFound(err) {
		return fault.Wrap(fault.NotFound, none, err)
	}
	for _, f := range storeFaults {
		if errors.Is(err, f.is) {
			return &fault.Error{Kind: f.kind, Message: f.message, Field: f.field, RetryAfter: f.again, Cause: err}
		}
	}
	if Refusal(err) {
		return fault.Wrap(fault.Internal, "The registry refused a value.", err)
	}
	return fault.Wrap(fault.Unavailable, unreachable, err)
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
func answered(err error) bool { return err == nil || Refusal(err) }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
