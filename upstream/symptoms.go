package upstream

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// nearlyAll is the share, in percent, of the tenants read lately whose failing is a
// symptom of the whole upstream's.
const nearlyAll = 90

// symptoms are the signs of an outage of the whole upstream: a row of attempts that
// could not connect or had our key refused, or nearly all tenants failing. Only status
// reads and probes count: no customer decides how they end.
//
// Few tenants must not keep the others from being served. So before the breaker opens, a probe
// reads a tenant that is not failing, where one is known, and has to fail likewise. See
// docs/decisions/0007-what-breakers-count.md.
type symptoms struct {
	widespread atomic.Bool // nearly all tenants are failing; changes with mu held
	word       atomic.Bool // the breaker was opened on another replica's word, which does not say by which symptom
	looks      atomic.Bool // such a word is being looked into
	heard      atomic.Bool // a probe is under way because another replica has found all well

	mu     sync.Mutex
	since  int64 // the last good probe, as tenants.now: what began before it does not count
	begun  int64 // of the first symptom since then; 0: none
	lost   bool  // a read got no connection or no answer, or had our key refused
	row    int   // attempts without a connection or with our key refused, none good in between
	probed blame // the worst that a probe of some tenant came to
}

// times returns begun and since.
func (s *symptoms) times() (begun, since int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun, s.since
}

// needAnswer reports whether a failure that is a tenant's own shows nothing of the whole upstream.
func (s *symptoms) needAnswer() bool { return s.widespread.Load() || s.word.Load() || s.looks.Load() }

// well records a proper answer to an attempt that began then. probe says that it shows
// the whole upstream to be well.
func (c *Client) well(probe bool, began int64) {
	if !probe && c.upstream.open.Load() {
		return // only a probe closes it
	}
	s := &c.symptoms
	s.mu.Lock()
	calm := probe || s.lost && !s.widespread.Load()
	s.lost, s.row = false, 0
	if calm {
		s.begun, s.probed = 0, blameNobody
		s.widespread.Store(false)
		s.word.Store(false)
	}
	if probe {
		s.since = c.tenants.now()
	}
	s.mu.Unlock()
	if !calm {
		return
	}
	if _, opened := c.upstream.close(); opened {
		all, dropped := c.tenants.recover() // the same outage may have opened them
		c.log.Info("breaker closed", slog.String("breaker", "upstream"), slog.Int("tenants", dropped))
		c.onRecover("")
		if !s.heard.Load() { // else the others know
			c.onOutage(false)
		}
		for _, t := range all {
			c.overtake(t.breaker, began)
		}
	} // else each tenant that failed is probed itself
}

// unwell records a status read or probe of a tenant that failed, and opens the whole
// upstream's breaker if it has come to that.
func (c *Client) unwell(cl *call, t *tenant, began int64, f *failure) {
	s, probe := &c.symptoms, cl.probes == c.upstream
	changes := c.upstream.changes.Load()
	s.mu.Lock()
	if began < s.since {
		s.mu.Unlock()
		return
	}
	judge := probe || s.widespread.Load() || !t.failing(s.since)
	if probe {
		s.probed = max(s.probed, f.blame)
	}
	if probe || cl.op == opStatus {
		t.read(c.tenants.now(), true)
	}
	if f.blame == blameUpstream {
		s.row++
	}
	s.lost = s.lost || f.blame == blameUpstream || f.outcome == outcomeUnreachable
	limit := c.cfg.Breaker.ConsecutiveFailures
	opens := false
	if judge || s.row >= limit { // going through all tenants takes time
		failing, well, others := c.tenants.health(s.since)
		s.widespread.Store(failing >= limit && failing*100 >= (failing+well)*nearlyAll)
		opens = s.row >= limit && (!others || s.probed == blameUpstream) ||
			s.widespread.Load() && (!others || s.probed != blameNobody)
	}
	some := s.lost || s.widespread.Load()
	if some && s.begun == 0 {
		s.begun = c.tenants.now()
	}
	s.mu.Unlock()
	if opens && openUpstream(c, changes, slog.String("after", string(f.outcome))) {
		c.onOutage(true)
	}
	if some {
		c.watch(c.upstream)
	}
}
