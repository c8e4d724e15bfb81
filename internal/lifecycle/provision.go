package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

// provision is a provisioning that is claimed: it makes a tenant, or adopts one that
// exists (contract 5.6, 5.7).
type provision struct {
	operation
	name    string
	config  *adserver.Config
	account *adserver.Account
	current *registry.AdServer // the view that is replaced; nil: none
	orgID   string
	was     *registry.Source // as it was before; nil: it was made for this
	attempt *attempt
}

// run asks upstream for the tenant, once, and records the outcome.
func (p provision) run(ctx context.Context) (*registry.Source, error) {
	request := wire.ProvisionRequest{
		Name: p.name, ExternalOrgID: p.orgID, ExternalSource: p.cfg.ExternalSource, ContactEmail: p.cfg.ContactEmail,
		PublicAgentURL: p.cfg.PublicAgentURL, Adapter: p.config.Request(p.account, p.current, nil),
	}
	began := now()
	if began.Sub(p.Begun) > startWithin { // others would take it for ended while it runs
		return p.fail(ctx, OutcomeNotSent, errTooSlow, codeInternal, textNotReached)
	}
	call, cancel := p.sending(ctx, p.Begun.Add(startWithin), p.cfg.ProbeTimeout)
	answer, err := p.upstream.Provision(call, request)
	cancel()
	if err != nil && p.stopping() {
		return nil, naming(errStopping, p.target)
	}
	switch v := verdictOf(err); v {
	case verdictDone:
		return p.made(ctx, tenant{
			id: answer.TenantID, orgID: p.orgID,
			mcpURL: transform.AgentURL(answer.MCPURL.Value, p.cfg.BaseURL), a2aURL: transform.AgentURL(answer.A2AURL.Value, p.cfg.BaseURL),
		}, OutcomeDone)
	case verdictRefused: // no error of the request: the connection says it
		code, text := lastErrorOf(v, err)
		m, err := p.end(ctx, ending{outcome: OutcomeRefused, became: failed(code, text, time.Time{})})
		return m, naming(err, p.target)
	case verdictInvalid:
		return p.reject(ctx, err)
	case verdictTaken:
		return p.taken(ctx, err)
	case verdictConflict:
		code, text := lastErrorOf(v, err)
		return p.fail(ctx, OutcomeRejected, err, code, text)
	case verdictNotDone:
		return p.fail(ctx, OutcomeNotSent, err, codeInternal, textNotReached)
	default:
		return p.unknown(ctx, began, err)
	}
}

// made records that the tenant exists.
func (p provision) made(ctx context.Context, t tenant, outcome Outcome) (*registry.Source, error) {
	became := made(t, now())
	w, err := p.record(ctx, ending{became: became, late: became})
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return p.fail(ctx, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case fault.Is(err, fault.NotFound), errors.Is(err, errOtherTenant):
		p.logAbout(ctx, slog.LevelError, "a tenant was made that no connection has any more", p.target, slog.String("tenant", t.id))
	}
	if w.held {
		p.report(ctx, outcome, err)
	}
	return w.source, naming(err, p.target)
}

// fail records that no tenant was made, and gives the cause.
func (p provision) fail(ctx context.Context, outcome Outcome, cause error,
	code, text string) (*registry.Source, error) {
	m, _ := p.end(ctx, ending{outcome: outcome, became: failed(code, text, time.Time{}), cause: cause})
	return m, naming(cause, p.target)
}

// reject ends a provisioning whose config upstream does not accept: the connection becomes
// what it was, or is deleted, unless its caller has had it as an answer already.
func (p provision) reject(ctx context.Context, cause error) (m *registry.Source, err error) {
	e := ending{outcome: OutcomeRejected, cause: cause}
	switch {
	case !p.attempt.decide(withdrawn):
		code, text := lastErrorOf(verdictInvalid, cause)
		e.became = failed(code, text, time.Time{})
	case p.was == nil:
		if held, err := p.delete(ctx); held {
			p.report(ctx, OutcomeRejected, errors.Join(cause, err))
		}
		return nil, cause
	default:
		e.became = restored(*p.was.Connection)
	}
	m, _ = p.end(ctx, e)
	return m, cause
}

