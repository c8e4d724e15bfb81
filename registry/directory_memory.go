package registry

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// memory holds the newest copies of sources: one entry a connection, found in two
// ways. Its bound is kept by second chance, an approximation of least recently
// used: a read only sets a mark on its entry, so that readers share nothing that
// they write. An entry that goes takes its version along: only then can a read that
// was under way bring an older one, for as long as that stays fresh.
type memory struct {
	mu     sync.RWMutex
	source map[sourceKey]*entry
	esa    map[esaKey]*entry
	ring   list.List // of *entry; the next to go in front
	limit  int
	graves *graves // what is never put again
}

type sourceKey struct {
	customer int64
	sourceID string
}

// esaKey has the customer beside the id, so that a foreign id is not found here either.
type esaKey struct{ customer, esaID int64 }

// entry is the place of one connection. Its copy changes under memory.mu alone and
// is read without it.
type entry struct {
	copy   atomic.Pointer[sourceCopy]
	used   atomic.Bool // read since it was last passed over
	source sourceKey
	esa    esaKey
	place  *list.Element
}

// sourceCopy is a source as it was read. It never changes.
type sourceCopy struct {
	m        *Source
	readAt   time.Time // when the read of it began
	observed time.Time // the newest sync signal that the store has; m can be ahead
	doubted  time.Time // when a write of unknown outcome ended: no read from before it is fresh
}

func newMemory(limit int, g *graves) *memory {
	return &memory{source: map[sourceKey]*entry{}, esa: map[esaKey]*entry{}, limit: limit, graves: g}
}

func (y *memory) bySourceID(customer int64, sourceID string) *entry {
	y.mu.RLock()
	e := y.source[sourceKey{customer, sourceID}]
	y.mu.RUnlock()
	return e
}

func (y *memory) byESAID(customer, esaID int64) *entry {
	y.mu.RLock()
	e := y.esa[esaKey{customer, esaID}]
	y.mu.RUnlock()
	return e
}

// read marks the entry as used and gives its copy.
func (e *entry) read() *sourceCopy {
	if !e.used.Load() { // looking first keeps the cache line shared
		e.used.Store(true)
	}
	return e.copy.Load()
}

// put remembers what a read that began at a time gave, unless something newer is
// remembered, and gives what then is.
func (y *memory) put(m *Source, began time.Time) *Source {
	fresh := &sourceCopy{m: m, readAt: began, observed: observedAt(m)}
	source := sourceKey{m.CustomerID, m.SourceID}
	esa := esaKey{m.CustomerID, m.Connection.ID}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.graves.holds(m.ID) {
		return m
	}
	e := y.esa[esa]
	if e != nil && e.source == source {
		e.copy.Store(merge(e.copy.Load(), fresh))
		return e.copy.Load().m
	}
	// The sourceId was another connection's: the one that was read last has it.
	if other := y.source[source]; other != nil {
		if other.copy.Load().readAt.After(began) {
			return m
		}
		y.remove(other)
	}
	if e != nil {
		y.remove(e)
	}
	for len(y.esa) >= y.limit {
		y.evict()
	}
	e = &entry{source: source, esa: esa}
	e.copy.Store(fresh)
	e.place = y.ring.PushBack(e)
	y.source[source], y.esa[esa] = e, e
	return m
}

// merge gives the newer of two copies of one connection. Of two with the same
// version the one that is held stays: whoever compares them by pointer sees no change.
func merge(held, fresh *sourceCopy) *sourceCopy {
	if fresh.m.Connection.Version < held.m.Connection.Version {
		return held
	}
	next := &sourceCopy{m: fresh.m, readAt: fresh.readAt, observed: fresh.observed, doubted: held.doubted}
	if held.readAt.After(next.readAt) {
		next.readAt = held.readAt
	}
	if !next.readAt.After(held.doubted) {
		next.readAt = time.Time{}
	}
	was, is := held.m.Connection.InventorySync, fresh.m.Connection.InventorySync
	ahead := was != nil && was.SameState(is) && !is.ObservedAt.After(was.ObservedAt)
	switch {
	case fresh.m.Connection.Version == held.m.Connection.Version && (ahead || is == nil):
		next.m = held.m
	case ahead:
		next.m = withObserved(fresh.m, was.ObservedAt)
	}
	return next
}

// withObserved gives a source whose sync was seen again at a later time.
func withObserved(m *Source, at time.Time) *Source {
	moved, conn, sync := *m, *m.Connection, *m.Connection.InventorySync
	sync.ObservedAt = at
	conn.InventorySync, moved.Connection = &sync, &conn
	return &moved
}

func observedAt(m *Source) time.Time {
	if sync := m.Connection.InventorySync; sync != nil {
		return sync.ObservedAt
	}
	return time.Time{}
}

// observe handles a signal that the store need not hear of: one that is not newer
// than the last, or that changes nothing within a pause after what the store has.
// It gives nil for one that has to be written.
func (y *memory) observe(customer, esaID int64, signal *InventorySync, pause time.Duration) *Source {
	y.mu.Lock()
	defer y.mu.Unlock()
	e := y.esa[esaKey{customer, esaID}]
	if e == nil {
		return nil
	}
	held := e.copy.Load()
	last := held.m.Connection.InventorySync
	state := signal.Following(last)
	switch {
	case last == nil:
		return nil
	case !signal.ObservedAt.After(last.ObservedAt):
		return held.m
	case last.SameState(&state) && signal.ObservedAt.Sub(held.observed) < pause:
		next := *held
		next.m = withObserved(held.m, signal.ObservedAt)
		e.copy.Store(&next)
		return next.m
	}
	return nil
}

// latest gives the newer of a source and what is held of it.
func (y *memory) latest(m *Source) *Source {
	if e := y.byESAID(m.CustomerID, m.Connection.ID); e != nil {
		if held := e.copy.Load().m; held.Connection.Version > m.Connection.Version {
			return held
		}
	}
	return m
}

// drop forgets an entry that a read which began at a time did not find, unless it
// was read later than that.
func (y *memory) drop(e *entry, began time.Time) {
	if e == nil {
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if !e.copy.Load().readAt.After(began) {
		y.remove(e)
	}
}

// bury forgets the entry of a source that was deleted, which is in its grave already.
func (y *memory) bury(esa esaKey) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if e := y.esa[esa]; e != nil {
		y.remove(e)
	}
}

// doubt keeps an entry as what was last known, but has the next read ask the store.
func (y *memory) doubt(source sourceKey) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if e := y.source[source]; e != nil {
		next := *e.copy.Load()
		next.readAt, next.doubted = time.Time{}, time.Now()
		e.copy.Store(&next)
	}
}

// evict makes room for one entry: the first in the ring that was not read since it
// last came to the front.
func (y *memory) evict() {
	for {
		e := y.ring.Front().Value.(*entry)
		if !e.used.Swap(false) {
			y.remove(e)
			return
		}
		y.ring.MoveToBack(e.place)
	}
}

func (y *memory) remove(e *entry) {
	if y.esa[e.esa] != e {
		return // gone already
	}
	delete(y.esa, e.esa)
	delete(y.source, e.source)
	y.ring.Remove(e.place)
}
