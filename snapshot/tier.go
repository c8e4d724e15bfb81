package snapshot

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Tier keeps copies where they outlive the process. It is behind the memory: it is read
// for a key that has no copy here that could be served, and told of each new one.
type Tier[D any] interface {
	// Load gives the copy of a key; false if there is none, or it can't be had before ctx
	// ends. Of one key one load runs at a time, of many keys many: it bounds them itself.
	Load(ctx context.Context, key string) (Copy[D], bool)
	// Store is told of each document that a fetch brought, and Drop of each key of which a
	// fetch found that there is none; of one key in the order of the fetches. They must not block.
	Store(key string, c Copy[D])
	Drop(key string)
}

// Copy is a document in a Tier.
type Copy[D any] struct {
	Doc        D
	ReceivedAt time.Time // by the wall clock
	Epoch      int64     // the newest that readers knew of when the fetch began: a later one expires the copy
}

const (
	// loadHeadStart is how long a fetch waits for the load of a copy that may make it unnecessary.
	loadHeadStart = 50 * time.Millisecond
	loadAgain     = 5 * time.Second // the least time between two loads of a key
)

// load is a load of a key that runs.
type load struct {
	done  chan struct{}
	began time.Time
}

// ahead reports whether a fetch is to wait for the load.
func (l *load) ahead(now time.Time) bool { return now.Before(l.began.Add(loadHeadStart)) }

// loading gives the load of a key without a copy, and starts it where one is due; nil: none
// runs. The entry's lock is held.
func (c *Cache[D]) loading(ctx context.Context, e *entry[D], now time.Time) *load {
	if c.tier == nil || e.load != nil || now.Before(e.loadAt) || !c.begin() {
		return e.load
	}
	l := &load{done: make(chan struct{}), began: now}
	e.load, e.loadAt = l, now.Add(loadAgain)
	go c.loadCopy(context.WithoutCancel(ctx), e, l, e.endings)
	return l
}

var errNoCopy = errors.New("the tier has no copy")

// loadCopy loads the copy of a key, which then is as old as it says. endings is the entry's
// count when it began.
func (c *Cache[D]) loadCopy(ctx context.Context, e *entry[D], l *load, endings uint64) {
	defer c.work.Done()
	defer close(l.done)
	ctx, cancel := context.WithTimeout(ctx, c.limits.Timeout)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	got, err := guarded(ctx, func(ctx context.Context) (got Copy[D], err error) {
		got, ok := c.tier.Load(ctx, e.key)
		if !ok {
			err = errNoCopy
		}
		return got, err
	})
	now := time.Now()
	age := now.Round(0).Sub(got.ReceivedAt.Round(0)) // by the wall clock: it is another process's
	fresh := c.freshFor()
	if age < 0 {
		age = fresh + 1 // a clock was set: how old it is is not known
	}
	defer c.memory.keepPut(e) // with the lock given back: what it takes has changed
	e.mu.Lock()
	defer e.mu.Unlock()
	e.load = nil
	switch {
	case err != nil, age > c.limits.StaleIfError, endings != e.endings:
	case e.copy != nil && !e.copy.doc.Older(got.Doc):
	default:
		e.copy = &copyOf[D]{
			doc: got.Doc, receivedAt: now.Add(-age), fresh: fresh, expired: got.Epoch < e.epoch.Load(), restored: true,
		}
	}
}

// spread gives how long the refresh of a copy is put off if that was restored, so that a fleet that was
// started together does not refresh all at once. The entry's lock is held.
func (c *Cache[D]) spread(e *entry[D]) time.Duration {
	if !e.copy.restored || c.limits.Fresh <= 0 {
		return 0
	}
	e.copy.restored = false
	return rand.N(c.limits.Fresh)
}

// writeBehind tells the tier what a fetch brought.
func (c *Cache[D]) writeBehind(key string, f *flight, doc D, now time.Time) {
	switch f.outcome {
	case Stored:
		c.tier.Store(key, Copy[D]{Doc: doc, ReceivedAt: now, Epoch: f.epoch})
	case NotFound:
		c.tier.Drop(key)
	}
}
