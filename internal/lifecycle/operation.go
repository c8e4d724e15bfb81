package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
)

// Time limits of the steps of an operation. Together with ProbeTimeout they make
// Operation.Until: after that no process works on it any more, whatever hangs.
const (
	startWithin  = 10 * time.Second // from Operation.Begun until upstream is called: the claim must be on disk
	readTimeout  = 30 * time.Second // of a read from upstream; the list of its tenants can be long
	callTimeout  = 30 * time.Second // of a change for which upstream does not ask an ad server
	writeTimeout = 10 * time.Second // of one try to restore settings
	reserve      = 15 * time.Second
)

// operation is an operation on a connection that this process works on.
type operation struct {
	*core
	target
	registry.Operation
}

// newOperation makes an operation that begins now.
func (c *core) newOperation(t target, kind registry.OperationKind) operation {
	o := operation{c, t, registry.Operation{Kind: kind, ID: rand.Text()}}
	o.begin(kind)
	return o
}

// begin makes it an operation of a kind that begins now.
func (o *operation) begin(kind registry.OperationKind) {
	o.Kind, o.Begun = kind, now()
	o.Until = o.Begun.Add(o.timeLimit(kind))
}

// timeLimit is how long an operation may take.
func (c *core) timeLimit(kind registry.OperationKind) time.Duration {
	switch kind {
	case registry.OperationProvision:
		return startWithin + c.cfg.ProbeTimeout + readTimeout + reserve
	case registry.OperationConfigure:
		return startWithin + readTimeout + c.cfg.ProbeTimeout + restoreTries*(writeTimeout+restoreLast) + reserve
	}
	return startWithin + callTimeout + readTimeout + reserve
}

// certainAt is the time from which the outcome of an operation that was cut short can't
// change any more: upstream was called at the latest startWithin after it began.
func (c *core) certainAt(op *registry.Operation) time.Time {
	return op.Begun.Add(startWithin + c.unsettled)
}

// within bounds a call of upstream that belongs to the operation.
func (o operation) within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(limit, time.Until(o.Until)-time.Second))
}

// sending bounds the call that makes the change: it begins by then, or not at all, so that it
// is known when the change can't come any more.
func (o operation) sending(ctx context.Context, by time.Time, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(upstream.WithStartBy(ctx, by), min(time.Until(by)+limit, time.Until(o.Until)-time.Second))
}

// inProgress reports whether a process may be working on a connection's operation.
func inProgress(c *registry.Connection) bool {
	return c.Operation != nil && now().Before(c.Operation.Until)
}

func holds(c *registry.Connection, id string) bool { return c.Operation != nil && c.Operation.ID == id }

// claim commits that the operation begins, if precondition and begin allow it. It gives the
// connection as it is then, and as it was before; after an error of theirs, was is what they were given.
func (o operation) claim(ctx context.Context, precondition registry.Precondition,
	begin transition) (m, was *registry.Source, err error) {
	perhaps := false // it may be claimed
	for range claimTries {
		m, err = o.registry.ChangeConnection(ctx, o.customer, o.esaID, func(current *registry.Source) (*registry.Connection, error) {
			if holds(current.Connection, o.ID) { // by the last try, whose outcome was not known
				return nil, nil
			}
			before := *current
			was = &before
			if err := precondition.Check(current); err != nil {
				return nil, err
			}
			next, err := begin(*current.Connection)
			if err != nil {
				return nil, err
			}
			next.Operation = &o.Operation
			return &next, nil
		})
		if !errors.Is(err, registry.ErrOutcomeUnknown) {
			break
		}
		perhaps = true
	}
	if perhaps && was != nil && fault.Is(err, fault.Unavailable) { // nothing was sent: restore the record
		previous := *was.Connection
		o.work.Go(ctx, "withdraw an operation", func(ctx context.Context) {
			_, _ = retry(ctx, func(ctx context.Context) (written, error) {
				return o.write(ctx, ending{became: restored(previous), next: previous.Operation})
			})
		})
	}
	return m, was, err
}

