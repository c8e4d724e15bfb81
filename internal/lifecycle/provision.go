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

// provisioner makes tenants, or adopts those that exist (contract 5.6, 5.7).
type provisioner struct {
	*core
	tenants    *tenants
	configurer *configurer
}

// provision is a provisioning that is claimed.
type provision struct {
	target
	name    string
	op      registry.Operation
	config  *adserver.Config
	account *adserver.Account
	orgID   string
	was     *registry.Source // as it was before; nil: it was made for this
	attempt *attempt
}

// run asks upstream for the tenant, once, and records the outcome.
func (s *provisioner) run(ctx context.Context, p provision) (*registry.Source, error) {
	request := wire.ProvisionRequest{
		Name: p.name, ExternalOrgID: p.orgID, ExternalSource: s.cfg.ExternalSource, ContactEmail: s.cfg.ContactEmail,
		PublicAgentURL: s.cfg.PublicAgentURL, Adapter: p.config.Request(p.account, nil),
	}
	began := now()
	if began.Sub(p.op.Begun) > startWithin { // others would take it for ended while it runs
		return s.fail(ctx, p, OutcomeNotSent, errTooSlow(), codeInternal, textNotReached)
	}
	call, cancel := within(ctx, p.op, s.cfg.ProbeTimeout)
	answer, err := s.upstream.Provision(call, request)
	cancel()
	if err != nil && s.stopping() {
		return nil, naming(errStopping(), p.target)
	}
	if err == nil && !registry.StorableID(answer.TenantID) {
		err = errUnusable(nil)
	}
	switch v := verdictOf(err); v {
	case verdictDone:
		return s.made(ctx, p, tenant{
			id: answer.TenantID, orgID: p.orgID,
			mcpURL: transform.AgentURL(answer.MCPURL.Value, s.cfg.BaseURL), a2aURL: transform.AgentURL(answer.A2AURL.Value, s.cfg.BaseURL),
		}, OutcomeDone)
	case verdictRefused: // no error of the request: the connection says it
		code, text := lastErrorOf(v, err)
		m, err := s.end(ctx, p.target, p.op, ending{outcome: OutcomeRefused, became: failed(code, text, time.Time{})})
		return m, naming(err, p.target)
	case verdictInvalid:
		return s.reject(ctx, p, err)
	case verdictTaken:
		return s.taken(ctx, p, err)
	case verdictConflict:
		code, text := lastErrorOf(v, err)
		return s.fail(ctx, p, OutcomeRejected, err, code, text)
	case verdictNotDone:
		return s.fail(ctx, p, OutcomeNotSent, err, codeInternal, textNotReached)
	default:
		return s.unknown(ctx, p, began, err)
	}
}

// made records that the tenant exists.
func (s *provisioner) made(ctx context.Context, p provision, t tenant, outcome Outcome) (*registry.Source, error) {
	became := made(t, now())
	w, err := s.record(ctx, p.target, p.op, ending{became: became, late: became})
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return s.fail(ctx, p, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case fault.Is(err, fault.NotFound), errors.Is(err, errOtherTenant):
		s.logAbout(ctx, slog.LevelError, "a tenant was made that no connection has any more", p.target, slog.String("tenant", t.id))
	}
	if w.held {
		s.report(ctx, p.target, p.op.Kind, outcome, err)
	}
	return w.source, naming(err, p.target)
}

// fail records that no tenant was made, and gives the cause.
func (s *provisioner) fail(ctx context.Context, p provision, outcome Outcome, cause error,
	code, text string) (*registry.Source, error) {
	m, _ := s.end(ctx, p.target, p.op, ending{outcome: outcome, became: failed(code, text, time.Time{}), cause: cause})
	return m, naming(cause, p.target)
}

// reject ends a provisioning whose config upstream does not accept: the connection becomes
// what it was, or is deleted, unless its caller has had it as an answer already.
func (s *provisioner) reject(ctx context.Context, p provision, cause error) (m *registry.Source, err error) {
	e := ending{outcome: OutcomeRejected, cause: cause}
	switch {
	case !p.attempt.decide(withdrawn):
		code, text := lastErrorOf(verdictInvalid, cause)
		e.became = failed(code, text, time.Time{})
	case p.was == nil:
		if held, err := s.delete(ctx, p.target, p.op); held {
			s.report(ctx, p.target, p.op.Kind, OutcomeRejected, errors.Join(cause, err))
		}
		return nil, cause
	default:
		e.became = restored(*p.was.Connection)
	}
	m, _ = s.end(ctx, p.target, p.op, e)
	return m, cause
}

