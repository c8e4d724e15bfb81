package background

import "sync"

// Shares bounds what is under way: in all, and for each customer, or whatever K names, so that none
// can take up all that there is. It is safe for concurrent use.
type Shares[K comparable] struct {
	each, most int

	mu    sync.Mutex
	all   int
	taken map[K]int // customers with none are left out
}

// NewShares makes Shares of which each customer may have some, and all together most.
func NewShares[K comparable](each, most int) *Shares[K] {
	return &Shares[K]{each: each, most: most, taken: map[K]int{}}
}

// Take takes one, to be given back; false if the customer, or all together, have all that
// they may have.
func (s *Shares[K]) Take(customer K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[customer] >= s.each || s.all >= s.most {
		return false
	}
	s.taken[customer]++
	s.all++
	return true
}

// Give gives one back.
func (s *Shares[K]) Give(customer K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.taken[customer]--; s.taken[customer] == 0 {
		delete(s.taken, customer)
	}
}

// Taken is how many are taken in all.
func (s *Shares[K]) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}
