package gateway

import (
	"sync"
	"time"

	"esagate/internal/fault"
)

// Bounds of the bytes of request bodies in memory. While a request is worked on, what is
// decoded of its body takes about as much again.
const (
	maxBodies           = 64 << 20
	maxBodiesOfCustomer = 16 << 20
	leastCounted        = 64 << 10 // for each: 256 slow ones are one customer's, which leaves connections to others
)

var errBodiesFull = &fault.Error{
	Kind: fault.Unavailable, Message: "Too many request bodies are being received at once.", RetryAfter: time.Second,
}

// bodyBudget counts the bytes of request bodies in memory, by customer. A request that
// finds none left is refused and not kept waiting: those that wait would hold what the
// others need. The zero bodyBudget is ready for use.
type bodyBudget struct {
	mu    sync.Mutex
	total int64
	held  map[int64]int64 // by customer; without those that hold nothing
}

// take reports whether a customer may hold n more bytes, and counts them if so.
func (b *bodyBudget) take(customer, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.room(customer, n) {
		return false
	}
	if b.held == nil {
		b.held = map[int64]int64{}
	}
	b.held[customer] += n
	b.total += n
	return true
}

// fits reports whether a customer may hold n more bytes at this moment. Nothing is
// set aside: a length that was announced and never comes keeps nobody out.
func (b *bodyBudget) fits(customer, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.room(customer, n)
}

func (b *bodyBudget) room(customer, n int64) bool {
	return b.total+n <= maxBodies && b.held[customer]+n <= maxBodiesOfCustomer
}

// give gives back n bytes of a customer's.
func (b *bodyBudget) give(customer, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total -= n
	if b.held[customer] -= n; b.held[customer] == 0 {
		delete(b.held, customer)
	}
}
