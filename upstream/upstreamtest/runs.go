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
	RunCancelled = "cancelled"
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
	plan   RunPlan
}

// RunPlan says how a run goes.
type RunPlan struct {
	Waits time.Duration // how long it is pending
	Takes time.Duration // how long it then runs; 0: until FinishRun or FailRun
	Fails bool
	Items int    // that a good run reads; 0: a number that goes with the stream
	Error string // of a failing run; "": DefaultRunError
}

// DefaultRunError is what a failing run leaves behind: a sentence for anyone, then
// a traceback for nobody, with a canary in it.
const DefaultRunError = "RateLimitError: the ad server asked for less\n" +
	"Traceback (most recent call last):\n" +
	"  File \"/srv/agent/sync/worker.py\", line 88, in read_page\n" +
	"    session.headers[\"Authorization\"] = \"Bearer " + Canary + "-sync-token\""

// stream is one sync stream of one tenant.
type stream struct{ tenant, name string }

// refreshed are the streams that a refresh starts.
var refreshed = []string{"inventory", "custom_targeting", "advertisers"}

var usualItems = map[string]int{"inventory": 1248, "custom_targeting": 96, "advertisers": 41}

// ScriptRuns says how the next runs of a tenant's stream go, one plan each, in
// order; after them Options.RunWaits and RunTakes hold again, and such a run fails
// where the ad server would refuse the saved config. A script set before is
// replaced.
func (a *Agent) ScriptRuns(tenantID, streamName string, plans ...RunPlan) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runPlans[stream{tenantID, streamName}] = slices.Clone(plans)
}

// StartRun starts a run as the agent's own schedule does, unless one is under way,
// and gives it. An unknown tenant has no runs: the zero Run.
func (a *Agent) StartRun(tenantID, streamName string) Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle()
	t := a.tenants[tenantID]
	if t == nil {
		return Run{}
	}
	defer a.arm()
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

// CancelRun is FinishRun for a run that somebody stops; nobody is told.
func (a *Agent) CancelRun(tenantID, streamName string) Run {
	return a.end(tenantID, streamName, func(r *Run) { r.Status = RunCancelled })
}

// Runs gives the runs of a tenant that a refresh, StartRun, FinishRun or FailRun
// made, oldest first, at most 600.
func (a *Agent) Runs(tenantID string) []Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle()
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
	a.settle()
	t := a.tenants[tenantID]
	if t == nil {
		return Run{}
	}
	r := a.start(t, streamName, "scheduled")
	a.over(t, r, a.opts.Now(), how)
	return *r
}

// start begins a run, or gives the one that is under way. a.mu is held, and
// settle has been called.
func (a *Agent) start(t *held, name, trigger string) *Run {
	if r := t.latest(name); r != nil && r.open() {
		return r
	}
	plan := RunPlan{Waits: a.opts.RunWaits, Takes: a.opts.RunTakes}
	if p := a.adverts.answer(t.config, false); p.fails() && t.AdServer.Configured {
		plan.Fails, plan.Error = true, p.message()
	}
	key := stream{t.ID, name}
	if script := a.runPlans[key]; len(script) > 0 {
		plan, a.runPlans[key] = script[0], script[1:]
	}
	now := a.opts.Now()
	r := &Run{ID: a.newID("sync_"), Stream: name, Status: RunPending, Trigger: trigger, StartedAt: now, begins: now.Add(plan.Waits), plan: plan}
	if plan.Takes > 0 {
		r.ends = r.begins.Add(plan.Takes)
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

// over ends a run and tells of it. a.mu is held.
func (a *Agent) over(t *held, r *Run, at time.Time, how func(*Run)) {
	health := t.severity(r.Stream)
	r.CompletedAt = at
	how(r)
	switch r.Status {
	case RunCompleted:
		if r.Stream == "inventory" {
			t.Status.sell()
		}
	case RunCancelled:
		return
	}
	a.announceRun(t, r)
	if now := t.severity(r.Stream); now != health {
		a.announceHealth(t, r, health, now)
	}
}

// underway is a run that is not over.
type underway struct {
	t *held
	r *Run
}

// settle brings the runs up to the present. a.mu is held.
func (a *Agent) settle() {
	if len(a.underway) == 0 {
		return
	}
	now := a.opts.Now()
	a.underway = slices.DeleteFunc(a.underway, func(u underway) bool { return !u.r.open() || a.tenants[u.t.ID] != u.t })
	for _, u := range a.underway {
		u.r.progress(now)
		if !u.r.ends.IsZero() && !now.Before(u.r.ends) {
			a.over(u.t, u.r, u.r.ends, u.r.planned)
		}
	}
}

// arm sees to it that runs which end by themselves do so although nobody asks.
// a.mu is held.
func (a *Agent) arm() {
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
			a.settle()
			a.arm()
		}
	})
}

func (r *Run) open() bool { return r.Status == RunPending || r.Status == RunRunning }

func (r *Run) progress(now time.Time) {
	if r.Status == RunPending && !now.Before(r.begins) {
		r.Status = RunRunning
	}
}

// planned is the end that a run's plan has for it.
func (r *Run) planned(*Run) {
	if !r.plan.Fails {
		r.Status, r.Items = RunCompleted, r.plan.Items
		if r.Items == 0 {
			r.Items = usualItems[r.Stream]
		}
		return
	}
	r.Status, r.Error, r.ItemsFailed = RunFailed, r.plan.Error, 1
	if r.Error == "" {
		r.Error = DefaultRunError
	}
}

// latest gives the last run of a stream, nil without.
func (t *held) latest(name string) *Run {
	for _, r := range slices.Backward(t.runs) {
		if r.Stream == name {
			return r
		}
	}
	return nil
}
