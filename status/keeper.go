package status

import (
	"context"
	"slices"
	"sync"
	"time"

	"esagate/internal/background"
	"esagate/internal/events"
	"esagate/registry"
)

// The pace of the keeper.
const (
	keptPerSecond  = 30 // refreshes begun in all
	namedPerSecond = 20 // of these, of sources that are watched by their ids
	keptAtOnce     = 32
	keeperPause    = time.Second // the least time from one refresh of a source to the next
)

// keeper keeps fresh what readers of events watch, with one refresh of a source for all of them. It
// does nothing while nobody watches.
type keeper struct {
	s     *Service
	hub   *events.Hub
	work  *background.Group
	wake  chan struct{}        // holds one: something may be due earlier than it was
	lists map[int64]*watchList // by customer, 0: of all; of the goroutine that runs look

	mu      sync.Mutex
	watches map[events.Watch]struct{}
	targets map[int64]*target // by connection
	lanes   [2]lane           // of those that are watched by their ids, and of the others
	running int
}

// target is a source that is watched.
type target struct {
	src   *registry.Source
	lane  *lane
	begun time.Time // its last refresh
	due   time.Time
	busy  bool // it is being refreshed
	again bool // and is to be once more
	gone  bool
}

// lane is targets that share a pace.
type lane struct {
	targets []*target
	gap     time.Duration // between the beginnings of two refreshes
	every   time.Duration // at most so often each
	free    time.Time     // when the next may begin
}

func newKeeper(s *Service) *keeper {
	k := &keeper{s: s, hub: s.deps.Events, work: background.NewGroup(s.log), wake: make(chan struct{}, 1),
		lists: map[int64]*watchList{}, targets: map[int64]*target{}}
	if k.hub != nil {
		k.work.Go(context.Background(), "keep watched sources fresh", k.run)
	}
	return k
}

func (k *keeper) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-k.hub.Changed():
			k.keep(ctx)
		case <-ctx.Done():
		}
	}
}

