package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// settler settles what operations have left open: a crash, an outage, an answer that never
// came.
type settler struct {
	*core
	store      registry.UpkeepStore
	tenants    *tenants
	configurer *configurer
	switcher   *switcher
	lookups    *retries // of tenants

	mu    sync.Mutex // held for a round
	ended time.Time  // the last complete round; guarded by mu
}

// How much a round does at a time, and how soon another may follow.
const (
	settleAtOnce = 8
	settlePage   = 100
	roundPause   = 2 * time.Second
)

func newSettler(l *Lifecycle, store registry.UpkeepStore) *settler {
	return &settler{core: l.core, store: store, tenants: l.tenants, configurer: l.configurer, switcher: l.switcher,
		lookups: newRetries(lookupFirst, lookupLast)}
}

// startRound makes one round, as [Lifecycle.Settle] says.
func (s *settler) startRound(ctx context.Context) error {
	if !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	if s.checks.Context().Err() != nil {
		return errStopping()
	}
	if since := time.Since(s.ended); 0 <= since && since < roundPause {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.checks.Context(), cancel)()
	err := s.round(ctx)
	if err == nil {
		s.ended = now()
	}
	return err
}

// waitForRound waits until no round is under way.
func (s *settler) waitForRound() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// round works through the pages of connections that are not settled, and waits for what it
// has begun.
func (s *settler) round(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(settleAtOnce)
	defer func() { _ = group.Wait() }()
	for after := int64(0); ; {
		page, err := s.store.Upkeep(ctx, registry.Upkeep{Kind: registry.UpkeepUnsettled}, after, settlePage)
		if err != nil {
			return fault.Wrap(fault.Unavailable, "The registry can't be reached.", err)
		}
		for _, m := range page {
			after = m.Connection.ID
			if !s.due(m) {
				continue
			}
			group.Go(func() error {
				err := background.Guard(ctx, s.log, "settle a connection", func(ctx context.Context) error {
					_, err := s.settle(ctx, m, false)
					return err
				})
				if err != nil && ctx.Err() == nil {
					s.logAbout(ctx, slog.LevelWarn, "a connection can't be settled yet", targetOf(m), slog.Any("error", err))
				}
				return nil
			})
		}
		if len(page) < settlePage {
			return ctx.Err()
		}
	}
}

// due reports whether a connection is to be settled in this round. A tenant is looked up
// with pauses, and at the latest when its provisioning can't change any more.
func (s *settler) due(m *registry.Source) bool {
	if s.beingWorkedOn(m) {
		return false
	}
	key, open := provisionKeyOf(m.Connection)
	if !open {
		return true
	}
	at := now()
	if s.tenants.watches(key) || !s.lookups.due(key, at) {
		return false
	}
	s.lookups.postpone(key, at, s.tenants.certainFor(m))
	return true
}

// beingWorkedOn reports whether somebody may be working on a connection's operation. A
// tenant whose provisioning began before this process did is looked up all the same: maybe
// no process works on it any more, and a lookup does no harm.
func (s *settler) beingWorkedOn(m *registry.Source) bool {
	op := m.Connection.Operation
	return inProgress(m.Connection) && (op.Kind != registry.OperationProvision || !op.Begun.Before(s.started))
}

// settle settles one connection, if that is possible by now, and gives it as it then is.
// What may still change by itself is left, unless a caller waits.
func (s *settler) settle(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	op := m.Connection.Operation
	switch {
	case op == nil && m.Connection.UnsettledSince.IsZero():
		return m, nil
	case op == nil:
		return s.tenants.check(ctx, m)
	case s.beingWorkedOn(m):
		return m, nil
	}
	switch op.Kind {
	case registry.OperationProvision:
		return s.tenants.settle(ctx, m)
	case registry.OperationConfigure:
		return s.configurer.settle(ctx, m, callerWaits)
	}
	return s.switcher.settle(ctx, m, callerWaits)
}

// settleFirst settles what an earlier operation left, so that another can begin. It gives
// the connection as it then is; Conflict while the earlier one may still have an effect,
// Unavailable when that can't be found out.
func (s *settler) settleFirst(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	op, since := m.Connection.Operation, m.Connection.UnsettledSince
	if inProgress(m.Connection) { // as far as memory knows: the claim finds out
		return m, nil
	}
	next, err := s.settle(ctx, m, true)
	if err != nil {
		return nil, err
	}
	stillOpen := op == nil && !since.IsZero() && next.Connection.TenantID == "" && next.Connection.UnsettledSince.Equal(since)
	if op != nil && holds(next.Connection, op.ID) || stillOpen { // a provisioning alone stays as it is
		return nil, errTooEarly(s.tenants.certainFor(next).Sub(now()))
	}
	return next, nil
}

// maxClaims is how often a change begins anew because the connection has changed in
// between: each time another request has made progress.
const maxClaims = 4

// untilClaimed repeats a change while it finds the connection changed (errMoved), and
// settles in between what it found, was.
func (s *settler) untilClaimed(ctx context.Context, m *registry.Source,
	change func(m *registry.Source) (next, was *registry.Source, err error)) (*registry.Source, error) {
	for range maxClaims {
		next, was, err := change(m)
		if !errors.Is(err, errMoved) {
			return next, err
		}
		if m, err = s.settleFirst(ctx, was); err != nil {
			return nil, err
		}
	}
	return nil, errContended()
}
