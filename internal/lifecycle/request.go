package lifecycle

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"esagate/registry"
	"esagate/upstream"
)

// result is what became of a request.
type result[T any] struct {
	value T
	err   error
}

// start begins the work of a customer's request. It goes on when the caller leaves; its
// context has ctx's values and ends with the Lifecycle alone.
func start[T any](ctx context.Context, c *core, customer int64, work func(context.Context) (T, error)) (<-chan result[T], error) {
	if !c.slots.Take(customer) {
		return nil, errTooMany
	}
	done := make(chan result[T], 1)
	ctx = upstream.WithDemand(ctx, upstream.Demand{Customer: customer})
	if !c.work.Go(ctx, "change a connection", func(ctx context.Context) {
		r := result[T]{err: errPanicked}
		defer func() {
			c.slots.Give(customer)
			done <- r
		}()
		r.value, r.err = work(ctx)
	}) {
		c.slots.Give(customer)
		return nil, errStopping
	}
	return done, nil
}

// run is start for a change of a connection, and waits for the result; an Unavailable when
// the caller's context ends earlier.
func run[T any](ctx context.Context, l *Lifecycle, m *registry.Source, work func(context.Context) (T, error)) (value T, err error) {
	done, err := start(ctx, l.core, m.Connection.CustomerID, work)
	if err != nil {
		return value, err
	}
	select {
	case r := <-done:
		l.checkRefused(m, r.err)
		return r.value, r.err
	case <-ctx.Done():
		return value, errUnderWay(ctx.Err())
	}
}

// attempt is what a provisioning and its waiting caller have to agree on: either the
// caller is answered while it is under way, or it may still be withdrawn.
type attempt struct {
	recorded chan struct{}    // closed once the operation is on disk
	source   *registry.Source // once recorded
	once     sync.Once        // closes recorded

	decided atomic.Int32 // undecided, answered or withdrawn: the first that is set stays
	left    atomic.Bool  // the caller did not wait
}

const (
	undecided int32 = iota
	answered        // the caller was told that it is under way
	withdrawn       // all becomes as if nothing had been requested
)

func newAttempt() *attempt { return &attempt{recorded: make(chan struct{})} }

// record says that the operation is on disk. A second try on the same connection changes
// nothing.
func (a *attempt) record(m *registry.Source) {
	a.once.Do(func() {
		a.source = m
		close(a.recorded)
	})
}

func (a *attempt) decide(d int32) bool {
	return a.decided.CompareAndSwap(undecided, d) || a.decided.Load() == d
}

// await gives the outcome of a provisioning, or after CallerWait the connection as it is
// then (contract 5.7).
func (a *attempt) await(ctx context.Context, c *core, done <-chan result[Connected]) (Connected, error) {
	timer := time.NewTimer(c.cfg.CallerWait)
	defer timer.Stop()
	var recorded <-chan struct{} // nil, and never ready, until CallerWait is over
	for {
		select {
		case r := <-done:
			return r.value, r.err
		case <-ctx.Done():
			a.left.Store(true)
			return Connected{}, errUnderWay(ctx.Err())
		case <-timer.C:
			recorded = a.recorded
		case <-recorded:
			if a.decide(answered) {
				return Connected{Source: c.newest(ctx, a.source)}, nil
			}
			recorded = nil
		}
	}
}

// newestTimeout bounds how long a caller waits for the newest state of a connection.
const newestTimeout = time.Second

// newest gives a connection as the registry has it now, or m if that can't be read.
func (c *core) newest(ctx context.Context, m *registry.Source) *registry.Source {
	ctx, cancel := context.WithTimeout(ctx, newestTimeout)
	defer cancel()
	if newer, err := c.registry.ManagedSourceByID(ctx, m.Connection.CustomerID, m.Connection.ID); err == nil {
		return newer
	}
	return m
}
