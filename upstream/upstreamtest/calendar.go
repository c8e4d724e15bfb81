package upstreamtest

import "time"

// zone is how a timestamp names UTC.
type zone string

const (
	zoneZ      zone = "Z"
	zoneOffset zone = "+00:00"
	zoneNone   zone = ""
)

// stamp writes a moment as the agent does: microseconds, and none where they are 0.
func stamp(t time.Time, z zone) string {
	t = t.UTC().Truncate(time.Microsecond)
	layout := "2006-01-02T15:04:05"
	if t.Nanosecond() != 0 {
		layout += ".000000"
	}
	return t.Format(layout) + string(z)
}

// calendar turns "ago" into timestamps.
type calendar struct {
	since time.Time // what "ago" counts back from
	now   time.Time
	zone  zone
}

// ago gives the moment d before since, to the second; null for 0.
func (c calendar) ago(d time.Duration) *string {
	if d == 0 {
		return nil
	}
	return c.at(c.since.Add(-d))
}

// at gives a moment to the second: what the agent reads from its tables.
func (c calendar) at(t time.Time) *string {
	s := stamp(t.Truncate(time.Second), c.zone)
	return &s
}

// lastEnd gives when the last run ended, for runs that end `ago` before since
// and then once each period.
func (c calendar) lastEnd(ago, every time.Duration) time.Time {
	end := c.since.Add(-ago)
	if passed := c.now.Sub(end); every > 0 && passed > 0 {
		end = end.Add(passed / every * every)
	}
	return end
}
