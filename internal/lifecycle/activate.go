package lifecycle

import (
	"context"
	"errors"
	"sync/atomic"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// Deactivate switches a source's tenant off. One that is off stays so; Conflict
// without a tenant.
func (l *Lifecycle) Deactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.flip(ctx, customer, esaID, registry.OperationDeactivate)
}

// Reactivate switches it on again.
func (l *Lifecycle) Reactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.flip(ctx, customer, esaID, registry.OperationReactivate)
}

// aim is the status that an operation leads to.
func aim(kind registry.OperationKind) registry.ProvisioningStatus {
	if kind == registry.OperationDeactivate {
		return registry.StatusDeactivated
	}
	return registry.StatusActive
}

func (l *Lifecycle) flip(ctx context.Context, customer, esaID int64, kind registry.OperationKind) (*registry.Source, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	f, err := fly(ctx, l, customer, func(ctx context.Context) (*registry.Source, error) {
		for try := range saveTries {
			// Settings that are owed are put back first, if that can be done at once.
			next, was, err := l.flipOnce(ctx, m, kind, try > 0)
			switch {
			case errors.Is(err, errAlready):
				return was, nil
			case !errors.Is(err, errMoved):
				return next, err
			}
			if m, err = l.settleFirst(ctx, was); err != nil {
				return nil, err
			}
		}
		return nil, fault.New(fault.Conflict, "The connection is being changed by others. Try again.")
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

func (l *Lifecycle) flipOnce(ctx context.Context, m *registry.Source, kind registry.OperationKind, takes bool) (next, was *registry.Source, err error) {
	op, end := l.begin(kind)
	defer end()
	t := targetOf(m)
	next, was, err = l.claim(ctx, t, op, switching(now(), aim(kind), takes))
	if err != nil {
		return nil, was, err
	}
	next, err = l.flipped(ctx, flip{target: t, op: op, tenantID: next.Connection.TenantID, after: was.Connection.Operation})
	return next, was, err
}

// flip is a switch that is claimed.
type flip struct {
	target
	op       registry.Operation
	tenantID string
	after    *registry.Operation // the leftover that it stands in place of; nil: none
}

// flipped makes the call of an operation that is claimed, and writes down what became
// of it.
func (l *Lifecycle) flipped(ctx context.Context, s flip) (*registry.Source, error) {
	op := s.op
	ask := l.upstream.Deactivate
	if op.Kind == registry.OperationReactivate {
		ask = l.upstream.Reactivate
	}
	var err error = errTooSlow()
	v := verdictNotDone
	if now().Sub(op.Begun) <= startWithin {
		call, cancel := within(ctx, op, callTimeout)
		var answer *wire.Tenant
		answer, err = ask(call, s.tenantID)
		cancel()
		if err != nil && l.life.Err() != nil {
			return nil, errStopping()
		}
		if err == nil && !says(answer, s.tenantID, op.Kind) {
			err = fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used.", nil)
		}
		v = judge(err)
		err = gatewaysOwn(err)
	}
	switch v {
	case verdictDone:
		return l.ended(ctx, s, OutcomeDone, switched(aim(op.Kind), now()), nil)
	case verdictNoTenant: // a tenant that is gone is off
		if op.Kind == registry.OperationDeactivate {
			return l.ended(ctx, s, OutcomeDone, switched(registry.StatusDeactivated, now()), nil)
		}
		return l.ended(ctx, s, OutcomeRejected, noted(codeInternal, textNoTenant), err)
	case verdictNotDone:
		return l.ended(ctx, s, OutcomeNotSent, unchanged, err)
	case verdictUnknown:
		return l.flipUnknown(ctx, s, err)
	}
	return l.ended(ctx, s, OutcomeRejected, unchanged, err)
}

// says reports whether an answer is about the tenant, and does not say that it is
// otherwise than was asked.
func says(answer *wire.Tenant, tenantID string, kind registry.OperationKind) bool {
	return answer.TenantID == tenantID &&
		(!answer.IsActive.Set || answer.IsActive.Value == (kind == registry.OperationReactivate))
}

// flipUnknown asks for the truth. While that can't be had, or upstream may still come
// to what it was asked, the operation stays, for Settle to find.
func (l *Lifecycle) flipUnknown(ctx context.Context, s flip, cause error) (*registry.Source, error) {
	op := s.op
	call, cancel := within(ctx, op, lookTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(call, s.tenantID)
	if err != nil && l.life.Err() != nil {
		return nil, errStopping()
	}
	if became, is := truth(s.tenantID, found, err, op.Kind); is == aim(op.Kind) {
		return l.ended(ctx, s, OutcomeDone, became, nil)
	}
	op.Until = now() // whoever else wants to change something need not wait
	m, ended := l.follow(ctx, s, &op, touched)
	l.finish(ctx, s.target, op.Kind, OutcomeUnknown, errors.Join(cause, err, ended))
	return m, unavailable(cause)
}

// truth gives what upstream says of a tenant after an operation of a kind, and what the
// connection becomes by it; nil when it does not say.
func truth(tenantID string, found *wire.Tenant, err error, kind registry.OperationKind) (became transition, is registry.ProvisioningStatus) {
	switch f := fault.As(err); {
	case f != nil && f.Kind == fault.NotFound && f.Reason == fault.TenantNotFound:
		if kind == registry.OperationReactivate {
			return noted(codeInternal, textNoTenant), registry.StatusDeactivated
		}
		is = registry.StatusDeactivated
	case f != nil || found.TenantID != tenantID || !found.IsActive.Set:
		return nil, ""
	case found.IsActive.Value:
		is = registry.StatusActive
	default:
		is = registry.StatusDeactivated
	}
	return switched(is, now()), is
}

// ended writes an outcome down, and gives the error that the caller is told. Settings
// that were owed before are owed still, but for a tenant that is off by now: it is to be
// free to be deleted.
func (l *Lifecycle) ended(ctx context.Context, s flip, outcome Outcome, became transition, cause error) (*registry.Source, error) {
	next := s.after
	if outcome == OutcomeDone && s.op.Kind == registry.OperationDeactivate && next != nil {
		next, became = nil, then(became, settingsGivenUp)
	}
	m, err := l.follow(ctx, s, next, became)
	l.finish(ctx, s.target, s.op.Kind, outcome, errors.Join(cause, err))
	if cause != nil {
		return m, cause
	}
	return m, err
}

// follow writes down what a switch became, and which operation follows it; nil: none.
func (l *Lifecycle) follow(ctx context.Context, s flip, next *registry.Operation, became transition) (*registry.Source, error) {
	var written atomic.Pointer[registry.Source] // it may go on behind our back
	err := l.persist(ctx, s.target, func(ctx context.Context) error {
		m, err := l.change(ctx, s.target, s.op.ID, next, became, nil)
		if err == nil {
			written.Store(m)
		}
		return err
	})
	return written.Load(), err
}
