package lifecycle

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// retries say when what failed is tried again. The pause doubles with each try. What is
// evicted is tried at once.
type retries struct {
	first, last time.Duration
	tried       *lru.Cache[provisionKey, tried]
}

// tried is what has failed so far.
type tried struct {
	next  time.Time
	pause time.Duration
	tries int
}

const maxRetries = 4096

func newRetries(first, last time.Duration) *retries {
	cache, _ := lru.New[provisionKey, tried](maxRetries) // fails for no size alone
	return &retries{first, last, cache}
}

// due reports whether the next try may begin.
func (r *retries) due(key provisionKey, at time.Time) bool {
	t, _ := r.tried.Get(key)
	return !at.Before(t.next)
}

// postpone sets the time of the next try: after the pause, but at the time certain if that
// comes first. It gives the number of tries.
func (r *retries) postpone(key provisionKey, at, certain time.Time) int {
	t, _ := r.tried.Get(key)
	t.tries++
	t.pause = min(max(2*t.pause, r.first), r.last)
	t.next = at.Add(t.pause)
	if at.Before(certain) && certain.Before(t.next) {
		t.next = certain
	}
	r.tried.Add(key, t)
	return t.tries
}

// forget lets the next try begin at once.
func (r *retries) forget(key provisionKey) { r.tried.Remove(key) }
