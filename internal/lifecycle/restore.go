package lifecycle

import (
	"time"

	"esagate/registry"
)

// A restore is what is left of a change of config when only settings are still to be
// restored: an operation whose Until is its Begun, the time since when they wait. It
// prevents nothing: another change of config takes it over, and so does a switch.

// restoreOf gives the restore that follows an operation.
func restoreOf(op registry.Operation) *registry.Operation {
	op.Until = op.Begun
	return &op
}

func isRestore(op *registry.Operation) bool {
	return op != nil && op.Kind == registry.OperationConfigure && !op.Until.After(op.Begun)
}

// How long, and how often, Settle tries a restore. Settings that are given up stay stored,
// because there is no other copy, until a newer config is saved, which restores them:
// lastError says so.
const (
	giveUpAfter = time.Hour
	giveUpTries = 3 // in this process: it may have been away all the time
)

// settingsRestored ends a restore.
func settingsRestored(status restoreStatus) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.Epoch++
		switch {
		case c.LastError != textSettings && c.LastError != "": // another change has failed since
		case status == restoreRefused:
			c.LastError, c.LastErrorCode = textSettingsOff, codeInternal
		default:
			c.LastError, c.LastErrorCode = "", ""
		}
		return c, nil
	}
}

// settingsWait says that a restore is still to be done, also where a test that passed has
// cleared it.
func settingsWait(c registry.Connection) (registry.Connection, error) {
	if c.LastError == "" {
		c.LastError, c.LastErrorCode = textSettings, codeInternal
	}
	return c, nil
}

// settingsGivenUp ends a restore whose settings stay stored.
func settingsGivenUp(c registry.Connection) (registry.Connection, error) {
	if c.LastError == textSettings || c.LastError == "" {
		c.LastError, c.LastErrorCode = textSettingsKept, codeInternal
	}
	c.Epoch++
	return c, nil
}

// settingsDropped is settingsGivenUp where it is not known whether any settings wait.
func settingsDropped(c registry.Connection) (registry.Connection, error) {
	if c.LastError != textSettings {
		return c, nil
	}
	return settingsGivenUp(c)
}

// takeOver begins an operation in the place of an abandoned one.
func takeOver(id string, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if !holds(&c, id) || at.Before(c.Operation.Until) && !isRestore(c.Operation) {
			return c, errMoved // it is another by now, or was given more time
		}
		return c, nil
	}
}
