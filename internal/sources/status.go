package sources

import (
	"esagate/internal/fault"
	"esagate/registry"
)

// Sentences of a refused change of status.
const (
	statusFromPending  = "A PENDING source can only become ACTIVE or DISABLED."
	statusFromActive   = "An ACTIVE source can only become DISABLED."
	statusFromDisabled = "A DISABLED source can't get another status."
	statusNeedsAuth    = "A source can only be ACTIVE with the credentials that its authenticationType needs: " +
		"give auth, or finish the OAuth consent, first."
)

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
	if asked == "" || asked == was {
		if was != registry.SourceActive || !lost || complete {
			return was, nil
		}
		if asked == registry.SourceActive {
			return "", statusConflict(statusNeedsAuth)
		}
		return registry.SourcePending, nil
	}
	switch was {
	case registry.SourcePending:
		switch {
		case asked == registry.SourceDisabled:
			return asked, nil
		case asked != registry.SourceActive:
			return "", statusConflict(statusFromPending)
		case !complete:
			return "", statusConflict(statusNeedsAuth)
		}
		return asked, nil
	case registry.SourceActive:
		if asked == registry.SourceDisabled {
			return asked, nil
		}
		return "", statusConflict(statusFromActive)
	default:
		return "", statusConflict(statusFromDisabled)
	}
}
