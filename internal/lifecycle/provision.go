package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

// provision is a provisioning that is claimed.
type provision struct {
	target
	name    string
	op      registry.Operation
	config  *adserver.Config
	account *adserver.Account
	orgID   string
	was     *registry.Source // as it stood before; nil: it was made for this
	attempt *attempt
}

// provision asks upstream for the tenant, once, and writes down what became of it.
func (l *Lifecycle) provision(ctx context.Context, p provision) (*registry.Source, error) {
	request := wire.ProvisionRequest{
		Name: p.name, ExternalOrgID: p.orgID, ExternalSource: l.cfg.ExternalSource, ContactEmail: l.cfg.ContactEmail,
		PublicAgentURL: l.cfg.PublicAgentURL, Adapter: p.config.Request(p.account, nil),
	}
	began := now()
	if began.Sub(p.op.Begun) > startWithin { // too late for it to be over when others take it to be
		return l.nothing(ctx, p, OutcomeNotSent, errTooSlow(), codeInternal, textNotReached)
	}
	call, cancel := within(ctx, p.op, l.cfg.ProbeTimeout)
	answer, err := l.upstream.Provision(call, request)
	cancel()
	if err != nil && l.life.Err() != nil {
		return nil, named(errStopping(), p.target)
	}
	if err == nil && !registry.StorableID(answer.TenantID) {
		err = fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used.", nil)
	}
	switch v := judge(err); v {
	case verdictDone:
		return l.made(ctx, p, tenant{
			id: answer.TenantID, orgID: p.orgID,
			mcpURL: transform.AgentURL(answer.MCPURL.Value, l.cfg.BaseURL), a2aURL: transform.AgentURL(answer.A2AURL.Value, l.cfg.BaseURL),
		}, OutcomeDone)
	case verdictRefused:
		code, text := reasons(v, err)
		m, held, err := l.over(ctx, p.target, p.op, failed(code, text, time.Time{}), nil)
		if held {
			l.finish(ctx, p.target, p.op.Kind, OutcomeRefused, nil)
		}
		return m, named(err, p.target)
	case verdictInvalid:
		return l.rejected(ctx, p, err)
	case verdictTaken:
		return l.taken(ctx, p, err)
	case verdictConflict:
		code, text := reasons(v, err)
		return l.nothing(ctx, p, OutcomeRejected, err, code, text)
	case verdictNotDone:
		return l.nothing(ctx, p, OutcomeNotSent, err, codeInternal, textNotReached)
	default:
		return l.unknown(ctx, p, began, err)
	}
}

// made writes down that the tenant is there.
func (l *Lifecycle) made(ctx context.Context, p provision, t tenant, outcome Outcome) (*registry.Source, error) {
	became := made(t, now())
	m, held, err := l.over(ctx, p.target, p.op, became, became)
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return l.nothing(ctx, p, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case fault.Is(err, fault.NotFound), errors.Is(err, errOtherTenant):
		l.note(ctx, slog.LevelError, "a tenant was made that no connection is for any more", p.target, slog.String("tenant", t.id))
	}
	if held {
		l.finish(ctx, p.target, p.op.Kind, outcome, err)
	}
	return m, named(err, p.target)
}

// nothing writes down that nothing was made, and gives the error.
func (l *Lifecycle) nothing(ctx context.Context, p provision, outcome Outcome, cause error, code, text string) (*registry.Source, error) {
	m, held, err := l.over(ctx, p.target, p.op, failed(code, text, time.Time{}), nil)
	if held {
		l.finish(ctx, p.target, p.op.Kind, outcome, errors.Join(cause, err))
	}
	return m, named(cause, p.target)
}

// rejected takes it back that a config was to be used which upstream does not accept:
// the connection is what it was, or is not there. Once its caller was told of it that
// can't be done any more.
func (l *Lifecycle) rejected(ctx context.Context, p provision, cause error) (*registry.Source, error) {
	var err error
	var m *registry.Source
	var held bool
	switch {
	case !p.attempt.undo():
		code, text := reasons(verdictInvalid, cause)
		m, held, err = l.over(ctx, p.target, p.op, failed(code, text, time.Time{}), nil)
	case p.was == nil:
		held, err = l.erase(ctx, p.target, p.op)
	default:
		m, held, err = l.over(ctx, p.target, p.op, restored(*p.was.Connection), nil)
	}
	if held {
		l.finish(ctx, p.target, p.op.Kind, OutcomeRejected, errors.Join(cause, err))
	}
	return m, cause
}

