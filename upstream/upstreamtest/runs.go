package upstreamtest

import (
	"slices"
	"time"
)

// runsKept bounds the runs of a tenant; the oldest go first.
const runsKept = 600

// The raw words for the state of a run. Histories say other ones in their answers.
const (
	runPending   = "pending"
	runRunning   = "running"
	runCompleted = "completed"
	runFailed    = "failed"
)

// notGAM is what Google Ad Manager's workers say of a tenant on another ad server. They run for
// those too; the one for custom targeting says nothing, and its run stays open.
const notGAM = "GAM not configured"

// run is one run of a sync stream.
type run struct {
	ID          string
	Stream      string // custom_targeting
	Status      string // one of the raw words
	Trigger     string // manual or scheduled
	StartedAt   time.Time
	CompletedAt time.Time // zero while it is not over
	Items       int
	ItemsFailed int
	Error       string // raw: tracebacks and secrets included

	begins time.Time // pending until then
	ends   time.Time // zero: not by itself
	fails  string    // what it fails with, if it ends by itself; "": it goes well
}

// usualRunError is what a failing run leaves behind: a sentence that may be shown,
// then a traceback that must not be, with a canary in it.
const usualRunError = "RateLimitError: the ad server asked for less\n" +
	"Traceback (most recent call last):\n" +
	"  File \"/srv/agent/sync/worker.py\", line 88, in read_page\n" +
	"    session.headers[\"Authorization\"] = \"Bearer " + Canary + "-sync-token\""

const scheduled = "scheduled"

// refreshed are the streams that a refresh starts, and a provisioning.
var refreshed = []string{"inventory", "custom_targeting", "advertisers"}

var usualItems = map[string]int{"inventory": 1248, "custom_targeting": 96, "advertisers": 41}

// FinishRun ends the run that is under way, with so many items read; where none is
// a scheduled one begins and ends. Subscribers are told.
func (a *Agent) FinishRun(tenantID, streamName string, items int) {
	a.end(tenantID, streamName, func(r *run) { r.Status, r.Items = runCompleted, items })
}

// FailRun is FinishRun for a run that fails. The usual reason, for "", has a traceback with a
// canary in it.
func (a *Agent) FailRun(tenantID, streamName, reason string) {
	if reason == "" {
		reason = usualRunError
	}
	a.end(tenantID, streamName, func(r *run) { r.Status, r.Error, r.ItemsFailed = runFailed, reason, 1 })
}

func (a *Agent) end(tenantID, streamName string, how func(*run)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	if t := a.tenants[tenantID]; t != nil {
		a.finish(t, a.start(t, streamName, scheduled), a.opts.Now(), how)
	}
}

// start begins a run, or gives the one that is under way. a.mu is held, and
// advance has been called.
func (a *Agent) start(t *tenantState, name, trigger string) *run {
	if r := t.last(name, runPending, runRunning); r != nil {
		return r
	}
	now := a.opts.Now()
	r := &run{ID: a.newID("sync_"), Stream: name, Status: runPending, Trigger: trigger, StartedAt: now, begins: now.Add(a.opts.RunWaits)}
	if p := a.says(t.config, false); p.fails() && t.AdServer.Configured {
		r.fails = p.message(t.config.Type)
	}
	switch {
	case trigger == scheduled || !t.AdServer.Configured || speaksSOAP(t.config.Type):
		if a.opts.RunTakes > 0 {
			r.ends = r.begins.Add(a.opts.RunTakes)
		}
	case name != "custom_targeting":
		r.fails, r.ends = notGAM, r.begins
	}
	if !slices.ContainsFunc(t.Status.Streams, func(s Stream) bool { return s.Name == name }) {
		t.Status.Streams = append(t.Status.Streams, Stream{Name: name, Status: "never_run", Severity: "warning", Items: -1})
	}
	t.keep(r)
	a.underway = append(a.underway, underway{t, r})
	r.progress(now)
	return r
}

func (t *tenantState) keep(r *run) {
	if len(t.runs) == runsKept {
		t.runs = append([]*run(nil), t.runs[1:]...)
	}
	t.runs = append(t.runs, r)
}

// finish ends a run and tells of it. a.mu is held.
func (a *Agent) finish(t *tenantState, r *run, at time.Time, how func(*run)) {
	health := t.severity(r.Stream)
	r.CompletedAt = at
	how(r)
	if r.Status == runCompleted && r.Stream == "inventory" {
		t.Status.sell()
	}
	a.announceRun(t, r)
	if now := t.severity(r.Stream); now != health {
		a.announceHealth(t, r, health, now)
	}
	if r.fails == notGAM && r.Stream == "inventory" && a.opts.Scheduler > 0 {
		begins := at.Add(a.opts.Scheduler)
		a.underway = append(a.underway, underway{t, &run{
			ID: a.newID("sync_"), Stream: r.Stream, Trigger: scheduled, StartedAt: begins, begins: begins,
			ends: begins.Add(a.opts.RunTakes),
		}})
	}
}

// underway is a run that is not over. One that has no state yet is the scheduler's next one: its
// tenant does not have it before it begins.
type underway struct {
	t *tenantState
	r *run
}

// advance brings the runs up to the present. a.mu is held.
func (a *Agent) advance() {
	if len(a.underway) == 0 {
		return
	}
	now := a.opts.Now()
	a.underway = slices.DeleteFunc(a.underway, func(u underway) bool { return !u.r.open() || a.tenants[u.t.ID] != u.t })
	for _, u := range a.underway {
		if u.r.Status == "" && !now.Before(u.r.begins) {
			u.r.Status = runPending
			u.t.keep(u.r)
		}
		u.r.progress(now)
		if !u.r.ends.IsZero() && !now.Before(u.r.ends) {
			a.finish(u.t, u.r, u.r.ends, u.r.itself)
		}
	}
}

// schedule lets runs that end by themselves end without a call.
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

func (r *run) open() bool { return r.CompletedAt.IsZero() }

func (r *run) progress(now time.Time) {
	if r.Status == runPending && !now.Before(r.begins) {
		r.Status = runRunning
	}
}

// itself is how a run ends by itself: it fails where the ad server would have refused the
// saved config when it began.
func (r *run) itself(*run) {
	if r.fails == "" {
		r.Status, r.Items = runCompleted, usualItems[r.Stream]
		return
	}
	r.Status, r.Error, r.ItemsFailed = runFailed, r.fails, 1
}
