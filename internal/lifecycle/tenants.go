package lifecycle

import (
	"context"
	"errors"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// findTenant looks a tenant up by its external_org_id; nil when there is none.
func (c *core) findTenant(ctx context.Context, orgID string) (*wire.Tenant, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := c.upstream.FindTenant(ctx, c.cfg.ExternalSource, orgID)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return found, nil
}

// settleProvisioning looks up whether a provisioning whose outcome is open has made a
// tenant (contract 5.7). It gives the connection as it then is: with the tenant, or settled
// otherwise, or still open. The tenant's config is the one that was sent with it, unless
// it existed before.
func (c *core) settleProvisioning(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	was, orgID := m.Connection, c.orgIDOf(m)
	o := operation{c, targetOf(m), registry.Operation{Kind: registry.OperationProvision}}
	began, outcome, text := was.UnsettledSince, Outcome(""), textNothing // that it is not known was reported
	if was.Operation != nil {
		began, outcome, text = was.Operation.Begun, OutcomeLost, textCutShort
	}
	asked := now()
	found, err := c.findTenant(ctx, orgID)
	if err != nil {
		return nil, err
	}
	if found != nil && c.mayAdopt(found, orgID == c.externalOrgID(m), began) {
		adopted, err := o.endOpen(ctx, was, becomeFound(found, orgID, began), OutcomeAdopted)
		if !errors.Is(err, registry.ErrTenantTaken) { // else it is not ours
			return adopted, err
		}
	}
	if inProgress(was) || asked.Before(c.certainFor(m)) {
		return m, nil
	}
	if found != nil && was.Operation != nil {
		text = textTaken
	}
	return o.endOpen(ctx, was, failed(codeInternal, text, time.Time{}), outcome)
}

// endOpen ends a provisioning that was open when c was read, unless others have ended it.
func (o operation) endOpen(ctx context.Context, c *registry.Connection, became transition,
	outcome Outcome) (*registry.Source, error) {
	open := false
	m, err := o.registry.ChangeConnection(ctx, o.customer, o.esaID, func(current *registry.Source) (*registry.Connection, error) {
		if open = stillOpen(current.Connection, c); !open {
			return nil, nil
		}
		next, err := became(*current.Connection)
		next.Operation = nil
		return &next, err
	})
	if err == nil && open {
		o.report(ctx, outcome, nil)
		if m.Connection.TenantID != "" {
			o.changed(m)
		}
	}
	return m, err
}

// stillOpen reports whether the provisioning is open by which a connection has no tenant
// yet, as it was before.
func stillOpen(c, before *registry.Connection) bool {
	key, open := openKeyOf(c)
	was, _ := openKeyOf(before)
	return open && key == was && c.TenantID == ""
}

// certainFor is the time from which the outcome of a connection's open provisioning can't
// change any more. If another process recorded when it began, skew is added, because the
// clocks differ.
func (c *core) certainFor(m *registry.Source) time.Time {
	if op := m.Connection.Operation; op != nil {
		return c.certainAt(op).Add(skew)
	}
	certain := m.Connection.UnsettledSince.Add(c.unsettled)
	if key, _ := openKeyOf(m.Connection); c.tries.of(key).ours {
		return certain
	}
	return certain.Add(skew)
}
