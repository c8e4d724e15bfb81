package snapshot

import (
	"context"
	"fmt"
	"time"
)

// flight is one fetch. What is not fixed at its start is guarded by the entry's lock.
type flight struct {
	done     chan struct{}
	expiries uint64 // the entry's count when it began: fewer than now is stale on arrival
	retries  uint64 // likewise: and a failure is not backed off
	puts     uint64 // likewise: and "gone" tells nothing new
	epoch    int64  // the entry's when it began
	begins   time.Time
	ends     time.Time

	hurry    chan struct{} // closed when somebody waits for a fetch that was put off
	unwanted chan struct{}
	waiting  int  // readers without a copy
	kept     bool // a reader was given a copy meanwhile
	dropped  bool // unwanted is closed

	queuedFrom, queuedTill time.Time // its last wait in a queue; till is zero while it lasts

	// Set before done is closed.
	outcome Outcome
	err     error
}

// start begins the entry's fetch; false once the cache is closed. It puts off the refresh of a
// restored copy that its reader is served at once. The entry's lock is held.
func (c *Cache[D]) start(ctx context.Context, e *entry[D], fetch Fetch[D], v *verdict[D], atOnce bool, now time.Time) bool {
	if !c.begin() {
		return false
	}
	var d Demand
	var delay time.Duration
	if v.held {
		d.CopyFrom = e.copy.receivedAt
	}
	if atOnce {
		delay = c.spread(e)
	}
	begins := now.Add(delay)
	f := &flight{
		done: make(chan struct{}), hurry: make(chan struct{}), unwanted: make(chan struct{}),
		begins: begins, ends: begins.Add(c.limits.FetchTimeout),
	}
	d.Unwanted = f.unwanted
	d.Queued = func(waits bool) { e.queued(f, waits) }
	e.flight = f
	e.mark(f)
	go c.fly(context.WithoutCancel(ctx), e, f, d, fetch, delay)
	return true
}

// queued notes that a fetch begins or ends to wait in its queue.
func (e *entry[D]) queued(f *flight, waits bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); waits {
		f.queuedFrom, f.queuedTill = now, time.Time{}
	} else {
		f.queuedTill = now
	}
}

// isQueued reports whether a fetch waits in its queue.
func (e *entry[D]) isQueued(f *flight) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !f.queuedFrom.IsZero() && f.queuedTill.IsZero()
}

// tooLate gives the error of a reader without a copy whose time is up.
func (e *entry[D]) tooLate(f *flight, came, now time.Time) *UnavailableError {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f == nil {
		return &UnavailableError{Cause: ErrNoAnswer, RetryAfter: time.Second}
	}
	if from := f.queuedFrom; !from.IsZero() {
		till := f.queuedTill
		if till.IsZero() {
			till = now
		}
		if from.Before(came) {
			from = came
		}
		if till.Sub(from) > now.Sub(came)/2 {
			return &UnavailableError{Cause: ErrQueued, RetryAfter: time.Second}
		}
	}
	return &UnavailableError{Cause: ErrNoAnswer, RetryAfter: max(f.ends.Sub(now), time.Second)}
}

// mark notes the counts of the entry's from which a fetch begins. The lock is held.
func (e *entry[D]) mark(f *flight) {
	f.expiries, f.retries, f.puts, f.epoch = e.expiries, e.retries, e.puts, e.epoch.Load()
}

// begin counts work that begins; false once the cache is closed.
func (c *Cache[D]) begin() bool {
	c.closing.RLock()
	defer c.closing.RUnlock()
	if c.life.Err() != nil {
		return false
	}
	c.work.Add(1)
	return true
}

// landing is what became of a fetch.
type landing[D any] struct {
	lease string // by which it was made; "": none
	began time.Time
	fresh time.Duration // how long doc is
	slow  bool          // it took longer than readers with a copy wait
	doc   D
	err   error
	known *Known // what the Shared says to it; nil: nothing
	told  time.Time
}

func (c *Cache[D]) fly(ctx context.Context, e *entry[D], f *flight, d Demand, fetch Fetch[D], delay time.Duration) {
	defer c.work.Done()
	if delay > 0 {
		c.putOff(e, f, delay)
	}
	lease, mine := c.sharer.claim(ctx, e, f)
	if !mine {
		c.memory.land(e, func() bool { e.flight = nil; return false })
		close(f.done)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.limits.FetchTimeout+c.limits.QueueTimeout)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()

	l := landing[D]{lease: lease, began: time.Now(), fresh: c.freshFor()}
	letGo := c.sharer.hold(ctx, e, f, lease)
	l.doc, l.err = guarded(ctx, func(ctx context.Context) (D, error) { return fetch(ctx, d) })
	letGo()
	l.slow = time.Since(l.began) > c.limits.Patience
	c.sharer.publish(ctx, e, f, &l)
	if c.tier != nil {
		e.telling.Lock() // so that the tier is told in the order of the fetches
		defer e.telling.Unlock()
	}
	now := time.Now()
	c.memory.land(e, func() (forget bool) {
		f.outcome, f.err = c.settle(e, f, l, now), l.err
		return f.outcome == NotFound && c.opts.ForgetGone
	})
	close(f.done)
	c.sharer.giveUp(ctx, e, f, l)
	if c.tier != nil {
		c.writeBehind(e.key, f, l.doc, now)
	}
	if c.opts.Refreshed != nil {
		c.opts.Refreshed(e.key, f.outcome)
	}
}

// putOff waits until a fetch begins, which is sooner if somebody waits for it.
func (c *Cache[D]) putOff(e *entry[D], f *flight, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.hurry:
	case <-c.life.Done():
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mark(f)
}

// hurryUp begins a fetch that was put off. The entry's lock is held.
func (f *flight) hurryUp(now time.Time) {
	if now.Before(f.begins) {
		f.ends = f.ends.Add(now.Sub(f.begins))
		f.begins = now
		close(f.hurry)
	}
}

// join counts a reader that waits for a fetch. The entry's lock is held.
func (f *flight) join(r *reader, held bool) {
	switch {
	case held:
		f.kept = true
	case r.joined != f:
		f.waiting++
		r.joined = f
	}
}

// leave ends the wait of a reader.
func (e *entry[D]) leave(r *reader) {
	f := r.joined
	if f == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f.waiting--
	if f.waiting == 0 && !f.kept && e.flight == f && !f.dropped {
		f.dropped = true
		close(f.unwanted)
	}
}

// guarded turns a panic into an error: one bad document must not end the process.
func guarded[D any](ctx context.Context, work func(context.Context) (D, error)) (doc D, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the fetch panicked: %T", p)
		}
	}()
	return work(ctx)
}
