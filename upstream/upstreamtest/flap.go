package upstreamtest

import "time"

// Flap puts a fault on a schedule: for `up` it is not there, for `down` it is,
// and so on, by the agent's clock from the moment Agent.Fault sets it.
func Flap(up, down time.Duration, f Fault) Fault {
	f.up, f.down = max(up, 0), max(down, 0)
	return f
}

// active reports whether the fault is there so long after it was set. One
// without a schedule always is.
func (f Fault) active(since time.Duration) bool {
	period := f.up + f.down
	if period <= 0 {
		return true
	}
	at := since % period
	if at < 0 { // the clock was set back
		at += period
	}
	return at >= f.up
}
