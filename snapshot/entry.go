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
	weight  int // what memory.bytes counts of it; guarded by memory.mu

	telling sync.Mutex // held while the tier is told of the end of a fetch; before mu

	mu       sync.Mutex
	copy     *copyOf[D] // last good document; nil: none
	expiries uint64     // how often the key was expired
	retries  uint64     // how often a back-off was ended from outside
	puts     uint64     // how often a document came in another way than by a fetch
	endings  uint64     // how often a fetch found that there is no such thing
	flight   *flight    // the running fetch; at most one
	load     *load      // the running load from the tier; at most one
	loadAt   time.Time  // the next is not before
	failure  *failure   // the last fetch failed; nil: it did not
	refusal  *failure   // the last fetch was refused as Busy; of a short pause alone
	gone     error      // there is no such thing, until goneTill
	goneTill time.Time
	looks    looks // at what other replicas know
}

type copyOf[D Document[D]] struct {
	doc          D
	receivedAt   time.Time
	fresh        time.Duration // Limits.Fresh with its jitter
	expired      bool          // the next read asks first
	settledUntil time.Time     // a discarded answer: no need to ask again before
	frozen       bool          // an answer was discarded because the copy is of a time to come
	restored     bool          // it came from the tier, and no refresh was started since
	stamp        Stamp         // of the publication that it is; zero: of none
}

type failure struct {
	err     error
	again   bool // the next failure is one of a row, and backed off for longer
	slow    bool // a fetch of the row took longer than readers with a copy wait
	retryAt time.Time
	shared  bool // other replicas back off too
}

// busyPause is how long no fetch follows one that was refused, and half of that may be
// added: reads must not hammer a full queue.
const busyPause = 500 * time.Millisecond

// reader is one read on its way.
type reader struct {
	newest    bool // not content with a fresh copy
	counts    bool // as one of customer, while it waits
	customer  int64
	refresh   bool // of Refresh: it waits for the fetch
	came      time.Time
	bare      bool    // there was no copy when it first waited
	waited    *flight // it has waited for the end of this one, whose answer counts for it; nil: none yet
	joined    *flight // it is counted as waiting for this one
	collapsed bool    // the first fetch that it met was another's
	met       bool    // it met one
}

// empty reports whether there is nothing to remember.
func (e *entry[D]) empty() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.copy == nil && e.flight == nil && e.gone == nil && e.failure == nil
}

// size gives the size of the copy, if it can say so.
func (e *entry[D]) size() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.copy == nil {
		return 0
	}
	if d, ok := any(e.copy.doc).(interface{ Size() int }); ok {
		return d.Size()
	}
	return 0
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
	held  bool  // read is a copy that may be served
	ready bool  // read may be served now
	err   error // there is nothing to serve and nothing to wait for
	// Else: wait until then for the fetch, for the load, or for the look.
	until time.Time
	join  *flight
	load  *load
	look  *look
	// counts: join began after the last expiry, so its answer is one for this reader.
	counts bool
	// refused is why no fetch was started though one is due; nil: it is not, or was.
	refused *UnavailableError
}

// settleFor makes the copy the answer, or else an error, as no fetch can be started.
func (v *verdict[D]) settleFor(why *UnavailableError) {
	v.refused = why
	if v.ready = v.held; !v.ready {
		v.err = v.refused
	}
}

// read gives the copy, which there is. The entry's lock is held.
func (c *Cache[D]) read(e *entry[D], now time.Time) Read[D] {
	cp := e.copy
	age := max(now.Sub(cp.receivedAt), 0)
	r := Read[D]{Doc: cp.doc, Age: age, Fresh: cp.fresh - age, State: Stale, Expired: cp.expired || e.hinted()}
	if r.Expired {
		r.Fresh = min(r.Fresh, 0)
	} else if age <= cp.fresh {
		r.State = Hit
	}
	r.Failed = age > cp.fresh && (e.failure != nil || cp.frozen)
	return r
}

