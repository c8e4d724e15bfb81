package lifecycle

import (
	"context"
	"errors"
	"log/slog"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// settling is an unfinished change of config that is claimed to be settled.
type settling struct {
	rewrite
	found       *registry.Operation // what was found
	callerWaits bool
	read        bool // it is known which config upstream has
	reported    bool // it is reported how the change ended
	done        func(restoreStatus) transition
	waiting     transition // what the record becomes while its settings wait
}

// settle ends an unfinished change of config: it reads which config upstream has,
// unless only a restore was left, and restores the settings. What fails is tried again with
// pauses and given up in the end. If a caller waits who wants to change something else, at
// most a restore stays.
func (s *configurer) settle(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	found := m.Connection.Operation
	if !callerWaits && !s.retries.due(restoreKey(m.Connection.ID), now()) {
		return m, nil
	}
	op := s.newOperation(registry.OperationConfigure)
	op.Begun = found.Begun // since when it is to be settled
	t := targetOf(m)
	claimed, _, err := s.claim(ctx, t, op, takeOver(found.ID, now()))
	switch {
	case errors.Is(err, errMoved):
		return s.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
	case err != nil:
		return nil, err
	}
	w := settling{rewrite: rewrite{target: t, op: op, tenantID: claimed.Connection.TenantID}, found: found, callerWaits: callerWaits,
		reported: isRestore(found) || claimed.Connection.LastError == textConfigLost, done: settingsRestored, waiting: settingsWait}
	if !isRestore(found) {
		err = s.readConfig(ctx, &w)
	}
	status := restoreLater
	if err == nil || callerWaits {
		var restoreErr error
		status, restoreErr = s.restoreStored(ctx, w, claimed)
		err = errors.Join(err, restoreErr)
	}
	if ctx.Err() != nil {
		return nil, err // the operation stays
	}
	return s.settled(ctx, w, status, err)
}

// readConfig reads which config a change has left.
func (s *configurer) readConfig(ctx context.Context, w *settling) error {
	call, cancel := within(ctx, w.op, readTimeout)
	defer cancel()
	config, err := s.upstream.AdapterConfig(call, w.tenantID)
	w.read = err == nil
	w.waiting = then(mayBeConfigured(now()), observedConfig(config))
	w.done = func(restoreStatus) transition { return w.waiting }
	return asUpstreamFault(err)
}

// observedConfig makes the record agree with the config that upstream shows; nil: it could
// not be read. Upstream shows the type, and a network: only these can contradict the saved
// view, which is then replaced by what is certain. Else the view stays, although an account
// or a default may differ by now: lastError says that this is not known, and without the
// view what only the registry has would be lost.
func observedConfig(config *wire.AdapterConfig) transition {
	if config == nil {
		return unchanged
	}
	found, email := adserver.Observed(config)
	return func(c registry.Connection) (registry.Connection, error) {
		switch known := c.AdServer; {
		case found == nil && known != nil: // it was deleted, and not rebuilt; the type stays the tenant's
			c.AdServer = &registry.AdServer{Type: known.Type}
		case found == nil:
		case known == nil || known.Type != found.Type || found.NetworkCode != "" && known.NetworkCode != found.NetworkCode:
			c.AdServer = found
		}
		if email != "" {
			c.ServiceAccountEmail = email
		}
		return c, nil
	}
}

// restoreStored restores the settings that an earlier change left stored, if any.
func (s *configurer) restoreStored(ctx context.Context, w settling, m *registry.Source) (restoreStatus, error) {
	raw, err := s.registry.Settings(ctx, w.customer, w.esaID)
	switch {
	case fault.Is(err, fault.NotFound):
		return restoreDone, nil
	case err != nil:
		return restoreLater, err
	}
	switch m, err = s.withAdServer(ctx, m); {
	case verdictOf(err) == verdictNoTenant:
		return restoreRefused, err
	case err != nil:
		return restoreLater, err
	case m.Connection.AdServer == nil: // nor is there a config that they could belong to
		return restoreDone, nil
	}
	tries := restoreTries
	if w.callerWaits {
		tries = 1
	}
	return s.putSettings(ctx, w.op, w.tenantID, m.Connection.AdServer.Type, raw, tries)
}

// settled records what became of the change.
func (s *configurer) settled(ctx context.Context, w settling, status restoreStatus, cause error) (*registry.Source, error) {
	e := ending{became: w.waiting, cause: cause}
	noTenant := verdictOf(cause) == verdictNoTenant
	switch {
	case noTenant:
		e.became = withError(codeInternal, textNoTenant)
	case status != restoreLater:
		e.became = w.done(status)
	case !w.callerWaits && s.givesUp(w):
		s.logAbout(ctx, slog.LevelWarn, "settings could not be restored and are given up", w.target, slog.Any("error", cause))
		e.became = then(e.became, settingsGivenUp)
	case isRestore(w.found) || w.read || w.callerWaits:
		e.next = restoreOf(w.op)
	default: // another round reads again
		again := w.op
		again.Until = w.found.Until
		e.next, e.became = &again, unchanged
	}
	if !w.reported && (e.next == nil || isRestore(e.next)) {
		e.outcome = OutcomeUnknown
	}
	var m *registry.Source
	var err error
	if noTenant || status != restoreLater {
		m, err = s.endStoring(ctx, w.rewrite, nil, e)
	} else { // the settings stay stored
		m, err = s.end(ctx, w.target, w.op, e)
	}
	switch {
	case e.next == nil:
		s.retries.forget(restoreKey(w.esaID))
	case !w.callerWaits && err == nil:
		err = cause
	case err == nil:
		s.logAbout(ctx, slog.LevelWarn, "settings can't be restored yet", w.target, slog.Any("error", cause))
	}
	return m, err
}

// givesUp reports whether a restore has failed often and long enough, and else postpones
// the next try.
func (s *configurer) givesUp(w settling) bool {
	at := now()
	tries := s.retries.postpone(restoreKey(w.esaID), at, at)
	return tries >= giveUpTries && at.Sub(w.op.Begun) >= giveUpAfter
}
