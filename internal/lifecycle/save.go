package lifecycle

import (
	"context"

	"esagate/internal/adserver"
	"esagate/registry"
)

// Save uses a config for a source: it sets the source up until it has a tenant, as Connect
// does, and afterwards replaces the tenant's config (contract 5.8). A refusal by the ad
// server is no error as long as there is no tenant.
func (l *Lifecycle) Save(ctx context.Context, customer, esaID int64, config *adserver.Config) (*registry.Source, error) {
	m, err := l.connection(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	a := newAttempt()
	done, err := start(ctx, l.core, customer, func(ctx context.Context) (Connected, error) {
		m, err := l.save(ctx, m, config, a, false)
		return Connected{Source: m}, err
	})
	if err != nil {
		return nil, err
	}
	out, err := a.await(ctx, l.core, done)
	l.checkRefused(m, err)
	return out.Source, err
}

// Rotate replaces the config of a source that has a tenant; Conflict for one that has none.
func (l *Lifecycle) Rotate(ctx context.Context, customer, esaID int64, config *adserver.Config) (*registry.Source, error) {
	m, err := l.connection(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	return run(ctx, l, m, func(ctx context.Context) (*registry.Source, error) {
		m, err := m, error(nil)
		if m.Connection.TenantID == "" { // or a tenant that is not recorded yet
			if m, err = l.settleFirst(ctx, m); err != nil {
				return nil, err
			}
		}
		return l.untilClaimed(ctx, m, func(m *registry.Source) (next, was *registry.Source, err error) {
			return l.configure(ctx, m, config)
		})
	})
}

// save sets up a connection without a tenant, and configures one with a tenant. If it
// repeats an earlier request, its caller waits for a change of config no longer than for a
// tenant, because the config is the one that was sent then.
func (l *Lifecycle) save(ctx context.Context, m *registry.Source, config *adserver.Config,
	a *attempt, repeated bool) (*registry.Source, error) {
	if m.Connection.TenantID == "" {
		if _, err := l.serviceAccount(m.Connection.CustomerID, config, true); err != nil {
			return nil, err
		}
		var err error
		if m, err = l.settleFirst(ctx, m); err != nil {
			return nil, err
		}
	}
	return l.untilClaimed(ctx, m, func(m *registry.Source) (next, was *registry.Source, err error) {
		if m.Connection.TenantID == "" {
			return l.setUp(ctx, m, config, a)
		}
		if repeated {
			a.record(m)
		}
		return l.configure(ctx, m, config)
	})
}

// setUp claims a connection without a tenant and provisions it; errMoved, and how it is,
// when it can't be claimed so.
func (l *Lifecycle) setUp(ctx context.Context, m *registry.Source, config *adserver.Config,
	a *attempt) (next, was *registry.Source, err error) {
	account, err := l.serviceAccount(m.Connection.CustomerID, config, true)
	if err != nil {
		return nil, nil, err
	}
	if err := config.CheckKept(m.Connection.AdServer); err != nil {
		return nil, nil, err
	}
	orgID := l.externalOrgID(m)
	if err := checkOrgID(orgID); err != nil {
		return nil, nil, err
	}
	p := provision{operation: l.newOperation(targetOf(m), registry.OperationProvision), name: m.Name, config: config,
		account: account, current: m.Connection.AdServer, orgID: orgID, attempt: a}
	next, was, err = p.claim(ctx, l.precondition,
		beginProvisioning(now(), orgID, config.View(m.Connection.AdServer, nil), emailOf(account)))
	if err != nil {
		return nil, was, err
	}
	a.record(next)
	p.was = was
	next, err = p.run(ctx)
	return next, was, err
}

// configure claims a connection that has a tenant, and replaces its config; errMoved, and
// how it is, when it can't be claimed so.
func (l *Lifecycle) configure(ctx context.Context, m *registry.Source,
	config *adserver.Config) (next, was *registry.Source, err error) {
	if m.Connection.TenantID == "" {
		return nil, nil, errWithoutTenant(m.Connection)
	}
	account, err := l.serviceAccount(m.Connection.CustomerID, config, false)
	if err != nil {
		return nil, nil, err
	}
	if err := config.CheckKept(m.Connection.AdServer); err != nil {
		return nil, nil, err
	}
	learned, err := l.learnAdServer(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	o := l.newOperation(targetOf(m), registry.OperationConfigure)
	next, was, err = o.claim(ctx, l.precondition, then(learned, beginConfiguring(now(), config.Type())))
	if err != nil {
		return nil, was, err
	}
	next, err = rewrite{operation: o, tenantID: next.Connection.TenantID, config: config, account: account,
		current: next.Connection.AdServer, after: was.Connection.Operation}.run(ctx)
	return next, was, err
}
