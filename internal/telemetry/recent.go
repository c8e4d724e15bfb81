package telemetry

import (
	"math"
	"sync/atomic"
	"time"
)

// Over how long Recent looks back: so many slots of so long, and what has passed of the one that runs.
const (
	recentSlot    = 10 * time.Second
	recentSlots   = 30 // 5 minutes
	deliverySlot  = 10 * time.Minute
	deliverySlots = 144 // 24 hours
)

// Recent counts what this process did of late, for people who look at it now: what was over the whole time,
// and in all replicas, the metrics say. Its functions may be called from any goroutine; they take no lock.
type Recent struct {
	work       *ring[work]
	deliveries *ring[deliveries]
}

// work is what was done in a slot.
type work struct {
	reads, stale, calls atomic.Int64
	took                [len(callBounds) + 1]atomic.Int64 // calls by the least bound that they did not pass
}

type deliveries struct{ taken, refused atomic.Int64 }

// Figures are what Recent has counted.
type Figures struct {
	Over           time.Duration // how long the next are counted
	CallsPerSecond float64       // of the sales agent
	CallP95        time.Duration // of the time that a call took, retries included; 0 without a call
	StaleShare     float64       // of the statuses served: those that could not be refreshed; 0 without a read
	DeliveriesOver time.Duration // how long the next are counted
	Taken, Refused int64         // deliveries of the sales agent
}

func newRecent() *Recent {
	now := time.Now()
	return &Recent{newRing[work](now, recentSlot, recentSlots), newRing[deliveries](now, deliverySlot, deliverySlots)}
}

// Read counts a status that was served; stale: it could not be refreshed. came is about now.
func (r *Recent) Read(came time.Time, stale bool) {
	w := r.work.at(came)
	w.reads.Add(1)
	if stale {
		w.stale.Add(1)
	}
}

// Call counts a call of the sales agent that took so long.
func (r *Recent) Call(took time.Duration) {
	w := r.work.at(time.Now())
	w.calls.Add(1)
	w.took[callBucket(took)].Add(1)
}

// Delivery counts a delivery of the sales agent.
func (r *Recent) Delivery(taken bool) {
	d := r.deliveries.at(time.Now())
	if taken {
		d.taken.Add(1)
	} else {
		d.refused.Add(1)
	}
}

// Figures gives what was counted until now.
func (r *Recent) Figures() (f Figures) {
	now := time.Now()
	var reads, stale, calls int64
	var took [len(callBounds) + 1]int64
	f.Over = r.work.each(now, func(w *work) {
		reads, stale, calls = reads+w.reads.Load(), stale+w.stale.Load(), calls+w.calls.Load()
		for i := range took {
			took[i] += w.took[i].Load()
		}
	})
	f.CallsPerSecond = float64(calls) / max(f.Over, time.Second).Seconds()
	if reads > 0 {
		f.StaleShare = min(float64(stale)/float64(reads), 1) // a read may be counted meanwhile
	}
	f.CallP95 = quantile(&took, .95)
	f.DeliveriesOver = r.deliveries.each(now, func(d *deliveries) {
		f.Taken, f.Refused = f.Taken+d.taken.Load(), f.Refused+d.refused.Load()
	})
	return f
}

// callBounds are those of the times of calls, each a tenth above the one before: from a millisecond to
// over a minute and a half.
var callBounds = func() (bounds [122]time.Duration) {
	for i := range bounds {
		bounds[i] = time.Duration(float64(time.Millisecond) * math.Pow(1.1, float64(i)))
	}
	return bounds
}()

func callBucket(took time.Duration) int {
	if took <= callBounds[0] {
		return 0
	}
	i := int(math.Log(float64(took)/float64(time.Millisecond)) / math.Log(1.1))
	for i = min(i, len(callBounds)); i < len(callBounds) && callBounds[i] < took; { // what the rounding leaves
		i++
	}
	return i
}

// quantile gives the bound that so much of the calls did not pass; 0 without a call.
func quantile(took *[len(callBounds) + 1]int64, share float64) time.Duration {
	var total int64
	for _, n := range took {
		total += n
	}
	rest := int64(math.Ceil(share * float64(total)))
	for i, n := range took {
		if rest -= n; rest <= 0 && total > 0 {
			return callBounds[min(i, len(callBounds)-1)]
		}
	}
	return 0
}

// ring keeps what is counted in slots of time, the last of them.
type ring[S any] struct {
	start time.Time
	slot  time.Duration
	slots []atomic.Pointer[ringSlot[S]] // the one that runs, and those before; by their numbers
}

type ringSlot[S any] struct {
	number int64 // since start
	counts S
}

func newRing[S any](start time.Time, slot time.Duration, slots int) *ring[S] {
	return &ring[S]{start, slot, make([]atomic.Pointer[ringSlot[S]], slots+1)}
}

// at gives the slot of a time, which is about now: one that is older than what is kept counts in a later one.
func (r *ring[S]) at(t time.Time) *S {
	number := max(int64(t.Sub(r.start)/r.slot), 0)
	place := &r.slots[number%int64(len(r.slots))]
	for {
		is := place.Load()
		if is != nil && is.number >= number {
			return &is.counts
		}
		if next := (&ringSlot[S]{number: number}); place.CompareAndSwap(is, next) {
			return &next.counts
		}
	}
}

// each calls a function with the slots that are kept at a time, and gives how long they cover.
func (r *ring[S]) each(now time.Time, do func(*S)) time.Duration {
	first := max(int64(now.Sub(r.start)/r.slot)-int64(len(r.slots)-1), 0)
	for i := range r.slots {
		if is := r.slots[i].Load(); is != nil && is.number >= first {
			do(&is.counts)
		}
	}
	return max(now.Sub(r.start)-time.Duration(first)*r.slot, 0)
}
