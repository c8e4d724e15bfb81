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

// settleConfig ends an unfinished change of config: it reads which config upstream has,
// unless only a restore was left, and restores the settings. What fails is tried again with
// pauses and given up in the end. If a caller waits who wants to change something else, at
// most a restore stays.
func (l *Lifecycle) settleConfig(ctx context.Context, m *registry.Source, callerWaits bool) (*registry.Source, error) {
	found := m.Connection.Operation
	o := l.newOperation(targetOf(m), registry.OperationConfigure)
	o.Begun = found.Begun // since when it is to be settled
	claimed, _, err := o.claim(ctx, nil, takeOver(found.ID, now()))
	switch {
	case errors.Is(err, errMoved):
		return l.registry.ManagedSourceByID(ctx, o.customer, o.esaID)
	case err != nil:
		return nil, err
	}
	s := settling{rewrite: rewrite{operation: o, tenantID: claimed.Connection.TenantID}, found: found, callerWaits: callerWaits,
		reported: isRestore(found) || claimed.Connection.LastError == textConfigLost, done: settingsRestored, waiting: settingsWait}
	if !isRestore(found) {
		err = s.readConfig(ctx)
	}
	status := restoreLater
	if err == nil || callerWaits {
		var restoreErr error
		status, restoreErr = s.restoreStored(ctx, claimed)
		err = errors.Join(err, restoreErr)
	}
	if ctx.Err() != nil {
		return nil, err // the operation stays
	}
	return s.end(ctx, status, err)
}

// readConfig reads which config a change has left.
func (s *settling) readConfig(ctx context.Context) error {
	call, cancel := s.within(ctx, readTimeout)
	defer cancel()
	config, err := s.upstream.AdapterConfig(call, s.tenantID)
	s.read = err == nil
	s.waiting = then(mayBeConfigured(now()), observedConfig(config))
	s.done = func(restoreStatus) transition { return s.waiting }
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
func (s *settling) restoreStored(ctx context.Context, m *registry.Source) (restoreStatus, error) {
	raw, err := s.registry.Settings(ctx, s.customer, s.esaID)
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
	if s.callerWaits {
		tries = 1
	}
	return s.putSettings(ctx, m.Connection.AdServer.Type, raw, tries)
}

// end records what became of the change.
func (s *settling) end(ctx context.Context, status restoreStatus, cause error) (*registry.Source, error) {
	e := ending{became: s.waiting, cause: cause}
	noTenant := verdictOf(cause) == verdictNoTenant
	switch {
	case noTenant:
		e.became = withError(codeInternal, textNoTenant)
	case status != restoreLater:
		e.became = s.done(status)
	case !s.callerWaits && s.givesUp():
		s.logAbout(ctx, slog.LevelWarn, "settings could not be restored and are given up", s.target, slog.Any("error", cause))
		e.became = then(e.became, settingsGivenUp)
	case isRestore(s.found) || s.read || s.callerWaits:
		e.next = restoreOf(s.Operation)
	default: // another round reads again
		again := s.Operation
		again.Until = s.found.Until
		e.next, e.became = &again, unchanged
	}
	if !s.reported && (e.next == nil || isRestore(e.next)) {
		e.outcome = OutcomeUnknown
	}
	if noTenant || status != restoreLater {
		return s.endStoring(ctx, nil, e)
	}
	m, err := s.rewrite.end(ctx, e) // the settings stay stored
	if err == nil && e.next != nil {
		s.logAbout(ctx, slog.LevelWarn, "a change of config can't be settled yet", s.target, slog.Any("error", cause))
	}
	return m, err
}

// givesUp reports whether a restore has failed often and long enough.
func (s *settling) givesUp() bool {
	tries := s.tries.of(openKey{s.esaID, s.Begun.UnixNano()}).count
	return tries >= giveUpTries && now().Sub(s.Begun) >= giveUpAfter
}
