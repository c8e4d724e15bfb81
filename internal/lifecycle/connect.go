package lifecycle

import (
	"context"
	"errors"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// Connected is what became of a Connect. Replayed: the idempotency key came before;
// Answer is what was answered then, nil if nothing was kept. Source is then the
// connection as it stands, nil if it has been deleted since.
type Connected struct {
	Source   *registry.Source
	Replayed bool
	Answer   []byte
}

// Connect makes a managed source and sets it up. A refusal by the ad server is no
// error: the connection says it. Who waits longer than CallerWait is given the
// connection as `provisioning`. After an error the idempotency key, if it is this
// request's, is free for a repetition, which goes on with the source if it stands: an
// Unavailable then names it. Once the source was deleted the key stays used.
func (l *Lifecycle) Connect(ctx context.Context, customer int64, c *adserver.Connect, once *registry.IdempotencyRecord) (Connected, error) {
	account, err := l.prepare(customer, c.Config, true)
	if err != nil {
		if was, ok := l.answered(ctx, customer, once); ok {
			return was, nil
		}
		return Connected{}, err
	}
	a := newAttempt()
	f, err := fly(ctx, l, customer, func(ctx context.Context) (Connected, error) {
		made, claimed, err := l.connect(ctx, customer, c, account, once, a)
		if claimed && once != nil && (err != nil && !gone(err) || err == nil && a.abandoned()) {
			l.forget(ctx, customer, once.Key)
		}
		return made, err
	})
	if err != nil {
		return Connected{}, err
	}
	return await(ctx, l, f, a, func(m *registry.Source) Connected { return Connected{Source: m} })
}

// answered gives the answer that is kept for a key. It changes nothing: a key that did
// not come before is given back.
func (l *Lifecycle) answered(ctx context.Context, customer int64, once *registry.IdempotencyRecord) (Connected, bool) {
	if once == nil {
		return Connected{}, false
	}
	creation, err := l.registry.ClaimIdempotencyKey(ctx, customer, *once)
	if err != nil {
		return Connected{}, false
	}
	if !creation.Replayed {
		l.forget(ctx, customer, once.Key)
	}
	out := replayed(creation)
	return out, out.Answer != nil
}

func replayed(creation registry.Creation) Connected {
	out := Connected{Replayed: creation.Replayed, Answer: creation.Answer}
	if s := creation.Source; s != nil && s.Connection != nil {
		out.Source = s
	}
	return out
}

// gone reports whether an error says that the source does not stand any more.
func gone(err error) bool {
	f := fault.As(err)
	return errors.Is(err, errGone) || f.Kind == fault.NotFound && f.Reason == ""
}

// connect reports also whether the key is this request's: a key that was refused is
// another's. That it may be on disk, without anybody knowing, is no refusal.
func (l *Lifecycle) connect(ctx context.Context, customer int64, c *adserver.Connect, account *adserver.Account, once *registry.IdempotencyRecord, a *attempt) (made Connected, claimed bool, err error) {
	op, end := l.begin(registry.OperationProvision)
	defer end()
	s := registry.NewManaged{SourceID: c.SourceID, Slug: c.Slug, Name: c.Name, AdServer: c.View(nil, nil), Operation: op}
	if account != nil {
		s.ServiceAccountEmail = account.Email
	}
	creation, err := l.registry.CreateManaged(ctx, customer, s, once)
	switch {
	case err != nil:
		return Connected{}, errors.Is(err, registry.ErrOutcomeUnknown), err
	case creation.Replayed:
		made, err = l.again(ctx, c.Config, replayed(creation), a)
		return made, true, err
	}
	m := creation.Source
	p := provision{target: targetOf(m), name: m.Name, op: op, config: c.Config, account: account,
		orgID: l.externalOrgID(m), attempt: a}
	if err := orgIDFits(p.orgID); err != nil { // what it comes to was not known before
		m, err = l.rejected(ctx, p, err)
		return Connected{Source: m}, true, err
	}
	a.begin(m)
	m, err = l.provision(ctx, p)
	return Connected{Source: m}, true, err
}

// again answers a Connect whose key came before. Where nothing was answered then and
// nothing came of it, it is tried again, on the same connection.
func (l *Lifecycle) again(ctx context.Context, config *adserver.Config, out Connected, a *attempt) (Connected, error) {
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
	if m.Connection.TenantID != "" || underWay(m.Connection) {
		return out, nil
	}
	out.Source, err = l.save(ctx, m, config, a, true)
	switch {
	case err == nil:
	case gone(err):
		err = errDeleted()
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Conflict):
		err = named(err, targetOf(m)) // what the first request made still stands
	}
	return out, err
}

// outlast waits up to CallerWait until no operation is under way, this process's or
// another's.
func (l *Lifecycle) outlast(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.CallerWait)
	defer cancel()
	for underWay(m.Connection) && background.Sleep(ctx, outlastPause) {
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

// forget lets a repetition with the same key try again. While the store is away the
// key waits for the store, and at worst for its time to run out.
func (l *Lifecycle) forget(ctx context.Context, customer int64, key string) {
	_ = l.persist(ctx, target{customer: customer}, func(ctx context.Context) error {
		return l.registry.ReleaseIdempotencyKey(ctx, customer, key)
	})
}

// erase deletes a source that was made a moment ago and came to nothing. It reports
// whether its operation was still under way.
func (l *Lifecycle) erase(ctx context.Context, t target, op registry.Operation) (held bool, err error) {
	err = l.persist(ctx, t, func(ctx context.Context) error {
		_, err := l.registry.DeleteSource(ctx, t.customer, t.sourceID, func(s *registry.Source) error {
			if s.ID != t.row || s.Connection == nil || !holds(s.Connection, op.ID) || s.Connection.TenantID != "" {
				return errMoved
			}
			return nil
		})
		return err
	})
	switch {
	case errors.Is(err, errMoved): // it is somebody's who knows better
		return false, nil
	case fault.Is(err, fault.NotFound):
		return true, nil
	}
	return true, err
}