const claimTries = 3

// ending is how an operation ends.
type ending struct {
	outcome Outcome
	became  transition          // what the record becomes
	late    transition          // what is still true when others have settled the operation; nil: nothing
	next    *registry.Operation // what follows it; nil: nothing
	cause   error               // of the outcome, for the log
}

// written is what a write made of a record. held: the operation was still in it.
type written struct {
	source *registry.Source
	held   bool
}

// end records how the operation ended, as record does, and reports it unless others have
// settled it and reported that.
func (o operation) end(ctx context.Context, e ending) (*registry.Source, error) {
	w, err := o.record(ctx, e)
	if w.held {
		o.report(ctx, e.outcome, errors.Join(e.cause, err))
	}
	return w.source, err
}

// record writes how the operation ended. While the store is away the write is repeated,
// for a while with the caller and then without: the error is then an Unavailable.
func (o operation) record(ctx context.Context, e ending) (written, error) {
	perhaps := false // an earlier try may have been committed
	w, err := persist(ctx, o.core, o.target, func(ctx context.Context) (written, error) {
		w, err := o.write(ctx, e)
		w.held = w.held || perhaps
		perhaps = perhaps || errors.Is(err, registry.ErrOutcomeUnknown)
		return w, err
	})
	w.held = w.held || fault.Is(err, fault.Unavailable)
	return w, err
}

// write makes one try at recording how the operation ended.
func (o operation) write(ctx context.Context, e ending) (written, error) {
	var before registry.Connection
	held := true // unless it is seen not to be
	m, err := o.registry.ChangeConnection(ctx, o.customer, o.esaID, func(current *registry.Source) (*registry.Connection, error) {
		before = *current.Connection
		if held = holds(current.Connection, o.ID); held {
			next, err := e.became(*current.Connection)
			next.Operation = e.next
			return &next, err
		}
		if e.late == nil {
			return nil, nil
		}
		next, err := e.late(*current.Connection)
		return &next, err
	})
	if err == nil && before.Provisioning != m.Connection.Provisioning && m.Connection.TenantID != "" {
		o.changed(m)
	}
	return written{m, held}, err
}

// report counts and logs how the operation ended; an empty outcome was reported before.
func (o operation) report(ctx context.Context, outcome Outcome, err error) {
	if outcome == "" {
		return
	}
	o.done(o.Kind, outcome)
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("operation", string(o.Kind)), slog.String("outcome", string(outcome))}
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", err))
	}
	o.logAbout(ctx, level, "a change of a connection has ended", o.target, attrs...)
}

// How long a write is repeated while the store is away.
const (
	retryFirst    = 200 * time.Millisecond
	retryLast     = 15 * time.Second
	storePatience = 10 * time.Second // with the caller, within the write time of its request
)

// persist makes a write whose loss would leave the record untrue: for storePatience at
// once, and then in the background until the store is back or the process ends. The write
// must be harmless when it is repeated.
func persist[T any](ctx context.Context, c *core, t target, write func(context.Context) (T, error)) (T, error) {
	first, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	first, stop := registry.SpendWriteTime(first)
	defer stop()
	value, err := retry(first, write)
	if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return value, err
	}
	c.logAbout(ctx, slog.LevelWarn, "the outcome of a change can't be recorded yet", t, slog.Any("error", err))
	if !c.work.Go(ctx, "record an outcome", func(ctx context.Context) {
		if _, err := retry(ctx, write); err != nil {
			c.logAbout(ctx, slog.LevelError, "the outcome of a change could not be recorded", t, slog.Any("error", err))
		}
	}) {
		return value, err
	}
	e := *fault.As(err)
	e.Message = textNotRecorded
	return value, &e
}

// retry repeats a write while the store is away, until ctx ends.
func retry[T any](ctx context.Context, write func(context.Context) (T, error)) (T, error) {
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		value, err := write(ctx)
		if !fault.Is(err, fault.Unavailable) || !background.Sleep(ctx, background.Jitter(pause)) {
			return value, err
		}
	}
}
