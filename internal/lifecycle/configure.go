package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"time"

	"esagate/internal/adserver"
	"esagate/registry"
)

// configurer replaces the ad-server configs of tenants, and restores the settings that
// upstream resets with it (contract 5.8).
type configurer struct {
	*core
	retries *retries // of restores, by esaId
}

func newConfigurer(c *core) *configurer {
	return &configurer{core: c, retries: newRetries(restoreRetryFirst, restoreRetryLast)}
}

// withAdServer completes a connection whose ad server the registry does not know, because
// its type can't be changed.
func (s *configurer) withAdServer(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	c := m.Connection
	if c.AdServer != nil {
		return m, nil
	}
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	config, err := s.upstream.AdapterConfig(call, c.TenantID)
	if err != nil {
		return nil, asUpstreamFault(err)
	}
	view, email := adserver.Observed(config)
	if view == nil {
		return m, nil
	}
	return s.registry.LearnAdServer(ctx, c.CustomerID, c.ID, *view, email)
}

// rewrite is a change of config that is claimed.
type rewrite struct {
	target
	op       registry.Operation
	tenantID string
	config   *adserver.Config
	account  *adserver.Account
	current  *registry.AdServer  // the view that is replaced; nil: none, or not known
	after    *registry.Operation // the restore of settings in whose place it is; nil: none
}

// claimAndRun claims a connection and replaces its config; errMoved, and how it was, when
// it can't be claimed.
func (s *configurer) claimAndRun(ctx context.Context, m *registry.Source, config *adserver.Config,
	account *adserver.Account) (next, was *registry.Source, err error) {
	op := s.newOperation(registry.OperationConfigure)
	next, was, err = s.claim(ctx, targetOf(m), op, beginConfiguring(now(), config.Type()))
	if err != nil {
		return nil, was, err
	}
	s.retries.forget(restoreKey(m.Connection.ID)) // what is to be restored after this is something else
	next, err = s.run(ctx, rewrite{target: targetOf(m), op: op, tenantID: next.Connection.TenantID,
		config: config, account: account, current: next.Connection.AdServer, after: was.Connection.Operation})
	return next, was, err
}

// run replaces the config upstream, restores the settings that this resets there, and
// records the outcome.
func (s *configurer) run(ctx context.Context, r rewrite) (*registry.Source, error) {
	settings, stored, err := s.readSettings(ctx, r)
	if s.stopping() {
		return nil, errStopping()
	}
	if err != nil { // nothing was changed; what an earlier change left is still to be settled
		m, _ := s.end(ctx, r.target, r.op, ending{outcome: OutcomeNotSent, became: unchanged, next: r.after, cause: err})
		return m, err
	}
	wanted := r.config.Settings(settings)
	if wanted != nil {
		err = s.registry.KeepSettings(ctx, r.customer, r.esaID, wanted)
	}
	if err == nil && now().Sub(r.op.Begun) > startWithin+readTimeout {
		err = errTooSlow()
	}
	if err != nil {
		m, _ := s.endStoring(ctx, r, stored, ending{outcome: OutcomeNotSent, became: unchanged, next: r.after, cause: err})
		return m, err
	}
	sent := now()
	call, cancel := within(ctx, r.op, s.cfg.ProbeTimeout)
	err = s.upstream.PutAdapterConfig(call, r.tenantID, r.config.Request(r.account, settings))
	cancel()
	if err != nil && s.stopping() {
		return nil, errStopping()
	}
	switch v := verdictOf(err); v {
	case verdictDone:
		email := ""
		if r.account != nil {
			email = r.account.Email
		}
		// A test that began before now may have been of the earlier config.
		saved := configured(r.config.View(r.current, settings), email, now())
		return s.restore(ctx, r, wanted, ending{outcome: OutcomeDone, became: saved})
	case verdictUnknown:
		return s.unknown(ctx, r, wanted, sent, err)
	case verdictNoTenant:
		m, _ := s.endStoring(ctx, r, nil, ending{outcome: OutcomeRejected, became: withError(codeInternal, textNoTenant), cause: err})
		return m, err
	default:
		return s.notReplaced(ctx, r, stored, v, err)
	}
}

