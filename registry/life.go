package registry

import "time"

// OperationKind is what a change of a connection's tenant does upstream.
type OperationKind string

// Operation kinds.
const (
	OperationProvision  OperationKind = "provision"  // makes the tenant
	OperationConfigure  OperationKind = "configure"  // replaces its ad-server config
	OperationDeactivate OperationKind = "deactivate" // switches it off
	OperationReactivate OperationKind = "reactivate" // and on again
)

// Operation is a change of a connection's tenant that is under way. It is written down
// before upstream is called and taken away with the outcome, so that there is one at a
// time a connection, across replicas, and one that a crash cut short is found.
type Operation struct {
	Kind  OperationKind
	ID    string    // random; an operation is ended by the one that began it
	Begun time.Time // when
	Until time.Time // the operation is abandoned after this time; any replica may then settle it
}

// NewManaged is a managed source to be made, with its connection in status
// provisioning and an operation under way. SourceID and Slug are as in [NewSource].
type NewManaged struct {
	SourceID            string
	Slug                string
	Name                string
	AdServer            AdServer
	ServiceAccountEmail string
	Operation           Operation
}

// Changed reports whether two states of a connection differ in what a change through
// [CustomerStore.ChangeConnection] can touch, and whether a reader could see it.
func (c *Connection) Changed(to *Connection) (changed, visible bool) {
	visible = c.Provisioning != to.Provisioning || c.TenantID != to.TenantID ||
		c.MCPURL != to.MCPURL || c.A2AURL != to.A2AURL || !c.AdServer.same(to.AdServer) ||
		c.ServiceAccountEmail != to.ServiceAccountEmail ||
		c.LastError != to.LastError || c.LastErrorCode != to.LastErrorCode ||
		!c.LastTestedAt.Equal(to.LastTestedAt) || c.LastTestPassed != to.LastTestPassed ||
		!c.ProvisionedAt.Equal(to.ProvisionedAt) || !c.DeactivatedAt.Equal(to.DeactivatedAt) ||
		!c.AdServerSavedAt.Equal(to.AdServerSavedAt)
	changed = visible || c.ExternalOrgID != to.ExternalOrgID || !c.Operation.same(to.Operation) ||
		!c.UnsettledSince.Equal(to.UnsettledSince) || c.Epoch != to.Epoch
	return changed, visible
}

func (o *Operation) same(p *Operation) bool {
	if o == nil || p == nil {
		return o == p
	}
	return o.Kind == p.Kind && o.ID == p.ID && o.Begun.Equal(p.Begun) && o.Until.Equal(p.Until)
}

func (a *AdServer) same(b *AdServer) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	equal := sameValue(x.DefaultDemandPartnerID, y.DefaultDemandPartnerID) &&
		sameValue(x.AgencyID, y.AgencyID) && sameValue(x.CPMLimit, y.CPMLimit)
	x.DefaultDemandPartnerID, x.AgencyID, x.CPMLimit = nil, nil, nil
	y.DefaultDemandPartnerID, y.AgencyID, y.CPMLimit = nil, nil, nil
	return equal && x == y
}

func sameValue[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
