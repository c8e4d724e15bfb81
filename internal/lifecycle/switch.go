package lifecycle

import (
	"cmp"
	"context"
	"errors"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// Deactivate switches a source's tenant off. One that is off stays so; Conflict without a
// tenant.
func (l *Lifecycle) Deactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.setActive(ctx, customer, esaID, registry.OperationDeactivate)
}

// Reactivate switches it on again.
func (l *Lifecycle) Reactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.setActive(ctx, customer, esaID, registry.OperationReactivate)
}

func (l *Lifecycle) setActive(ctx context.Context, customer, esaID int64, kind registry.OperationKind) (*registry.Source, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	return run(ctx, l.core, customer, func(ctx context.Context) (*registry.Source, error) {
		takeOver := false // at first settings are restored, if that can be done at once
		return l.settler.untilClaimed(ctx, m, func(m *registry.Source) (next, was *registry.Source, err error) {
			next, was, err = l.switcher.claimAndRun(ctx, m, kind, takeOver)
			if errors.Is(err, errAlready) {
				return was, was, nil
			}
			takeOver = true
			return next, was, err
		})
	})
}

// switcher deactivates tenants and reactivates them.
type switcher struct{ *core }

// switching is a switch that is claimed.
type switching struct {
	target
	op       registry.Operation
	tenantID string
	after    *registry.Operation // the restore of settings in whose place it is; nil: none
}

// targetStatus is the status that an operation leads to.
func targetStatus(kind registry.OperationKind) registry.ProvisioningStatus {
	if kind == registry.OperationDeactivate {
		return registry.StatusDeactivated
	}
	return registry.StatusActive
}

// claimAndRun claims a connection and switches its tenant; errMoved, and how it was, when it
// can't be claimed.
func (s *switcher) claimAndRun(ctx context.Context, m *registry.Source, kind registry.OperationKind,
	takeOver bool) (next, was *registry.Source, err error) {
	op := s.newOperation(kind)
	t := targetOf(m)
	next, was, err = s.claim(ctx, t, op, beginSwitching(now(), targetStatus(kind), takeOver))
	if err != nil {
		return nil, was, err
	}
	next, err = s.run(ctx, switching{target: t, op: op, tenantID: next.Connection.TenantID, after: was.Connection.Operation})
	return next, was, err
}

// run makes the call of an operation that is claimed, and records the outcome.
func (s *switcher) run(ctx context.Context, w switching) (*registry.Source, error) {
	if now().Sub(w.op.Begun) > startWithin {
		return s.finish(ctx, w, OutcomeNotSent, unchanged, errTooSlow())
	}
	send := s.upstream.Deactivate
	if w.op.Kind == registry.OperationReactivate {
		send = s.upstream.Reactivate
	}
	call, cancel := within(ctx, w.op, callTimeout)
	answer, err := send(call, w.tenantID)
	cancel()
	if err != nil && s.stopping() {
		return nil, errStopping()
	}
	if err == nil && !confirms(answer, w.tenantID, w.op.Kind) {
		err = errUnusable(nil)
	}
	v := verdictOf(err)
	err = asUpstreamFault(err)
	switch v {
	case verdictDone:
		return s.finish(ctx, w, OutcomeDone, switched(targetStatus(w.op.Kind), now()), nil)
	case verdictNoTenant: // a tenant that is gone is off
		if w.op.Kind == registry.OperationDeactivate {
			return s.finish(ctx, w, OutcomeDone, switched(registry.StatusDeactivated, now()), nil)
		}
		return s.finish(ctx, w, OutcomeRejected, withError(codeInternal, textNoTenant), err)
	case verdictNotDone:
		return s.finish(ctx, w, OutcomeNotSent, unchanged, err)
	case verdictUnknown:
		return s.unknown(ctx, w, err)
	}
	return s.finish(ctx, w, OutcomeRejected, unchanged, err)
}

// confirms reports whether an answer is about the tenant and does not contradict the
// request.
func confirms(answer *wire.Tenant, tenantID string, kind registry.OperationKind) bool {
	return answer.TenantID == tenantID &&
		(!answer.IsActive.Set || answer.IsActive.Value == (kind == registry.OperationReactivate))
}

// unknown reads whether the tenant is active. If that can't be read, or upstream may
// still process the request, the operation stays, for Settle to find.
func (s *switcher) unknown(ctx context.Context, w switching, cause error) (*registry.Source, error) {
	call, cancel := within(ctx, w.op, readTimeout)
	defer cancel()
	found, err := s.upstream.Tenant(call, w.tenantID)
	if err != nil && s.stopping() {
		return nil, errStopping()
	}
	if became, status := observed(w.tenantID, found, err, w.op.Kind); status == targetStatus(w.op.Kind) {
		return s.finish(ctx, w, OutcomeDone, became, nil)
	}
	stays := w.op
	stays.Until = now() // others who want to change something need not wait
	m, _ := s.end(ctx, w.target, w.op, ending{outcome: OutcomeUnknown, became: newEpoch, next: &stays, cause: errors.Join(cause, err)})
	return m, unavailable(cause)
}

// observed gives the status of a tenant that upstream shows after an operation, and what
// the connection becomes by it; nil when upstream does not show it.
func observed(tenantID string, found *wire.Tenant, err error,
	kind registry.OperationKind) (became transition, status registry.ProvisioningStatus) {
	switch f := fault.As(err); {
	case f != nil && f.Kind == fault.NotFound && f.Reason == fault.TenantNotFound:
		if kind == registry.OperationReactivate {
			return withError(codeInternal, textNoTenant), registry.StatusDeactivated
		}
		status = registry.StatusDeactivated
	case f != nil || found.TenantID != tenantID || !found.IsActive.Set:
		return nil, ""
	case found.IsActive.Value:
		status = registry.StatusActive
	default:
		status = registry.StatusDeactivated
	}
	return switched(status, now()), status
}

// finish records an outcome, and gives the caller's error. Settings that were to be
// restored still are, but not for a tenant that is off: its source may be deleted.
func (s *switcher) finish(ctx context.Context, w switching, outcome Outcome, became transition,
	cause error) (*registry.Source, error) {
	next := w.after
	if outcome == OutcomeDone && w.op.Kind == registry.OperationDeactivate && next != nil {
		next, became = nil, then(became, settingsGivenUp)
	}
	m, err := s.end(ctx, w.target, w.op, ending{outcome: outcome, became: became, next: next, cause: cause})
	return m, cmp.Or(cause, err)
}

// settle ends an unfinished switch by what upstream shows. It waits while
// upstream may still process the request, unless a caller is waiting.
func (s *switcher) settle(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	t, op := targetOf(m), m.Connection.Operation
	asked := now()
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := s.upstream.Tenant(call, m.Connection.TenantID)
	became, status := observed(m.Connection.TenantID, found, err, op.Kind)
	switch {
	case became == nil && err != nil:
		return nil, asUpstreamFault(err)
	case became == nil:
		became = unchanged // upstream does not show it, and never will
	case status != targetStatus(op.Kind) && !callerWaits && asked.Before(s.certainAt(op)):
		return m, nil
	}
	w, err := s.write(ctx, t, op.ID, ending{became: then(became, settingsDropped)})
	if err == nil {
		s.report(ctx, t, op.Kind, OutcomeAdopted, nil)
	}
	return w.source, err
}