// unknown handles a change that may have been made. The settings are restored at once,
// because upstream may have finished; but it may also process the change only later and
// reset them then. So they stay stored, and the operation stays until that can't be any
// more: Settle then restores them again and reads which config there is.
func (s *configurer) unknown(ctx context.Context, r rewrite, wanted []byte, sent time.Time, cause error) (*registry.Source, error) {
	var restoreErr error
	if wanted != nil {
		var status restoreStatus
		status, restoreErr = s.putSettings(ctx, r.op, r.tenantID, r.config.Type(), wanted, 1)
		if status == restoreLater && s.stopping() {
			return nil, errStopping()
		}
	}
	stays := r.op
	if certain := sent.Add(s.cfg.Unsettled); certain.After(stays.Until) {
		stays.Until = certain
	}
	m, _ := s.end(ctx, r.target, r.op, ending{outcome: OutcomeUnknown, became: mayBeConfigured(now()), next: &stays,
		cause: errors.Join(cause, restoreErr)})
	return m, unavailable(cause)
}

// notReplaced records that the config upstream is what it was, and why. Settings that an
// earlier change has reset are restored.
func (s *configurer) notReplaced(ctx context.Context, r rewrite, stored []byte, v verdict, err error) (*registry.Source, error) {
	code, text := lastErrorOf(v, err)
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
	if r.after != nil && stored != nil {
		r.op.Begun = r.after.Begun // they have been waiting since then
	}
	return s.restore(ctx, r, stored, ending{outcome: outcome, became: withError(code, text), cause: err})
}

// restore restores settings after the config was written, or an earlier one was, and
// records the outcome. Settings that can't be restored now stay stored, with an operation
// that Settle finds.
func (s *configurer) restore(ctx context.Context, r rewrite, wanted []byte, e ending) (*registry.Source, error) {
	cause := e.cause
	var stored []byte // nothing, unless the settings wait
	if wanted != nil {
		status, err := s.putSettings(ctx, r.op, r.tenantID, r.config.Type(), wanted, restoreTries)
		e.cause = errors.Join(cause, err)
		switch {
		case status == restoreLater && s.stopping():
			return nil, errStopping()
		case status == restoreLater:
			e.next, stored = restoreOf(r.op), wanted
			if cause == nil {
				e.became = then(e.became, withError(codeInternal, textSettings))
			}
		case status == restoreRefused && cause == nil:
			e.became = then(e.became, withError(codeInternal, textSettingsOff))
		}
	}
	m, err := s.endStoring(ctx, r, stored, e)
	return m, cmp.Or(cause, err)
}

// endStoring records which settings are still to be restored, nil for none, and then how a
// change of config ended.
func (s *configurer) endStoring(ctx context.Context, r rewrite, settings []byte, e ending) (*registry.Source, error) {
	until := r.op.Until
	w, err := persist(ctx, s.core, r.target, func(ctx context.Context) (written, error) {
		if now().After(until.Add(-reserve)) { // another process may store its settings meanwhile
			renewed := r.op
			renewed.Until = now().Add(reserve + storePatience)
			w, err := s.write(ctx, r.target, r.op.ID, ending{became: unchanged, next: &renewed})
			if err != nil || !w.held {
				return w, err
			}
			until = renewed.Until
		}
		if err := s.registry.KeepSettings(ctx, r.customer, r.esaID, settings); err != nil {
			return written{}, err
		}
		return s.write(ctx, r.target, r.op.ID, e)
	})
	s.report(ctx, r.target, r.op.Kind, e.outcome, errors.Join(e.cause, err))
	return w.source, err
}
