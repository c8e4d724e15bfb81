package upstream

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"esagate/internal/fault"
)

// LongestWait is how long a call waits for its slot at most: one of the background, or of
// readers who have a copy meanwhile. Others wait for Timeout at most.
const LongestWait = time.Minute

// patientWait is how long a probe waits for a slot in which it may take as long as a read,
// before it becomes a short one.
const patientWait = 300 * time.Millisecond

// waitNoted is from when on a call's wait for slots is no trifle.
const waitNoted = 10 * time.Millisecond

// slots gives calls their turns, as a bulkhead decides.
type slots struct {
	metrics *metrics

	mu    sync.Mutex
	b     *bulkhead
	hold  [classPatient]mean // how long calls had their slots, of those that ended since some wait; by class
	moved time.Time          // when a slot was last given away or became free
}

// mean is an average of times, of the latest ones most.
type mean struct {
	of    time.Duration
	count int // up to meanOf
}

// meanOf is of how many times, about, a mean is.
const meanOf = 32

func (m *mean) add(d time.Duration) {
	m.count = min(m.count+1, meanOf)
	m.of += (d - m.of) / time.Duration(m.count)
}

func newSlots(concurrency int) *slots { return &slots{b: newBulkhead(boundsOf(concurrency))} }

// acquire waits for a slot, no longer than wait, until ctx ends or nobody wants the call any
// more. recalled says that the caller has to look again, because a breaker has opened. The
// slot is to be released.
func (s *slots) acquire(ctx context.Context, w *claim, unwanted <-chan struct{}, wait time.Duration) (recalled bool, f *failure) {
	w.turn = make(chan turn, 1)
	s.join(w)
	had, why := s.await(ctx, w, unwanted, wait), refusedWaited
	after, own := time.Second, false
	if had != turnNow {
		s.mu.Lock()
		after, own = min(max(s.turnIn(w, time.Now()), time.Second), retryAfterLimit), s.b.ownBound(w)
		if had == turnNone && !s.b.remove(w) {
			had = <-w.turn // meanwhile
		}
		s.mu.Unlock()
	}
	select {
	case <-unwanted:
		why = refusedUnwanted
	default:
	}
	switch {
	case had == turnRecall:
		return true, nil
	case had == turnAway:
		why = refusedFull
	case had == turnNow && why != refusedUnwanted && ctx.Err() == nil:
		return false, nil
	case had == turnNow:
		s.release(w, 0)
	case own && why == refusedWaited:
		why = refusedCustomer
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return false, neverSent(lost(ctx, ctx.Err()))
	}
	if w.class <= classOther {
		s.metrics.refused(ctx, why)
	}
	return false, busy(why, after)
}

// join has a claim wait, and dispatches.
func (s *slots) join(w *claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waited := s.b.queued > 0
	if away := s.b.add(w); away != nil {
		away.turn <- turnAway
	}
	s.dispatch()
	if !waited && s.b.queued > 0 { // what was before says little of what is to come
		s.hold = [classPatient]mean{}
	}
}

// await waits for the turn of a claim, until ctx ends or nobody wants it any more, no longer than wait: turnNone.
// A reader without a copy does not begin to wait where its turn would come too late for the call itself, and waits no
// longer when it can't come at all: the one is stricter than the other, so that those who wait at all are mostly served.
func (s *slots) await(ctx context.Context, w *claim, unwanted <-chan struct{}, wait time.Duration) turn {
	until, look := time.Now().Add(wait), wait
	if w.urgency.forReader() {
		look = wait / 32
	}
	if s.tooLate(w, wait, wait/2) {
		return turnNone
	}
	timer := time.NewTimer(look)
	defer timer.Stop()
	for {
		select {
		case had := <-w.turn:
			return had
		case <-timer.C:
		case <-ctx.Done():
			return turnNone
		case <-unwanted:
			return turnNone
		}
		left := time.Until(until)
		if left <= 0 || s.tooLate(w, left, 0) {
			return turnNone
		}
		look *= 2
		timer.Reset(min(look, left))
	}
}

// tooLate reports whether somebody waits for a claim whose turn can't come in the time that is left, less what the
// call takes then, but no more than most.
func (s *slots) tooLate(w *claim, left, most time.Duration) bool {
	if w.class > classOther || !w.urgency.forReader() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.waits(w) && s.turnIn(w, time.Now()) > left-min(s.hold[w.class].of, most)
}

// release gives a slot back that a call had for so long; 0: it made no use of it.
func (s *slots) release(w *claim, held time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.end(w)
	if w.class < classPatient && held > 0 {
		s.hold[w.class].add(held)
		s.moved = time.Now()
	}
	s.dispatch()
}

// dispatch gives free slots away. The lock is held.
func (s *slots) dispatch() {
	for w := s.b.next(); w != nil; w = s.b.next() {
		if w.class < classPatient {
			s.moved = time.Now()
		}
		w.turn <- turnNow
	}
}

// recall has the calls look again that wait and are wanted: a breaker has opened.
func (s *slots) recall(wanted func(*claim) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.b.waiting() {
		if wanted(w) && s.b.remove(w) {
			w.turn <- turnRecall
		}
	}
}

// counts gives how many calls are under way, and how many wait.
func (s *slots) counts() (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.total(), len(s.b.waiting())
}

