package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"time"

	"esagate/internal/adserver"
	"esagate/registry"
)

// learnAdServer reads which ad server a connection has, because its type can't be changed, and gives
// the transition that records it; where the registry knows, that changes nothing.
func (c *core) learnAdServer(ctx context.Context, m *registry.Source) (transition, error) {
	if m.Connection.AdServer != nil {
		return unchanged, nil
	}
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	config, err := c.upstream.AdapterConfig(call, m.Connection.TenantID)
	if err != nil {
		return nil, asUpstreamFault(err)
	}
	view, email := adserver.Observed(config)
	if view == nil {
		return unchanged, nil
	}
	learn := registry.LearnAdServer(*view, email)
	return func(c registry.Connection) (registry.Connection, error) {
		next, err := learn(&registry.Source{Connection: &c})
		return *next, err
	}, nil
}

// withAdServer gives a connection with what learnAdServer learns, recorded.
func (c *core) withAdServer(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	learned, err := c.learnAdServer(ctx, m)
	if err != nil || m.Connection.AdServer != nil {
		return m, err
	}
	return c.registry.ChangeConnection(ctx, m.Connection.CustomerID, m.Connection.ID, deciding(learned))
}

// rewrite is a change of config that is claimed: it replaces the tenant's ad-server config,
// and restores the settings that upstream resets with it (contract 5.8).
type rewrite struct {
	operation
	tenantID string
	config   *adserver.Config
	account  *adserver.Account
	current  *registry.AdServer  // the view that is replaced; nil: none, or not known
	after    *registry.Operation // the restore of settings in whose place it is; nil: none
}

// run replaces the config upstream, restores the settings that this resets there, and
// records the outcome.
func (r rewrite) run(ctx context.Context) (*registry.Source, error) {
	settings, stored, err := r.readSettings(ctx)
	if r.stopping() {
		return nil, errStopping
	}
	if err != nil { // nothing was changed; what an earlier change left is still to be settled
		m, _ := r.end(ctx, ending{outcome: OutcomeNotSent, became: unchanged, next: r.after, cause: err})
		return m, err
	}
	wanted := r.config.Settings(settings)
	if wanted != nil {
		err = r.registry.KeepSettings(ctx, r.customer, r.esaID, wanted)
	}
	if err == nil && now().Sub(r.Begun) > startWithin+readTimeout {
		err = errTooSlow
	}
	if err != nil {
		m, _ := r.endStoring(ctx, stored, ending{outcome: OutcomeNotSent, became: unchanged, next: r.after, cause: err})
		return m, err
	}
	sent := now()
	call, cancel := r.sending(ctx, r.Begun.Add(startWithin+readTimeout), r.cfg.ProbeTimeout)
	err = r.upstream.PutAdapterConfig(call, r.tenantID, r.config.Request(r.account, r.current, settings))
	cancel()
	if err != nil && r.stopping() {
		return nil, errStopping
	}
	switch v := verdictOf(err); v {
	case verdictDone:
		// A test that began before now may have been of the earlier config.
		saved := configured(r.config.View(r.current, settings), emailOf(r.account), now())
		return r.restore(ctx, wanted, ending{outcome: OutcomeDone, became: saved})
	case verdictUnknown:
		return r.unknown(ctx, wanted, sent, err)
	case verdictNoTenant:
		m, _ := r.endStoring(ctx, nil, ending{outcome: OutcomeRejected, became: withError(codeInternal, textNoTenant), cause: err})
		return m, err
	default:
		return r.notReplaced(ctx, stored, v, err)
	}
}

// unknown handles a change that may have been made. The settings are restored at once,
// because upstream may have finished; but it may also process the change only later and
// reset them then. So they stay stored, and the operation stays until that can't be any
// more: Settle then restores them again and reads which config there is.
func (r rewrite) unknown(ctx context.Context, wanted []byte, sent time.Time, cause error) (*registry.Source, error) {
	var restoreErr error
	if wanted != nil {
		var status restoreStatus
		status, restoreErr = r.putSettings(ctx, r.config.Type(), wanted, 1)
		if status == restoreLater && r.stopping() {
			return nil, errStopping
		}
	}
	stays := r.Operation
	if certain := sent.Add(r.unsettled); certain.After(stays.Until) {
		stays.Until = certain
	}
	m, _ := r.end(ctx, ending{outcome: OutcomeUnknown, became: mayBeConfigured(now()), next: &stays,
		cause: errors.Join(cause, restoreErr)})
	return m, unavailable(cause)
}

// notReplaced records that the config upstream is what it was, and why. Settings that an
// earlier change has reset are restored.
func (r rewrite) notReplaced(ctx context.Context, stored []byte, v verdict, err error) (*registry.Source, error) {
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
		r.Begun = r.after.Begun // they have been waiting since then
	}
	return r.restore(ctx, stored, ending{outcome: outcome, became: withError(code, text), cause: err})
}

// restore restores settings after the config was written, or an earlier one was, and
// records the outcome. Settings that can't be restored now stay stored, with an operation
// that Settle finds.
func (r rewrite) restore(ctx context.Context, wanted []byte, e ending) (*registry.Source, error) {
	cause := e.cause
	var stored []byte // nothing, unless the settings wait
	if wanted != nil {
		status, err := r.putSettings(ctx, r.config.Type(), wanted, restoreTries)
		e.cause = errors.Join(cause, err)
		switch {
		case status == restoreLater && r.stopping():
			return nil, errStopping
		case status == restoreLater:
			e.next, stored = restoreOf(r.Operation), wanted
			if cause == nil {
				e.became = then(e.became, withError(codeInternal, textSettings))
			}
		case status == restoreRefused && cause == nil:
			e.became = then(e.became, withError(codeInternal, textSettingsOff))
		}
	}
	m, err := r.endStoring(ctx, stored, e)
	return m, cmp.Or(cause, err)
}

// endStoring records which settings are still to be restored, nil for none, and then how a
// change of config ended.
func (r rewrite) endStoring(ctx context.Context, settings []byte, e ending) (*registry.Source, error) {
	until := r.Until
	w, err := persist(ctx, r.core, r.target, func(ctx context.Context) (written, error) {
		if now().After(until.Add(-reserve)) { // another process may store its settings meanwhile
			renewed := r.Operation
			renewed.Until = now().Add(reserve + storePatience)
			w, err := r.write(ctx, ending{became: unchanged, next: &renewed})
			if err != nil || !w.held {
				return w, err
			}
			until = renewed.Until
		}
		if err := r.registry.KeepSettings(ctx, r.customer, r.esaID, settings); err != nil {
			return written{}, err
		}
		return r.write(ctx, e)
	})
	r.report(ctx, e.outcome, errors.Join(e.cause, err))
	return w.source, err
}