// freshFor gives how long one copy is fresh.
func (c *Cache[D]) freshFor() time.Duration {
	if c.limits.Jitter == 0 {
		return c.limits.Fresh
	}
	return time.Duration(float64(c.limits.Fresh) * (1 + c.limits.Jitter*(2*rand.Float64()-1)))
}

// decide looks at the entry as it stands. It starts a fetch where one is due
// and none is running. The entry's lock is held.
func (c *Cache[D]) decide(ctx context.Context, e *entry[D], fetch Fetch[D], r *reader, now time.Time) verdict[D] {
	v := c.answer(e, r, now)
	if v.ready && c.sharer.isAlone(e, v.read) {
		if v.look = c.sharer.looking(e, r, now); v.look != nil {
			v.ready, v.until = false, r.came.Add(c.limits.Timeout)
		}
		return v
	}
	if v.ready || v.err != nil {
		return v
	}
	if v.look = c.sharer.looking(e, r, now); v.look != nil {
		v.until = r.came.Add(c.limits.Timeout)
		return v
	}
	if !v.held {
		if v.load = c.loading(ctx, e, now); v.load != nil && v.load.ahead(now) {
			v.until = v.load.began.Add(loadHeadStart)
			return v
		}
	}
	atOnce := v.held && !r.newest && !r.refresh && !e.copy.expired && v.read.Age <= c.limits.StaleWhileRevalidate
	started := e.flight == nil
	if started {
		if why := c.heldBack(e, r, now); why != nil {
			if v.load != nil {
				v.until = r.came.Add(c.limits.Timeout)
			}
			if !now.Before(v.until) {
				v.settleFor(why)
			}
			return v
		}
		if !c.start(ctx, e, fetch, &v, atOnce, now) {
			v.settleFor(&UnavailableError{ErrClosed, time.Second})
			return v
		}
	}
	f := e.flight
	v.join, v.counts = f, f.expiries == e.expiries
	if !r.met {
		r.met, r.collapsed, r.bare = true, !started, !v.held
	}
	f.join(r, v.held)
	if atOnce {
		v.ready = true
		return v
	}
	f.hurryUp(now)
	switch {
	case v.held && r.newest:
		v.until = r.came.Add(c.limits.Patience)
	case v.held && e.failure != nil && e.failure.slow:
		v.ready = true
	case v.held:
		v.until = f.begins.Add(c.limits.Patience)
		if most := r.came.Add(c.wholeWait(r)); most.Before(v.until) {
			v.until = most
		}
	default:
		v.until = r.came.Add(c.limits.Timeout)
	}
	return v
}

// answer gives what a reader gets without a fetch, if it is ready or has an error, and else
// the copy. The entry's lock is held.
func (c *Cache[D]) answer(e *entry[D], r *reader, now time.Time) (v verdict[D]) {
	waited := r.waited
	if waited != nil && waited.outcome == NotFound && e.copy == nil {
		v.err = waited.err
		return v
	}
	if e.gone != nil && now.Before(e.goneTill) {
		v.err = e.gone
		return v
	}
	if e.copy == nil {
		return v
	}
	read := c.read(e, now)
	if read.Age > c.limits.StaleIfError {
		return v
	}
	v.held, v.read = true, read
	if read.State == Hit && !r.newest || waited != nil && (waited.outcome == Stored || waited.outcome == Taken) {
		// A copy that has expired since is still an answer for a reader that came before.
		v.read.State, v.ready = Hit, true
		return v
	}
	v.ready = waited != nil && waited.outcome == Discarded || !r.newest && now.Before(e.copy.settledUntil)
	return v
}

// heldBack gives why no fetch is to begin now; nil: it may. The entry's lock is held.
func (c *Cache[D]) heldBack(e *entry[D], r *reader, now time.Time) *UnavailableError {
	waited, f := r.waited, e.failure
	switch {
	case waited != nil && waited.outcome == Refused && !waited.dropped:
		return &UnavailableError{waited.err, c.retryAfter(waited.err)}
	case e.refusal != nil && now.Before(e.refusal.retryAt):
		f = e.refusal
	case r.newest && waited == nil: // a reader of the newest has a fetch of its own once
		return nil
	}
	if f == nil || !now.Before(f.retryAt) {
		return nil
	}
	return &UnavailableError{f.err, f.retryAt.Sub(now)}
}

