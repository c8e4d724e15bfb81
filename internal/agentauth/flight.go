package agentauth

import (
	"context"
	"errors"
	"strconv"
	"time"

	"esagate/internal/background"
)

const (
	maxRefreshes = 256           // under way at once
	maxFailures  = 1024          // of refreshes that are remembered
	flightLimit  = 2 * workLimit // to wait for the lease, and to refresh
)

// flightKey is what one refresh is for: after a consent the credentials have another
// id, and failures of the old ones no longer apply.
type flightKey struct {
	customer   int64
	source     string
	credential string
}

func (k flightKey) String() string {
	return strconv.FormatInt(k.customer, 10) + "\x00" + k.source + "\x00" + k.credential
}

// failure is a refresh that failed. It is remembered until another may be tried, so
// that an outage costs its server a request now and then, and its readers no waiting.
type failure struct {
	err   *Error
	again time.Time // no other is tried before
}

// refreshed gives the outcome of a refresh that is under way, or of a new one. The
// refresh goes on when ctx ends.
func (a *Agents) refreshed(ctx context.Context, key flightKey) (Token, error) {
	token, _, err := a.flights.Do(ctx, key.String(), func(ctx context.Context) (Token, error) { return a.tryRenew(ctx, key) })
	switch failed := a.failed(key); {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return Token{}, ctx.Err()
	case errors.Is(err, background.ErrClosed):
		return Token{}, fail(ReasonBusy)
	case failed != nil: // also what a panic left
		return Token{}, failed
	}
	return Token{}, asError(err)
}

// tryRenew renews unless that failed a moment ago or too much is under way.
func (a *Agents) tryRenew(ctx context.Context, key flightKey) (Token, error) {
	if err := a.failed(key); err != nil {
		return Token{}, err
	}
	if !a.refreshes.take(key.customer) {
		return Token{}, fail(ReasonBusy)
	}
	defer a.refreshes.give(key.customer)
	f := failure{fail(ReasonAnswer), a.now().Add(workLimit + leaseSlack)} // should it panic
	defer func() {
		if f.err != nil && !f.again.IsZero() {
			a.failures.Add(key, f)
		}
	}()
	token, again, err := a.renew(ctx, key)
	f = failure{again: again}
	if err != nil {
		f.err = asError(err)
	}
	return token, err
}

// failed gives the failure for which no refresh is tried now, with the time that is
// left; nil: one may be tried.
func (a *Agents) failed(key flightKey) *Error {
	f, ok := a.failures.Get(key)
	if !ok {
		return nil
	}
	left := f.again.Sub(a.now())
	if left <= 0 {
		return nil
	}
	e := *f.err
	e.RetryAfter = left
	return &e
}