// keep works until nobody watches.
func (k *keeper) keep(ctx context.Context) {
	for lookAt := time.Now(); ctx.Err() == nil; {
		now := time.Now()
		if !now.Before(lookAt) {
			if !k.look(ctx) {
				return
			}
			now = time.Now()
			lookAt = now.Add(k.listPause())
		}
		timer := time.NewTimer(max(min(lookAt.Sub(now), k.refreshDue(now)), time.Millisecond))
		select {
		case <-timer.C:
		case <-k.wake:
		case <-k.hub.Changed():
			lookAt = now.Add(changePause)
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// refreshDue begins what is due, and returns after how long something may be.
func (k *keeper) refreshDue(now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := time.Hour
	for i := range k.lanes {
		l := &k.lanes[i]
		if t := l.next(); t != nil && k.running < keptAtOnce { // the end of a refresh wakes
			at := t.due
			if at.Before(l.free) {
				at = l.free
			}
			if !at.After(now) {
				k.begin(t, now)
				l.free = now.Add(l.gap)
				at = l.free
			}
			wait = min(wait, at.Sub(now))
		}
	}
	return wait
}

// next gives the target that is due first, nil if there is none.
func (l *lane) next() (first *target) {
	for _, t := range l.targets {
		if !t.busy && !t.gone && (first == nil || t.due.Before(first.due)) {
			first = t
		}
	}
	return first
}

// begin begins the refresh of a target. The lock is held.
func (k *keeper) begin(t *target, now time.Time) {
	if k.work.Go(context.Background(), "refresh", func(ctx context.Context) {
		defer k.ended(t)
		if src, ok := k.s.deps.Directory.Newest(t.src); ok {
			k.s.refreshInTime(ctx, "refresh", src)
		}
	}) {
		t.busy, t.begun = true, now
		k.running++
	}
}

// ended says when a target that was refreshed is due again. While that fails, the cache's back-off
// says how often the sales agent is asked.
func (k *keeper) ended(t *target) {
	wait := max(k.s.cfg.Limits.Fresh, keeperPause)
	if read, ok := k.s.documents.Peek(t.src.Connection.TenantID); ok && read.Fresh >= 0 {
		wait = max(read.Fresh+time.Millisecond, keeperPause) // at the very end of its time it is still fresh
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running--
	t.busy = false
	if t.due = time.Now().Add(max(wait, t.lane.every)); t.again {
		t.again, t.due = false, t.begun.Add(keeperPause)
	}
	k.woken()
}

func (k *keeper) woken() {
	select {
	case k.wake <- struct{}{}:
	default: // it will
	}
}

// written takes in that a source was written. If its copy is old by that, it is refreshed at once.
func (k *keeper) written(src *registry.Source, deleted bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.targets[src.Connection.ID]
	if t == nil {
		if l := k.laneOf(src); l != nil && !deleted {
			k.add(&target{src: src}, l)
			k.woken()
		}
		return
	}
	if t.gone = t.gone || deleted; t.src.Connection.Version > src.Connection.Version {
		return
	}
	older := t.src.Connection.Epoch < src.Connection.Epoch
	if t.src = src; !older || t.gone {
		return
	}
	now := time.Now()
	switch t.due = t.begun.Add(keeperPause); {
	case t.busy:
		t.again = true
	case !t.due.After(now) && k.running < keptAtOnce:
		k.begin(t, now)
	default:
		k.woken()
	}
}

// hurry has the targets that match refreshed soon: their tenants answer again.
func (k *keeper) hurry(match func(*registry.Source) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.targets {
		if match(t.src) {
			t.due = t.begun.Add(keeperPause)
		}
	}
	k.woken()
}

// laneOf gives the lane of a source; nil if it is not watched, or has nothing to refresh. Of all
// sources of a customer those are kept fresh that can be live. The lock is held.
func (k *keeper) laneOf(src *registry.Source) *lane {
	watched := func(customer int64, id string) bool {
		_, ok := k.watches[events.Watch{Customer: customer, SourceID: id}]
		return ok
	}
	switch c := src.Connection; {
	case c.TenantID == "":
		return nil
	case watched(c.CustomerID, src.SourceID) || watched(events.Operators, src.SourceID):
		return &k.lanes[0]
	case c.Provisioning == registry.StatusActive && (watched(c.CustomerID, "") || watched(events.Operators, "")):
		return &k.lanes[1]
	}
	return nil
}

// add adds a target to a lane. The lock is held.
func (k *keeper) add(t *target, l *lane) {
	t.lane = l
	l.targets = append(l.targets, t)
	k.targets[t.src.Connection.ID] = t
}

// aim makes these sources the targets.
func (k *keeper) aim(watches []events.Watch, sources []*registry.Source) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.watches = make(map[events.Watch]struct{}, len(watches))
	for _, w := range watches {
		k.watches[w] = struct{}{}
	}
	before := k.targets
	k.targets = make(map[int64]*target, len(before))
	for i := range k.lanes {
		k.lanes[i].targets = slices.Grow([]*target(nil), len(k.lanes[i].targets))
	}
	for _, src := range sources {
		l := k.laneOf(src)
		if l == nil {
			continue
		}
		t := before[src.Connection.ID]
		if t == nil {
			t = &target{src: src, lane: l}
		}
		if t.src.Connection.Version < src.Connection.Version {
			t.src = src
		}
		if t.lane != l {
			t.due = t.begun.Add(keeperPause) // by another pace
		}
		k.add(t, l)
	}
	k.pace()
}

// pace sets how often the targets are refreshed: those that are watched by their ids go first, and
// the others share what is left. The lock is held.
func (k *keeper) pace() {
	named, others := &k.lanes[0], &k.lanes[1]
	fresh := max(k.s.cfg.Limits.Fresh, keeperPause)
	rate := min(float64(len(named.targets))/fresh.Seconds(), namedPerSecond)
	set := func(l *lane, rate float64) {
		l.gap = time.Duration(float64(time.Second) / rate)
		l.every = time.Duration(len(l.targets)) * l.gap
	}
	set(named, namedPerSecond)
	set(others, keptPerSecond-rate)
}
