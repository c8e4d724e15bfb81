package upstream

import (
	"sync"
	"time"
)

// The budget keeps retries from multiplying the load on an upstream that is in
// trouble already: in any 10 s at most 10 retries, or 10 % of the reads where
// that is more.
const (
	budgetFloor   = 10
	budgetPercent = 10
	// One bucket more than 10 s: the oldest is seldom whole, and with 10 alone
	// up to 20 retries would fit into 10 s.
	budgetBuckets = 11
)

// budget counts reads and retries by the second. All calls share one.
type budget struct {
	start time.Time

	mu      sync.Mutex
	buckets [budgetBuckets]struct {
		second         int64 // since start
		reads, retries int
	}
}

func newBudget() *budget { return &budget{start: time.Now()} }

// read counts a read, however many attempts it will make.
func (b *budget) read() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buckets[b.turn()].reads++
}

// take takes a retry from the budget, if there is one left.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.turn()
	now := b.buckets[at].second
	reads, retries := 0, 0
	for _, k := range b.buckets {
		if k.second > now-budgetBuckets {
			reads += k.reads
			retries += k.retries
		}
	}
	if retries >= max(budgetFloor, reads*budgetPercent/100) {
		return false
	}
	b.buckets[at].retries++
	return true
}

// turn gives the present second's bucket, emptied if it was an older one's.
func (b *budget) turn() int {
	second := int64(time.Since(b.start) / time.Second)
	at := int(second % budgetBuckets)
	if k := &b.buckets[at]; k.second != second {
		k.second, k.reads, k.retries = second, 0, 0
	}
	return at
}
