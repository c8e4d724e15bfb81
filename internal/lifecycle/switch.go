package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// checkLimit is how long a switch to the status that is recorded may wait for upstream to
// say whether that is still so.
const checkLimit = 5 * time.Second

// Deactivate switches a source's tenant off. One that is off, upstream too as far as it can
// be asked, stays so; Conflict without a tenant.
func (l *Lifecycle) Deactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.setActive(ctx, customer, esaID, registry.OperationDeactivate)
}

// Reactivate switches it on again.
func (l *Lifecycle) Reactivate(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	return l.setActive(ctx, customer, esaID, registry.OperationReactivate)
}

func (l *Lifecycle) setActive(ctx context.Context, customer, esaID int64, kind registry.OperationKind) (*registry.Source, error) {
	m, err := l.connection(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	return run(ctx, l, m, func(ctx context.Context) (*registry.Source, error) {
		takeOver := false // at first settings are restored, if that can be done at once
		asked := false
		return l.untilClaimed(ctx, m, func(m *registry.Source) (next, was *registry.Source, err error) {
			o := l.newOperation(targetOf(m), kind)
			next, was, err = o.claim(ctx, l.precondition, beginSwitching(now(), targetStatus(kind), takeOver))
			takeOver = true
			switch {
			case errors.Is(err, errAlready) && !asked && checkable(was.Connection):
				asked = true // it may have been switched at the sales agent, as the caller knows
				call, cancel := context.WithTimeout(ctx, checkLimit)
				defer cancel()
				_ = l.check(call, was) // an error is logged, and what is recorded counts
				return nil, was, errMoved
			case errors.Is(err, errAlready):
				return was, was, nil
			case err != nil:
				return nil, was, err
			}
			next, err = switching{o, next.Connection.TenantID, was.Connection.Operation}.run(ctx)
			return next, was, err
		})
	})
}

// switching is a switch that is claimed.
type switching struct {
	operation
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

// run makes the call, and records the outcome.
func (s switching) run(ctx context.Context) (*registry.Source, error) {
	if now().Sub(s.Begun) > startWithin {
		return s.finish(ctx, OutcomeNotSent, unchanged, errTooSlow)
	}
	send := s.upstream.Deactivate
	if s.Kind == registry.OperationReactivate {
		send = s.upstream.Reactivate
	}
	call, cancel := s.sending(ctx, s.Begun.Add(startWithin), callTimeout)
	answer, err := send(call, s.tenantID)
	cancel()
	if err != nil && s.stopping() {
		return nil, errStopping
	}
	if err == nil && !confirms(answer, s.tenantID, s.Kind) {
		err = errUnusable(nil)
	}
	v := verdictOf(err)
	err = asUpstreamFault(err)
	if v == verdictNoTenant && s.Kind == registry.OperationDeactivate {
		v = verdictDone // a tenant that is gone is off
	}
	switch v {
	case verdictDone:
		return s.finish(ctx, OutcomeDone, switched(targetStatus(s.Kind), now()), nil)
	case verdictNoTenant:
		return s.finish(ctx, OutcomeRejected, withError(codeInternal, textNoTenant), err)
	case verdictNotDone:
		return s.finish(ctx, OutcomeNotSent, unchanged, err)
	case verdictUnknown:
		return s.unknown(ctx, err)
	}
	return s.finish(ctx, OutcomeRejected, unchanged, err)
}

// confirms reports whether an answer is about the tenant and does not contradict the
// request.
func confirms(answer *wire.Tenant, tenantID string, kind registry.OperationKind) bool {
	return answer.TenantID == tenantID &&
		(!answer.IsActive.Set || answer.IsActive.Value == (kind == registry.OperationReactivate))
}

// unknown reads whether the tenant is active. If that can't be read, or upstream may
// still process the request, the operation stays, for Settle to find.
func (s switching) unknown(ctx context.Context, cause error) (*registry.Source, error) {
	call, cancel := s.within(ctx, readTimeout)
	defer cancel()
	found, err := s.upstream.Tenant(call, s.tenantID)
	if err != nil && s.stopping() {
		return nil, errStopping
	}
	if became, status := observed(s.tenantID, found, err, s.Kind); status == targetStatus(s.Kind) {
		return s.finish(ctx, OutcomeDone, became, nil)
	}
	stays := s.Operation
	stays.Until = now() // others who want to change something need not wait
	m, _ := s.end(ctx, ending{outcome: OutcomeUnknown, became: newEpoch, next: &stays, cause: errors.Join(cause, err)})
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
func (s switching) finish(ctx context.Context, outcome Outcome, became transition, cause error) (*registry.Source, error) {
	next := s.after
	if outcome == OutcomeDone && s.Kind == registry.OperationDeactivate && next != nil {
		next, became = nil, then(became, settingsGivenUp)
	}
	m, err := s.end(ctx, ending{outcome: outcome, became: became, next: next, cause: cause})
	return m, cmp.Or(cause, err)
}

// settleSwitch ends an unfinished switch by what upstream shows. It waits while upstream
// may still process the request, unless a caller is waiting.
func (l *Lifecycle) settleSwitch(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	o := operation{l.core, targetOf(m), *m.Connection.Operation}
	asked := now()
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(call, m.Connection.TenantID)
	became, status := observed(m.Connection.TenantID, found, err, o.Kind)
	switch {
	case became == nil && err != nil:
		return nil, asUpstreamFault(err)
	case became == nil:
		became = unchanged // upstream does not show it, and never will
	case status != targetStatus(o.Kind) && !callerWaits && asked.Before(l.certainAt(&o.Operation)):
		return m, nil
	}
	w, err := o.write(ctx, ending{became: then(became, settingsDropped)})
	if err == nil {
		o.report(ctx, OutcomeAdopted, nil)
	}
	return w.source, err
}
