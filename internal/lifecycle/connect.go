package lifecycle

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

// Connected is what became of a Connect. Replayed: the idempotency key came before;
// Answer is what was answered then, nil if nothing was kept. Source is then the
// connection as it stands, nil if it has been deleted since.
type Connected struct {
	Source   *registry.ManagedSource
	Replayed bool
	Answer   []byte
}

// Connect makes a managed source and sets it up. A refusal by the ad server is no
// error: the connection says it. Who waits longer than CallerWait is given the
// connection as `provisioning`. After any error the idempotency key is free for a
// repetition, which goes on with the source if it stands: an Unavailable then names it.
func (l *Lifecycle) Connect(ctx context.Context, customer int64, c *adserver.Connect, once *registry.Once) (Connected, error) {
	account, err := l.prepare(customer, c.Config, true)
	if err != nil {
		return Connected{}, err
	}
	a := newAttempt()
	f, err := fly(ctx, l, func(ctx context.Context) (Connected, error) {
		made, err := l.connect(ctx, customer, c, account, once, a)
		if once != nil && (err != nil || a.abandoned()) {
			l.forget(ctx, customer, once.Key)
		}
		return made, err
	})
	if err != nil {
		return Connected{}, err
	}
	return await(ctx, l, f, a, func(m *registry.ManagedSource) Connected { return Connected{Source: m} })
}

func (l *Lifecycle) connect(ctx context.Context, customer int64, c *adserver.Connect, account *adserver.Account, once *registry.Once, a *attempt) (Connected, error) {
	op, end := l.begin(registry.OperationProvision)
	defer end()
	s := registry.NewManaged{SourceID: c.SourceID, Slug: c.Slug, Name: c.Name, AdServer: c.View(nil, nil), Operation: op}
	if account != nil {
		s.ServiceAccountEmail = account.Email
	}
	creation, err := l.registry.CreateManaged(ctx, customer, s, once)
	switch {
	case err != nil:
		return Connected{}, err
	case creation.Replayed:
		return l.again(ctx, c.Config, creation, a)
	}
	m := &registry.ManagedSource{Source: creation.Source.Source, Connection: *creation.Source.Connection}
	a.begin(m)
	m, err = l.provision(ctx, provision{
		target: targetOf(m), name: m.Source.Name, op: op, config: c.Config, account: account,
		orgID: l.externalOrgID(m), attempt: a,
	})
	return Connected{Source: m}, err
}

// again answers a Connect whose key came before. Where nothing was answered then and
// nothing came of it, it is tried again, on the same connection.
func (l *Lifecycle) again(ctx context.Context, config *adserver.Config, creation registry.Creation, a *attempt) (Connected, error) {
	out := Connected{Replayed: true, Answer: creation.Answer}
	if s := creation.Source; s != nil && s.Connection != nil {
		out.Source = &registry.ManagedSource{Source: s.Source, Connection: *s.Connection}
	}
	switch {
	case out.Answer != nil:
		return out, nil
	case out.Source == nil:
		return Connected{}, errDeleted()
	}
	m, err := l.outlast(ctx, out.Source)
	if err != nil {
		return Connected{}, err
	}
	out.Source = m
	if m.Connection.TenantID != "" || underWay(&m.Connection) {
		return out, nil
	}
	out.Source, err = l.save(ctx, m, config, a)
	return out, err
}

// outlast waits up to CallerWait until no operation is under way, this process's or
// another's.
func (l *Lifecycle) outlast(ctx context.Context, m *registry.ManagedSource) (*registry.ManagedSource, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.CallerWait)
	defer cancel()
	for underWay(&m.Connection) && sleep(ctx, outlastPause) {
		newer, err := l.registry.ManagedSourceByID(ctx, m.Connection.CustomerID, m.Connection.ID)
		switch {
		case err == nil:
			m = newer
		case fault.Is(err, fault.NotFound):
			return nil, errDeleted()
		}
	}
	return m, nil
}

// outlastPause is how long passes between two looks; memory may be some seconds old.
const outlastPause = time.Second

func underWay(c *registry.Connection) bool {
	return c.Operation != nil && now().Before(c.Operation.Until)
}

// prepare refuses what can't be done at this gateway, before anything is made, and
// gives the service account where one is needed.
func (l *Lifecycle) prepare(customer int64, config *adserver.Config, tenant bool) (*adserver.Account, error) {
	if tenant && l.cfg.ContactEmail == "" {
		return nil, errNotSetUp()
	}
	if !config.NeedsAccount() {
		return nil, nil
	}
	account, ok, err := l.account(customer)
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Internal, "The service account of this customer can't be read.", err)
	case !ok || account == nil:
		return nil, errNoAccount()
	}
	return account, nil
}

// externalOrgID gives what a new tenant is known by upstream.
func (l *Lifecycle) externalOrgID(m *registry.ManagedSource) string {
	return strings.NewReplacer(
		"{customer_id}", strconv.FormatInt(m.Connection.CustomerID, 10),
		"{esa_id}", strconv.FormatInt(m.Connection.ID, 10),
		"{source_id}", m.Source.SourceID,
	).Replace(l.cfg.ExternalOrgID)
}

// forget lets a repetition with the same key try again. While the store is away the
// key waits for the store, and at worst for its time to run out.
func (l *Lifecycle) forget(ctx context.Context, customer int64, key string) {
	_ = l.persist(ctx, target{customer: customer}, func(ctx context.Context) error {
		return l.registry.ForgetOnce(ctx, customer, key)
	})
}

// erase deletes a source that was made a moment ago and came to nothing.
func (l *Lifecycle) erase(ctx context.Context, t target, op registry.Operation) error {
	err := l.persist(ctx, t, func(ctx context.Context) error {
		_, err := l.registry.DeleteSource(ctx, t.customer, t.sourceID, func(s *registry.InventorySource) error {
			if s.Source.ID != t.row || s.Connection == nil || !holds(s.Connection, op.ID) || s.Connection.TenantID != "" {
				return errMoved
			}
			return nil
		})
		return err
	})
	if fault.Is(err, fault.NotFound) || errors.Is(err, errMoved) { // it is gone, or somebody's who knows better
		return nil
	}
	return err
}