// turnIn estimates when a call that waits, or is refused, gets its slot at the earliest: if nothing more urgent
// comes, and slots become free as fast as they did since calls wait. 0: nothing is known of that. The lock is held.
func (s *slots) turnIn(w *claim, now time.Time) time.Duration {
	c := s.b.customers[w.customer]
	if c == nil || w.class > classOther {
		return 0
	}
	ahead, _ := c.queue(w.class).find(w)
	pace := s.paceOf(classOther, c.others, now) // calls a second
	if !s.b.ownBound(w) {
		ahead += s.b.before(c, ahead)
		pace = s.paceOf(classStatus, s.b.running[classStatus], now) + s.paceOf(classOther, s.b.running[classOther], now)
	}
	if pace == 0 {
		return 0
	}
	return time.Duration(float64(ahead+1) / pace * float64(time.Second))
}

// paceOf gives how many of so many calls end in a second. When none began or ended for a while, each of them has
// run for at least that long.
func (s *slots) paceOf(of class, running int, now time.Time) float64 {
	return float64(running) / max(s.hold[of].of, now.Sub(s.moved), time.Millisecond).Seconds()
}

// refused is why a call got no slot, as metrics count it.
type refused string

const (
	refusedWaited   refused = "waited"   // for too long, or would have
	refusedFull     refused = "full"     // too many wait
	refusedCustomer refused = "customer" // bounds of the customer's own
	refusedUnwanted refused = "unwanted" // nobody waits any more
)

// BusyMessage says of a call that it got no slot, or too late.
const BusyMessage = "The sales agent is asked for more than it can do at the moment."

// busy is the failure of a call that got no slot.
func busy(why refused, after time.Duration) *failure {
	e := &fault.Error{Kind: fault.Unavailable, Message: BusyMessage,
		RetryAfter: after, Cause: &busyError{why}}
	if why == refusedCustomer {
		e.Kind, e.Message = fault.RateLimited, "Too many calls of this customer's wait for the sales agent."
	}
	return neverSent(&failure{outcome: outcomeBusy, blame: blameUnknown, err: e})
}

// IsBusy reports whether a call was not begun because it got no slot among those that run
// at the same time: it waited too long, too many waited, or nobody waited for it any more.
// Such an error says nothing of the sales agent.
func IsBusy(err error) bool {
	var b *busyError
	return errors.As(err, &b)
}

// busyError marks the cause of a call that got no slot.
type busyError struct{ why refused }

// Error implements error.
func (e *busyError) Error() string { return "no slot for the call: " + string(e.why) }

// enter waits for the slot of an attempt, unless a breaker keeps it back, and gives it a
// context with the time that its call has left: waiting takes none of that. leave is to be
// called when the attempt has ended.
func (c *Client) enter(ctx context.Context, cl *call) (timed context.Context, leave func(), f *failure) {
	d, came := demandFrom(ctx), time.Now()
	w := &claim{class: classOther, customer: d.Customer, tenant: cl.tenantID,
		urgency: urgency{background: d.Background, copyFrom: d.CopyFrom}}
	if cl.op == opStatus {
		w.class = classStatus
	}
	wait := c.cfg.Timeout
	if d.Queued != nil {
		wait -= wait / 20 // those who wait behind it hear of the refusal before they leave
	}
	if d.Background || !d.CopyFrom.IsZero() {
		wait = LongestWait
	}
	until := came.Add(wait)
	if !d.StartBy.IsZero() && d.StartBy.Before(until) {
		until = d.StartBy
	}
	if d.Queued != nil {
		d.Queued(true)
	}
	for recalled := true; recalled; {
		if ctx.Err() != nil {
			return nil, nil, neverSent(lost(ctx, ctx.Err())) // past the breakers: upstream was not asked
		}
		if f := c.keptBack(cl); f != nil {
			return nil, nil, f
		}
		if cl.probes != nil {
			recalled, f = c.acquireProbe(ctx, w, cl)
		} else {
			recalled, f = c.slots.acquire(ctx, w, d.Unwanted, time.Until(until))
		}
		if f != nil {
			cl.waited += time.Since(came)
			return nil, nil, f
		}
	}
	began := time.Now()
	if d.Queued != nil {
		d.Queued(false)
	}
	waited := began.Sub(came)
	cl.waited += waited
	c.metrics.waited(ctx, waited)
	if cl.deadline.IsZero() {
		cl.deadline = began.Add(cmp.Or(cl.limit, c.cfg.FetchTimeout))
	} else {
		cl.deadline = cl.deadline.Add(waited)
	}
	timed, cancel := context.WithDeadline(ctx, cl.deadline)
	return timed, func() {
		cancel()
		c.slots.release(w, time.Since(began))
	}, nil
}

// acquireProbe waits for the slot of a probe. One that may take as long as a read becomes a
// short one where no slot for those is free soon.
func (c *Client) acquireProbe(ctx context.Context, w *claim, cl *call) (recalled bool, f *failure) {
	if !cl.quick {
		w.class = classPatient
		if recalled, f = c.slots.acquire(ctx, w, cl.unwanted, patientWait); f == nil || !hasWaited(f) {
			return recalled, f
		}
		cl.quick, cl.limit = true, min(c.cfg.FetchTimeout, probeQuick)
	}
	w.class = classQuick
	if cl.probes == c.upstream {
		w.class = classUpstream
	}
	return c.slots.acquire(ctx, w, cl.unwanted, LongestWait)
}

// hasWaited reports whether a call got no slot because it waited too long.
func hasWaited(f *failure) bool {
	var b *busyError
	return errors.As(f.err, &b) && b.why == refusedWaited
}
