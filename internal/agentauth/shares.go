package agentauth

import "sync"

// What one customer may have under way at once. Agents and their servers can be as
// slow as they like, for workLimit each: no customer's may take up all that
// customers share, which is the outbound client's exchanges, the callbacks and the
// refreshes.
const (
	beginsEach    = 4
	exchangesEach = 4
	refreshesEach = 16
)

// shares counts what is under way: in all, and for each customer.
type shares struct {
	each, most int

	mu    sync.Mutex
	total int
	taken map[int64]int // customers with none are left out
}

func newShares(each, most int) *shares {
	return &shares{each: each, most: most, taken: map[int64]int{}}
}

// take counts one more in; false if the customer, or all together, have all that
// they may have.
func (s *shares) take(customer int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[customer] >= s.each || s.total >= s.most {
		return false
	}
	s.taken[customer]++
	s.total++
	return true
}

// give counts one out.
func (s *shares) give(customer int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.taken[customer]--; s.taken[customer] == 0 {
		delete(s.taken, customer)
	}
}
