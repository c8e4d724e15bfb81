package terminal

import "slices"

// Colours of a terminal (ECMA-48, SGR).
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// style writes colours, or with false none.
type style bool

func (s style) paint(colour, text string) string {
	if !s || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// States are the states of a source, the worst first.
var States = []string{"down", "blocked", "unknown", "degraded", "pending", "live", "deactivated"}

var colours = map[string]string{
	"down": bold + ";" + red, "blocked": red, "unknown": yellow, "degraded": yellow, "pending": cyan,
	"live": green, "deactivated": dim,
}

// isBad reports whether a source in the state can't sell, and should.
func isBad(state string) bool { return state == "down" || state == "blocked" }

// rank orders states, one that this version does not know before all others.
func rank(state string) int { return slices.Index(States, state) }
