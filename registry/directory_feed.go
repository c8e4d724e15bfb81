package registry

import (
	"context"
	"sync/atomic"
	"time"

	"esagate/internal/background"
)

const (
	lookPause   = time.Second           // between two looks
	hintPause   = 20 * time.Millisecond // between two looks that are wanted at once
	lookLimit   = 10 * time.Second      // of one look: much may have been written
	followedFor = 5 * time.Second       // after a look: one that takes longer is the exception
	notCurrent  = time.Duration(-1 << 62)
)

// feed follows what is written to managed sources, by whatever replica ([Store].Changes). While it is current, copies
// in memory are good however old they are: a write of another replica would have replaced them.
type feed struct {
	look  chan struct{} // a look at the store is wanted at once
	start time.Time     // what the times here count from, by the monotonic clock

	cursor string       // of the one that follows
	began  atomic.Int64 // when the last look began that succeeded; it told of all that was written before
	since  atomic.Int64 // what was read later than this is followed
	found  atomic.Int64 // when last something was found, by the clock of the write log
}

func newFeed() *feed {
	f := &feed{look: make(chan struct{}, 1), start: time.Now()}
	f.began.Store(int64(notCurrent))
	return f
}

// LookNow has the Directory look at once, and not only at its next turn, at what others have written: a hint has come
// that a source was. It waits for nothing; several at once are one look.
func (f *feed) LookNow() {
	select {
	case f.look <- struct{}{}:
	default:
	}
}

// Followed reports whether the store was looked at lately: what other replicas write is known here.
func (f *feed) Followed() bool {
	return time.Since(f.start)-time.Duration(f.began.Load()) <= followedFor
}

// covers reports whether a write since would be known here, of a source whose copy is of some age; late is how old
// what is known of writes may be. A copy was read for up to storeTimeout before it was received.
func (f *feed) covers(age, late time.Duration) bool {
	now := time.Since(f.start)
	return now-time.Duration(f.began.Load()) <= late && now-time.Duration(f.since.Load())-storeTimeout > age
}

// follow looks at the store until ctx ends. While that is away it does not: the pings ask whether it is back.
func follow(ctx context.Context, d *Directory) {
	for wait := time.Duration(0); ; wait = lookPause {
		timer := time.NewTimer(background.Jitter(wait))
		select {
		case <-timer.C:
		case <-d.feed.look:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if !d.health.away.Load() {
			lookOnce(ctx, d)
		}
		if !background.Sleep(ctx, hintPause) {
			return
		}
	}
}

// lookOnce takes in what was written since the last look.
func lookOnce(life context.Context, d *Directory) {
	ctx, cancel := context.WithTimeout(life, lookLimit)
	defer cancel()
	f, began := d.feed, time.Since(d.feed.start)
	next, gap, err := d.store.Changes(ctx, f.cursor, func(c Change) { takeIn(d, c) })
	if err != nil {
		if life.Err() == nil {
			d.health.startPing(err)
		}
		return
	}
	if gap { // what was read before may have changed unheard
		f.found.Store(d.writes.tick())
		f.since.Store(int64(time.Since(f.start)))
	}
	f.cursor = next
	f.began.Store(int64(began))
}

// takeIn takes in a change. Reads that are under way are told first, so that none puts what it read before.
func takeIn(d *Directory, c Change) {
	began := d.writes.tick()
	d.feed.found.Store(began)
	key := sourceKey(c.CustomerID, c.SourceID)
	held, known := d.sources.Peek(key)
	known = known && held.Doc.src.Connection != nil
	src := c.Source
	switch {
	case src != nil && known:
		news := held.Doc.Older(sourceDoc{src: src})
		d.sources.Put(key, sourceDoc{src: src})
		if news { // a list that was read before shows it too
			d.writes.end(c.CustomerID, loggedWrite{began: began, src: src, kind: changed})
		}
	case src == nil && known && held.Doc.src.Connection.ID == c.ESAID:
		if src = held.Doc.src; held.Doc.deleted {
			return // it was deleted here
		}
		d.sources.Offer(key, sourceDoc{src, true})
		d.writes.end(c.CustomerID, loggedWrite{began: began, src: src, kind: deleted})
	default:
		d.sources.Expire(key)
	}
	if d.opts.ChangedElsewhere == nil {
		return
	}
	if src == nil {
		src = &Source{CustomerID: c.CustomerID, SourceID: c.SourceID, ExecutionType: ExecutionManaged,
			Connection: &Connection{ID: c.ESAID, CustomerID: c.CustomerID}}
		d.opts.ChangedElsewhere(src, true)
		return
	}
	d.opts.ChangedElsewhere(src, c.Source == nil)
}

// putRead remembers a source that the store returned to a read or a write that began at a time of the write log. What
// was found since may be newer.
func putRead(d *Directory, src *Source, began int64) *Source {
	newest := d.Put(src)
	if d.feed.found.Load() > began {
		d.sources.Expire(sourceKey(src.CustomerID, src.SourceID))
	}
	return newest
}
