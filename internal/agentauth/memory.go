package agentauth

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// memory keeps values for a while each, the latest used of them. Replicas do not
// share it.
type memory[K comparable, V any] struct{ *lru.Cache[K, kept[V]] }

type kept[V any] struct {
	value V
	until time.Time
}

func newMemory[K comparable, V any](size int) memory[K, V] {
	c, err := lru.New[K, kept[V]](size)
	if err != nil {
		panic(err) // the size is not positive
	}
	return memory[K, V]{c}
}

// get gives the value of a key, and for how much longer it is kept; 0: there is none.
func (m memory[K, V]) get(key K) (V, time.Duration) {
	k, _ := m.Get(key)
	return k.value, max(time.Until(k.until), 0)
}

func (m memory[K, V]) put(key K, value V, life time.Duration) {
	m.Add(key, kept[V]{value, time.Now().Add(life)})
}
