package lifecycle

import (
	"time"

	"esagate/registry"
)

// A leftover is what is left of a change of config when nothing but its settings is
// still to be put back: an operation that was over when it began. Begun is when the
// settings were first owed. It keeps nobody from changing anything: another change of
// config takes it over, and so does a switch.

// leftover gives the operation that stays.
func leftover(op registry.Operation) *registry.Operation {
	op.Until = op.Begun
	return &op
}

func isLeftover(op *registry.Operation) bool {
	return op != nil && op.Kind == registry.OperationConfigure && !op.Until.After(op.Begun)
}

// How long, and how often, it is tried to settle a change of config. Settings that are
// given up stay kept until a newer config is saved, which puts them back: there is no
// other copy of them, and lastError says what to do.
const (
	giveUpAfter = time.Hour
	giveUpTries = 3 // in this process: it may have been away all the time
	pauseFirst  = 30 * time.Second
	pauseLast   = 5 * time.Minute
	maxPauses   = 4096
)

// textSettingsKept is what lastError says of settings that are given up.
const textSettingsKept = "The configuration is saved, but some of its earlier settings could not be put back. Save it again to have them put back."

// pause is how long a connection is left alone that could not be settled.
type pause struct {
	until time.Time
	last  time.Duration
	tries int
}

// due reports whether a connection's pause is over.
func (l *Lifecycle) due(esaID int64, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !at.Before(l.pauses[esaID].until)
}

// pause leaves a connection alone for a while, twice as long each time, and reports
// whether what has been owed since then is to be given up.
func (l *Lifecycle) pause(esaID int64, since, at time.Time) (giveUp bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pauses[esaID]
	p.tries++
	if p.tries >= giveUpTries && at.Sub(since) >= giveUpAfter {
		delete(l.pauses, esaID)
		return true
	}
	p.last = min(max(2*p.last, pauseFirst), pauseLast)
	p.until = at.Add(p.last)
	if l.pauses == nil || len(l.pauses) >= maxPauses { // those of connections that others have settled
		l.pauses = map[int64]pause{}
	}
	l.pauses[esaID] = p
	return false
}

// resume ends a connection's pause.
func (l *Lifecycle) resume(esaID int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pauses, esaID)
}

// settingsSettled ends what was left of a change of config.
func settingsSettled(put putting) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		c.Epoch++
		switch {
		case c.LastError != textSettings && c.LastError != "": // another change has come to nothing since
		case put == putRefused:
			c.LastError, c.LastErrorCode = textSettingsOff, codeInternal
		default:
			c.LastError, c.LastErrorCode = "", ""
		}
		return c, nil
	}
}

// settingsOwed says so, also where a test that passed has wiped it.
func settingsOwed(c registry.Connection) (registry.Connection, error) {
	if c.LastError == "" {
		c.LastError, c.LastErrorCode = textSettings, codeInternal
	}
	return c, nil
}

// settingsGivenUp ends what was left, with the settings kept.
func settingsGivenUp(c registry.Connection) (registry.Connection, error) {
	if c.LastError == textSettings || c.LastError == "" {
		c.LastError, c.LastErrorCode = textSettingsKept, codeInternal
	}
	c.Epoch++
	return c, nil
}

// settingsDropped is settingsGivenUp where it is not known whether any are owed.
func settingsDropped(c registry.Connection) (registry.Connection, error) {
	if c.LastError != textSettings {
		return c, nil
	}
	return settingsGivenUp(c)
}
