package status

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"esagate/internal/background"
	"esagate/snapshot"
)

// Contents go that nobody has asked for in so long.
const (
	openFor  = 10 * time.Second
	shutTick = time.Second
)

// What contents take, by estimate: for each byte of the encoded document so many tenths, without views and for each view,
// with its body and the compressed form of that.
const (
	openOverhead = 512
	openTenths   = 12
	viewTenths   = 24
)

// opened holds the contents of documents that are read. Those go that were not read for openFor, and beyond the bound
// those that were not for longest: who reads one again unpacks it.
type opened struct {
	most int // bytes; 0: any
	work *background.Group
	wake chan struct{} // holds one: something is open

	mu        sync.Mutex
	order     *simplelru.LRU[*document, *contents] // by when they were last read, to the second
	bytes     int
	evictions uint64
}

// newOpened starts it. The caller ends its work.
func newOpened(log *slog.Logger, most int) *opened {
	o := &opened{most: most, work: background.NewGroup(log), wake: make(chan struct{}, 1)}
	o.order, _ = simplelru.NewLRU[*document, *contents](anyNumber, nil) // fails for a size below 1 alone
	o.work.Go(context.Background(), "shut documents", o.run)
	return o
}

// run shuts what is not read, once a tick while something is open.
func (o *opened) run(ctx context.Context) {
	for {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return
		}
		for background.Sleep(ctx, shutTick) && o.shutUnread(time.Now()) {
		}
	}
}

// contents gives what a document says, for a reader at a time.
func (o *opened) contents(d *document, now time.Time) *contents {
	c := d.open.Load()
	if c == nil {
		d.opening.Lock()
		defer d.opening.Unlock()
		if c = d.open.Load(); c == nil {
			c = d.unpack()
			o.keep(d, c, now)
			return c
		}
	}
	if second := now.Unix(); c.used.Load() != second { // so that readers share nothing that they write
		c.used.Store(second)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.order.Get(d)
	}
	return c
}

// keep has a document open with what it says.
func (o *opened) keep(d *document, c *contents, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c.used.Store(now.Unix())
	c.weight = openOverhead + c.length*openTenths/10
	d.open.Store(c)
	o.order.Add(d, c)
	o.bytes += c.weight
	o.evict()
	select {
	case o.wake <- struct{}{}:
	default: // it will look
	}
}

// grow counts another view, if the document is still open.
func (o *opened) grow(d *document, c *contents) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if kept, ok := o.order.Peek(d); ok && kept == c {
		view := c.length * viewTenths / 10
		c.weight += view
		o.bytes += view
		o.evict()
	}
}

// evict makes room. The lock is held.
func (o *opened) evict() {
	for o.most > 0 && o.bytes > o.most && o.order.Len() > 1 {
		o.shutOldest()
		o.evictions++
	}
}

// shutOldest drops the contents that were not read for longest. The lock is held.
func (o *opened) shutOldest() {
	d, c, _ := o.order.RemoveOldest()
	o.bytes -= c.weight
	d.open.CompareAndSwap(c, nil)
}

// shutUnread drops what was not read lately, and reports whether something is still open.
func (o *opened) shutUnread(now time.Time) bool {
	last := now.Add(-openFor).Unix()
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		_, c, ok := o.order.GetOldest()
		if !ok || c.used.Load() > last {
			return ok
		}
		o.shutOldest()
	}
}

// usage gives what is open.
func (o *opened) usage() snapshot.Usage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return snapshot.Usage{Entries: o.order.Len(), Bytes: o.bytes, Evictions: o.evictions}
}
