package upstream

import (
	"cmp"
	"slices"
)

// bulkhead decides which call of the sales agent may run, and which one that waits is next.
// It knows no clock and starts nothing: see slots, whose lock guards it.
//
// Of all slots a few are for probes of breakers alone, which so go out although every other
// slot is held by a call that hangs, and the very last one is for those of the whole
// upstream's breaker. What one customer asks for may fill the others but for a few, which
// are for customers with hardly any call under way. docs/decisions/0028-the-bulkhead.md has
// the reasons for the numbers.
type bulkhead struct {
	bounds
	running   [classes]int
	seq       int64 // of calls that have come, and of those that were started
	customers map[int64]*customer
	queued    int      // calls of customers that wait
	patient   []*claim // probes that wait, in the order in which they came
	quick     []*claim
	upstream  []*claim
}

// class is a kind of call that has bounds of its own.
type class uint8

const (
	classStatus   class = iota // a status read
	classOther                 // any other call of a customer
	classPatient               // a probe that may take as long as a read
	classQuick                 // a short probe
	classUpstream              // the same, of the whole upstream's breaker
	classes
)

// bounds are how many calls may run at the same time.
type bounds struct {
	all      int
	probes   int // of these for short probes alone
	last     int // of these for probes of the whole upstream's breaker alone
	few      int // for customers with fewer calls than that
	patient  int // patient probes at most
	quick    int // short probes at most
	other    int // calls other than status reads, in all
	customer int // the same, of a customer
	tenant   int // the same, of a tenant
	queue    int // calls that wait; probes are not among them: a breaker has two at most
}

func boundsOf(concurrency int) bounds {
	b := bounds{
		all: concurrency, queue: maxQueued,
		patient: max(concurrency/4, 1), quick: max(concurrency/4, 1),
		other:    max(concurrency*3/4, 1),
		customer: max(min(concurrency/2, 32), 1), tenant: max(min(concurrency/2, 4), 1),
	}
	if concurrency >= 8 {
		b.probes = max(concurrency/16, 1)
		b.few = (b.probes + 1) / 2
	}
	if b.probes > 1 {
		b.last = 1
	}
	return b
}

// maxQueued bounds the calls that wait.
const maxQueued = 4096

// claim is a call that waits for a slot, or has one.
type claim struct {
	class    class
	customer int64
	tenant   string
	urgency  urgency
	turn     chan turn // takes one, without blocking
}

// turn is what becomes of a claim that waits.
type turn uint8

const (
	turnNone   turn = iota // nothing yet
	turnNow                // it has its slot
	turnAway               // it gave way to more urgent ones
	turnRecall             // a breaker has opened: the caller has to look again
)

// customer is what is under way and waits of one customer.
type customer struct {
	running int            // calls of both classes
	others  int            // of these, other ones
	tenants map[string]int // the other ones by tenant
	served  int64          // when the last one was started
	status  queue
	other   queue
}

func newBulkhead(b bounds) *bulkhead {
	return &bulkhead{bounds: b, customers: map[int64]*customer{}}
}

// general counts the calls in slots that are not kept for short probes.
func (b *bulkhead) general() int {
	return b.running[classStatus] + b.running[classOther] + b.running[classPatient]
}

func (b *bulkhead) total() int {
	return b.general() + b.running[classQuick] + b.running[classUpstream]
}

// room reports whether a slot is free that is not kept for short probes, so many left.
func (b *bulkhead) room(left int) bool {
	return b.general() < b.all-b.probes-left && b.total() < b.all-b.last-left
}

// roomFor reports whether a slot is free for a customer's call.
func (b *bulkhead) roomFor(c *customer) bool {
	return b.room(b.few) || b.room(0) && c.running < b.few
}

// ownBound reports whether bounds of the customer's own keep a call back, whatever is free.
func (b *bulkhead) ownBound(w *claim) bool {
	c := b.customers[w.customer]
	return w.class == classOther && c != nil && (c.others >= b.customer || !b.tenantRoom(c, w))
}

// tenantRoom reports whether a tenant's bound allows another call. Calls that are about no
// tenant that exists have none.
func (b *bulkhead) tenantRoom(c *customer, w *claim) bool {
	return w.tenant == "" || c.tenants[w.tenant] < b.tenant
}

// add has a claim wait. It returns the one that has to give way for it, perhaps itself, when
// too many wait: of the customer with most of them the least urgent.
func (b *bulkhead) add(w *claim) (away *claim) {
	b.seq++
	w.urgency.seq = b.seq
	switch w.class {
	case classPatient:
		b.patient = append(b.patient, w)
		return nil
	case classQuick:
		b.quick = append(b.quick, w)
		return nil
	case classUpstream:
		b.upstream = append(b.upstream, w)
		return nil
	}
	c := b.customers[w.customer]
	if c == nil {
		c = &customer{tenants: map[string]int{}}
		b.customers[w.customer] = c
	}
	c.queue(w.class).insert(w)
	b.queued++
	if b.queued <= b.bounds.queue {
		return nil
	}
	most := c
	for _, other := range b.customers {
		if other.waiting() > most.waiting() {
			most = other
		}
	}
	away = most.leastUrgent()
	b.remove(away)
	return away
}

