package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/internal/fault"
	"esagate/registry"
)

// How much Settle does at a time.
const (
	settleAtOnce = 8
	settlePage   = 100
)

// Settle makes one round over all connections that an operation has left unsettled: a
// crash, an outage, an answer that never came. What can't be settled yet is left for
// the next round, and does not stop the others; the error says that the store could
// not be asked. It looks also for tenants whose provisioning began before this process
// did, though others may still be at it: there may be nobody left who is.
func (l *Lifecycle) Settle(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errStopping()
	}
	l.running.Add(1)
	l.mu.Unlock()
	defer l.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.idle, cancel)()
	return l.round(ctx)
}

func (l *Lifecycle) round(ctx context.Context) error {
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
			group.Go(func() error {
				l.safely(ctx, ctx, func(ctx context.Context) {
					if _, err := l.settleOne(ctx, m, true); err != nil && ctx.Err() == nil {
						l.note(ctx, slog.LevelWarn, "a connection can't be settled yet", targetOf(m), slog.Any("error", err))
					}
				})
				return nil
			})
		}
		if len(page) < settlePage {
			return ctx.Err()
		}
	}
}

// settleOne settles one connection, if that can be done by now, and gives it as it then
// stands. It is patient when nobody waits for it: what may still change is left.
func (l *Lifecycle) settleOne(ctx context.Context, m *registry.ManagedSource, patient bool) (*registry.ManagedSource, error) {
	op := m.Connection.Operation
	switch {
	case op == nil && m.Connection.UnsettledSince.IsZero():
		return m, nil
	case op == nil:
		return l.look(ctx, m)
	case underWay(&m.Connection) && (op.Kind != registry.OperationProvision || op.Begun.After(l.began) || l.ours(op)):
		return m, nil
	}
	switch op.Kind {
	case registry.OperationProvision:
		return l.settleProvision(ctx, m)
	case registry.OperationConfigure:
		return l.settleConfigure(ctx, m)
	}
	return l.settleSwitch(ctx, m, patient)
}

// settleProvision looks whether a tenant came of a provisioning. Its config is the one
// that was sent with it.
func (l *Lifecycle) settleProvision(ctx context.Context, m *registry.ManagedSource) (*registry.ManagedSource, error) {
	t, op, orgID := targetOf(m), m.Connection.Operation, l.orgIDOf(m)
	looked, text := now(), textCutShort
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.findTenant(bounded, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil {
		adopted, err := l.change(ctx, t, op.ID, nil, made(tenantOf(found, orgID), now()), nil)
		if !errors.Is(err, registry.ErrTenantTaken) {
			if err == nil {
				l.finish(ctx, t, op.Kind, OutcomeAdopted, nil)
			}
			return adopted, err
		}
		text = textTaken
	}
	if underWay(&m.Connection) || looked.Before(l.decided(op)) {
		return m, nil
	}
	m, err = l.change(ctx, t, op.ID, nil, failed(codeInternal, text, time.Time{}), nil)
	if err == nil {
		l.finish(ctx, t, op.Kind, OutcomeLost, nil)
	}
	return m, err
}

// settleConfigure puts the settings back that a change of config owes. Whether the
// change itself was made is not known, unless nothing but the settings was left to do.
func (l *Lifecycle) settleConfigure(ctx context.Context, m *registry.ManagedSource) (*registry.ManagedSource, error) {
	left := m.Connection.Operation
	op, end := l.begin(registry.OperationConfigure)
	defer end()
	t := targetOf(m)
	claimed, _, err := l.claim(ctx, t, op, takingOver(left.ID))
	switch {
	case errors.Is(err, errMoved):
		return l.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
	case err != nil:
		return nil, err
	}
	r := rewrite{target: t, op: op, tenantID: claimed.Connection.TenantID}
	put, err := l.repay(ctx, r, claimed)
	if ctx.Err() != nil {
		return nil, err // the operation stays
	}
	became := noted(codeInternal, textConfigLost)
	switch {
	case isLeftover(left) && put == putLater:
		became = unchanged
	case isLeftover(left):
		became = settingsSettled(put)
	}
	if put == putLater { // another round tries again
		if _, ended := l.conclude(ctx, r, keeping{}, leftover(op), became); ended != nil {
			err = errors.Join(err, ended)
		}
		return nil, err
	}
	m, ended := l.conclude(ctx, r, keeping{touched: true}, nil, became)
	if !isLeftover(left) { // what was left over of a change that is counted as done
		l.finish(ctx, t, op.Kind, OutcomeUnknown, errors.Join(err, ended))
	}
	return m, ended
}

// repay puts back the settings that are still owed, if any are.
func (l *Lifecycle) repay(ctx context.Context, r rewrite, m *registry.ManagedSource) (putting, error) {
	raw, err := l.registry.Settings(ctx, r.customer, r.esaID)
	switch {
	case fault.Is(err, fault.NotFound):
		return putDone, nil
	case err != nil:
		return putLater, err
	}
	switch m, err = l.withAdServer(ctx, m); {
	case judge(err) == verdictNoTenant:
		return putRefused, err
	case err != nil:
		return putLater, err
	case m.Connection.AdServer == nil: // nor has it a config that they could belong to
		return putDone, nil
	}
	return l.putBack(ctx, r.op, r.tenantID, m.Connection.AdServer.Type, raw)
}

// takingOver begins an operation in the place of one that nobody works on any more.
func takingOver(id string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if !holds(&c, id) {
			return c, errMoved
		}
		return c, nil
	}
}

// settingsSettled ends what was left of a change of config.
func settingsSettled(put putting) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if c.LastError == textSettings {
			c.LastError, c.LastErrorCode = "", ""
			if put == putRefused {
				c.LastError, c.LastErrorCode = textSettingsOff, codeInternal
			}
		}
		c.Epoch++
		return c, nil
	}
}

// settleSwitch asks upstream whether the tenant is on or off.
func (l *Lifecycle) settleSwitch(ctx context.Context, m *registry.ManagedSource, patient bool) (*registry.ManagedSource, error) {
	t, op := targetOf(m), m.Connection.Operation
	asked := now()
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(bounded, m.Connection.TenantID)
	became, is := truth(found, err, op.Kind)
	switch {
	case became == nil && err != nil:
		return nil, err
	case became == nil:
		became = unchanged // it does not say, and never will
	case is != aim(op.Kind) && patient && asked.Before(l.decided(op)):
		return m, nil // it may still come to it
	}
	m, err = l.change(ctx, t, op.ID, nil, became, nil)
	if err == nil {
		l.finish(ctx, t, op.Kind, OutcomeAdopted, nil)
	}
	return m, err
}
