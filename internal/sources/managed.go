package sources

import (
	"esagate/internal/fault"
	"esagate/internal/jsonbody"
	"esagate/registry"
)

const managedStatus = "The status of a managed source follows its connection: it becomes ACTIVE once its ad server " +
	"is set up (PUT …/ad-server), POST …/deactivate disables it, and POST …/reactivate enables it again."

// Status gives a source's status: an AGENT source's own, a managed one's from its
// connection (contract 5.2).
func Status(s *registry.Source) registry.SourceStatus {
	if s.Connection == nil {
		return s.Agent.Status
	}
	return s.Connection.Provisioning.Source()
}

// decideManaged decides on a managed source: of its fields only the name changes
// here, and the status has to be the one it has.
func (u *Update) decideManaged(cur *registry.Source) (registry.SourceChange, error) {
	var l jsonbody.Issues
	name := renamed(&l, u.name, cur)
	asked := l.Take(u.status)
	if err := l.Err(); err != nil {
		return registry.SourceChange{}, err
	}
	if asked != "" && registry.SourceStatus(asked) != Status(cur) {
		return registry.SourceChange{}, statusConflict(managedStatus)
	}
	return registry.SourceChange{Name: name}, nil
}

// AllowDelete says what stands against deleting a source, nil if nothing: a managed
// one that was ever active must be deactivated first, and of one that is being set up,
// or may have been, the tenant would be unknown afterwards. Its error is a Conflict.
func AllowDelete(cur *registry.Source) error {
	c := cur.Connection
	switch {
	case c == nil:
		return nil
	case c.Operation != nil:
		return fault.New(fault.Conflict, "This managed source is being changed at the sales agent; wait until that is done.")
	case !c.UnsettledSince.IsZero():
		return fault.New(fault.Conflict,
			"It is not known yet whether this managed source was set up at the sales agent; wait until that is settled.")
	case c.Provisioning == registry.StatusDeactivated:
		return nil
	case c.Provisioning == registry.StatusActive || !c.ProvisionedAt.IsZero():
		return fault.New(fault.Conflict, "This managed source has been active: deactivate it first, with POST …/deactivate.")
	}
	return nil
}