func (c *customer) queue(of class) *queue {
	if of == classStatus {
		return &c.status
	}
	return &c.other
}

func (c *customer) waiting() int { return len(c.status) + len(c.other) }

func (c *customer) leastUrgent() *claim {
	s, o := c.status.last(), c.other.last()
	if s == nil || o != nil && s.urgency.before(o.urgency) {
		return o
	}
	return s
}

// remove takes a claim that waits out of its queue; false if it does not wait.
func (b *bulkhead) remove(w *claim) bool {
	switch w.class {
	case classPatient:
		return drop(&b.patient, w)
	case classQuick:
		return drop(&b.quick, w)
	case classUpstream:
		return drop(&b.upstream, w)
	}
	c := b.customers[w.customer]
	if c == nil || !c.queue(w.class).remove(w) {
		return false
	}
	b.queued--
	b.forget(w.customer, c)
	return true
}

// waits reports whether a customer's claim waits.
func (b *bulkhead) waits(w *claim) bool {
	c := b.customers[w.customer]
	if c == nil {
		return false
	}
	_, found := c.queue(w.class).find(w)
	return found
}

// before counts the claims of others that come before one of a customer with so many of its own ahead of it, at
// least: each customer has its turn until it has as many calls under way.
func (b *bulkhead) before(mine *customer, ahead int) (n int) {
	for _, c := range b.customers {
		if c != mine {
			n += min(c.status.readers()+c.other.readers(), max(0, mine.running+ahead-c.running))
		}
	}
	return n
}

// forget drops a customer of whom nothing runs or waits.
func (b *bulkhead) forget(id int64, c *customer) {
	if c.running == 0 && c.waiting() == 0 {
		delete(b.customers, id)
	}
}

// next takes the claim that is to run next out of its queue, and counts it as running; nil
// if none can.
func (b *bulkhead) next() *claim {
	short := b.running[classQuick] + b.running[classUpstream]
	switch {
	case len(b.upstream) > 0 && b.total() < b.all:
		return b.startProbe(&b.upstream)
	case len(b.quick) > 0 && short < b.probes && b.total() < b.all-b.last:
		return b.startProbe(&b.quick)
	case len(b.patient) > 0 && b.running[classPatient] < b.bounds.patient && b.room(b.few):
		return b.startProbe(&b.patient)
	}
	if w := b.nextCall(); w != nil {
		return w
	}
	if len(b.quick) > 0 && short < b.bounds.quick && b.room(b.few) {
		return b.startProbe(&b.quick)
	}
	return nil
}

func (b *bulkhead) startProbe(from *[]*claim) *claim {
	w := (*from)[0]
	*from = (*from)[1:]
	b.running[w.class]++
	return w
}

// nextCall is next for the calls of customers. Polling comes after all that readers wait
// for; then comes the customer with the fewest calls under way, and of several the one
// whose turn was the longest ago.
func (b *bulkhead) nextCall() (w *claim) {
	if b.queued == 0 || !b.room(0) {
		return nil
	}
	var of *customer
	for _, c := range b.customers {
		if !b.roomFor(c) {
			continue
		}
		mine := b.first(c)
		if mine != nil && mine.urgency.background && !b.room(b.few) {
			continue
		}
		if mine != nil && (w == nil || cmp.Or(
			compareBools(mine.urgency.background, w.urgency.background),
			cmp.Compare(c.running, of.running),
			cmp.Compare(c.served, of.served),
			cmp.Compare(mine.urgency.seq, w.urgency.seq)) < 0) {
			w, of = mine, c
		}
	}
	if w == nil {
		return nil
	}
	of.queue(w.class).remove(w)
	b.queued--
	b.seq++
	of.served = b.seq
	of.running++
	if w.class == classOther {
		of.others++
		of.tenants[w.tenant]++
	}
	b.running[w.class]++
	return w
}

// first gives the most urgent claim of a customer that its bounds allow.
func (b *bulkhead) first(c *customer) *claim {
	var s, o *claim
	if len(c.status) > 0 {
		s = c.status[0]
	}
	if b.running[classOther] < b.bounds.other && c.others < b.bounds.customer {
		for _, w := range c.other {
			if b.tenantRoom(c, w) {
				o = w
				break
			}
		}
	}
	if s == nil || o != nil && o.urgency.before(s.urgency) {
		return o
	}
	return s
}

// end counts a claim that ran as ended.
func (b *bulkhead) end(w *claim) {
	b.running[w.class]--
	if w.class > classOther {
		return
	}
	c := b.customers[w.customer]
	c.running--
	if w.class == classOther {
		c.others--
		if c.tenants[w.tenant]--; c.tenants[w.tenant] == 0 {
			delete(c.tenants, w.tenant)
		}
	}
	b.forget(w.customer, c)
}

// waiting gives all claims that wait.
func (b *bulkhead) waiting() []*claim {
	all := slices.Concat(b.patient, b.quick, b.upstream)
	for _, c := range b.customers {
		all = append(append(all, c.status...), c.other...)
	}
	return all
}
