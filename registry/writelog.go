package registry

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// loggedWrites bounds what is remembered of the writes of one customer, and of all.
const loggedWrites = 500

// writeLog is a logical clock of what a Directory does, and the sources that were
// created, changed and deleted through it, by customer.
type writeLog struct {
	clock     atomic.Int64
	mu        sync.Mutex // guards what follows
	customers *simplelru.LRU[int64, *customerWrites]
	all       customerWrites // of all customers
	forgotten int64          // when the last write ended of those customers that had to make room
}

type customerWrites struct {
	last int64 // when the last write ended
	log  []loggedWrite
	lost int64 // what ended later is in the log
}

type loggedWrite struct {
	began, ended int64
	src          *Source
	kind         writeKind
}

type writeKind uint8

const (
	changed writeKind = iota
	created
	deleted
)

func newWriteLog(customers int) *writeLog {
	l := &writeLog{}
	l.customers, _ = simplelru.NewLRU(customers, func(_ int64, w *customerWrites) { // fails for a size below 1 alone
		l.forgotten = max(l.forgotten, w.last)
	})
	return l
}

// tick returns a time later than all before it.
func (l *writeLog) tick() int64 { return l.clock.Add(1) }

// of finds the writes of a customer, or with 0 of all. The lock is held.
func (l *writeLog) of(customer int64) *customerWrites {
	if customer == 0 {
		return &l.all
	}
	if w, ok := l.customers.Get(customer); ok {
		return w
	}
	return &customerWrites{lost: l.forgotten}
}

// last returns when the last write of a customer, or with 0 of any, ended: a list that was
// read before is old.
func (l *writeLog) last(customer int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(customer).last
}

// end records that a write has ended, and what it did to a source, if anything.
func (l *writeLog) end(customer int64, wrote ...loggedWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.tick()
	theirs := l.of(customer)
	theirs.end(now, wrote)
	l.customers.Add(customer, theirs)
	l.all.end(now, wrote)
}

func (w *customerWrites) end(now int64, wrote []loggedWrite) {
	w.last = now
	for _, one := range wrote {
		one.ended = now
		w.log = append(w.log, one)
	}
	if old := len(w.log) - loggedWrites; old > loggedWrites {
		w.lost = w.log[old-1].ended
		w.log = slices.Clone(w.log[old:])
	}
}

// since returns what was done to sources by writes of a customer, or with 0 of all, that
// ended after a time, and whether that is everything.
func (l *writeLog) since(customer int64, began int64) (wrote []loggedWrite, complete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.of(customer)
	i := len(w.log)
	for i > 0 && w.log[i-1].ended > began {
		i--
	}
	return slices.Clone(w.log[i:]), w.lost <= began
}
