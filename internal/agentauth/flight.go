package agentauth

import (
	"context"
	"errors"
	"strconv"

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

// refreshed gives the outcome of a refresh that is under way, or of a new one. The
// refresh goes on when ctx ends.
func (a *Agents) refreshed(ctx context.Context, key flightKey) (accessToken, error) {
	return a.shared(ctx, key, func(ctx context.Context) (accessToken, error) { return a.renew(ctx, key) })
}

// shared gives the outcome of work for a key that is under way, or of a new one. The work goes on
// when ctx ends.
func (a *Agents) shared(ctx context.Context, key flightKey, work func(context.Context) (accessToken, error)) (accessToken, error) {
	token, _, err := a.flights.Do(ctx, key.String(), func(ctx context.Context) (accessToken, error) { return a.try(ctx, key, work) })
	switch {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return accessToken{}, ctx.Err()
	case errors.Is(err, background.ErrClosed):
		return accessToken{}, fail(ReasonBusy)
	case errors.Is(err, background.ErrPanicked):
		return accessToken{}, afterPanic()
	}
	return accessToken{}, asError(err)
}

// try works unless that failed a moment ago or too much is under way.
func (a *Agents) try(ctx context.Context, key flightKey, work func(context.Context) (accessToken, error)) (accessToken, error) {
	if failed, left := a.failures.get(key); left > 0 {
		e := *failed
		e.RetryAfter = left
		return accessToken{}, &e
	}
	if !a.refreshes.Take(key.customer) {
		return accessToken{}, fail(ReasonBusy)
	}
	defer a.refreshes.Give(key.customer)
	panicked := true
	defer func() {
		if panicked {
			_ = a.remember(key, afterPanic())
		}
	}()
	token, err := work(ctx)
	panicked = false
	if err != nil {
		return accessToken{}, a.remember(key, asError(err))
	}
	return token, nil
}

// afterPanic is the failure of a refresh that panicked. It may hold its lease still.
func afterPanic() *Error { return &Error{Reason: ReasonAnswer, RetryAfter: leaseLife} }

// remember keeps a failure until another refresh may be tried, so that an outage costs
// its server a request now and then, and its readers no waiting.
func (a *Agents) remember(key flightKey, e *Error) *Error {
	if e.RetryAfter > 0 {
		a.failures.put(key, e, e.RetryAfter)
	}
	return e
}
