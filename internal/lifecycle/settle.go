package lifecycle

import (
	"context"
	"errors"
	"time"

	"esagate/registry"
)

// settleOne settles one connection, if that can be done by now, and gives it as it then
// stands. It is patient when nobody waits for it: what may still change is left.
func (l *Lifecycle) settleOne(ctx context.Context, m *registry.Source, patient bool) (*registry.Source, error) {
	op := m.Connection.Operation
	switch {
	case op == nil && m.Connection.UnsettledSince.IsZero():
		return m, nil
	case op == nil:
		return l.look(ctx, m)
	case l.workedOn(m):
		return m, nil
	}
	switch op.Kind {
	case registry.OperationProvision:
		return l.settleProvision(ctx, m)
	case registry.OperationConfigure:
		return l.settleConfigure(ctx, m, patient)
	}
	return l.settleSwitch(ctx, m, patient)
}

// settleProvision looks whether a tenant came of a provisioning. Its config is the one
// that was sent with it, unless it stood before.
func (l *Lifecycle) settleProvision(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	t, op, orgID := targetOf(m), m.Connection.Operation, l.orgIDOf(m)
	looked, text := now(), textCutShort
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.findTenant(bounded, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil {
		text = textTaken
		if l.mayBeTaken(found, orgID == l.externalOrgID(m), op.Begun) {
			adopted, held, err := l.write(ctx, t, op.ID, nil, foundOut(found, orgID, op.Begun), nil)
			if !errors.Is(err, registry.ErrTenantTaken) {
				if held && err == nil {
					l.finish(ctx, t, op.Kind, OutcomeAdopted, nil)
				}
				return adopted, err
			}
		}
	}
	if underWay(m.Connection) || looked.Before(l.certain(m)) {
		return m, nil
	}
	m, held, err := l.write(ctx, t, op.ID, nil, failed(codeInternal, text, time.Time{}), nil)
	if held && err == nil {
		l.finish(ctx, t, op.Kind, OutcomeLost, nil)
	}
	return m, err
}

// settleSwitch asks upstream whether the tenant is on or off.
func (l *Lifecycle) settleSwitch(ctx context.Context, m *registry.Source, patient bool) (*registry.Source, error) {
	t, op := targetOf(m), m.Connection.Operation
	asked := now()
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(bounded, m.Connection.TenantID)
	became, is := truth(m.Connection.TenantID, found, err, op.Kind)
	switch {
	case became == nil && err != nil:
		return nil, gatewaysOwn(err)
	case became == nil:
		became = unchanged // it does not say, and never will
	case is != aim(op.Kind) && patient && asked.Before(l.decided(op)):
		return m, nil // it may still come to it
	}
	m, err = l.change(ctx, t, op.ID, nil, then(became, settingsDropped), nil)
	if err == nil {
		l.finish(ctx, t, op.Kind, OutcomeAdopted, nil)
	}
	return m, err
}
