package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// flight is a piece of work that somebody asked for and may stop waiting for.
type flight[T any] struct {
	done  chan struct{}
	value T     // once done
	err   error // once done
}

// flights are the pieces of work under way that callers asked for.
type flights struct {
	all      int
	customer map[int64]int // the shares of those who have any
}

// maxFlightsEach is a customer's share of maxFlights: nobody can have them all.
const maxFlightsEach = 32

// take reports whether one more may begin.
func (f *flights) take(customer int64) bool {
	if f.all >= maxFlights || f.customer[customer] >= maxFlightsEach {
		return false
	}
	if f.customer == nil {
		f.customer = map[int64]int{}
	}
	f.all++
	f.customer[customer]++
	return true
}

func (f *flights) release(customer int64) {
	f.all--
	if f.customer[customer]--; f.customer[customer] == 0 {
		delete(f.customer, customer)
	}
}

// fly begins a piece of work for a customer. Its context has the values of the caller's
// and ends with the Lifecycle alone.
func fly[T any](ctx context.Context, l *Lifecycle, customer int64, work func(context.Context) (T, error)) (*flight[T], error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errStopping()
	}
	if !l.flights.take(customer) {
		return nil, errTooMany()
	}
	f := &flight[T]{done: make(chan struct{}), err: fault.New(fault.Internal, textPanic)}
	l.running.Go(func() {
		defer func() {
			l.mu.Lock()
			l.flights.release(customer)
			l.mu.Unlock()
			close(f.done)
		}()
		l.safely(ctx, l.life, func(ctx context.Context) { f.value, f.err = work(ctx) })
	})
	return f, nil
}

// wait gives the outcome, or an Unavailable once the caller's context has ended.
func (f *flight[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, errUnderWay(ctx.Err())
	}
}

// later runs what nobody waits for; false when the Lifecycle is closed. The context is
// made as that of a flight.
func (l *Lifecycle) later(ctx, life context.Context, work func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Go(func() { l.safely(ctx, life, work) })
	return true
}

// safely runs work under a context that has ctx's values and life's end. Nobody above
// could catch a panic; its value may hold anything and goes nowhere.
func (l *Lifecycle) safely(ctx, life context.Context, work func(context.Context)) {
	defer func() {
		if p := recover(); p != nil {
			l.log.LogAttrs(life, slog.LevelError, "a change of a connection panicked", slog.Any("stack", background.Callers()))
		}
	}()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	work(ctx)
}

// attempt is what a provisioning and the caller who waits for it have to agree on:
// whether the caller was told that it is under way. After that it can't be undone.
type attempt struct {
	claimed chan struct{}    // closed once it is written down
	stands  *registry.Source // once claimed

	mu    sync.Mutex
	over  bool // no caller is told any more that it is under way
	told  bool // the caller was
	left  bool // the caller did not wait
	begun bool // claimed is closed
}

func newAttempt() *attempt { return &attempt{claimed: make(chan struct{})} }

func (a *attempt) begin(m *registry.Source) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.begun { // else it is another try, on the same connection
		a.begun, a.stands = true, m
		close(a.claimed)
	}
}

// tell reports whether the caller may be told that it is under way.
func (a *attempt) tell() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = !a.over
	return a.told
}

// undo reports whether all may become as if nothing had been asked.
func (a *attempt) undo() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = !a.told
	return a.over
}

func (a *attempt) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = true
}

func (a *attempt) abandoned() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left
}

// await gives the outcome of a provisioning, or after CallerWait the connection as it
// stands, by way of stands.
func await[T any](ctx context.Context, l *Lifecycle, f *flight[T], a *attempt, stands func(*registry.Source) T) (T, error) {
	patience := time.NewTimer(l.cfg.CallerWait)
	defer patience.Stop()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
	case <-patience.C:
		select {
		case <-f.done:
			return f.value, f.err
		case <-ctx.Done():
		case <-a.claimed:
			if a.tell() {
				return stands(l.standing(a.stands)), nil
			}
		}
	}
	value, err := f.wait(ctx)
	if ctx.Err() != nil {
		a.leave()
	}
	return value, err
}

// standing gives a connection as it is known to stand.
func (l *Lifecycle) standing(m *registry.Source) *registry.Source {
	ctx, cancel := context.WithTimeout(l.life, standingTimeout)
	defer cancel()
	if newer, err := l.registry.ManagedSourceByID(ctx, m.Connection.CustomerID, m.Connection.ID); err == nil {
		return newer
	}
	return m
}

// standingTimeout bounds how long a caller waits for the newest state once the work
// has taken long enough.
const standingTimeout = time.Second
