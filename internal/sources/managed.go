package sources

import (
	"esagate/internal/fault"
	"esagate/registry"
)

const (
	managedStatus = "The status of a managed source follows its connection: it becomes ACTIVE once its ad server " +
		"is set up (PUT …/ad-server), POST …/deactivate disables it, and POST …/reactivate enables it again."
	managedDelete = "This managed source has been active: deactivate it first, with POST …/deactivate."
)

// Status gives a source's status: an AGENT source's own, a managed one's from its
// connection (contract, "Rules for the connection").
func Status(s *registry.InventorySource) registry.SourceStatus {
	if s.Connection == nil {
		return s.Source.Agent.Status
	}
	return s.Connection.Provisioning.Source()
}

// decideManaged decides on a managed source: of its fields only the name changes
// here, and the status has to be the one it has.
func (u *Update) decideManaged(cur *registry.InventorySource) (registry.SourceChange, error) {
	var l issues
	name := renamed(&l, u.name, cur)
	asked := l.take(u.status)
	if err := l.err(); err != nil {
		return registry.SourceChange{}, err
	}
	if asked != "" && registry.SourceStatus(asked) != Status(cur) {
		return registry.SourceChange{}, statusConflict(managedStatus)
	}
	return registry.SourceChange{Name: name}, nil
}

// AllowDelete says what stands against deleting a source, nil if nothing: a managed
// one that was ever active must be deactivated first. Its error is a Conflict.
func AllowDelete(cur *registry.InventorySource) error {
	c := cur.Connection
	if c == nil || c.Provisioning == registry.StatusDeactivated {
		return nil
	}
	if c.Provisioning == registry.StatusActive || !c.ProvisionedAt.IsZero() {
		return fault.New(fault.Conflict, managedDelete)
	}
	return nil
}
