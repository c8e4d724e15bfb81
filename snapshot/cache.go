package snapshot

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// Cache serves documents by key. At most one fetch a key runs at any time,
// however many readers wait. It is safe for concurrent use.
type Cache[D Document[D]] struct {
	limits Limits
	opts   Options
	memory *memory[D]
	tier   Tier[D]    // nil: none
	sharer *sharer[D] // nil: with nobody

	life    context.Context
	end     context.CancelFunc
	work    sync.WaitGroup // of fetches and loads
	closing sync.RWMutex   // held for reading while work is added
}

// New makes an empty cache. The caller ends it with Close.
func New[D Document[D]](limits Limits, opts Options) *Cache[D] {
	return NewTiered[D](limits, opts, nil)
}

// NewTiered makes a cache before a tier, which may be nil. The tier is not closed by Close,
// after whose return it is not called.
func NewTiered[D Document[D]](limits Limits, opts Options, tier Tier[D]) *Cache[D] {
	limits.Backoff = cmp.Or(limits.Backoff, 5*time.Second)
	limits.MaxBackoff = cmp.Or(limits.MaxBackoff, 10*time.Second)
	life, end := context.WithCancel(context.Background())
	return &Cache[D]{
		limits: limits, opts: opts, life: life, end: end, tier: tier,
		memory: newMemory[D](limits.Entries, limits.Bytes),
	}
}

// Get gives the document of a key as the limits allow; fetch is called where a newer
// one is due and no other reader's fetch is running. The epoch is a number that grows
// with what makes documents old: a reader that knows of a later epoch than those
// before it expires the copy, so that expiries spread between caches too. Readers
// without epochs give 0.
//
// Get returns the fetch's own error where Gone said that there is no such thing, an
// *UnavailableError where there is nothing to serve, and ctx.Err() when ctx ends.
func (c *Cache[D]) Get(ctx context.Context, key string, epoch int64, fetch Fetch[D]) (Read[D], error) {
	return c.get(ctx, key, epoch, fetch, reader{})
}

// GetFor is Get for a reader of a customer's, who may have to wait without a copy only as Options.Waits allows:
// else the error is an *UnavailableError with ErrQueued.
func (c *Cache[D]) GetFor(ctx context.Context, customer int64, key string, epoch int64, fetch Fetch[D]) (Read[D], error) {
	return c.get(ctx, key, epoch, fetch, reader{counts: c.opts.Waits != nil, customer: customer})
}

// GetNew is Get for a reader that is not content with a fresh copy: it waits for a
// fetch, though not for longer than Patience where there is a copy. It asks again at
// once after a fetch that failed: the fetch knows when it is not worth while.
func (c *Cache[D]) GetNew(ctx context.Context, key string, epoch int64, fetch Fetch[D]) (Read[D], error) {
	return c.get(ctx, key, epoch, fetch, reader{newest: true})
}

func (c *Cache[D]) get(ctx context.Context, key string, epoch int64, fetch Fetch[D], r reader) (Read[D], error) {
	e := c.memory.entry(key, false)
	e.advance(epoch)
	r.came = time.Now()
	e.mu.Lock()
	v := c.decide(ctx, e, fetch, &r, r.came)
	e.mu.Unlock()
	switch {
	case v.err != nil:
		return Read[D]{}, v.err
	case v.ready, v.held && !r.came.Before(v.until):
		return v.read, nil
	}
	return c.wait(ctx, e, fetch, &r, v)
}

// wait waits for what a verdict says, as often as there is something to wait for.
func (c *Cache[D]) wait(ctx context.Context, e *entry[D], fetch Fetch[D], r *reader, v verdict[D]) (Read[D], error) {
	defer func() { e.leave(r) }()
	if r.counts && !v.held {
		if !c.opts.Waits(r.customer, true) {
			return Read[D]{}, &UnavailableError{Cause: ErrQueued, RetryAfter: time.Second}
		}
		defer c.opts.Waits(r.customer, false)
	}
	for held, answered, now := v.held, false, r.came; ; {
		var flown, loaded, looked <-chan struct{}
		if v.join != nil {
			flown = v.join.done
		}
		if v.load != nil {
			loaded = v.load.done
		}
		if v.look != nil {
			looked = v.look.done
		}
		timer := time.NewTimer(v.until.Sub(now))
		select {
		case <-flown:
			answered = true
			if v.counts {
				r.waited = v.join
			}
		case <-loaded:
		case <-looked:
			answered = true
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Read[D]{}, ctx.Err()
		}
		timer.Stop()
		now = time.Now()
		e.mu.Lock()
		v = c.decide(ctx, e, fetch, r, now)
		e.mu.Unlock()
		if answered && v.read.State == Hit {
			v.read.State, v.read.Replaced = Miss, held
		}
		switch {
		case v.err != nil:
			return Read[D]{}, v.err
		case v.ready:
			v.read.Collapsed = answered && r.collapsed
			return v.read, nil
		case now.Before(v.until):
		case v.held:
			v.read.GaveUp = true
			return v.read, nil
		default:
			return Read[D]{}, e.tooLate(v.join, r.came, now)
		}
	}
}

