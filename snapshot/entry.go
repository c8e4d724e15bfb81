package snapshot

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// entry is all that is known of one key.
type entry[D Document] struct {
	key   string
	epoch atomic.Int64 // the newest that a reader knew of; changes with mu held

	mu       sync.Mutex
	copy     *copyOf[D] // last good document; nil: none
	expiries uint64     // how often the key was expired
	retries  uint64     // how often a back-off was ended from outside
	flight   *flight    // the running fetch; at most one
	failure  *failure   // the last fetch failed; nil: it did not
	gone     error      // there is no such thing, until goneTill
	goneTill time.Time

	// The newest document's own time and when it was received. Older documents
	// are discarded until the mark lapses, so that a clock set back upstream
	// doesn't freeze the key for good.
	mark   time.Time
	markAt time.Time
}

type copyOf[D Document] struct {
	doc          D
	receivedAt   time.Time
	expired      bool      // the next read asks first
	settledUntil time.Time // a discarded answer: no need to ask again before
}

type flight struct {
	done     chan struct{}
	expiries uint64 // the entry's count when it started: fewer than now is stale on arrival
	retries  uint64 // the entry's count when it started: fewer than now, and a failure is not backed off
	ends     time.Time

	// Set before done is closed.
	outcome Outcome
	err     error
}

type failure struct {
	err     error
	count   int
	retryAt time.Time
}

// busy reports whether a fetch is running.
func (e *entry[D]) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flight != nil
}

// verdict is what a read should do next.
type verdict[D Document] struct {
	read  Read[D]
	held  bool          // read is a copy that may be served
	ready bool          // read may be served now
	err   error         // there is nothing to serve and nothing to wait for
	wait  time.Duration // else: wait this long for join
	join  *flight
	// counts: join began after the last expiry, so its answer is one for this reader.
	counts bool
}

// decide looks at the entry as it stands. It starts a fetch where one is due
// and none is running. waited is the flight that the reader has waited for and whose
// answer counts for it, nil if none. The entry's lock is held.
func (c *Cache[D]) decide(ctx context.Context, e *entry[D], fetch Fetch[D], waited *flight, now time.Time) (v verdict[D]) {
	if e.gone != nil {
		if now.Before(e.goneTill) {
			v.err = e.gone
			return v
		}
		e.gone = nil
	}

	var age time.Duration
	if cp := e.copy; cp != nil {
		age = max(now.Sub(cp.receivedAt), 0)
		fresh := age <= c.limits.Fresh && !cp.expired
		stored := waited != nil && waited.outcome == Stored // perhaps expired since: this reader asked before
		v.held = age <= c.limits.StaleIfError
		if v.held {
			v.read = Read[D]{Doc: cp.doc, Age: age, Fresh: c.limits.Fresh - age, State: Stale}
			if cp.expired {
				v.read.Fresh = min(v.read.Fresh, 0)
			}
			v.read.Failed = e.failure != nil && age > c.limits.Fresh
		}
		if fresh || v.held && stored {
			v.read.State, v.ready = Hit, true
			return v
		}
		if v.held && now.Before(cp.settledUntil) {
			v.ready = true
			return v
		}
	}

	if f := e.failure; f != nil && now.Before(f.retryAt) && e.flight == nil {
		v.ready = v.held
		if !v.held {
			v.err = &UnavailableError{Cause: f.err, RetryAfter: f.retryAt.Sub(now)}
		}
		return v
	}

	started := e.flight == nil
	if started && !c.start(ctx, e, fetch, now) {
		v.ready = v.held
		if !v.held {
			v.err = &UnavailableError{Cause: ErrClosed, RetryAfter: time.Second}
		}
		return v
	}
	v.join, v.counts = e.flight, e.flight.expiries == e.expiries
	v.read.Collapsed = !started
	switch {
	case v.held && !e.copy.expired && age <= c.limits.StaleWhileRevalidate:
		v.ready = true
	case v.held:
		v.wait = c.limits.Patience
	default:
		v.wait = c.limits.Timeout
	}
	return v
}

// settle records how a fetch ended. The entry's lock is held.
func (c *Cache[D]) settle(e *entry[D], f *flight, doc D, err error, now time.Time) Outcome {
	e.flight = nil
	if err == nil {
		e.failure, e.gone = nil, nil
		at := doc.FetchedAt()
		if at.Before(e.mark) && now.Sub(e.markAt) <= c.limits.StaleIfError && e.copy != nil {
			if f.expiries == e.expiries {
				e.copy.expired = false
				e.copy.settledUntil = now.Add(c.limits.Fresh)
			}
			return Discarded
		}
		e.copy = &copyOf[D]{doc: doc, receivedAt: now, expired: f.expiries != e.expiries}
		e.mark, e.markAt = at, now
		return Stored
	}
	if c.opts.Gone != nil && c.opts.Gone(err) {
		// The series of documents has ended: a later one starts a new series.
		e.copy, e.failure, e.mark = nil, nil, time.Time{}
		e.gone, e.goneTill = err, now.Add(c.limits.Fresh)
		if f.expiries != e.expiries { // stale on arrival: the next read asks again
			e.gone = nil
		}
		return NotFound
	}
	count := 1
	if e.failure != nil {
		count = e.failure.count + 1
	}
	wait := backoff(count)
	if c.opts.RetryAfter != nil {
		wait = max(wait, min(c.opts.RetryAfter(err), maxRetryAfter))
	}
	e.failure = &failure{err: err, count: count, retryAt: now.Add(wait)}
	if f.retries != e.retries { // it may be well again since this fetch was refused
		e.failure.count, e.failure.retryAt = 0, time.Time{}
	}
	return Failed
}

const (
	minBackoff    = 5 * time.Second
	maxBackoff    = 10 * time.Second // half of it may be added
	maxRetryAfter = 60 * time.Second // contract 7.3
)

// backoff gives 5 to 7.5 s after the first failure, 10 to 15 s after any other.
func backoff(failures int) time.Duration {
	base := minBackoff
	if failures > 1 {
		base = maxBackoff
	}
	return base + rand.N(base/2+1)
}
