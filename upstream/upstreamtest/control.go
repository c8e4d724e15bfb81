package upstreamtest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// slowest bounds the delay that the slow switch takes.
const slowest = 5 * time.Minute

// switches are the words of a 404.
const switches = "The switches are /_agent/down, /_agent/up, /_agent/slow?for=2s, /_agent/restart, " +
	"/_agent/tenant/{tenant}/off, /_agent/tenant/{tenant}/on, /_agent/media-buy/{tenant}/{id}/{status}, " +
	"/_agent/adserver/{account}/{outcome} and /_agent/scene/{name}."

// control serves the switches (package comment), all of them POST but the list of scenes. It reports
// whether the request was for one.
func (s *Server) control(w http.ResponseWriter, r *http.Request) bool {
	name, is := strings.CutPrefix(r.URL.EscapedPath(), "/_agent/")
	if !is {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	status, words := s.turn(r, name)
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, words)
	return true
}

// turn turns a switch and says what came of it.
func (s *Server) turn(r *http.Request, name string) (int, string) {
	name, rest, _ := strings.Cut(name, "/")
	escaped, what, _ := strings.Cut(rest, "/")
	which, err := url.PathUnescape(escaped)
	known := false
	switch name {
	case "scene":
		if rest == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			return http.StatusOK, sceneList()
		}
		known = what == "" && err == nil
	case "adserver", "tenant", "media-buy":
		known = err == nil && which != ""
	case "down", "up", "slow", "restart":
		known = rest == ""
	}
	switch {
	case !known:
		return http.StatusNotFound, switches
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, "The switches take POST."
	}
	switch name {
	case "scene":
		return s.turnScene(which)
	case "adserver":
		return s.turnAdServer(which, Outcome(what))
	case "media-buy":
		return s.turnMediaBuy(which, what)
	case "tenant":
		switch {
		case what != "off" && what != "on":
			return http.StatusBadRequest, "A tenant is switched off or on."
		case !s.agent.SetActive(which, what == "on"):
			return http.StatusNotFound, "The sales agent has no tenant " + which + "."
		}
		return http.StatusOK, "The tenant " + which + " is switched " + what + " at the sales agent."
	case "down":
		s.agent.SetDown(true)
		return http.StatusOK, "The sales agent is down: every connection is closed without an answer."
	case "up":
		s.agent.SetDown(false)
		return http.StatusOK, "The sales agent is up."
	case "restart":
		s.agent.Restart()
		return http.StatusOK, "The sales agent has started anew: it has forgotten what it signed its webhooks with, and sends none until they are subscribed to again."
	}
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil || d < 0 || d > slowest {
		return http.StatusBadRequest, fmt.Sprintf("for must be a duration from 0s to %s, such as 2s.", slowest)
	}
	s.agent.SetSlow(d)
	return http.StatusOK, fmt.Sprintf("Every answer of the sales agent now takes %s longer.", d)
}

// sceneList gives the scenes, one a line.
func sceneList() string {
	var lines []string
	for _, scene := range Scenes() {
		lines = append(lines, fmt.Sprintf("%-20s%s", scene.Name, scene.Tells))
	}
	return strings.Join(lines, "\n")
}

func (s *Server) turnScene(name string) (int, string) {
	if scene, ok := FindScene(name); ok {
		s.agent.Play(scene)
		return http.StatusOK, scene.Tells
	}
	return http.StatusNotFound, "There is no scene " + name + ". The scenes are:\n" + sceneList()
}

// turnMediaBuy gives a media buy the status behind the last slash.
func (s *Server) turnMediaBuy(tenant, what string) (int, string) {
	id, status, _ := strings.Cut(what, "/")
	switch {
	case !mediaBuyStatus.MatchString(status):
		return http.StatusBadRequest, "The status of a media buy is a word such as active."
	case !s.agent.SetMediaBuy(tenant, id, status, "Set by hand."):
		return http.StatusNotFound, "The sales agent has no media buy " + id + " of tenant " + tenant + "."
	}
	return http.StatusOK, "The media buy " + id + " is " + status + " now."
}

var mediaBuyStatus = regexp.MustCompile(`^[a-z_]{1,40}$`)

func (s *Server) turnAdServer(account string, outcome Outcome) (int, string) {
	switch {
	case outcome == "rules":
		s.agent.AdServer(account)
		return http.StatusOK, "The ad server of " + account + " answers by the rules again."
	case slices.Contains(Outcomes(), outcome):
		s.agent.AdServer(account, Probe{Outcome: outcome})
		return http.StatusOK, "The ad server of " + account + " now answers " + string(outcome) + "."
	}
	words := "rules"
	for _, o := range Outcomes() {
		words += ", " + string(o)
	}
	return http.StatusBadRequest, "The outcomes are " + words + "."
}
