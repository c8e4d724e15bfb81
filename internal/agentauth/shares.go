package agentauth

import "sync"

// What one customer may have under way at once. Agents and their servers can be as
// slow as they like, for workLimit each: no customer's may take up all that there is
// for everybody, which is the outbound client's exchanges, the callbacks and the
// refreshes.
const (
	beginsEach    = 4
	exchangesEach = 4
	refreshesEach = 16
)

// shares counts what is under way for each customer. It knows those customers alone
// for whom something is.
type shares struct {
	each int

	mu    sync.Mutex
	taken map[int64]int
}

func newShares(each int) *shares { return &shares{each: each, taken: map[int64]int{}} }

// take counts one more in; false if the customer has all that one may have.
func (s *shares) take(customer int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[customer] >= s.each {
		return false
	}
	s.taken[customer]++
	return true
}

// give counts one out.
func (s *shares) give(customer int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[customer]--; s.taken[customer] <= 0 {
		delete(s.taken, customer)
	}
}
