package snapshot

import (
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	gocache "github.com/patrickmn/go-cache"
)

// memory is a go-cache bounded by an LRU of its keys, by how many and by how many bytes there are.
//
// go-cache hands out the stored reference, and expires by the wall clock, which can be
// set: entries guard themselves, have no expiry of go-cache's, and are evicted alone.
type memory[D Document[D]] struct {
	cache *gocache.Cache

	mu   sync.Mutex // guards changes of which keys there are
	keys *lru.Cache[string, *entry[D]]
	// offered are the entries that were offered a document and neither read nor put
	// since. They have a bound of their own: a list evicts nothing that is in use.
	offered *lru.Cache[string, *entry[D]]
	// flying are evicted entries whose fetch still runs: a reader finds them again
	// rather than starting a second fetch.
	flying map[string]*entry[D]

	bytes, most int    // of keys and offered; most is 0 for any
	evictions   uint64 // entries that made room for others
}

// entryOverhead is what an entry takes beside its key and its document: itself, its copy, and its places in
// a go-cache and an LRU.
const entryOverhead = 560

func newMemory[D Document[D]](entries, most int) *memory[D] {
	if entries == 0 {
		entries = math.MaxInt
	}
	m := &memory[D]{most: most, cache: gocache.New(gocache.NoExpiration, 0), flying: map[string]*entry[D]{}}
	m.keys, _ = lru.NewWithEvict(max(entries, 1), m.evicted) // fails for a size below 1 alone
	m.offered, _ = lru.NewWithEvict(max(entries, 1), m.evicted)
	return m
}

// get finds an entry among those that are kept.
func (m *memory[D]) get(key string) (*entry[D], bool) {
	v, _ := m.cache.Get(key)
	e, ok := v.(*entry[D])
	return e, ok
}

// touch marks an entry as used, at most once a second: readers of one key then share
// nothing that they write.
func (m *memory[D]) touch(e *entry[D], now time.Time) {
	if second := now.Unix(); e.used.Load() != second {
		e.used.Store(second)
		m.bound(e).Get(e.key)
	}
}

// bound gives the LRU that an entry belongs to.
func (m *memory[D]) bound(e *entry[D]) *lru.Cache[string, *entry[D]] {
	if e.offered.Load() {
		return m.offered
	}
	return m.keys
}

// find finds an entry that is kept or being fetched.
func (m *memory[D]) find(key string) (*entry[D], bool) {
	if e, ok := m.get(key); ok {
		return e, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.flying[key]
	return e, ok
}

// entry finds or makes the entry of a key, to offer it a document or else to use it.
func (m *memory[D]) entry(key string, offered bool) *entry[D] {
	if e, ok := m.get(key); ok && (offered || !e.offered.Load()) {
		if !offered {
			m.touch(e, time.Now())
		}
		return e
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.get(key)
	if !ok {
		e, ok = m.flying[key]
	}
	if !ok {
		e = &entry[D]{key: key}
		e.offered.Store(offered)
	} else if !offered {
		e.offered.Store(false)
	}
	m.keep(e)
	return e
}

// keep adds an entry, or marks it as used. The lock is held.
func (m *memory[D]) keep(e *entry[D]) {
	bound, other := m.keys, m.offered
	if e.offered.Load() {
		bound, other = other, bound
	}
	other.Remove(e.key)
	delete(m.flying, e.key)
	m.cache.Set(e.key, e, gocache.NoExpiration)
	if bound.Add(e.key, e) {
		m.evictions++
	}
	m.bytes -= e.weight
	e.weight = entryOverhead + len(e.key) + e.size()
	m.bytes += e.weight
	for m.most > 0 && m.bytes > m.most && m.evict() {
		m.evictions++
	}
}

// evict makes room, and reports whether it could. What was offered alone goes first, and one entry
// in use stays, however large.
func (m *memory[D]) evict() bool {
	switch {
	case m.offered.Len() > 0:
		m.offered.RemoveOldest()
	case m.keys.Len() > 1:
		m.keys.RemoveOldest()
	default:
		return false
	}
	return true
}

// keepPut keeps an entry that a document was put in. It returns false if the key has
// another entry by now.
func (m *memory[D]) keepPut(e *entry[D]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.get(e.key)
	if !ok {
		kept, ok = m.flying[e.key]
	}
	if ok && kept != e {
		return false
	}
	m.keep(e)
	return true
}

// evicted is called by keys and offered, with mu held by the caller of theirs.
func (m *memory[D]) evicted(key string, e *entry[D]) {
	m.cache.Delete(key)
	m.bytes -= e.weight
	e.weight = 0
	if e.busy() {
		m.flying[key] = e
	}
}

// land ends an entry's fetch: settle, called with the entry's lock held, takes in its
// answer. The entry is then kept, or forgotten if forget holds and there is nothing to
// remember: reads of keys that do not exist evict nothing. Both happen under one lock,
// so that no other entry of the key is made in between.
func (m *memory[D]) land(e *entry[D], settle func() (forget bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.mu.Lock()
	forget := settle()
	e.mu.Unlock()
	delete(m.flying, e.key)
	kept, ok := m.get(e.key)
	switch {
	case ok && kept != e: // evicted before the fetch began, and another took its place
	case ok && forget && e.empty():
		m.bound(e).Remove(e.key)
	default:
		m.keep(e)
	}
}

// all gives the entries that are kept or being fetched.
func (m *memory[D]) all() []*entry[D] {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := append(m.keys.Values(), m.offered.Values()...)
	for _, e := range m.flying {
		entries = append(entries, e)
	}
	return entries
}

func (m *memory[D]) len() int { return m.keys.Len() + m.offered.Len() }

// Usage is what a bounded memory holds.
type Usage struct {
	Entries   int
	Bytes     int    // that they take, by estimate
	Evictions uint64 // entries that made room for others since the start
}

// Usage gives what is kept. What is being fetched of keys that were evicted does not count.
func (c *Cache[D]) Usage() Usage {
	m := c.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	return Usage{Entries: m.len(), Bytes: m.bytes, Evictions: m.evictions}
}
