package upstreamtest

import "time"

// The customers of the sources to show.
const (
	FirstCustomer  = 4210
	SecondCustomer = 4388
)

// Source is one source to show: whose it is, how it begins, and what a person should see of it
// through a gateway.
type Source struct {
	CustomerID int64
	SourceID   string
	State      string // in a gateway's words, as it begins
	LookAt     string
	Tenant     Tenant
	Fault      Fault // of that tenant; the zero Fault: none
	Learned    bool  // a gateway is not told of its ad server, and learns of it by asking
	Past       []Turn
}

// Turn is when a source entered a state, by a history that is as made up as the source.
type Turn struct {
	Ago   time.Duration
	State string
}

// wellFor is the past of a source that has been live for days.
func wellFor(days int) []Turn { return []Turn{{time.Duration(days) * day, "live"}} }

// Sources are the sources of the demo, as they begin. Their ids are fixed: people, tests and
// documents name them.
func Sources() []Source {
	return []Source{
		{
			CustomerID: FirstCustomer, SourceID: "harbour-news", State: "live",
			LookAt: "all is well here: the scenes are played on it",
			Tenant: gamTenant("tnt_harbour_news", "Harbour News", "40718265", Healthy()),
			Past:   wellFor(12),
		},
		{
			CustomerID: FirstCustomer, SourceID: "loft-living", State: "blocked",
			LookAt: "just connected: refresh it, and in 7 s it sells",
			Tenant: gamTenant("tnt_loft_living", "Loft Living", "52907714", Provisioned()),
			Past:   []Turn{{6 * time.Hour, "pending"}, {5*time.Hour + 48*time.Minute, "blocked"}},
		},
		{
			CustomerID: FirstCustomer, SourceID: "summit-sports", State: "degraded",
			LookAt: "its inventory sync fails: refresh it too",
			Tenant: gamTenant("tnt_summit_sports", "Summit Sports", "51830972", inventoryFailing(97*time.Minute)),
			Past:   []Turn{{5 * day, "live"}, {21 * time.Hour, "degraded"}, {19*time.Hour + 30*time.Minute, "live"}, {97 * time.Minute, "degraded"}},
		},
		{
			CustomerID: FirstCustomer, SourceID: "old-mill-gazette", State: "live",
			LookAt: "an older build of the agent, which tells less",
			Tenant: gamTenant("tnt_old_mill", "Old Mill Gazette", "29164403", OlderBuild()),
			Past:   wellFor(31),
		},
		{
			CustomerID: FirstCustomer, SourceID: "slow-river", State: "live",
			LookAt: "asking takes 2 s each time, and nobody waits",
			Tenant: gamTenant("tnt_slow_river", "Slow River", "63307158", Healthy()),
			Past:   []Turn{{9 * day, "live"}, {14 * time.Hour, "degraded"}, {13*time.Hour + 15*time.Minute, "live"}},
			Fault:  Fault{Only: RouteStatus, Delay: 2 * time.Second},
		},
		{
			CustomerID: FirstCustomer, SourceID: "lighthouse-radio", State: "live", Learned: true,
			LookAt: "its ad server was learned by asking",
			Tenant: otherTenant("tnt_lighthouse", "Lighthouse Radio", emailType, Healthy()),
			Past:   []Turn{{8 * day, "live"}, {8 * time.Hour, "down"}, {7*time.Hour + 20*time.Minute, "live"}},
		},
		{
			CustomerID: FirstCustomer, SourceID: "northwind-labs", State: "live",
			LookAt: "a newer build: no unknown field gets through",
			Tenant: gamTenant("tnt_northwind", "Northwind Labs", "77520316", NewerBuild()),
			Past:   wellFor(4),
		},
		{
			CustomerID: FirstCustomer, SourceID: "granite-video", State: "down",
			LookAt: "the ad server refuses its account: test it",
			Tenant: gamTenant("tnt_granite", "Granite Video", "36048821", Disconnected()),
			Past:   []Turn{{16 * day, "live"}, {17 * time.Hour, "degraded"}, {16 * time.Hour, "live"}, {38 * time.Minute, "down"}},
		},
		{
			CustomerID: SecondCustomer, SourceID: "quarry-fm", State: "live",
			LookAt: "another customer's, which an operator sees too",
			Tenant: otherTenant("tnt_quarry", "Quarry FM", "freewheel", Healthy()),
			Past:   wellFor(20),
		},
		{
			CustomerID: FirstCustomer, SourceID: "alder-press", State: "blocked",
			LookAt: "a blocker is open: set its default advertiser",
			Tenant: withoutDefault(gamTenant("tnt_alder", "Alder Press", "84615520", Healthy())),
			Past:   []Turn{{3 * day, "live"}, {26 * time.Hour, "blocked"}},
		},
	}
}

// emailType is a type of ad server whose accounts are e-mail addresses.
const emailType = "springserve"

func gamTenant(id, name, network string, s Status) Tenant {
	t := otherTenant(id, name, "google_ad_manager", s)
	t.AdServer.NetworkCode = network
	t.AdServer.ServiceAccountEmail = "agent-" + network + "@sales-agent.example"
	t.DefaultAdvertiserID = t.AdvertiserID(4)
	return t
}

func otherTenant(id, name, adServer string, s Status) Tenant {
	return Tenant{
		ID: id, Name: name, ExternalOrgID: "org-" + id, Active: true, Status: s, Stocked: true, ContactEmail: Canary + "-desk@sales-agent.example",
		AdServer: AdServer{Type: adServer, Configured: true},
	}
}

// inventoryFailing is InventoryFailed since so long ago, half an hour after the last run that went well.
func inventoryFailing(since time.Duration) Status {
	s := InventoryFailed()
	s.Streams[0].SuccessAgo = since + 30*time.Minute
	return s
}

// withoutDefault is a tenant with one blocker open: no advertiser takes the orders of unmapped buyers.
func withoutDefault(t Tenant) Tenant {
	t.DefaultAdvertiserID = ""
	for i := range t.Status.Tasks {
		if task := &t.Status.Tasks[i]; task.ID == defaultAdvertiser {
			task.Severity, task.Complete = "blocker", false
			task.Description = "No advertiser takes the orders of buyers without a mapping yet."
		}
	}
	return t
}

// well is the source with nothing wrong about it, by the same build of the agent.
func (s Source) well() Source {
	s.Fault = Fault{}
	switch s.Tenant.Status.Build {
	case Older:
		s.Tenant.Status = OlderBuild()
	case Newer:
		s.Tenant.Status = NewerBuild()
	default:
		s.Tenant.Status = Healthy()
	}
	return s
}
