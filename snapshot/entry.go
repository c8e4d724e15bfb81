package snapshot

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// entry is all that is known of one key.
type entry[D Document[D]] struct {
	key   string
	epoch atomic.Int64 // the newest that a reader knew of; changes with mu held
	used  atomic.Int64 // the second in which it was last read
	// offered: neither read nor put, so it is kept in memory.offered; changes with memory.mu held.
	offered atomic.Bool

	mu       sync.Mutex
	copy     *copyOf[D] // last good document; nil: none
	expiries uint64     // how often the key was expired
	retries  uint64     // how often a back-off was ended from outside
	puts     uint64     // how often a document came in another way than by a fetch
	flight   *flight    // the running fetch; at most one
	failure  *failure   // the last fetch failed; nil: it did not
	gone     error      // there is no such thing, until goneTill
	goneTill time.Time
}

type copyOf[D Document[D]] struct {
	doc          D
	receivedAt   time.Time
	expired      bool      // the next read asks first
	settledUntil time.Time // a discarded answer: no need to ask again before
}

type flight struct {
	done     chan struct{}
	expiries uint64 // the entry's count when it started: fewer than now is stale on arrival
	retries  uint64 // likewise: and a failure is not backed off
	puts     uint64 // likewise: and "gone" tells nothing new
	ends     time.Time

	// Set before done is closed.
	outcome Outcome
	err     error
}

type failure struct {
	err     error
	again   bool // the next failure is one of a row, and backed off for longer
	retryAt time.Time
}

// empty reports whether there is nothing to remember.
func (e *entry[D]) empty() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.copy == nil && e.flight == nil && e.gone == nil && e.failure == nil
}

// busy reports whether a fetch is running.
func (e *entry[D]) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flight != nil
}

// verdict is what a read should do next.
type verdict[D Document[D]] struct {
	read  Read[D]
	held  bool          // read is a copy that may be served
	ready bool          // read may be served now
	err   error         // there is nothing to serve and nothing to wait for
	wait  time.Duration // else: wait this long for join
	join  *flight
	// counts: join began after the last expiry, so its answer is one for this reader.
	counts bool
}

// settleFor makes the copy the answer, or else an error, as no fetch is due.
func (v *verdict[D]) settleFor(cause error, retryAfter time.Duration) {
	if v.ready = v.held; !v.ready {
		v.err = &UnavailableError{Cause: cause, RetryAfter: retryAfter}
	}
}

// read gives the copy, which there is. The entry's lock is held.
func (c *Cache[D]) read(e *entry[D], now time.Time) Read[D] {
	cp := e.copy
	age := max(now.Sub(cp.receivedAt), 0)
	r := Read[D]{Doc: cp.doc, Age: age, Fresh: c.limits.Fresh - age, State: Stale}
	if cp.expired {
		r.Fresh = min(r.Fresh, 0)
	} else if age <= c.limits.Fresh {
		r.State = Hit
	}
	r.Failed = e.failure != nil && age > c.limits.Fresh
	return r
}

// decide looks at the entry as it stands. It starts a fetch where one is due
// and none is running. waited is the flight that the reader has waited for and whose
// answer counts for it, nil if none. The entry's lock is held.
func (c *Cache[D]) decide(ctx context.Context, e *entry[D], fetch Fetch[D], newest bool,
	waited *flight, now time.Time) (v verdict[D]) {
	if waited != nil && waited.outcome == NotFound && e.copy == nil {
		v.err = waited.err
		return v
	}
	if e.gone != nil && now.Before(e.goneTill) {
		v.err = e.gone
		return v
	}

	if e.copy != nil {
		if read := c.read(e, now); read.Age <= c.limits.StaleIfError {
			v.held, v.read = true, read
		}
	}
	if v.held {
		// A copy that has expired since is still an answer for a reader that came before.
		answered := waited != nil && (waited.outcome == Stored || waited.outcome == Discarded)
		if v.read.State == Hit && !newest || waited != nil && waited.outcome == Stored {
			v.read.State, v.ready = Hit, true
			return v
		}
		if answered || !newest && now.Before(e.copy.settledUntil) {
			v.ready = true
			return v
		}
	}

	mayWait := !newest || waited != nil // a reader of the newest has a fetch of its own once
	if f := e.failure; f != nil && now.Before(f.retryAt) && e.flight == nil && mayWait {
		v.settleFor(f.err, f.retryAt.Sub(now))
		return v
	}

	started := e.flight == nil
	if started && !c.start(ctx, e, fetch, now) {
		v.settleFor(ErrClosed, time.Second)
		return v
	}
	v.join, v.counts = e.flight, e.flight.expiries == e.expiries
	v.read.Collapsed = !started
	switch {
	case v.held && !newest && !e.copy.expired && v.read.Age <= c.limits.StaleWhileRevalidate:
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
		if e.copy != nil && now.Sub(e.copy.receivedAt) <= c.limits.StaleIfError &&
			(doc.Older(e.copy.doc) || f.puts != e.puts && !e.copy.doc.Older(doc)) { // what was put since is the newer of equals
			if f.expiries == e.expiries {
				e.copy.expired = false
				e.copy.settledUntil = now.Add(c.limits.Fresh)
			}
			return Discarded
		}
		e.copy = &copyOf[D]{doc: doc, receivedAt: now, expired: f.expiries != e.expiries}
		return Stored
	}
	if c.opts.Gone != nil && c.opts.Gone(err) {
		if f.puts != e.puts { // there is one since
			return Discarded
		}
		// The series of documents has ended: a later one starts a new series.
		e.copy, e.failure = nil, nil
		if f.expiries == e.expiries && !c.opts.ForgetGone { // else the next read asks again
			e.gone, e.goneTill = err, now.Add(c.limits.Fresh)
		}
		return NotFound
	}
	wait := c.limits.Backoff
	if e.failure != nil && e.failure.again {
		wait = c.limits.MaxBackoff
	}
	wait += rand.N(wait/2 + 1)
	if c.opts.RetryAfter != nil {
		wait = max(wait, min(c.opts.RetryAfter(err), maxRetryAfter))
	}
	e.failure = &failure{err: err, again: true, retryAt: now.Add(wait)}
	if f.retries != e.retries { // it may be well again since this fetch was refused
		e.failure.again, e.failure.retryAt = false, time.Time{}
	}
	return Failed
}

const maxRetryAfter = 60 * time.Second // contract 7.3
