package background

import "sync"

// Shares bounds what is under way: in all, and for each customer, so that none can take
// up all that there is. It is safe for concurrent use.
type Shares struct {
	each, most int

	mu    sync.Mutex
	all   int
	taken map[int64]int // customers with none are left out
}

// NewShares makes Shares of which each customer may have some, and all together most.
func NewShares(each, most int) *Shares {
	return &Shares{each: each, most: most, taken: map[int64]int{}}
}

// Take takes one, to be given back; false if the customer, or all together, have all that
// they may have.
func (s *Shares) Take(customer int64) bool {
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
func (s *Shares) Give(customer int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.taken[customer]--; s.taken[customer] == 0 {
		delete(s.taken, customer)
	}
}
