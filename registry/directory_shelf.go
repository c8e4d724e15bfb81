package registry

import (
	"cmp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// shelf holds what readers fall back on while the store is away: AGENT sources,
// pages of both lists, and counts. (Managed sources are in memory alone, so that
// there is one newest copy of each.)
//
// What a write here has done is put right everywhere before the write is answered.
// A read that overlaps with it can't be told to be from before or after it, and so
// only replaces what is by its own marks older.
type shelf struct {
	graves *graves
	clock  atomic.Int64
	writes [64]atomic.Int64 // when a write of a customer last ended; some share one

	mu      sync.Mutex // guards what follows
	agents  *simplelru.LRU[sourceKey, agentCopy]
	counts  *simplelru.LRU[int64, tally]
	pages   *book
	managed *book
}

// moment is a point in the order of what this Directory did. Unlike a clock's times,
// no two are the same.
type moment struct {
	tick int64
	at   time.Time
}

func (m moment) after(o moment) bool { return m.tick > o.tick }

type agentCopy struct {
	s     *Source
	until moment // when what brought it had ended
	wrote bool   // a write brought it
}

type tally struct {
	n     int
	until moment
}

func newShelf(limit int, g *graves) *shelf {
	return &shelf{
		graves:  g,
		agents:  newLRU[sourceKey, agentCopy](limit, nil),
		counts:  newLRU[int64, tally](limit, nil),
		pages:   newBook(func(s *Source) int64 { return s.ID }),
		managed: newBook(func(m *Source) int64 { return m.Connection.ID }),
	}
}

func (h *shelf) now() moment { return moment{h.clock.Add(1), time.Now()} }

func (h *shelf) stripe(customer int64) *atomic.Int64 {
	return &h.writes[uint64(customer)%uint64(len(h.writes))]
}

// flight names a read, so that equal ones are made once. Who comes after a write
// joins no read from before it: the name is another.
func (h *shelf) flight(kind string, customer int64, what string) string {
	return kind + "/" + strconv.FormatInt(customer, 10) + "/" + strconv.FormatInt(h.stripe(customer).Load(), 10) + "/" + what
}

// wrote marks the end of a write. Of one whose outcome is not known, it is all that
// is done.
func (h *shelf) wrote(customer int64) moment {
	end := h.now()
	h.stripe(customer).Store(end.tick)
	return end
}

// overlaps reports whether a read that began at a moment overlapped with a write.
func (h *shelf) overlaps(customer int64, began moment) bool {
	return h.stripe(customer).Load() > began.tick
}

// compare orders two states of one sourceId by their own marks.
func compare(a, b *Source) int {
	by := cmp.Compare(a.ID, b.ID)
	switch {
	case by != 0:
	case a.Connection != nil && b.Connection != nil:
		by = cmp.Compare(a.Connection.Version, b.Connection.Version)
	case a.Agent != nil && b.Agent != nil:
		// A version before a time: clocks step back.
		by = cmp.Or(cmp.Compare(a.Agent.AuthVersion, b.Agent.AuthVersion), a.UpdatedAt.Compare(b.UpdatedAt))
	}
	return by
}

// agent gives the copy of an AGENT source, nil where there is none.
func (h *shelf) agent(key sourceKey) *Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, _ := h.agents.Get(key)
	return held.s
}

// put remembers an AGENT source that a read or a write which began at a moment gave,
// unless something newer is remembered, and gives what then is.
func (h *shelf) put(s *Source, began moment, wrote bool) *Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := keyOf(s)
	if h.graves.holds(s.ID) {
		return s
	}
	held, ok := h.agents.Get(key)
	switch {
	case !ok && !wrote && h.overlaps(key.customer, began):
		return s // what that write left may have been forgotten since
	case !ok, began.after(held.until):
	default:
		if by := compare(s, held.s); by < 0 || by == 0 && !wrote {
			return held.s
		}
	}
	h.agents.Add(key, agentCopy{s, h.now(), wrote})
	return s
}

// setPage and setManaged remember a page, setCount a count, that a read gave. With
// a write in between, it isn't known whether it has its effect.
func (h *shelf) setPage(key listKey, rows []*Source, began moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.overlaps(key.customer, began) {
		h.pages.set(key, rows, 0, h.now())
	}
}

func (h *shelf) setManaged(key listKey, rows []*Source, total int, began moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.overlaps(key.customer, began) {
		h.managed.set(key, rows, total, h.now())
	}
}

func (h *shelf) setCount(customer int64, n int, began moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.overlaps(customer, began) {
		h.counts.Add(customer, tally{n, h.now()})
	}
}

func (h *shelf) page(key listKey) ([]*Source, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows, _, ok := h.pages.get(key)
	return rows, ok
}

func (h *shelf) managedPage(key listKey) ([]*Source, int, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.managed.get(key)
}

func (h *shelf) count(customer int64) (int, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.counts.Get(customer)
	return t.n, ok
}