// taken deals with a tenant of our external_org_id that was there before. If it is
// ours it is taken over.
func (l *Lifecycle) taken(ctx context.Context, p provision, cause error) (*registry.Source, error) {
	found, err := l.find(ctx, p.op, p.orgID)
	switch {
	case err != nil && l.life.Err() != nil:
		return nil, named(errStopping(), p.target)
	case err != nil: // another try finds it as it is now: nothing has come of this one
		return l.nothing(ctx, p, OutcomeNotSent, err, codeInternal, textNotReached)
	case found == nil, !l.mayBeTaken(found, true, time.Time{}):
		return l.nothing(ctx, p, OutcomeRejected, errTaken(cause), codeInternal, textTaken)
	}
	return l.takeOver(ctx, p, found)
}

// takeOver gives the connection a tenant that stood before, and writes its config.
func (l *Lifecycle) takeOver(ctx context.Context, p provision, found *wire.Tenant) (*registry.Source, error) {
	op := p.op
	op.Kind, op.Begun = registry.OperationConfigure, now()
	op.Until = op.Begun.Add(l.allowed(op.Kind))
	var m *registry.Source
	err := l.untilDone(ctx, p.target, func(ctx context.Context) (err error) {
		if !now().Before(p.op.Until) {
			return errMoved
		}
		m, err = l.change(ctx, p.target, p.op.ID, &op, takenOver(tenantOf(found, p.orgID), now()), nil)
		return err
	})
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return l.nothing(ctx, p, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case errors.Is(err, errMoved): // the store was away for so long; Settle finds the operation, so nobody is to begin anew
		return nil, named(fault.New(fault.Unavailable, textNotRecorded), p.target)
	case err != nil:
		return m, named(err, p.target)
	case !holds(m.Connection, op.ID):
		return m, nil // somebody else has settled it
	}
	l.finish(ctx, p.target, registry.OperationProvision, OutcomeAdopted, nil)
	known, err := l.withAdServer(ctx, m)
	if err == nil && known.Connection.AdServer != nil && known.Connection.AdServer.Type != p.config.Type() {
		err = errType()
	}
	if err != nil {
		m, held, _ := l.over(ctx, p.target, op, noted(codeInternal, textNotConfigured), nil)
		if held {
			l.finish(ctx, p.target, op.Kind, OutcomeRejected, err)
		}
		return m, named(err, p.target)
	}
	m, err = l.rewrite(ctx, rewrite{target: p.target, op: op, tenantID: found.TenantID, config: p.config,
		account: p.account, current: known.Connection.AdServer})
	if f := fault.As(err); f != nil && f.Kind == fault.Validation && f.ErrorCode != "" {
		err = nil // as with a new tenant: the connection says it
	}
	return m, named(err, p.target)
}

// unknown deals with a provisioning of which it is not known what it did. Whether it was
// done becomes certain only when its time is over: watch is there then.
func (l *Lifecycle) unknown(ctx context.Context, p provision, began time.Time, cause error) (*registry.Source, error) {
	found, err := l.find(ctx, p.op, p.orgID)
	switch {
	case err != nil && l.life.Err() != nil:
		return nil, named(errStopping(), p.target)
	case found == nil, !l.mayBeTaken(found, true, began):
	case stoodBefore(found, began):
		return l.takeOver(ctx, p, found)
	default:
		return l.made(ctx, p, tenantOf(found, p.orgID), OutcomeAdopted)
	}
	became := then(failed(codeInternal, textNotKnown(l.cfg.Unsettled), began), remembering(p.orgID))
	m, held, ended := l.over(ctx, p.target, p.op, became, nil)
	if held {
		l.finish(ctx, p.target, p.op.Kind, OutcomeUnknown, errors.Join(cause, err, ended))
		if ended == nil {
			l.watch(ctx, p.target, began)
		}
	}
	e := unavailable(cause)
	e.RetryAfter = max(began.Add(l.cfg.Unsettled).Sub(now()), time.Second)
	return m, named(e, p.target)
}

// remembering keeps what the tenant would be known by.
func remembering(orgID string) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.ExternalOrgID = orgID
		return c, nil
	}
}

// finish tells how an operation ended.
func (l *Lifecycle) finish(ctx context.Context, t target, kind registry.OperationKind, outcome Outcome, err error) {
	l.done(kind, outcome)
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("operation", string(kind)), slog.String("outcome", string(outcome))}
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", err))
	}
	l.note(ctx, level, "a change of a connection has ended", t, attrs...)
}
