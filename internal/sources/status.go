package sources

import (
	"esagate/internal/fault"
	"esagate/registry"
)

const statusNeedsAuth = "A source can only be ACTIVE with the credentials that its authenticationType needs: " +
	"give auth, or finish the OAuth consent, first."

func statusConflict(message string) error {
	e := fault.New(fault.Conflict, message)
	e.Field = "status"
	return e
}

// nextStatus gives the status that follows: what was asked for, if it may follow;
// without that the same, or PENDING if an ACTIVE source lost the credentials that it
// needs. complete says that it has those that it needs after the change.
func (u *Update) nextStatus(was registry.SourceStatus, lost, complete bool) (registry.SourceStatus, error) {
	asked := registry.SourceStatus(u.status.Value)
	unarmed := was == registry.SourceActive && lost && !complete
	switch {
	case asked == "" && unarmed:
		return registry.SourcePending, nil
	case asked == was && unarmed:
		return "", statusConflict(statusNeedsAuth)
	case asked == "", asked == was:
		return was, nil
	case was == registry.SourceDisabled:
		return "", statusConflict("A DISABLED source can't get another status.")
	case asked == registry.SourceDisabled:
		return asked, nil
	case was == registry.SourceActive:
		return "", statusConflict("An ACTIVE source can only become DISABLED.")
	case !complete:
		return "", statusConflict(statusNeedsAuth)
	}
	return asked, nil
}
