package upstreamtest

import "time"

// Scene is a state of the agent and of all of [Sources]: whatever was played before, each sets all
// of it.
type Scene struct {
	Name  string // ad-server-refusing
	Tells string // what happens, what to look at in a gateway, and when: a sentence

	begins  bool          // the sources are as they begin, and not well
	refused bool          // Harbour News is, by its ad server
	fails   bool          // the inventory sync of Harbour News does
	slow    time.Duration // of every answer
	down    bool
}

// SceneStart is the name of the scene in which all is as it begins.
const SceneStart = "start"

// FindScene gives the scene of that name, if there is one.
func FindScene(name string) (Scene, bool) {
	for _, s := range Scenes() {
		if s.Name == name {
			return s, true
		}
	}
	return Scene{}, false
}

// onStage is the tenant that scenes are played on: Harbour News.
const onStage = "tnt_harbour_news"

// Scenes are the scenes of the demo, in the order of its menu.
func Scenes() []Scene {
	return []Scene{
		{
			Name:  "healthy",
			Tells: "Nothing is wrong any more: within 6 s every source is live.",
		},
		{
			Name: "agent-unplugged", down: true,
			Tells: "The sales agent closes every connection: within 10 s the wall says that it can't be reached; every source keeps its last state, and its answer gets older.",
		},
		{
			Name: "agent-slow", slow: 4 * time.Second,
			Tells: "Every answer of the sales agent takes 4 s: within 15 s ages rise to about 10 s, all stay live, and pages are as quick as before.",
		},
		{
			Name: "ad-server-refusing", refused: true,
			Tells: "The ad server of Harbour News refuses its account: within 6 s it is down, and says what to do; the others are live.",
		},
		{
			Name: "sync-failing", fails: true,
			Tells: "The inventory sync of Harbour News fails, which the agent tells by webhook: within 2 s it is degraded; the others are live.",
		},
		{
			Name:  "recovery",
			Tells: "The sales agent answers again and nothing is wrong: within 2 s all is fresh, and within 6 s live.",
		},
		{
			Name: SceneStart, begins: true,
			Tells: "All is as it began: within 6 s one source is down, two are blocked, one is degraded, and six are live.",
		},
	}
}

// Play sets the scene. What callers have made of the sources stays: configs of ad servers,
// subscriptions, catalogs, and whether they are switched off; so do tenants that are none of them.
func (a *Agent) Play(s Scene) {
	a.playing.Lock()
	defer a.playing.Unlock()
	failed := a.inventoryFailed()
	for _, src := range Sources() {
		if !s.begins {
			src = src.well()
		}
		if s.refused && src.Tenant.ID == onStage {
			src.Tenant.Status = Disconnected()
		}
		a.stage(src, s.begins)
	}
	a.Fault("", Fault{})
	a.SetSlow(s.slow)
	a.SetDown(s.down)
	switch { // subscribers are told, unless it is down
	case s.fails:
		a.FailRun(onStage, "inventory", inventoryError)
	case failed && !s.refused:
		a.FinishRun(onStage, "inventory", usualItems["inventory"])
	}
}

// inventoryFailed reports whether the last that was told of Harbour News' inventory is a failure.
func (a *Agent) inventoryFailed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[onStage]
	if t == nil {
		return false
	}
	r := t.last("inventory", runCompleted, runFailed)
	return r != nil && r.Status == runFailed
}

// stage puts a source into the agent, and has its ad server say what goes with that. Where all begins anew,
// so does the advertiser that blocks one.
func (a *Agent) stage(src Source, begins bool) {
	t := src.Tenant
	if code := t.AdServer.NetworkCode; code != "" {
		p := Probe{Outcome: OK}
		if t.Status.Refused != "" {
			p.Outcome = PermissionDenied
		}
		a.AdServer(code, p)
	}
	a.Fault(t.ID, src.Fault)
	a.mu.Lock()
	defer a.mu.Unlock()
	next := a.newTenant(t)
	if was := a.tenants[t.ID]; was != nil {
		next.Active, next.AdServer, next.tenantType = was.Active, was.AdServer, was.tenantType
		next.config, next.configuredAt, next.hooks = was.config, was.configuredAt, was.hooks
		if next.catalog = was.catalog; !begins {
			next.DefaultAdvertiserID = was.DefaultAdvertiserID
		}
	}
	a.tenants[t.ID] = next
}
