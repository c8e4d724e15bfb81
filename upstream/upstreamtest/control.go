package upstreamtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// slowest bounds the delay that the slow switch takes.
const slowest = 5 * time.Minute

// control serves the switches, all of them POST: /_agent/down, /_agent/up and
// /_agent/slow?for=2s (0s ends it). It reports whether the request was for one.
func (a *Agent) control(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, "/_agent/")
	if !ok {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	say := func(status int, format string, args ...any) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format+"\n", args...)
	}
	switch {
	case name != "down" && name != "up" && name != "slow":
		say(http.StatusNotFound, "The switches are /_agent/down, /_agent/up and /_agent/slow?for=2s.")
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		say(http.StatusMethodNotAllowed, "The switches take POST.")
	case name == "down":
		a.SetDown(true)
		say(http.StatusOK, "The sales agent is down: every connection is closed without an answer.")
	case name == "up":
		a.SetDown(false)
		say(http.StatusOK, "The sales agent is up.")
	default:
		d, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil || d < 0 || d > slowest {
			say(http.StatusBadRequest, "for must be a duration from 0s to %s, such as 2s.", slowest)
			return true
		}
		a.SetSlow(d)
		say(http.StatusOK, "Every answer of the sales agent now takes %s longer.", d)
	}
	return true
}