// wholeWait is how long a reader waits in all, for as many fetches as it may be.
func (c *Cache[D]) wholeWait(r *reader) time.Duration {
	if r.bare {
		return c.limits.Timeout
	}
	return c.limits.Patience
}

// settle records how a fetch ended. The entry's lock is held.
func (c *Cache[D]) settle(e *entry[D], f *flight, l landing[D], now time.Time) Outcome {
	doc, err := l.doc, l.err
	e.flight = nil
	if err == nil {
		if l.known != nil && !l.known.Stored && c.sharer.outdone(e, l) {
			return Taken
		}
		e.failure, e.refusal, e.gone = nil, nil, nil
		if e.copy != nil && now.Sub(e.copy.receivedAt) <= c.limits.StaleIfError &&
			(doc.Older(e.copy.doc) || f.puts != e.puts && !e.copy.doc.Older(doc)) { // what was put since is the newer of equals
			if f.expiries == e.expiries {
				c.settled(e, l, now)
			}
			e.copy.frozen = isAhead(e.copy.doc, now)
			return Discarded
		}
		e.copy = &copyOf[D]{doc: doc, receivedAt: now, fresh: l.fresh, expired: f.expiries != e.expiries}
		if l.known != nil && l.known.Stored {
			e.copy.stamp, e.copy.receivedAt = l.known.Stamp, l.told // it is not fresh for longer than elsewhere
		}
		return Stored
	}
	switch {
	case c.opts.Busy != nil && c.opts.Busy(err):
		if !f.dropped { // else nobody has waited for it
			e.refusal = &failure{err: err, retryAt: now.Add(busyPause + rand.N(busyPause/2))}
		}
		return Refused
	case c.opts.Gone != nil && c.opts.Gone(err):
		if f.puts != e.puts { // there is one since
			return Discarded
		}
		// The series of documents has ended: a later one starts a new series.
		e.copy, e.failure, e.refusal = nil, nil, nil
		e.endings++
		if f.expiries == e.expiries && !c.opts.ForgetGone { // else the next read asks again
			e.gone, e.goneTill = err, now.Add(c.limits.Fresh)
		}
		return NotFound
	}
	was := e.failure
	wait := c.limits.Backoff
	if was != nil && was.again {
		wait = c.limits.MaxBackoff
	}
	wait = max(wait+rand.N(wait/2+1), c.retryAfter(err))
	e.failure = &failure{err: err, again: true, slow: l.slow || was != nil && was.slow, retryAt: now.Add(wait)}
	if f.retries != e.retries { // it may be well again since this fetch was refused
		e.failure.retry()
	}
	return Failed
}

// settled notes that the copy needs no other answer for a while. Where documents are shared that is what all know, which
// was taken in. The entry's lock is held.
func (c *Cache[D]) settled(e *entry[D], l landing[D], now time.Time) {
	if l.known == nil || l.known.Stored {
		e.copy.expired = false
		e.copy.settledUntil = now.Add(l.fresh)
	}
}

// retry ends a failure's back-off.
func (f *failure) retry() { f.again, f.slow, f.retryAt = false, false, time.Time{} }

const maxRetryAfter = 60 * time.Second // contract 7.3

// longestBackoff is how long no fetch follows one that failed, at most.
func (c *Cache[D]) longestBackoff() time.Duration {
	return max(c.limits.MaxBackoff+c.limits.MaxBackoff/2, c.limits.Backoff+c.limits.Backoff/2, maxRetryAfter)
}

// retryAfter gives how long an error asks to wait.
func (c *Cache[D]) retryAfter(err error) time.Duration {
	if c.opts.RetryAfter == nil {
		return 0
	}
	return min(c.opts.RetryAfter(err), maxRetryAfter)
}

// isAhead reports whether a document is of a time to come, if it can say so.
func isAhead(doc any, now time.Time) bool {
	d, ok := doc.(interface{ Ahead(now time.Time) bool })
	return ok && d.Ahead(now)
}
