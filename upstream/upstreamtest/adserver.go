package upstreamtest

import (
	"esagate/internal/adserver"
	"slices"
	"strings"
	"sync"
	"time"
)

// Outcome is what an ad server makes of a probe; all but OK are the agent's error
// codes.
type Outcome string

// The outcomes (published schema, TestConnectionResponse).
const (
	OK                  Outcome = "ok"
	NetworkNotFound     Outcome = "network_not_found"
	PermissionDenied    Outcome = "permission_denied"
	InvalidCredentials  Outcome = "invalid_credentials"
	InvalidConfig       Outcome = "invalid_config"
	ConnectionFailed    Outcome = "connection_failed"
	UpstreamUnavailable Outcome = "upstream_unavailable"
)

// Outcomes gives all outcomes.
func Outcomes() []Outcome {
	return []Outcome{OK, NetworkNotFound, PermissionDenied, InvalidCredentials, InvalidConfig, ConnectionFailed, UpstreamUnavailable}
}

// Probe is one answer of an ad server.
type Probe struct {
	Outcome Outcome       // "": OK
	Takes   time.Duration // 0: Options.ProbeTakes
}

// adServers is the world behind the agent.
type adServers struct {
	mu      sync.Mutex
	scripts map[string][]Probe // by account, type, or "" for all; the last one stays
	asked   map[string]int     // probes, by account
}

// AdServer says what the ad server of an account answers from now on: each probe
// takes one of the answers, the last one stays. Without any the rules of the
// package's comment hold again. An account is what AdapterConfig.Account gives;
// a type of ad server stands for all accounts of it that have no
// script of their own, and "" for all there are.
func (w *adServers) AdServer(account string, answers ...Probe) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(answers) == 0 {
		delete(w.scripts, account)
		return
	}
	w.scripts[account] = slices.Clone(answers)
}

// Probes gives how often the ad server of an account was asked, for "" any.
func (w *adServers) Probes(account string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if account != "" {
		return w.asked[account]
	}
	n := 0
	for _, asked := range w.asked {
		n += asked
	}
	return n
}

// says gives what an ad server says of a config. take uses up one answer of a
// script.
func (w *adServers) says(c AdapterConfig, take bool) Probe {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range []string{c.Account(), c.Type, ""} {
		script := w.scripts[key]
		if len(script) == 0 {
			continue
		}
		if take && len(script) > 1 {
			w.scripts[key] = script[1:]
		}
		return script[0]
	}
	return byRule(c)
}

// byRule is what an ad server says that has no script (package comment).
func byRule(c AdapterConfig) Probe {
	account := c.Account()
	switch {
	case strings.HasPrefix(account, "404"):
		return Probe{Outcome: NetworkNotFound}
	case strings.HasPrefix(account, "403"):
		return Probe{Outcome: PermissionDenied}
	case strings.HasPrefix(account, "503"):
		return Probe{Outcome: UpstreamUnavailable}
	case slices.ContainsFunc(c.Values.secrets(), func(name string) bool { return c.Values.Text(name) == "wrong" }):
		return Probe{Outcome: InvalidCredentials}
	}
	return Probe{}
}

// probe asks the ad server of a config, and waits for as long as that takes; it
// takes longer than its client may stay. Some types are asked twice: whether the ad
// server knows the account, then for what it holds. An outage or the agent's end
// drops the request.
func (a *Agent) probe(c AdapterConfig, l conn) Probe {
	calls := 1
	if t := adserver.Find(c.Type); t != nil {
		calls = t.Probes
	}
	var p Probe
	for range calls {
		a.count(c.Account())
		p = a.says(c, true)
		if p.Takes == 0 {
			p.Takes = a.opts.ProbeTakes
		}
		if !l.withoutClient().wait(p.Takes, nil) {
			drop()
		}
		if p.fails() {
			break
		}
	}
	return p
}

// count notes a probe. Accounts past the bound are counted together.
func (w *adServers) count(account string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, is := w.asked[account]; !is && len(w.asked) >= countersKept {
		account = "others"
	}
	w.asked[account]++
}

func (p Probe) fails() bool { return p.Outcome != "" && p.Outcome != OK }
