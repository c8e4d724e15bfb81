package registry

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// graves remembers what was deleted through this Directory, so that no read that
// was under way brings it back, and so that it is known to be gone while the store
// is away. Bounded: by the time the oldest is forgotten, the reads of its time are
// long over, and memory was cleared of it when it was deleted.
type graves struct {
	mu      sync.RWMutex
	rows    *simplelru.LRU[int64, struct{}]  // by Source.ID, which is never given twice
	sources *simplelru.LRU[sourceKey, int64] // the Source.ID that the sourceId had
	esa     *simplelru.LRU[esaKey, struct{}] // an esaId is never given twice either
}

func newGraves(limit int) *graves {
	return &graves{
		rows:    newLRU[int64, struct{}](limit, nil),
		sources: newLRU[sourceKey, int64](limit, nil),
		esa:     newLRU[esaKey, struct{}](limit, nil),
	}
}

// newLRU makes an LRU; its only error is a size that is not positive.
func newLRU[K comparable, V any](size int, onEvict simplelru.EvictCallback[K, V]) *simplelru.LRU[K, V] {
	l, err := simplelru.NewLRU(size, onEvict)
	if err != nil {
		panic(err)
	}
	return l
}

func (g *graves) bury(s *Source) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows.Add(s.ID, struct{}{})
	g.sources.Add(keyOf(s), s.ID)
	if s.Connection != nil {
		g.esa.Add(esaKey{s.CustomerID, s.Connection.ID}, struct{}{})
	}
}

// holds reports whether a row was deleted.
func (g *graves) holds(sourceID int64) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.rows.Contains(sourceID)
}

// holdsSource reports whether the source that had a sourceId was deleted and no
// other was seen since.
func (g *graves) holdsSource(key sourceKey) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.sources.Contains(key)
}

func (g *graves) holdsESA(key esaKey) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.esa.Contains(key)
}

// seen notes a source that exists: another one than was deleted frees the sourceId.
func (g *graves) seen(s *Source) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if was, ok := g.sources.Peek(keyOf(s)); ok && was != s.ID {
		g.sources.Remove(keyOf(s))
	}
}

func keyOf(s *Source) sourceKey { return sourceKey{s.CustomerID, s.SourceID} }
