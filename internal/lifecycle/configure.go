package lifecycle

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

// configure claims a connection that has a tenant, and replaces its config.
func (l *Lifecycle) configure(ctx context.Context, m *registry.Source, config *adserver.Config) (*registry.Source, error) {
	for range saveTries {
		if m.Connection.TenantID == "" {
			return nil, withoutTenant(m.Connection)
		}
		account, err := l.prepare(m.Connection.CustomerID, config, false)
		if err != nil {
			return nil, err
		}
		if m, err = l.withAdServer(ctx, m); err != nil {
			return nil, err
		}
		next, was, err := l.replace(ctx, m, config, account)
		if !errors.Is(err, errMoved) {
			return next, err
		}
		if m, err = l.settleFirst(ctx, was); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "The connection is being changed by others. Try again.")
}

// withAdServer completes a connection whose ad server the registry does not know: its
// type can't be changed.
func (l *Lifecycle) withAdServer(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	c := m.Connection
	if c.AdServer != nil {
		return m, nil
	}
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	config, err := l.upstream.AdapterConfig(bounded, c.TenantID)
	if err != nil {
		return nil, gatewaysOwn(err)
	}
	view, email := adserver.Observed(config)
	if view == nil {
		return m, nil
	}
	return l.registry.LearnAdServer(ctx, c.CustomerID, c.ID, *view, email)
}

// rewrite is a change of config that is claimed.
type rewrite struct {
	target
	op       registry.Operation
	tenantID string
	config   *adserver.Config
	account  *adserver.Account
	current  *registry.AdServer // the view that is replaced; nil: none, or not known
	// after is the leftover of an earlier change, in whose place this one stands; nil:
	// none.
	after *registry.Operation
}

func (l *Lifecycle) replace(ctx context.Context, m *registry.Source, config *adserver.Config, account *adserver.Account) (next, was *registry.Source, err error) {
	op, end := l.begin(registry.OperationConfigure)
	defer end()
	next, was, err = l.claim(ctx, targetOf(m), op, configuring(now(), config.Type()))
	if err != nil {
		return nil, was, err
	}
	l.resume(m.Connection.ID) // what is owed after this is not what was
	next, err = l.rewrite(ctx, rewrite{target: targetOf(m), op: op, tenantID: next.Connection.TenantID,
		config: config, account: account, current: next.Connection.AdServer, after: was.Connection.Operation})
	return next, was, err
}

// rewrite replaces the config upstream, with the settings that this resets there, and
// writes down what became of it.
func (l *Lifecycle) rewrite(ctx context.Context, r rewrite) (*registry.Source, error) {
	was, err := l.readSettings(ctx, r)
	if l.life.Err() != nil {
		return nil, errStopping()
	}
	k := keeping{back: was.owed}
	if err == nil {
		if k.wanted = r.config.Settings(was.settings); k.wanted != nil {
			k.touched = true
			err = l.registry.KeepSettings(ctx, r.customer, r.esaID, k.wanted)
		}
	}
	if err == nil && now().Sub(r.op.Begun) > startWithin+lookTimeout {
		err = errTooSlow()
	}
	if err != nil {
		return l.notBegun(ctx, r, k, err)
	}
	asked := now()
	call, cancel := within(ctx, r.op, l.cfg.ProbeTimeout)
	err = l.upstream.PutAdapterConfig(call, r.tenantID, r.config.Request(r.account, was.settings))
	cancel()
	if err != nil && l.life.Err() != nil {
		return nil, errStopping()
	}
	switch v := judge(err); v {
	case verdictDone:
		email := ""
		if r.account != nil {
			email = r.account.Email
		}
		// A test that began before now may have been one of the earlier config.
		saved := configured(r.config.View(r.current, was.settings), email, now())
		return l.settingsBack(ctx, r, k, OutcomeDone, saved, nil)
	case verdictUnknown:
		return l.mayBeWritten(ctx, r, k, asked, err)
	case verdictNoTenant:
		m, _ := l.conclude(ctx, r, k.forgotten(), nil, noted(codeInternal, textNoTenant))
		l.finish(ctx, r.target, r.op.Kind, OutcomeRejected, err)
		return m, err
	default:
		return l.notReplaced(ctx, r, k, v, err)
	}
}