// Peek gives the copy of a key, however old, and starts no fetch. Its State is Hit if Get
// would have served it at once as fresh.
func (c *Cache[D]) Peek(key string) (read Read[D], ok bool) {
	e, ok := c.memory.find(key)
	if !ok {
		return read, false
	}
	now := time.Now()
	c.memory.touch(e, now)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.copy == nil {
		return read, false
	}
	return c.read(e, now), true
}

// Put stores a document that was got in another way than by a fetch, as fresh, unless
// it is older than the copy.
func (c *Cache[D]) Put(key string, doc D) { c.put(key, doc, false) }

// Offer is Put for a document that may not be the newest: the next read asks first, and
// falls back on it. A copy that is not older stays as it is. Keys that are offered and
// not used evict each other alone.
func (c *Cache[D]) Offer(key string, doc D) { c.put(key, doc, true) }

func (c *Cache[D]) put(key string, doc D, offered bool) {
	for {
		e := c.memory.entry(key, offered)
		if !c.putIn(e, doc, offered, time.Now()) || c.memory.keepPut(e) {
			return
		}
	}
}

// putIn stores a document unless the copy is newer, and reports whether it did.
func (c *Cache[D]) putIn(e *entry[D], doc D, offered bool, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.copy != nil && (doc.Older(e.copy.doc) || offered && !e.copy.doc.Older(doc)) {
		return false
	}
	e.copy = &copyOf[D]{doc: doc, receivedAt: now, fresh: c.freshFor(), expired: offered}
	e.failure, e.gone = nil, nil
	e.puts++
	return true
}

// Refresh makes sure that a key has a fresh document and returns when the fetch that
// was needed for it has ended, another's if one is running. Unlike Get it is not
// content with a stale copy: the error of a failed fetch is returned, and while a
// failure is backed off an *UnavailableError with its cause.
func (c *Cache[D]) Refresh(ctx context.Context, key string, epoch int64, fetch Fetch[D]) error {
	e := c.memory.entry(key, false)
	e.advance(epoch)
	r := reader{refresh: true, came: time.Now()}
	defer func() { e.leave(&r) }()
	for {
		e.mu.Lock()
		v := c.decide(ctx, e, fetch, &r, time.Now())
		e.mu.Unlock()
		var ended, came <-chan struct{}
		switch {
		case v.err != nil:
			return v.err
		case v.refused != nil:
			return v.refused
		case v.join != nil:
			ended = v.join.done
		case v.load != nil:
			came = v.load.done
		case v.look != nil:
			came = v.look.done
		default: // fresh, or just answered with an older document
			return nil
		}
		select {
		case <-ended:
			if v.counts && !v.join.dropped {
				return v.join.err
			}
		case <-came:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Expire makes the next read ask first; the copy stays as the fallback. The
// answer of a fetch that is running now arrives expired.
func (c *Cache[D]) Expire(key string) {
	e, ok := c.memory.find(key)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks.expired = time.Now()
	e.expire()
}

// expire makes the copy, and the answer of a running fetch, old. The lock is held.
func (e *entry[D]) expire() {
	e.expiries++
	e.gone = nil
	if e.copy != nil {
		e.copy.expired = true
		e.copy.settledUntil = time.Time{}
	}
}

// advance records an epoch, and expires what is from an earlier one.
func (e *entry[D]) advance(epoch int64) {
	if e.epoch.Load() >= epoch {
		return // the usual case
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.epoch.Load() < epoch {
		e.epoch.Store(epoch)
		e.expire()
	}
}

// RetryNow ends the back-off of a key after a failed refresh, or with "" that of all keys.
func (c *Cache[D]) RetryNow(key string) {
	if e, ok := c.memory.find(key); ok {
		e.retryNow()
	} else if key == "" {
		c.RetryWhere(func(string) bool { return true })
	}
}

// RetryWhere is RetryNow for the keys that match.
func (c *Cache[D]) RetryWhere(match func(key string) bool) {
	for _, e := range c.memory.all() {
		if match(e.key) {
			e.retryNow()
		}
	}
}

func (e *entry[D]) retryNow() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retries++
	e.looks.retried = time.Now()
	if e.failure != nil {
		e.failure.retry()
	}
}

// Len is how many keys are kept.
func (c *Cache[D]) Len() int { return c.memory.len() }

// Close ends the running fetches and loads and waits for them. Copies are still served.
func (c *Cache[D]) Close() {
	c.closing.Lock()
	c.end()
	c.closing.Unlock()
	c.work.Wait()
}
