package upstreamtest

import (
	"slices"
	"time"
)

// runsKept bounds the runs of a tenant; the oldest go first.
const runsKept = 600

// The raw words for the state of a run. Histories say other ones in their answers.
const (
	RunPending   = "pending"
	RunRunning   = "running"
	RunCompleted = "completed"
	RunFailed    = "failed"
)

// Run is one run of a sync stream.
type Run struct {
	ID          string
	Stream      string // custom_targeting
	Status      string // one of the raw words
	Trigger     string // manual, scheduled
	StartedAt   time.Time
	CompletedAt time.Time // zero while it is not over
	Items       int
	ItemsFailed int
	Error       string // raw: tracebacks and secrets included

	begins time.Time // pending until then
	ends   time.Time // zero: not by itself
	fails  string    // what it fails with, if it ends by itself; "": it goes well
}

// DefaultRunError is what a failing run leaves behind: a sentence for anyone, then
// a traceback for nobody, with a canary in it.
const DefaultRunError = "RateLimitError: the ad server asked for less\n" +
	"Traceback (most recent call last):\n" +
	"  File \"/srv/agent/sync/worker.py\", line 88, in read_page\n" +
	"    session.headers[\"Authorization\"] = \"Bearer " + Canary + "-sync-token\""

// refreshed are the streams that a refresh starts.
var refreshed = []string{"inventory", "custom_targeting", "advertisers"}

var usualItems = map[string]int{"inventory": 1248, "custom_targeting": 96, "advertisers": 41}

// StartRun starts a run as the agent's own schedule does, unless one is under way,
// and gives it. An unknown tenant has no runs: the zero Run.
func (a *Agent) StartRun(tenantID, streamName string) Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[tenantID]
	if t == nil {
		return Run{}
	}
	defer a.schedule()
	return *a.start(t, streamName, "scheduled")
}

// FinishRun ends the run that is under way, with so many items read; where none is
// a scheduled one begins and ends. Subscribers are told.
func (a *Agent) FinishRun(tenantID, streamName string, items int) Run {
	return a.end(tenantID, streamName, func(r *Run) { r.Status, r.Items = RunCompleted, items })
}

// FailRun is FinishRun for a run that fails; reason "" stands for DefaultRunError.
func (a *Agent) FailRun(tenantID, streamName, reason string) Run {
	if reason == "" {
		reason = DefaultRunError
	}
	return a.end(tenantID, streamName, func(r *Run) { r.Status, r.Error, r.ItemsFailed = RunFailed, reason, 1 })
}

// Runs gives the runs of a tenant that a refresh, StartRun, FinishRun or FailRun
// made, oldest first, at most 600.
func (a *Agent) Runs(tenantID string) []Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[tenantID]
	if t == nil {
		return nil
	}
	out := make([]Run, len(t.runs))
	for i, r := range t.runs {
		out[i] = *r
	}
	return out
}

func (a *Agent) end(tenantID, streamName string, how func(*Run)) Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[tenantID]
	if t == nil {
		return Run{}
	}
	r := a.start(t, streamName, "scheduled")
	a.finish(t, r, a.opts.Now(), how)
	return *r
}

// start begins a run, or gives the one that is under way. a.mu is held, and
// advance has been called.
func (a *Agent) start(t *tenantState, name, trigger string) *Run {
	if r := t.latest(name); r != nil && r.open() {
		return r
	}
	now := a.opts.Now()
	r := &Run{ID: a.newID("sync_"), Stream: name, Status: RunPending, Trigger: trigger, StartedAt: now, begins: now.Add(a.opts.RunWaits)}
	if p := a.adverts.answer(t.config, false); p.fails() && t.AdServer.Configured {
		r.fails = p.message()
	}
	if a.opts.RunTakes > 0 {
		r.ends = r.begins.Add(a.opts.RunTakes)
	}
	if !slices.ContainsFunc(t.Status.Streams, func(s Stream) bool { return s.Name == name }) {
		t.Status.Streams = append(t.Status.Streams, Stream{Name: name, Status: "never_run", Severity: "warning", Items: -1})
	}
	if len(t.runs) == runsKept {
		t.runs = append([]*Run(nil), t.runs[1:]...)
	}
	t.runs = append(t.runs, r)
	a.underway = append(a.underway, underway{t, r})
	r.progress(now)
	return r
}

// finish ends a run and tells of it. a.mu is held.
func (a *Agent) finish(t *tenantState, r *Run, at time.Time, how func(*Run)) {
	health := t.severity(r.Stream)
	r.CompletedAt = at
	how(r)
	if r.Status == RunCompleted && r.Stream == "inventory" {
		t.Status.sell()
	}
	a.announceRun(t, r)
	if now := t.severity(r.Stream); now != health {
		a.announceHealth(t, r, health, now)
	}
}

// underway is a run that is not over.
type underway struct {
	t *tenantState
	r *Run
}

// advance brings the runs up to the present. a.mu is held.
func (a *Agent) advance() {
	if len(a.underway) == 0 {
		return
	}
	now := a.opts.Now()
	a.underway = slices.DeleteFunc(a.underway, func(u underway) bool { return !u.r.open() || a.tenants[u.t.ID] != u.t })
	for _, u := range a.underway {
		u.r.progress(now)
		if !u.r.ends.IsZero() && !now.Before(u.r.ends) {
			a.finish(u.t, u.r, u.r.ends, u.r.itself)
		}
	}
}

// schedule has runs that end by themselves do so although nobody asks.
// a.mu is held.
func (a *Agent) schedule() {
	if a.wake != nil {
		a.wake.Stop()
		a.wake = nil
	}
	var next time.Time
	for _, u := range a.underway {
		if u.r.open() && !u.r.ends.IsZero() && (next.IsZero() || u.r.ends.Before(next)) {
			next = u.r.ends
		}
	}
	if a.ended || next.IsZero() {
		return
	}
	a.wake = time.AfterFunc(max(next.Sub(a.opts.Now()), time.Millisecond), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.ended {
			a.advance()
			a.schedule()
		}
	})
}

func (r *Run) open() bool { return r.Status == RunPending || r.Status == RunRunning }

func (r *Run) progress(now time.Time) {
	if r.Status == RunPending && !now.Before(r.begins) {
		r.Status = RunRunning
	}
}

// itself is how a run ends by itself: it fails where the ad server would have refused the
// saved config when it began.
func (r *Run) itself(*Run) {
	if r.fails == "" {
		r.Status, r.Items = RunCompleted, usualItems[r.Stream]
		return
	}
	r.Status, r.Error, r.ItemsFailed = RunFailed, r.fails, 1
}

// latest gives the last run of a stream, nil without.
func (t *tenantState) latest(name string) *Run {
	for _, r := range slices.Backward(t.runs) {
		if r.Stream == name {
			return r
		}
	}
	return nil
}
