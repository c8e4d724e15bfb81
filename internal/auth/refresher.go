package auth

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"esagate/internal/background"
)

// maxWaiting bounds how many requests wait for one refresher at a time. Further
// ones do not wait.
const maxWaiting = 1000

// refresher runs a function on a schedule and when it is asked to: one run at a time,
// and none within spacing of the start of the last.
type refresher struct {
	run     func(context.Context) (next time.Duration) // gives when to run again
	spacing time.Duration
	timeout time.Duration // of one run
	// joins: callers are served by a run that is under way. Else they are served by one
	// that begins after they ask, since one under way may have looked already.
	joins bool

	flight  *background.Flight[struct{}] // its keys are rounds
	turn    chan struct{}                // holds one while a run goes on, or waits to begin
	waiting chan struct{}                // holds one for each caller that waits

	mu      sync.Mutex
	due     *time.Timer
	stopped bool
	round   int // the run that serves a caller that asks now
	running bool
	began   time.Time // the last run
}

func newRefresher(g *background.Group, f *refresher) *refresher {
	f.flight = background.NewFlight[struct{}](g, "auth refresh", 2*(f.spacing+f.timeout))
	f.turn, f.waiting = make(chan struct{}, 1), make(chan struct{}, maxWaiting)
	return f
}

// start begins the schedule, which stop ends.
func (f *refresher) start(first time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = time.AfterFunc(first, f.want)
}

// stop ends the schedule, once the Group is closed.
func (f *refresher) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.due.Stop()
}

// want has it run if that may be now, and does not wait for it.
func (f *refresher) want() { f.ask(context.Background(), 0) }

// ask has it run and waits for the end, unless too many wait or the run may not begin
// within patience: then it runs as soon as it may. ask reports whether patience ran out.
func (f *refresher) ask(ctx context.Context, patience time.Duration) (late bool) {
	f.mu.Lock()
	round, soon := f.round, f.joins && f.running || f.spacing-time.Since(f.began) <= patience
	if !soon && !f.stopped {
		f.due.Reset(f.spacing - time.Since(f.began)) // no later than it is due
	}
	f.mu.Unlock()
	if !soon {
		return false
	}
	select {
	case f.waiting <- struct{}{}:
		defer func() { <-f.waiting }()
	default:
		return false
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, _, err := f.flight.Do(wait, strconv.Itoa(round), func(ctx context.Context) (struct{}, error) { return struct{}{}, f.once(ctx, round) })
	return errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
}

func (f *refresher) once(ctx context.Context, round int) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if f.past(round) { // just now
		return nil
	}
	if !background.Sleep(ctx, f.untilFree()) {
		return ctx.Err()
	}
	f.mark(true)
	next := max(f.spacing, time.Second) // after a panic
	defer func() {
		f.mark(false)
		f.due.Reset(next)
	}()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	next = f.run(ctx)
	return nil
}

func (f *refresher) past(round int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return round != f.round
}

// mark records that a run begins or ends.
func (f *refresher) mark(begins bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = begins
	if begins {
		f.began = time.Now()
	}
	if begins != f.joins {
		f.round++
	}
}

// untilFree gives how long it is until a run that is asked for may begin.
func (f *refresher) untilFree() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.spacing - time.Since(f.began)
}
