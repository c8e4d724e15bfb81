package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// target is the connection that something is done to.
type target struct {
	customer, esaID int64
	sourceID        string
	row             int64 // the source's own id: a sourceId can be somebody else's later
}

func targetOf(m *registry.Source) target {
	return target{customer: m.Connection.CustomerID, esaID: m.Connection.ID, sourceID: m.SourceID, row: m.ID}
}

// Time limits of the steps of an operation. Together with ProbeTimeout they make
// Operation.Until: nobody works on it any more then, whatever hangs.
const (
	startWithin = 10 * time.Second // from Operation.Begun until upstream is called: the claim has to be on disk
	lookTimeout = 30 * time.Second // a question to upstream; the list of its tenants can be long
	callTimeout = 30 * time.Second // a change that it makes without trying anything out
	putTimeout  = 10 * time.Second // settings put back, each try
	slack       = 15 * time.Second
)

// begin makes an operation, which is this process's own until end is called.
func (l *Lifecycle) begin(kind registry.OperationKind) (op registry.Operation, end func()) {
	id := rand.Text()
	l.mu.Lock()
	l.own[id] = true
	l.mu.Unlock()
	begun := now()
	return registry.Operation{Kind: kind, ID: id, Begun: begun, Until: begun.Add(l.allowed(kind))}, func() {
		l.mu.Lock()
		delete(l.own, id)
		l.mu.Unlock()
	}
}

func (l *Lifecycle) ours(op *registry.Operation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own[op.ID]
}

// allowed is how long an operation may take.
func (l *Lifecycle) allowed(kind registry.OperationKind) time.Duration {
	switch kind {
	case registry.OperationProvision:
		return startWithin + l.cfg.ProbeTimeout + lookTimeout + slack
	case registry.OperationConfigure:
		return startWithin + lookTimeout + l.cfg.ProbeTimeout + putTries*(putTimeout+putPause) + slack
	}
	return startWithin + callTimeout + lookTimeout + slack
}

// within bounds a call of upstream that belongs to an operation.
func within(ctx context.Context, op registry.Operation, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(limit, time.Until(op.Until)-time.Second))
}

// claim commits that an operation begins, if begin allows it. It gives the connection
// as it stands then, and was, as it stood before; after an error of begin, was is what
// begin was given.
func (l *Lifecycle) claim(ctx context.Context, t target, op registry.Operation, begin transition) (m, was *registry.Source, err error) {
	for try := 1; ; try++ {
		m, err = l.registry.ChangeConnection(ctx, t.customer, t.esaID, func(cur *registry.Source) (*registry.Connection, error) {
			if holds(cur.Connection, op.ID) { // by the last try, whose outcome was not known
				return nil, nil
			}
			before := *cur
			was = &before
			next, err := begin(*cur.Connection)
			if err != nil {
				return nil, err
			}
			next.Operation = &op
			return &next, nil
		})
		if !errors.Is(err, registry.ErrOutcomeUnknown) || try == claimTries {
			break
		}
	}
	if errors.Is(err, registry.ErrOutcomeUnknown) && was != nil {
		// It may be claimed. Nothing was sent: it is as it was.
		back := restored(*was.Connection)
		l.later(ctx, l.life, func(ctx context.Context) {
			_ = l.untilDone(ctx, t, func(ctx context.Context) error {
				_, err := l.change(ctx, t, op.ID, was.Connection.Operation, back, nil)
				return err
			})
		})
	}
	return m, was, err
}

const claimTries = 3

// over writes what became of an operation, and that it is over. While the store is away
// it is tried again, for a time with the caller and then without: the error is then an
// Unavailable. If somebody else has settled the operation meanwhile, held is false: its
// end is told already. late is what is still true then; nil: nothing.
func (l *Lifecycle) over(ctx context.Context, t target, op registry.Operation, outcome, late transition) (m *registry.Source, held bool, err error) {
	type written struct {
		m    *registry.Source
		held bool
	}
	first := make(chan written, 1) // a later try, in the background, is read by nobody
	ended := false                 // perhaps, by the last try
	err = l.persist(ctx, t, func(ctx context.Context) error {
		m, held, err := l.write(ctx, t, op.ID, nil, outcome, late)
		if !fault.Is(err, fault.Unavailable) {
			select {
			case first <- written{m, held || ended}:
			default:
			}
		}
		ended = ended || errors.Is(err, registry.ErrOutcomeUnknown)
		return err
	})
	select {
	case w := <-first:
		return w.m, w.held, err
	default:
		return nil, true, err
	}
}

// change makes one try at writing an outcome. next is the operation that follows, nil
// when it is over.
func (l *Lifecycle) change(ctx context.Context, t target, id string, next *registry.Operation, outcome, late transition) (*registry.Source, error) {
	m, _, err := l.write(ctx, t, id, next, outcome, late)
	return m, err
}

// write is change, and reports whether the operation was still under way.
func (l *Lifecycle) write(ctx context.Context, t target, id string, next *registry.Operation, outcome, late transition) (m *registry.Source, held bool, err error) {
	var before registry.Connection
	held = true // unless it is seen not to be
	m, err = l.registry.ChangeConnection(ctx, t.customer, t.esaID, func(cur *registry.Source) (*registry.Connection, error) {
		before = *cur.Connection
		if held = holds(cur.Connection, id); held {
			c, err := outcome(*cur.Connection)
			c.Operation = next
			return &c, err
		}
		if late == nil {
			return nil, nil
		}
		c, err := late(*cur.Connection)
		return &c, err
	})
	if err == nil && before.Provisioning != m.Connection.Provisioning && m.Connection.TenantID != "" {
		l.changed(m)
	}
	return m, held, err
}

func holds(c *registry.Connection, id string) bool { return c.Operation != nil && c.Operation.ID == id }

// How patiently the store is waited for.
const (
	storeFirst    = 200 * time.Millisecond
	storeLast     = 15 * time.Second
	storePatience = 10 * time.Second // how long a caller waits with us
)

// persist makes a write whose loss would leave the record untrue: for a while at once,
// and then in the background, for as long as the store is away and the process lives.
// The write must do no harm when it is repeated.
func (l *Lifecycle) persist(ctx context.Context, t target, write func(context.Context) error) error {
	first, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	err := l.untilDone(first, t, write)
	if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return err
	}
	l.note(ctx, slog.LevelWarn, "what became of a change can't be written down yet", t, slog.Any("error", err))
	if !l.later(ctx, l.life, func(ctx context.Context) {
		if err := l.untilDone(ctx, t, write); err != nil {
			l.note(ctx, slog.LevelError, "what became of a change could not be written down", t, slog.Any("error", err))
		}
	}) {
		return err
	}
	e := *fault.As(err)
	e.Message = textNotRecorded
	return &e
}

// untilDone repeats a write while the store is away.
func (l *Lifecycle) untilDone(ctx context.Context, t target, write func(context.Context) error) error {
	for pause := storeFirst; ; pause = min(2*pause, storeLast) {
		err := write(ctx)
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		if !background.Sleep(ctx, pause/2+mathrand.N(pause/2+1)) {
			return err
		}
	}
}

// note writes one line about a connection.
func (l *Lifecycle) note(ctx context.Context, level slog.Level, message string, t target, attrs ...slog.Attr) {
	l.log.LogAttrs(ctx, level, message, append([]slog.Attr{slog.Int64("customer_id", t.customer),
		slog.String("source_id", t.sourceID), slog.Int64("esa_id", t.esaID)}, attrs...)...)
}
