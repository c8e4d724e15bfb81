package lifecycle

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/registry"
)

// openKey names what is open about a connection: an operation, a provisioning of unknown
// outcome, or whether its tenant is still active.
type openKey struct {
	esaID int64
	began int64 // Unix nanoseconds: a time.Time is no key; 0: nothing was begun
}

// openKeyOf gives what is open about a connection; false if nothing is.
func openKeyOf(c *registry.Connection) (openKey, bool) {
	switch {
	case c.Operation != nil:
		return openKey{c.ID, c.Operation.Begun.UnixNano()}, true
	case !c.UnsettledSince.IsZero():
		return openKey{c.ID, c.UnsettledSince.UnixNano()}, true
	}
	return openKey{}, false
}

// pauses are how long Settle waits between two tries: it doubles from first to last.
type pauses struct{ first, last time.Duration }

var (
	lookupPauses  = pauses{5 * time.Second, 30 * time.Second} // each time the list of upstream's tenants is read
	restorePauses = pauses{30 * time.Second, 5 * time.Minute}
)

// tries remember how often this process has tried to settle what is open. What is evicted
// is tried at once.
type tries struct {
	mu    sync.Mutex // held from a read to the write that follows from it
	tried *lru.Cache[openKey, tried]
}

type tried struct {
	next  time.Time
	pause time.Duration
	count int
	ours  bool // this process made the call, so that the time is its clock's
}

const maxTries = 4096

func newTries() *tries {
	cache, _ := lru.New[openKey, tried](maxTries) // fails for no size alone
	return &tries{tried: cache}
}

// begin counts a try that begins, unless it comes too early. The next may begin after the
// pause, and at the latest at the time certain.
func (r *tries) begin(key openKey, p pauses, at, certain time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.of(key)
	if at.Before(t.next) {
		return false
	}
	t.count++
	t.pause = min(max(2*t.pause, p.first), p.last)
	t.next = at.Add(t.pause)
	if at.Before(certain) && certain.Before(t.next) {
		t.next = certain
	}
	r.tried.Add(key, t)
	return true
}

// own says that this process has made a provisioning, and has looked up its tenant once.
func (r *tries) own(key openKey, certain time.Time) {
	r.begin(key, lookupPauses, now(), certain)
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.of(key)
	t.ours = true
	r.tried.Add(key, t)
}

func (r *tries) of(key openKey) tried {
	t, _ := r.tried.Get(key)
	return t
}