// mayBeWritten puts the settings back at once, for upstream may be through with it. But
// it may as well come to the rewrite only later, and reset them then: they stay kept,
// and the operation stands until that can't be any more. Settle then puts them back
// again, and asks which config it has become.
func (l *Lifecycle) mayBeWritten(ctx context.Context, r rewrite, k keeping, asked time.Time, cause error) (*registry.Source, error) {
	var putErr error
	if k.wanted != nil {
		var put putting
		if put, putErr = l.putBack(ctx, r.op, r.tenantID, r.config.Type(), k.wanted, 1); put == putLater && l.life.Err() != nil {
			return nil, errStopping()
		}
	}
	stands := r.op
	if certain := asked.Add(l.cfg.Unsettled); certain.After(stands.Until) {
		stands.Until = certain
	}
	m, err := l.conclude(ctx, r, keeping{}, &stands, mayBeConfigured(now()))
	l.finish(ctx, r.target, r.op.Kind, OutcomeUnknown, errors.Join(cause, putErr, err))
	return m, unavailable(cause)
}

// notBegun writes down that a change came to nothing before anything was changed. What
// an earlier one left is still to be settled.
func (l *Lifecycle) notBegun(ctx context.Context, r rewrite, k keeping, err error) (*registry.Source, error) {
	m, _ := l.conclude(ctx, r, k, r.after, unchanged)
	l.finish(ctx, r.target, r.op.Kind, OutcomeNotSent, err)
	return m, err
}

// notReplaced writes down that the config upstream is what it was, and why.
func (l *Lifecycle) notReplaced(ctx context.Context, r rewrite, k keeping, v verdict, err error) (*registry.Source, error) {
	code, text := reasons(v, err)
	outcome := OutcomeRejected
	switch v {
	case verdictRefused, verdictInvalid:
		err = refused(err, code, text)
		if v == verdictRefused {
			outcome = OutcomeRefused
		}
	case verdictNotDone:
		outcome, text = OutcomeNotSent, textNotChanged
	}
	if k.back == nil {
		m, _ := l.conclude(ctx, r, k, nil, noted(code, text))
		l.finish(ctx, r.target, r.op.Kind, outcome, err)
		return m, err
	}
	// An earlier change has reset settings, and they are still to be put back.
	k.wanted = k.back
	if r.after != nil {
		r.op.Begun = r.after.Begun // they have been owed since then
	}
	return l.settingsBack(ctx, r, k, outcome, noted(code, text), err)
}

// settingsBack puts settings back after the config was written, or may have been, and
// writes the outcome down. Settings that can't be put back now stay kept, with an
// operation that Settle finds.
func (l *Lifecycle) settingsBack(ctx context.Context, r rewrite, k keeping, outcome Outcome, became transition, cause error) (*registry.Source, error) {
	var next *registry.Operation
	var putErr error
	if k.wanted != nil {
		var put putting
		put, putErr = l.putBack(ctx, r.op, r.tenantID, r.config.Type(), k.wanted, putTries)
		switch {
		case put == putLater && l.life.Err() != nil:
			return nil, errStopping()
		case put == putLater:
			next, k.back = leftover(r.op), k.wanted
			if cause == nil {
				became = then(became, noted(codeInternal, textSettings))
			}
		case put == putRefused && cause == nil:
			became = then(became, noted(codeInternal, textSettingsOff))
		}
	}
	if next == nil {
		k = k.forgotten()
	}
	m, err := l.conclude(ctx, r, k, next, became)
	l.finish(ctx, r.target, r.op.Kind, outcome, errors.Join(cause, putErr, err))
	if cause != nil {
		return m, cause
	}
	return m, err
}

// conclude writes down which settings are still to be put back, and then what became
// of a change of config.
func (l *Lifecycle) conclude(ctx context.Context, r rewrite, k keeping, next *registry.Operation, became transition) (*registry.Source, error) {
	var written atomic.Pointer[registry.Source] // it may go on behind our back
	until := r.op.Until
	err := l.persist(ctx, r.target, func(ctx context.Context) error {
		if k.touched {
			// Nobody else may have settings of theirs kept meanwhile.
			if now().After(until.Add(-slack)) {
				renewed := r.op
				renewed.Until = now().Add(slack + storePatience)
				m, err := l.change(ctx, r.target, r.op.ID, &renewed, unchanged, nil)
				if err != nil {
					return err
				}
				if !holds(m.Connection, r.op.ID) {
					written.Store(m)
					return nil
				}
				until = renewed.Until
			}
			if err := l.registry.KeepSettings(ctx, r.customer, r.esaID, k.back); err != nil {
				return err
			}
		}
		m, err := l.change(ctx, r.target, r.op.ID, next, became, nil)
		if err == nil {
			written.Store(m)
		}
		return err
	})
	return written.Load(), err
}

// decided is when it is certain what came of an operation that nobody followed to its
// end: upstream was asked at the latest startWithin after it was begun.
func (l *Lifecycle) decided(op *registry.Operation) time.Time {
	return op.Begun.Add(startWithin + l.cfg.Unsettled)
}
