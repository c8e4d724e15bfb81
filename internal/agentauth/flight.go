package agentauth

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/background"
)

// maxFlights bounds the refreshes under way, and those that failed a moment ago.
const maxFlights = 256

// flightKey is what one refresh is for: after a consent the credentials have another
// id, and nothing that happened to the old ones counts.
type flightKey struct {
	customer   int64
	source     string
	credential string
}

// flight is one refresh that readers wait for together. It outlives the reader that
// began it. One that failed stays until another may be tried, so that an outage
// costs its server a request now and then, and its readers no waiting.
type flight struct {
	done  chan struct{}
	token Token     // once done
	err   error     // once done
	again time.Time // guarded by Agents.mu; zero until done: no other is tried before
}

// refreshed gives the outcome of a refresh that is under way, or of a new one.
func (a *Agents) refreshed(ctx context.Context, key flightKey) (Token, error) {
	f, err := a.board(key)
	if err != nil {
		return Token{}, err
	}
	select {
	case <-f.done:
		return f.token, a.outcome(f)
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
}

// outcome is a flight's error, with the time that is left before another is tried.
func (a *Agents) outcome(f *flight) error {
	if f.err == nil {
		return nil
	}
	a.mu.Lock()
	left := f.again.Sub(a.now())
	a.mu.Unlock()
	e := *asError(f.err)
	e.RetryAfter = max(left, 0)
	return &e
}

// board finds a flight, or begins one.
func (a *Agents) board(key flightKey) (*flight, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if f := a.flights[key]; f != nil && !f.over(now) {
		return f, nil
	}
	if len(a.flights) >= maxFlights {
		a.makeRoom(now)
	}
	if a.closed || len(a.flights) >= maxFlights {
		return nil, fail(ReasonBusy)
	}
	if !a.refreshes.take(key.customer) {
		return nil, fail(ReasonBusy)
	}
	f := &flight{done: make(chan struct{})}
	a.flights[key] = f
	a.running.Go(func() { a.fly(key, f) })
	return f, nil
}

// makeRoom forgets the failures that are of no account any more; where there are
// none, one that is: better that its server is asked too early than another's never.
func (a *Agents) makeRoom(now time.Time) {
	var failed *flightKey
	for k, f := range a.flights {
		if f.over(now) {
			delete(a.flights, k)
		} else if !f.again.IsZero() {
			failed = &k
		}
	}
	if failed != nil && len(a.flights) >= maxFlights {
		delete(a.flights, *failed)
	}
}

// over reports whether a flight is done and of no account any more.
func (f *flight) over(now time.Time) bool { return !f.again.IsZero() && !now.Before(f.again) }

func (a *Agents) fly(key flightKey, f *flight) {
	var again time.Time
	f.token, again, f.err = a.renewSafely(key)
	a.refreshes.give(key.customer)
	a.mu.Lock()
	if f.again = again; again.IsZero() {
		delete(a.flights, key)
	}
	a.mu.Unlock()
	close(f.done)
}

// renewSafely turns a panic into an error: nobody above could catch it. Its value may
// hold anything and goes nowhere.
func (a *Agents) renewSafely(key flightKey) (token Token, again time.Time, err error) {
	defer func() {
		if p := recover(); p != nil {
			token, again, err = Token{}, a.now().Add(workLimit+leaseSlack), fail(ReasonAnswer)
			a.log.LogAttrs(a.life, slog.LevelError, "a refresh panicked", slog.String("operation", "oauth_refresh"),
				slog.Int64("customer_id", key.customer), slog.String("source_id", key.source), slog.Any("stack", background.Callers()))
		}
	}()
	return a.renew(key)
}
