package lifecycle

import (
	"context"
	"errors"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

// saveTries is how often a save begins anew because the connection has changed
// meanwhile: each time somebody else has made progress with it.
const saveTries = 4

// Save uses a config for a source: it sets the source up until it has a tenant, as
// Connect does, and else replaces the tenant's config. A refusal by the ad server is no
// error as long as there is no tenant.
func (l *Lifecycle) Save(ctx context.Context, customer, esaID int64, config *adserver.Config) (*registry.Source, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	a := newAttempt()
	f, err := fly(ctx, l, customer, func(ctx context.Context) (*registry.Source, error) { return l.save(ctx, m, config, a, false) })
	if err != nil {
		return nil, err
	}
	return await(ctx, l, f, a, func(m *registry.Source) *registry.Source { return m })
}

// Rotate replaces the config of a source that has a tenant; Conflict for one that has
// none.
func (l *Lifecycle) Rotate(ctx context.Context, customer, esaID int64, config *adserver.Config) (*registry.Source, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	f, err := fly(ctx, l, customer, func(ctx context.Context) (m2 *registry.Source, err error) {
		if m.Connection.TenantID == "" { // or a tenant that is not noted down yet
			if m, err = l.settleFirst(ctx, m); err != nil {
				return nil, err
			}
			if underWay(m.Connection) {
				return nil, busy(m.Connection.Operation, now())
			}
		}
		return l.configure(ctx, m, config)
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

// save decides by how the connection stands, and again when it turns out to stand
// otherwise. Whoever repeats what was asked for before does not wait for a change of
// config longer than for a tenant: the config is the one that was sent with it.
func (l *Lifecycle) save(ctx context.Context, m *registry.Source, config *adserver.Config, a *attempt, repeated bool) (*registry.Source, error) {
	for range saveTries {
		if m.Connection.TenantID != "" {
			if repeated {
				a.begin(m)
			}
			return l.configure(ctx, m, config)
		}
		account, err := l.prepare(m.Connection.CustomerID, config, true)
		if err != nil {
			return nil, err
		}
		if m, err = l.settleFirst(ctx, m); err != nil {
			return nil, err
		}
		if m.Connection.TenantID != "" {
			continue
		}
		next, was, err := l.setUp(ctx, m, config, account, a)
		if !errors.Is(err, errMoved) {
			return next, err
		}
		m = was
	}
	return nil, fault.New(fault.Conflict, "The connection is being changed by others. Try again.")
}

// setUp claims a connection without a tenant and provisions it; errMoved, and how it
// stands, when it can't be claimed as it does.
func (l *Lifecycle) setUp(ctx context.Context, m *registry.Source, config *adserver.Config, account *adserver.Account, a *attempt) (next, was *registry.Source, err error) {
	orgID := l.externalOrgID(m)
	if err := orgIDFits(orgID); err != nil {
		return nil, nil, err
	}
	op, end := l.begin(registry.OperationProvision)
	defer end()
	p := provision{target: targetOf(m), name: m.Name, op: op, config: config, account: account,
		orgID: orgID, attempt: a}
	email := ""
	if account != nil {
		email = account.Email
	}
	next, was, err = l.claim(ctx, p.target, op, provisioning(now(), p.orgID, config.View(m.Connection.AdServer, nil), email))
	if err != nil {
		return nil, was, err
	}
	a.begin(next)
	p.was = was
	next, err = l.provision(ctx, p)
	return next, was, err
}

// settleFirst settles what an earlier operation left, so that another can begin. It
// gives the connection as it then stands; Conflict while the earlier one may still
// come to something, Unavailable when it can't be found out.
func (l *Lifecycle) settleFirst(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	op, since := m.Connection.Operation, m.Connection.UnsettledSince
	switch {
	case underWay(m.Connection): // as far as memory knows: the claim finds out
		return m, nil
	case op != nil:
		next, err := l.settleOne(ctx, m, false)
		if err != nil {
			return nil, err
		}
		if now := now(); holds(next.Connection, op.ID) { // only a provisioning is left as it is
			return nil, tooEarly(l.certain(next).Sub(now))
		}
		return next, nil
	case !since.IsZero():
		next, err := l.look(ctx, m)
		if err != nil {
			return nil, err
		}
		if next.Connection.TenantID == "" && next.Connection.UnsettledSince.Equal(since) {
			return nil, tooEarly(l.certain(next).Sub(now()))
		}
		return next, nil
	}
	return m, nil
}