// delete deletes a source that was made for an operation. It reports whether the operation
// was still under way.
func (s *provisioner) delete(ctx context.Context, t target, op registry.Operation) (held bool, err error) {
	_, err = persist(ctx, s.core, t, func(ctx context.Context) (*registry.Source, error) {
		return s.registry.DeleteSource(ctx, t.customer, t.sourceID, func(cur *registry.Source) error {
			if cur.ID != t.row || cur.Connection == nil || !holds(cur.Connection, op.ID) || cur.Connection.TenantID != "" {
				return errMoved
			}
			return nil
		})
	})
	switch {
	case errors.Is(err, errMoved): // others have settled it
		return false, nil
	case fault.Is(err, fault.NotFound):
		return true, nil
	}
	return true, err
}

// taken handles a tenant of our external_org_id that existed before: if it is ours it is
// adopted.
func (s *provisioner) taken(ctx context.Context, p provision, cause error) (*registry.Source, error) {
	found, err := s.find(ctx, p)
	switch {
	case err != nil && s.stopping():
		return nil, naming(errStopping(), p.target)
	case err != nil: // nothing came of this try; the next one finds the tenant as well
		return s.fail(ctx, p, OutcomeNotSent, err, codeInternal, textNotReached)
	case found == nil, !s.tenants.mayAdopt(found, true, time.Time{}):
		return s.fail(ctx, p, OutcomeRejected, errTaken(cause), codeInternal, textTaken)
	}
	return s.adopt(ctx, p, found)
}

func (s *provisioner) find(ctx context.Context, p provision) (*wire.Tenant, error) {
	ctx, cancel := within(ctx, p.op, readTimeout)
	defer cancel()
	return s.tenants.find(ctx, p.orgID)
}

// adopt gives the connection a tenant that existed before, and writes its config.
func (s *provisioner) adopt(ctx context.Context, p provision, found *wire.Tenant) (*registry.Source, error) {
	op := p.op
	op.Kind, op.Begun = registry.OperationConfigure, now()
	op.Until = op.Begun.Add(s.timeLimit(op.Kind))
	w, err := retry(ctx, func(ctx context.Context) (written, error) {
		if !now().Before(p.op.Until) {
			return written{}, errMoved
		}
		return s.write(ctx, p.target, p.op.ID, ending{became: adopted(tenantOf(found, p.orgID), now()), next: &op})
	})
	m := w.source
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return s.fail(ctx, p, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case errors.Is(err, errMoved): // the store was away too long: Settle finds the operation, and no other begins
		return nil, naming(fault.New(fault.Unavailable, textNotRecorded), p.target)
	case err != nil:
		return m, naming(err, p.target)
	case !holds(m.Connection, op.ID):
		return m, nil // others have settled it
	}
	s.report(ctx, p.target, registry.OperationProvision, OutcomeAdopted, nil)
	known, err := s.configurer.withAdServer(ctx, m)
	if err == nil && known.Connection.AdServer != nil && known.Connection.AdServer.Type != p.config.Type() {
		err = errType()
	}
	if err != nil {
		m, _ := s.end(ctx, p.target, op, ending{outcome: OutcomeRejected, became: withError(codeInternal, textNotConfigured), cause: err})
		return m, naming(err, p.target)
	}
	m, err = s.configurer.run(ctx, rewrite{target: p.target, op: op, tenantID: found.TenantID, config: p.config,
		account: p.account, current: known.Connection.AdServer})
	if f := fault.As(err); f != nil && f.Kind == fault.Validation && f.ErrorCode != "" {
		err = nil // as with a new tenant: the connection says it
	}
	return m, naming(err, p.target)
}

// unknown handles a provisioning of unknown outcome: the tenant is looked up at once, and
// watched for until it can't appear any more.
func (s *provisioner) unknown(ctx context.Context, p provision, began time.Time, cause error) (*registry.Source, error) {
	found, err := s.find(ctx, p)
	switch {
	case err != nil && s.stopping():
		return nil, naming(errStopping(), p.target)
	case found == nil, !s.tenants.mayAdopt(found, true, began):
	case existedBefore(found, began):
		return s.adopt(ctx, p, found)
	default:
		return s.made(ctx, p, tenantOf(found, p.orgID), OutcomeAdopted)
	}
	w, ended := s.record(ctx, p.target, p.op, ending{
		became: then(failed(codeInternal, textNotKnown(s.cfg.Unsettled), began), withOrgID(p.orgID))})
	if w.held {
		s.report(ctx, p.target, p.op.Kind, OutcomeUnknown, errors.Join(cause, err, ended))
		if ended == nil {
			s.tenants.watch(ctx, p.target, began)
		}
	}
	e := unavailable(cause)
	e.RetryAfter = max(began.Add(s.cfg.Unsettled).Sub(now()), time.Second)
	return w.source, naming(e, p.target)
}