// delete deletes a source that was made for the operation. It reports whether the operation
// was still under way.
func (p provision) delete(ctx context.Context) (held bool, err error) {
	_, err = persist(ctx, p.core, p.target, func(ctx context.Context) (*registry.Source, error) {
		return p.registry.DeleteSource(ctx, p.customer, p.sourceID, func(cur *registry.Source) error {
			if cur.ID != p.row || cur.Connection == nil || !holds(cur.Connection, p.ID) || cur.Connection.TenantID != "" {
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
func (p provision) taken(ctx context.Context, cause error) (*registry.Source, error) {
	found, err := p.find(ctx)
	switch {
	case err != nil && p.stopping():
		return nil, naming(errStopping, p.target)
	case err != nil: // nothing came of this try; the next one finds the tenant as well
		return p.fail(ctx, OutcomeNotSent, err, codeInternal, textNotReached)
	case found == nil, !p.mayAdopt(found, true, time.Time{}):
		return p.fail(ctx, OutcomeRejected, errTaken(cause), codeInternal, textTaken)
	}
	return p.adopt(ctx, found)
}

func (p provision) find(ctx context.Context) (*wire.Tenant, error) {
	ctx, cancel := p.within(ctx, readTimeout)
	defer cancel()
	return p.findTenant(ctx, p.orgID)
}

// adopt gives the connection a tenant that existed before, and writes its config.
func (p provision) adopt(ctx context.Context, found *wire.Tenant) (*registry.Source, error) {
	next := p.operation
	next.begin(registry.OperationConfigure)
	w, err := retry(ctx, func(ctx context.Context) (written, error) {
		if !now().Before(p.Until) {
			return written{}, errMoved
		}
		return p.write(ctx, ending{became: adopted(tenantOf(found, p.orgID), now()), next: &next.Operation})
	})
	m := w.source
	switch {
	case errors.Is(err, registry.ErrTenantTaken):
		return p.fail(ctx, OutcomeRejected, errTaken(err), codeInternal, textTaken)
	case errors.Is(err, errMoved): // the store was away too long: Settle finds the operation, and no other begins
		return nil, naming(fault.New(fault.Unavailable, textNotRecorded), p.target)
	case err != nil:
		return m, naming(err, p.target)
	case !holds(m.Connection, next.ID):
		return m, nil // others have settled it
	}
	p.report(ctx, OutcomeAdopted, nil)
	known, err := p.withAdServer(ctx, m)
	if err == nil && known.Connection.AdServer != nil && known.Connection.AdServer.Type != p.config.Type() {
		err = errType
	}
	if err != nil {
		m, _ := next.end(ctx, ending{outcome: OutcomeRejected, became: withError(codeInternal, textNotConfigured), cause: err})
		return m, naming(err, p.target)
	}
	m, err = rewrite{operation: next, tenantID: found.TenantID, config: p.config, account: p.account,
		// What was saved here before says more than what upstream shows.
		current: cmp.Or(p.current, known.Connection.AdServer)}.run(ctx)
	if f := fault.As(err); f != nil && f.Kind == fault.Validation && f.ErrorCode != "" {
		err = nil // as with a new tenant: the connection says it
	}
	return m, naming(err, p.target)
}

// unknown handles a provisioning of unknown outcome: the tenant is looked up at once, then
// by Settle, and last at the time from which it can't appear any more. The caller is told
// that the connection can be saved again then, so every replica has to allow it.
func (p provision) unknown(ctx context.Context, began time.Time, cause error) (*registry.Source, error) {
	found, err := p.find(ctx)
	switch {
	case err != nil && p.stopping():
		return nil, naming(errStopping, p.target)
	case found == nil, !p.mayAdopt(found, true, began):
	case existedBefore(found, began):
		return p.adopt(ctx, found)
	default:
		return p.made(ctx, tenantOf(found, p.orgID), OutcomeAdopted)
	}
	certain := began.Add(p.unsettled)
	key := openKey{p.esaID, began.UnixNano()}
	p.tries.own(key, certain)
	m, _ := p.end(ctx, ending{outcome: OutcomeUnknown, cause: errors.Join(cause, err),
		became: then(failed(codeInternal, textNotKnown(p.unsettled), began), withOrgID(p.orgID))})
	p.settleAt(ctx, certain, key)
	e := unavailable(cause)
	e.RetryAfter = max(certain.Sub(now()), time.Second)
	return m, naming(e, p.target)
}

// settleAt settles a provisioning at the time from which its outcome can't change any more.
// When too many wait, or the lookup fails, SettleOwn does it some seconds later.
func (p provision) settleAt(ctx context.Context, certain time.Time, key openKey) {
	if !p.waits.Take(p.customer) {
		return
	}
	if !p.checks.Go(ctx, "look for a tenant", func(ctx context.Context) {
		defer p.waits.Give(p.customer)
		if !background.Sleep(ctx, time.Until(certain)) {
			return
		}
		m, err := p.registry.ManagedSourceByIDNow(ctx, p.customer, p.esaID)
		if err != nil {
			return
		}
		if open, _ := openKeyOf(m.Connection); open == key {
			_, _ = p.settleProvisioning(ctx, m)
		}
	}) {
		p.waits.Give(p.customer)
	}
}
