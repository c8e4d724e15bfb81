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

// Connected is what became of a Connect. If Replayed, the idempotency key came before;
// Answer is what was answered then, nil if nothing was stored. Source is the connection as
// it is, nil if it has been deleted since.
type Connected struct {
	Source   *registry.Source
	Replayed bool
	Answer   []byte
}

// Connect makes a managed source and sets it up (contract 5.6). A refusal by the ad server
// is no error: the connection says it. A caller who waits longer than CallerWait is given
// the connection as `provisioning`. After an error the idempotency key, if it is this
// request's, is free for a repetition, which goes on with the source if it exists: an
// Unavailable then names it. Once the source was deleted the key stays used.
func (l *Lifecycle) Connect(ctx context.Context, customer int64, c *adserver.Connect,
	once *registry.IdempotencyRecord) (Connected, error) {
	account, err := l.serviceAccount(customer, c.Config, true)
	if err != nil {
		if out, ok := l.storedAnswer(ctx, customer, once); ok {
			return out, nil
		}
		return Connected{}, err
	}
	a := newAttempt()
	done, err := start(ctx, l.core, customer, func(ctx context.Context) (Connected, error) {
		out, ours, err := l.connect(ctx, customer, c, account, once, a)
		if ours && once != nil && (err != nil && !sourceGone(err) || err == nil && a.left.Load()) {
			l.releaseKey(ctx, customer, once.Key)
		}
		return out, err
	})
	if err != nil {
		return Connected{}, err
	}
	return a.await(ctx, l.core, done)
}

// storedAnswer gives the answer that is stored for a key. It changes nothing: a key that
// did not come before is freed.
func (l *Lifecycle) storedAnswer(ctx context.Context, customer int64, once *registry.IdempotencyRecord) (Connected, bool) {
	if once == nil {
		return Connected{}, false
	}
	creation, err := l.registry.ClaimIdempotencyKey(ctx, customer, *once)
	if err != nil {
		return Connected{}, false
	}
	if !creation.Replayed {
		l.releaseKey(ctx, customer, once.Key)
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

// releaseKey lets a repetition with the same key try again. While the store is away the key
// stays used, at worst until it expires.
func (l *Lifecycle) releaseKey(ctx context.Context, customer int64, key string) {
	_, _ = persist(ctx, l.core, target{customer: customer}, func(ctx context.Context) (any, error) {
		return nil, l.registry.ReleaseIdempotencyKey(ctx, customer, key)
	})
}

// sourceGone reports whether an error says that the source does not exist any more.
func sourceGone(err error) bool {
	f := fault.As(err)
	return errors.Is(err, errDeleted) || f.Kind == fault.NotFound && f.Reason == ""
}

// connect makes the source and provisions it. ours reports whether the key is this
// request's, also if it is not known whether it is on disk; a key that is refused is
// another request's.
func (l *Lifecycle) connect(ctx context.Context, customer int64, c *adserver.Connect, account *adserver.Account,
	once *registry.IdempotencyRecord, a *attempt) (out Connected, ours bool, err error) {
	p := provision{operation: l.newOperation(target{}, registry.OperationProvision), config: c.Config,
		account: account, attempt: a}
	s := registry.NewManaged{SourceID: c.SourceID, Slug: c.Slug, Name: c.Name, AdServer: c.View(nil, nil),
		ServiceAccountEmail: emailOf(account), Operation: p.Operation}
	creation, err := l.registry.CreateManaged(ctx, customer, s, once)
	switch {
	case err != nil:
		return Connected{}, errors.Is(err, registry.ErrOutcomeUnknown), err
	case creation.Replayed:
		out, err = l.repeat(ctx, c.Config, replayed(creation), a)
		return out, true, err
	}
	m := creation.Source
	p.target, p.name, p.orgID = targetOf(m), m.Name, l.externalOrgID(m)
	if err := checkOrgID(p.orgID); err != nil { // the id was not known before
		m, err = p.reject(ctx, err)
		return Connected{Source: m}, true, err
	}
	a.record(m)
	m, err = p.run(ctx)
	return Connected{Source: m}, true, err
}

// repeat answers a Connect whose key came before. If nothing was answered then and nothing
// came of it, it is tried again, on the same connection.
func (l *Lifecycle) repeat(ctx context.Context, config *adserver.Config, out Connected, a *attempt) (Connected, error) {
	switch {
	case out.Answer != nil:
		return out, nil
	case out.Source == nil:
		return Connected{}, errDeleted
	}
	m, err := l.waitForOperation(ctx, out.Source)
	if err != nil {
		return Connected{}, err
	}
	out.Source = m
	if m.Connection.TenantID != "" || inProgress(m.Connection) {
		return out, nil
	}
	out.Source, err = l.save(ctx, m, config, a, true)
	switch {
	case err == nil:
	case sourceGone(err):
		err = errDeleted
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Conflict):
		err = naming(err, targetOf(m)) // what the first request made still exists
	}
	return out, err
}

// waitForOperation waits up to CallerWait until no operation is under way, of this process
// or another.
func (l *Lifecycle) waitForOperation(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.CallerWait)
	defer cancel()
	for inProgress(m.Connection) && background.Sleep(ctx, time.Second) { // memory may be some seconds old
		newer, err := l.registry.ManagedSourceByID(ctx, m.Connection.CustomerID, m.Connection.ID)
		switch {
		case err == nil:
			m = newer
		case fault.Is(err, fault.NotFound):
			return nil, errDeleted
		}
	}
	return m, nil
}

// serviceAccount gives the account that a config needs, nil if it needs none. It refuses
// what can't be done at this gateway, before anything is made.
func (l *Lifecycle) serviceAccount(customer int64, config *adserver.Config, newTenant bool) (*adserver.Account, error) {
	if newTenant && l.cfg.ContactEmail == "" {
		return nil, errNotSetUp
	}
	if !config.NeedsAccount() {
		return nil, nil
	}
	account, ok, err := l.account(customer)
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Internal, "The service account of this customer can't be read.", err)
	case !ok || account == nil:
		return nil, errNoAccount
	}
	return account, nil
}

// emailOf gives the e-mail of a service account, empty for none.
func emailOf(account *adserver.Account) string {
	if account == nil {
		return ""
	}
	return account.Email
}
