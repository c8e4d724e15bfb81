package upstreamtest

import (
	"net/http"
	"time"
)

// Scene is one source to show: a tenant in some state, the fault that goes with
// it, and what a person should see of it through a gateway.
type Scene struct {
	SourceID string
	Title    string
	LookAt   string
	Tenant   Tenant // no ID: the source has no tenant yet
	Fault    Fault  // of that tenant; the zero Fault: none
}

// Play puts a scene's tenant and fault into the agent.
func (a *Agent) Play(s Scene) {
	if s.Tenant.ID == "" {
		return
	}
	a.SetTenant(s.Tenant)
	a.Fault(s.Tenant.ID, s.Fault)
}

// emailType is a type of ad server whose accounts are e-mail addresses.
const emailType = "springserve"

// Scenes are the sources of the demo. Their ids are fixed: the demo's curl lines
// name them.
func Scenes() []Scene {
	return []Scene{
		{
			SourceID: "harbour-news", Title: "Healthy, Google Ad Manager",
			LookAt: "Live, no issues; asked again within five seconds the answer is a hit of the cache and the agent is not called.",
			Tenant: gamTenant("tnt_harbour_news", "Harbour News", "40718265", Healthy()),
		},
		{
			SourceID: "loft-living", Title: "Never provisioned",
			LookAt: "A 200 with an empty snapshot and the platform's own setup tasks, without any call to the agent.",
		},
		{
			SourceID: "summit-sports", Title: "Inventory sync failed",
			LookAt: "Live but degraded: SYNC_INVENTORY_FAILED, with the first line of the agent's error and none of what stands behind it.",
			Tenant: gamTenant("tnt_summit_sports", "Summit Sports", "51830972", InventoryFailed()),
		},
		{
			SourceID: "old-mill-gazette", Title: "Older build of the agent",
			LookAt: "Everything that is required is there although the agent has never heard of it; its times without a zone end in Z.",
			Tenant: gamTenant("tnt_old_mill", "Old Mill Gazette", "29164403", OlderBuild()),
		},
		{
			SourceID: "slow-river", Title: "Slow: two seconds for every status",
			LookAt: "Only the first read waits; for a minute later ones are answered at once, with their age in Age while a refresh runs behind them.",
			Tenant: gamTenant("tnt_slow_river", "Slow River Weekly", "63307158", Healthy()),
			Fault:  Fault{Only: RouteStatus, Delay: 2 * time.Second},
		},
		{
			SourceID: "lighthouse-radio", Title: "Flapping from the start on: 20 s up, then 40 s of HTTP 500",
			LookAt: "Once read while up, the last good answer stays while the agent fails: Age grows, STATUS_STALE appears, this tenant's breaker opens (esagate_upstream_open_tenant_breakers), then all of it heals by itself.",
			Tenant: Tenant{
				ID: "tnt_lighthouse", Name: "Lighthouse Radio", ExternalOrgID: "org-tnt_lighthouse", Active: true,
				AdServer: AdServer{Type: emailType, Configured: true}, Status: Healthy(),
			},
			Fault: Flap(20*time.Second, 40*time.Second, Fault{Status: http.StatusInternalServerError}),
		},
		{
			SourceID: "northwind-labs", Title: "Newer build of the agent",
			LookAt: "A stream unknown here comes through in camelCase; unknown fields do not, least of all those with CANARY in them, and each is counted in the metrics.",
			Tenant: gamTenant("tnt_northwind", "Northwind Labs", "77520316", NewerBuild()),
		},
		{
			SourceID: "granite-video", Title: "Refused by its ad server",
			LookAt: "Not live: ADAPTER_DISCONNECTED, the ad server's refusal beside it, and a setup task that says where to mend it.",
			Tenant: Tenant{
				ID: "tnt_granite", Name: "Granite Video", ExternalOrgID: "org-tnt_granite", Active: true,
				AdServer: AdServer{Type: "freewheel", Configured: true}, Status: Disconnected(),
			},
		},
	}
}

func gamTenant(id, name, network string, s Status) Tenant {
	return Tenant{
		ID: id, Name: name, ExternalOrgID: "org-" + id, Active: true, Status: s,
		AdServer: AdServer{
			Type: "google_ad_manager", NetworkCode: network, Configured: true,
			ServiceAccountEmail: "agent-" + network + "@sales-agent.example",
		},
	}
}
