package upstream

import (
	"container/list"
	"sync"
)

// maxTenants bounds the breakers that are kept; some hundred bytes each.
const maxTenants = 10_000

// tenants is the set of the tenants' breakers. When it is full, the one used
// least recently goes: a closed one if there is any, as an open one still
// protects its tenant.
type tenants struct {
	limit int
	make  func(tenantID string) *breaker
	drop  func(*breaker) // called with the set locked

	mu   sync.Mutex
	byID map[string]*list.Element // of *breaker
	used *list.List               // most recently first
}

func newTenants(limit int, mk func(string) *breaker, drop func(*breaker)) *tenants {
	return &tenants{limit: limit, make: mk, drop: drop, byID: map[string]*list.Element{}, used: list.New()}
}

// get gives a tenant's breaker, a new one if there is none.
func (t *tenants) get(id string) *breaker {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byID[id]; e != nil {
		t.used.MoveToFront(e)
		return e.Value.(*breaker)
	}
	if len(t.byID) >= t.limit {
		t.evict()
	}
	b := t.make(id)
	t.byID[id] = t.used.PushFront(b)
	return b
}

func (t *tenants) evict() {
	victim := t.used.Back()
	for e := victim; e != nil; e = e.Prev() {
		if e.Value.(*breaker).closed() {
			victim = e
			break
		}
	}
	b := t.used.Remove(victim).(*breaker)
	delete(t.byID, b.tenantID)
	t.drop(b)
}

// open counts the breakers that are not closed.
func (t *tenants) open() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.byID {
		if !e.Value.(*breaker).closed() {
			n++
		}
	}
	return n
}
