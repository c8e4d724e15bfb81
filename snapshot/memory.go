package snapshot

import (
	"sync"
	"time"

	gocache "github.com/patrickmn/go-cache"
)

// memory is a go-cache with a bound, which go-cache lacks: when it is full, a
// hand goes round the keys and takes the first that was not read since it last
// passed (the clock algorithm), sparing keys with a fetch under way.
//
// go-cache hands out the stored reference and hides expired entries: entries
// guard themselves, and ttl is longer than any copy is served. Its janitor has
// no end of its own, so none runs: the hand finds what has expired.
type memory[D Document] struct {
	cache *gocache.Cache
	ttl   time.Duration
	max   int

	mu   sync.Mutex
	ring []*entry[D]
	hand int
}

func newMemory[D Document](entries int, ttl time.Duration) *memory[D] {
	return &memory[D]{cache: gocache.New(ttl, 0), ttl: ttl, max: max(entries, 1)}
}

func (m *memory[D]) find(key string) (*entry[D], bool) {
	v, ok := m.cache.Get(key)
	if !ok {
		return nil, false
	}
	return v.(*entry[D]), true
}

// entry finds or makes the entry of a key.
func (m *memory[D]) entry(key string) *entry[D] {
	if e, ok := m.find(key); ok {
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.find(key); ok {
		return e
	}
	e := &entry[D]{key: key} // not used yet: a key read only once goes first
	if len(m.ring) < m.max {
		m.ring = append(m.ring, e)
	} else {
		m.ring[m.free()] = e
	}
	m.cache.Set(key, e, m.ttl)
	return e
}

// free empties a slot of the ring and gives its index. Two rounds find one
// unless every key has a fetch under way; then the hand's own slot is taken.
func (m *memory[D]) free() int {
	for range 2 * len(m.ring) {
		at := m.hand
		m.hand = (m.hand + 1) % len(m.ring)
		e := m.ring[at]
		if e.used.CompareAndSwap(true, false) && m.holds(e) {
			continue
		}
		e.mu.Lock()
		busy := e.flight != nil
		e.mu.Unlock()
		if !busy {
			m.drop(e)
			return at
		}
	}
	m.drop(m.ring[m.hand])
	return m.hand
}

func (m *memory[D]) holds(e *entry[D]) bool {
	kept, ok := m.find(e.key)
	return ok && kept == e
}

// drop removes e, and not a later entry of the same key. An expired entry is
// hidden but still held, so a key that can't be found is deleted as well.
func (m *memory[D]) drop(e *entry[D]) {
	if kept, ok := m.find(e.key); !ok || kept == e {
		m.cache.Delete(e.key)
	}
}

// keep prolongs an entry's time after something changed in it.
func (m *memory[D]) keep(e *entry[D]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holds(e) {
		m.cache.Set(e.key, e, m.ttl)
	}
}

func (m *memory[D]) all() []*entry[D] {
	items := m.cache.Items()
	entries := make([]*entry[D], 0, len(items))
	for _, item := range items {
		entries = append(entries, item.Object.(*entry[D]))
	}
	return entries
}

func (m *memory[D]) len() int { return m.cache.ItemCount() }
