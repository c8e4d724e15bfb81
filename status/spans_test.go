package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// TestSpans: they follow each other without gaps, no two of them are in one state, and none begins before the
// time that is asked for.
func TestSpans(t *testing.T) {
	day := time.Date(2032, 1, 2, 0, 0, 0, 0, time.UTC)
	at := func(hour float64) time.Time { return day.Add(time.Duration(hour * float64(time.Hour))) }
	change := func(state string, hour float64) registry.StateChange {
		return registry.StateChange{State: state, At: at(hour)}
	}
	for name, c := range map[string]struct {
		kept  []registry.StateChange
		state string
		since float64
		want  string
	}{
		"nothing kept":                   {nil, "live", 3, "live 3-"},
		"nothing kept, and for long":     {nil, "live", -30, "live 0-"},
		"as kept":                        {[]registry.StateChange{change("down", -9), change("live", 3)}, "live", 3, "down 0-3, live 3-"},
		"one that ended at the start":    {[]registry.StateChange{change("down", -9), change("live", 0)}, "live", 0, "live 0-"},
		"not kept yet":                   {[]registry.StateChange{change("live", 3)}, "down", 5, "live 3-5, down 5-"},
		"no news":                        {[]registry.StateChange{change("live", -3)}, "unknown", 7, "live 0-7, unknown 7-"},
		"a later one is kept":            {[]registry.StateChange{change("live", 3), change("down", 5)}, "live", 3, "live 3-"},
		"a later one of the same":        {[]registry.StateChange{change("live", 3), change("down", 5)}, "down", 4, "live 3-5, down 5-"},
		"two in one moment":              {[]registry.StateChange{change("down", 2), change("live", 3), change("blocked", 3)}, "blocked", 3, "down 2-3, blocked 3-"},
		"another and back in one moment": {[]registry.StateChange{change("down", 2), change("live", 3), change("down", 3)}, "down", 2, "down 2-"},
		"when it entered is not known":   {[]registry.StateChange{change("down", 2)}, "unknown", -999, "down 2-"},
	} {
		k := known{state: c.state, since: at(c.since)}
		if c.since == -999 {
			k.since = time.Time{}
		}
		var got []string
		for _, span := range k.spans(c.kept, day) {
			text := fmt.Sprint(span.State, " ", span.From.Time.Sub(day).Hours(), "-")
			if !span.To.IsZero() {
				text += fmt.Sprint(span.To.Time.Sub(day).Hours())
			}
			got = append(got, text)
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
