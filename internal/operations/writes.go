package operations

import (
	"context"
	"sync"
	"time"

	"esagate/internal/fault"
	"esagate/internal/lifecycle"
	"esagate/upstream"
)

const (
	turnWait   = 10 * time.Second // how long a write waits for others of its connection
	expireWait = 5 * time.Second  // how long the caller of a write waits until the store knows that a status is old
)

// Errors of writes.
var (
	errStopping = fault.New(fault.Unavailable, "The gateway is stopping.")
	errPanicked = &undecidedError{fault.New(fault.Internal, "Something went wrong on our side.")}
	errTooMany  = &fault.Error{Kind: fault.Unavailable, RetryAfter: turnWait, Message: "Too much is being changed on ad servers at the moment."}
	errTurn     = &fault.Error{Kind: fault.Conflict, RetryAfter: turnWait,
		Message: "Another change of this connection is under way. Try again when that is over."}
)

// written is what became of a write.
type written struct {
	status   int
	document []byte
	err      error
}

// Write answers anything else: with a status, and a document where the contract has one. The work goes on when ctx ends;
// the error is an Unavailable then. A request that changes something fails with a Conflict where other writes of the
// connection do not end within turnWait, and while the connection itself is being changed.
func (s *Service) Write(ctx context.Context, o *Operation, r Request) (status int, document []byte, err error) {
	x, err := s.exchange(ctx, o, r)
	if err != nil {
		return 0, nil, err
	}
	customer := x.source.Connection.CustomerID
	if !s.slots.Take(customer) {
		return 0, nil, errTooMany
	}
	done := make(chan written, 1)
	began := s.work.Go(upstream.WithDemand(ctx, upstream.Demand{Customer: customer}), "write to an ad server", func(ctx context.Context) {
		w := written{err: errPanicked}
		defer func() {
			s.slots.Give(customer)
			done <- w
		}()
		w = s.write(ctx, x, r)
	})
	if !began {
		s.slots.Give(customer)
		return 0, nil, errStopping
	}
	select {
	case w := <-done:
		return w.status, w.document, w.err
	case <-ctx.Done():
		return 0, nil, &undecidedError{fault.Wrap(fault.Unavailable, "The change is still under way.", ctx.Err())}
	}
}

// write does what a request asks for, when it is its turn.
func (s *Service) write(ctx context.Context, x *exchange, r Request) (w written) {
	if x.Changes(r) {
		release, err := s.turn(ctx, &x, r)
		if err != nil {
			return written{err: err}
		}
		defer release()
	}
	if r.If != nil {
		if err := s.hold(ctx, x, r); err != nil {
			return written{err: err}
		}
	}
	if x.Changes(r) {
		defer s.settle(ctx, x)
	}
	w.document, w.err = x.run(ctx)
	w.status, w.err = x.status, x.undecided(w.err)
	return w
}

// turn waits for the turn of a write. After a wait the request is read again: the source may have changed.
func (s *Service) turn(ctx context.Context, x **exchange, r Request) (release func(), err error) {
	c := r.Source.Connection
	leave, waited := s.turns.take(ctx, c.ID)
	if leave == nil {
		return nil, errTurn
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	if waited {
		if r.Source, err = s.deps.Directory.ManagedSourceByIDNow(ctx, c.CustomerID, c.ID); err != nil {
			return nil, err
		}
		if *x, err = s.exchange(ctx, (*x).Operation, r); err != nil {
			return nil, err
		}
	}
	return leave, lifecycle.Free(r.Source.Connection)
}

// hold checks the preconditions of a write against what its State answers now.
func (s *Service) hold(ctx context.Context, x *exchange, r Request) error {
	if x.State == "" {
		return r.If(nil)
	}
	get, err := s.exchange(ctx, row(x.State), Request{Source: x.source, Vars: r.Vars})
	if err != nil {
		return err
	}
	document, err := get.run(ctx)
	if err != nil {
		return err
	}
	return r.If(s.body(document))
}

// settle makes old what a write may have changed, if it may have arrived: what is kept of the connection, and its
// status.
func (s *Service) settle(ctx context.Context, x *exchange) {
	if !x.reached {
		return
	}
	c := x.source.Connection
	s.writes(c.ID).Add(1)
	if !x.Expires {
		return
	}
	s.deps.Status.Expire(c.TenantID)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), expireWait)
	defer cancel()
	s.deps.Lifecycle.Expire(ctx, x.source)
}

// turns has the writes of a connection made one at a time, in the order in which they came.
type turns struct {
	mu    sync.Mutex
	taken map[int64]*turn // by esaId
}

type turn struct {
	free  chan struct{} // holds one element while nobody writes
	users int           // writes under way and waiting; guarded by turns.mu
}

// take waits for the turn of a write, and reports whether it had to. release ends the turn; nil: it did not come within
// turnWait, or before ctx ended.
func (t *turns) take(ctx context.Context, esaID int64) (release func(), waited bool) {
	t.mu.Lock()
	u := t.taken[esaID]
	if u == nil {
		u = &turn{free: make(chan struct{}, 1)}
		u.free <- struct{}{}
		t.taken[esaID] = u
	}
	waited = u.users > 0
	u.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if u.users--; u.users == 0 {
			delete(t.taken, esaID)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, turnWait)
	defer cancel()
	select {
	case <-u.free:
		return func() { u.free <- struct{}{}; leave() }, waited
	case <-ctx.Done():
		leave()
		return nil, true
	}
}
