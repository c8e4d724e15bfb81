package lifecycle

import (
	"context"
	"errors"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
)

// How much a round does at a time.
const (
	settleAtOnce = 8 // of lookups, and of the rest
	settlePage   = 100
)

// Settle makes one round over all connections whose operation was not finished: what a
// crash, an outage, or an answer that never came has left open. What can't be settled yet
// is left for the next round, and does not stop the others; the error says that the store
// could not be read. While a round is under way it does nothing.
func (l *Lifecycle) Settle(ctx context.Context) error { return l.oneRound(ctx, l.settleAll) }

// SettleOwn is Settle for the provisionings of unknown outcome that this process made: no
// other knows as soon when their outcome can't change any more.
func (l *Lifecycle) SettleOwn(ctx context.Context) error { return l.oneRound(ctx, l.settleOwn) }

func (l *Lifecycle) oneRound(ctx context.Context, settle func(context.Context) error) error {
	select {
	case l.round <- struct{}{}:
		defer func() { <-l.round }()
	default:
		return nil
	}
	if l.checks.Context().Err() != nil {
		return errStopping
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.checks.Context(), cancel)()
	return settle(ctx)
}

// settleAll settles what is not settled. Lookups, which can take long, keep nothing else
// waiting.
func (l *Lifecycle) settleAll(ctx context.Context) error {
	var kinds errgroup.Group
	for _, lookup := range []bool{true, false} {
		kinds.Go(func() error {
			return l.settlePages(ctx, func(m *registry.Source) bool { return isLookup(m.Connection) == lookup })
		})
	}
	return kinds.Wait()
}

func (l *Lifecycle) settleOwn(ctx context.Context) error {
	return l.settlePages(ctx, func(m *registry.Source) bool {
		key, _ := openKeyOf(m.Connection)
		return l.tries.of(key).ours
	})
}

// settlePages works through the pages of connections that are not settled, and waits for
// what it has begun.
func (l *Lifecycle) settlePages(ctx context.Context, wanted func(*registry.Source) bool) error {
	var group errgroup.Group
	group.SetLimit(settleAtOnce)
	defer func() { _ = group.Wait() }()
	for after := int64(0); ; {
		page, err := l.store.Upkeep(ctx, registry.Upkeep{Kind: registry.UpkeepUnsettled}, after, settlePage)
		if err != nil {
			return fault.Wrap(fault.Unavailable, "The registry can't be reached.", err)
		}
		for _, m := range page {
			after = m.Connection.ID
			if !wanted(m) || !l.due(m) {
				continue
			}
			group.Go(func() error {
				err := background.Guard(ctx, l.log, "settle a connection", func(ctx context.Context) error {
					_, err := l.settle(ctx, m, false)
					return err
				})
				if err != nil && ctx.Err() == nil {
					level := slog.LevelWarn
					if isLookup(m.Connection) { // while upstream is away many fail
						level = slog.LevelInfo
					}
					l.logAbout(ctx, level, "a connection can't be settled yet", targetOf(m), slog.Any("error", err))
				}
				return nil
			})
		}
		if len(page) < settlePage {
			return ctx.Err()
		}
	}
}

// isLookup reports whether a connection is settled by looking its tenant up.
func isLookup(c *registry.Connection) bool {
	return c.Operation == nil || c.Operation.Kind == registry.OperationProvision
}

// due reports whether a connection is to be settled in this round. Tenants are looked up,
// and configs settled, with pauses between the tries. A tenant is looked up at the latest
// when its provisioning can't change any more.
func (l *Lifecycle) due(m *registry.Source) bool {
	op, at := m.Connection.Operation, now()
	key, open := openKeyOf(m.Connection)
	switch {
	case !open, l.beingWorkedOn(m):
		return false
	case isLookup(m.Connection):
		return l.tries.begin(key, lookupPauses, at, l.certainFor(m))
	case op.Kind == registry.OperationConfigure:
		return l.tries.begin(key, restorePauses, at, at)
	}
	return true
}

// beingWorkedOn reports whether a process may be working on a connection's operation. A
// tenant whose provisioning began before this process did is looked up all the same: maybe
// no process works on it any more, and a lookup does no harm.
func (l *Lifecycle) beingWorkedOn(m *registry.Source) bool {
	op := m.Connection.Operation
	return inProgress(m.Connection) && (op.Kind != registry.OperationProvision || !op.Begun.Before(l.started))
}

// settle settles one connection, if that is possible by now, and gives it as it then is.
// What may still change by itself is left, unless a caller waits.
func (l *Lifecycle) settle(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	op := m.Connection.Operation
	if !callerWaits {
		ctx = upstream.WithDemand(ctx, upstream.Demand{Customer: m.Connection.CustomerID, Background: true})
	}
	switch _, open := openKeyOf(m.Connection); {
	case !open, l.beingWorkedOn(m):
		return m, nil
	case isLookup(m.Connection):
		return l.settleProvisioning(ctx, m)
	case op.Kind == registry.OperationConfigure:
		return l.settleConfig(ctx, m, callerWaits)
	}
	return l.settleSwitch(ctx, m, callerWaits)
}

// settleFirst settles what an earlier operation left, so that another can begin. It gives
// the connection as it then is; Conflict while the earlier one may still have an effect,
// Unavailable when that can't be found out.
func (l *Lifecycle) settleFirst(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	if inProgress(m.Connection) { // as far as memory knows: the claim finds out
		return m, nil
	}
	next, err := l.settle(ctx, m, true)
	if err != nil {
		return nil, err
	}
	if stillOpen(next.Connection, m.Connection) {
		return nil, errTooEarly(l.certainFor(next).Sub(now()))
	}
	return next, nil
}

// maxClaims is how often a change begins anew because the connection has changed in
// between: each time another request has made progress.
const maxClaims = 4

// untilClaimed repeats a change while it finds the connection changed (errMoved), and
// settles in between what it found, was.
func (l *Lifecycle) untilClaimed(ctx context.Context, m *registry.Source,
	change func(m *registry.Source) (next, was *registry.Source, err error)) (*registry.Source, error) {
	for range maxClaims {
		next, was, err := change(m)
		if !errors.Is(err, errMoved) {
			return next, err
		}
		if m, err = l.settleFirst(ctx, was); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "The connection is being changed by others. Try again.")
}
