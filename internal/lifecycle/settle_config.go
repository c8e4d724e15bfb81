package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// settleConfigure settles a change of config: which config it has become, unless nothing
// but the settings was left to do, and the settings that it owes. What can't be settled
// is tried again, with pauses, and given up in the end; when somebody waits who wants
// to change something else, no more than a leftover stays.
func (l *Lifecycle) settleConfigure(ctx context.Context, m *registry.Source, patient bool) (*registry.Source, error) {
	left := m.Connection.Operation
	if patient && !l.due(m.Connection.ID, now()) {
		return m, nil
	}
	op, end := l.begin(registry.OperationConfigure)
	defer end()
	op.Begun = left.Begun // since when it is to be settled
	t := targetOf(m)
	claimed, _, err := l.claim(ctx, t, op, takingOver(left.ID, now()))
	switch {
	case errors.Is(err, errMoved):
		return l.registry.ManagedSourceByID(ctx, t.customer, t.esaID)
	case err != nil:
		return nil, err
	}
	s := settling{rewrite: rewrite{target: t, op: op, tenantID: claimed.Connection.TenantID}, left: left, patient: patient,
		told: isLeftover(left) || claimed.Connection.LastError == textConfigLost}
	s.done, s.owed = settingsSettled, settingsOwed
	if !isLeftover(left) {
		err = l.askConfig(ctx, &s, claimed)
	}
	put := putLater
	if err == nil || !patient {
		var putErr error
		put, putErr = l.repay(ctx, s.rewrite, claimed, s.tries())
		err = errors.Join(err, putErr)
	}
	if ctx.Err() != nil {
		return nil, err // the operation stays
	}
	return l.settledConfig(ctx, s, put, err)
}

// settling is a change of config that is being settled.
type settling struct {
	rewrite
	left    *registry.Operation // what was found
	patient bool
	asked   bool // which config there is
	told    bool // how the change ended
	done    func(putting) transition
	owed    transition // what it becomes when its settings are still owed
}

func (s *settling) tries() int {
	if s.patient {
		return putTries
	}
	return 1
}

// askConfig asks which config a change has left.
func (l *Lifecycle) askConfig(ctx context.Context, s *settling, m *registry.Source) error {
	call, cancel := within(ctx, s.op, lookTimeout)
	defer cancel()
	config, err := l.upstream.AdapterConfig(call, s.tenantID)
	s.asked = err == nil
	became := then(mayBeConfigured(now()), shows(config))
	s.done, s.owed = func(putting) transition { return became }, became
	return gatewaysOwn(err)
}

// shows makes the record agree with the config that upstream shows; nil: it was not
// asked. It shows the type, and a network: by these alone can it contradict the saved
// view, which is then replaced by what is certain. Where it does not the view is kept,
// although an account or a default may be another by now: lastError says that it is not
// known, and without the view what the registry alone has would be lost.
func shows(config *wire.AdapterConfig) transition {
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

// settledConfig writes down what became of it.
func (l *Lifecycle) settledConfig(ctx context.Context, s settling, put putting, cause error) (*registry.Source, error) {
	k, next, became := keeping{}, (*registry.Operation)(nil), s.owed
	switch {
	case judge(cause) == verdictNoTenant:
		k.touched, became = true, noted(codeInternal, textNoTenant)
		put = putRefused
	case put != putLater:
		k.touched, became = true, s.done(put)
	case s.patient && l.pause(s.esaID, s.op.Begun, now()):
		l.note(ctx, slog.LevelWarn, "settings could not be put back and are given up", s.target, slog.Any("error", cause))
		became = then(became, settingsGivenUp)
	case isLeftover(s.left) || s.asked || !s.patient:
		next = leftover(s.op)
	default: // another round asks again
		again := s.op
		again.Until = s.left.Until
		next, became = &again, unchanged
	}
	m, err := l.conclude(ctx, s.rewrite, k, next, became)
	if !s.told && (next == nil || isLeftover(next)) {
		l.finish(ctx, s.target, s.op.Kind, OutcomeUnknown, errors.Join(cause, err))
	}
	switch {
	case next == nil:
		l.resume(s.esaID)
	case s.patient && err == nil:
		err = cause
	case err == nil:
		l.note(ctx, slog.LevelWarn, "settings that are owed can't be put back yet", s.target, slog.Any("error", cause))
	}
	return m, err
}

// repay puts back the settings that are still owed, if any are.
func (l *Lifecycle) repay(ctx context.Context, r rewrite, m *registry.Source, tries int) (putting, error) {
	raw, err := l.registry.Settings(ctx, r.customer, r.esaID)
	switch {
	case fault.Is(err, fault.NotFound):
		return putDone, nil
	case err != nil:
		return putLater, err
	}
	switch m, err = l.withAdServer(ctx, m); {
	case judge(err) == verdictNoTenant:
		return putRefused, err
	case err != nil:
		return putLater, err
	case m.Connection.AdServer == nil: // nor has it a config that they could belong to
		return putDone, nil
	}
	return l.putBack(ctx, r.op, r.tenantID, m.Connection.AdServer.Type, raw, tries)
}

// takingOver begins an operation in the place of one that nobody works on any more.
func takingOver(id string, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if !holds(&c, id) || at.Before(c.Operation.Until) && !isLeftover(c.Operation) {
			return c, errMoved // by now it is another, or has got more time
		}
		return c, nil
	}
}
