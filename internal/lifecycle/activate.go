package lifecycle

import (
	"context"
	"errors"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// Deactivate switches a source's tenant off. One that is off stays so; Conflict
// without a tenant.
func (l *Lifecycle) Deactivate(ctx context.Context, customer, esaID int64) (*registry.ManagedSource, error) {
	return l.flip(ctx, customer, esaID, registry.OperationDeactivate)
}

// Reactivate switches it on again.
func (l *Lifecycle) Reactivate(ctx context.Context, customer, esaID int64) (*registry.ManagedSource, error) {
	return l.flip(ctx, customer, esaID, registry.OperationReactivate)
}

// aim is the status that an operation leads to.
func aim(kind registry.OperationKind) registry.ProvisioningStatus {
	if kind == registry.OperationDeactivate {
		return registry.StatusDeactivated
	}
	return registry.StatusActive
}

func (l *Lifecycle) flip(ctx context.Context, customer, esaID int64, kind registry.OperationKind) (*registry.ManagedSource, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	f, err := fly(ctx, l, func(ctx context.Context) (*registry.ManagedSource, error) {
		for range saveTries {
			next, was, err := l.flipOnce(ctx, m, kind)
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

func (l *Lifecycle) flipOnce(ctx context.Context, m *registry.ManagedSource, kind registry.OperationKind) (next, was *registry.ManagedSource, err error) {
	op, end := l.begin(kind)
	defer end()
	t := targetOf(m)
	next, was, err = l.claim(ctx, t, op, switching(now(), aim(kind)))
	if err != nil {
		return nil, was, err
	}
	next, err = l.flipped(ctx, t, op, next.Connection.TenantID)
	return next, was, err
}

// flipped makes the call of an operation that is claimed, and writes down what became
// of it.
func (l *Lifecycle) flipped(ctx context.Context, t target, op registry.Operation, tenantID string) (*registry.ManagedSource, error) {
	ask := l.upstream.Deactivate
	if op.Kind == registry.OperationReactivate {
		ask = l.upstream.Reactivate
	}
	var err error = errTooSlow()
	v := verdictNotDone
	if now().Sub(op.Begun) <= startWithin {
		call, cancel := within(ctx, op, callTimeout)
		_, err = ask(call, tenantID)
		cancel()
		if err != nil && l.life.Err() != nil {
			return nil, errStopping()
		}
		v = judge(err)
	}
	switch v {
	case verdictDone:
		return l.ended(ctx, t, op, OutcomeDone, switched(aim(op.Kind), now()), nil)
	case verdictNoTenant: // a tenant that is gone is off
		if op.Kind == registry.OperationDeactivate {
			return l.ended(ctx, t, op, OutcomeDone, switched(registry.StatusDeactivated, now()), nil)
		}
		return l.ended(ctx, t, op, OutcomeRejected, noted(codeInternal, textNoTenant), err)
	case verdictNotDone:
		return l.ended(ctx, t, op, OutcomeNotSent, unchanged, err)
	case verdictUnknown:
		return l.flipUnknown(ctx, t, op, tenantID, err)
	}
	return l.ended(ctx, t, op, OutcomeRejected, unchanged, err)
}

// flipUnknown asks for the truth. While that can't be had, or upstream may still come
// to what it was asked, the operation stays, for Settle to find.
func (l *Lifecycle) flipUnknown(ctx context.Context, t target, op registry.Operation, tenantID string, cause error) (*registry.ManagedSource, error) {
	call, cancel := within(ctx, op, lookTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(call, tenantID)
	if err != nil && l.life.Err() != nil {
		return nil, errStopping()
	}
	if became, is := truth(found, err, op.Kind); is == aim(op.Kind) {
		return l.ended(ctx, t, op, OutcomeDone, became, nil)
	}
	op.Until = now() // whoever else wants to change something need not wait
	var m *registry.ManagedSource
	ended := l.persist(ctx, t, func(ctx context.Context) (err error) {
		m, err = l.change(ctx, t, op.ID, &op, touched, nil)
		return err
	})
	l.finish(ctx, t, op.Kind, OutcomeUnknown, errors.Join(cause, err, ended))
	return m, unavailable(cause)
}

// truth gives what upstream says of a tenant after an operation of a kind, and what the
// connection becomes by it; nil when it does not say.
func truth(found *wire.Tenant, err error, kind registry.OperationKind) (became transition, is registry.ProvisioningStatus) {
	switch f := fault.As(err); {
	case f != nil && f.Kind == fault.NotFound && f.Reason == fault.TenantNotFound:
		if kind == registry.OperationReactivate {
			return noted(codeInternal, textNoTenant), registry.StatusDeactivated
		}
		is = registry.StatusDeactivated
	case f != nil || !found.IsActive.Set:
		return nil, ""
	case found.IsActive.Value:
		is = registry.StatusActive
	default:
		is = registry.StatusDeactivated
	}
	return switched(is, now()), is
}

// ended writes an outcome down, and gives the error that the caller is told.
func (l *Lifecycle) ended(ctx context.Context, t target, op registry.Operation, outcome Outcome, became transition, cause error) (*registry.ManagedSource, error) {
	m, err := l.end(ctx, t, op, became, nil)
	l.finish(ctx, t, op.Kind, outcome, errors.Join(cause, err))
	if cause != nil {
		return m, cause
	}
	return m, err
}
