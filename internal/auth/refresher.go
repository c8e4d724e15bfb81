package auth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/internal/background"
)

// maxWaiting bounds how many requests wait for one refresher at a time. Further
// ones do not wait.
const maxWaiting = 1000

// refresher runs a function in one goroutine: on a schedule, and when it is asked
// to, but then never twice within spacing.
type refresher struct {
	run     func(context.Context) (next time.Duration) // gives when to run again
	spacing time.Duration                              // from start to start
	timeout time.Duration                              // of one run
	log     *slog.Logger

	wake  chan struct{} // holds one exactly while coming was asked for and has not begun
	ended chan struct{} // closed when loop returns

	mu      sync.Mutex
	coming  round // asked for, not begun
	running round
	began   time.Time // the last run
	waiting int
}

// round is closed at the end of one run; nil: there is none.
type round chan struct{}

func newRefresher(spacing, timeout time.Duration, log *slog.Logger, run func(context.Context) time.Duration) *refresher {
	return &refresher{run: run, spacing: spacing, timeout: timeout, log: log,
		wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// loop runs until life ends, the first time after a while.
func (f *refresher) loop(life context.Context, first time.Duration) {
	defer close(f.ended)
	next := time.NewTimer(first)
	defer next.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-next.C:
		case <-f.wake:
			if !background.Sleep(life, f.untilFree()) {
				return
			}
		}
		next.Reset(f.once(life))
	}
}

func (f *refresher) once(life context.Context) time.Duration {
	f.mu.Lock()
	f.running, f.coming, f.began = f.coming, nil, time.Now()
	if f.running == nil {
		f.running = make(round)
	}
	select {
	case <-f.wake: // asked for and begun by schedule
	default:
	}
	f.mu.Unlock()

	ctx, cancel := context.WithTimeout(life, f.timeout)
	defer cancel()
	next := max(f.spacing, time.Second) // after a panic
	_ = background.Guard(ctx, f.log, "auth refresh", func(ctx context.Context) error {
		next = f.run(ctx)
		return nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.running)
	f.running = nil
	return next
}

// outcome is what came of asking.
type outcome uint8

const (
	notWaited outcome = iota // none to wait for, too many wait, or who asked has gone
	answered                 // a run has ended
	late                     // patience ran out
)

// ask asks for a run and waits for its end. Only one that begins from now on
// counts, since one under way may have looked already; with join it counts too.
func (f *refresher) ask(ctx context.Context, patience time.Duration, join bool) outcome {
	r := f.enter(patience, join)
	if r == nil {
		return notWaited
	}
	defer func() {
		f.mu.Lock()
		f.waiting--
		f.mu.Unlock()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r:
		return answered
	case <-timer.C:
	case <-ctx.Done():
		return notWaited
	case <-f.ended:
		return notWaited
	}
	select { // both at once
	case <-r:
		return answered
	default:
		return late
	}
}

// enter gives the round to wait for, nil when there is none worth waiting for.
func (f *refresher) enter(patience time.Duration, join bool) round {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.running
	if r == nil || !join {
		r = f.request()
		if f.spacing-time.Since(f.began) > patience {
			return nil
		}
	}
	if f.waiting >= maxWaiting {
		return nil
	}
	f.waiting++
	return r
}

// want asks for a run without waiting for it.
func (f *refresher) want() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.request()
}

// request gives the round that comes next; f.mu is held.
func (f *refresher) request() round {
	if f.coming == nil {
		f.coming = make(round)
		f.wake <- struct{}{} // has room: it is taken out together with coming
	}
	return f.coming
}

// untilFree gives how long it is until a run that is asked for may begin.
func (f *refresher) untilFree() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.spacing - time.Since(f.began)
}
