package upstreamtest

import (
	"time"
)

// externalSource is who all tenants here were made by.
const externalSource = "storefront"

// Tenant is one publisher of the agent.
type Tenant struct {
	ID            string
	Name          string // "": the id
	ExternalOrgID string // "": null
	Active        bool
	AdServer      AdServer
	Status        Status
}

// AdServer is a tenant's saved ad-server config. While it is not configured the
// agent says "none" in its place.
type AdServer struct {
	Type                string // google_ad_manager, freewheel, springserve, broadstreet, mock …
	NetworkCode         string // shown for google_ad_manager only, as upstream does
	ServiceAccountEmail string // likewise
	Configured          bool
}

// held is a tenant that was set, with the caches of the agent's processes.
type held struct {
	Tenant
	since time.Time // when it was set: the "ago" of its Status counts from here
	calls int
	cache []cached // one a process
}

// cached is a status document kept by one process.
type cached struct {
	body []byte
	at   time.Time
}

// SetTenant adds a tenant or replaces the one of that id. No process has the
// new one in its cache yet.
func (a *Agent) SetTenant(t Tenant) {
	if t.Name == "" {
		t.Name = t.ID
	}
	t.Status = t.Status.clone()
	if a.opts.Seed != 0 {
		t.Status.vary(a.opts.Seed, t.ID)
	}
	now := a.opts.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tenants[t.ID] = &held{Tenant: t, since: now, cache: make([]cached, a.opts.Processes)}
}

// RemoveTenant makes a tenant unknown; its faults stay.
func (a *Agent) RemoveTenant(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tenants, id)
}

// status gives the /status document as the process whose turn it is has it. A
// tenant's calls go round the processes in order, so that two calls in a row
// can step back in time. With fetchedAt the document is made for that moment,
// past the caches.
func (t *held) status(opts Options, fetchedAt time.Time) []byte {
	now := opts.Now()
	process := &t.cache[t.calls%len(t.cache)]
	t.calls++
	if !fetchedAt.IsZero() {
		return t.document(t.since, now, fetchedAt)
	}
	age := now.Sub(process.at)
	if process.body == nil || age < 0 || age >= opts.CacheFor {
		*process = cached{body: t.document(t.since, now, now), at: now}
	}
	return process.body
}

// Document gives the /status document of a tenant that was set at an instant
// and is asked at the same one, for those who want the bytes without a server.
func Document(t Tenant, at time.Time) []byte { return t.document(at, at, at) }

// adapterType is the type that every document names.
func (t Tenant) adapterType() string {
	if !t.AdServer.Configured {
		return "none"
	}
	return t.AdServer.Type
}

type adapterConfigDocument struct {
	Type                  string  `json:"type"`
	Configured            bool    `json:"configured"`
	NetworkCode           *string `json:"network_code"`
	ServiceAccountEmail   *string `json:"service_account_email"`
	ServiceAccountKeyJSON *string `json:"service_account_key_json"`
	RefreshToken          *string `json:"refresh_token"`
	ClientSecret          string  `json:"client_secret,omitempty"` // newer builds: not in the published schema
}

func (t *held) adapterConfig() adapterConfigDocument {
	d := adapterConfigDocument{Type: t.adapterType(), Configured: t.AdServer.Configured}
	if d.Type == "google_ad_manager" {
		d.NetworkCode = orNull(t.AdServer.NetworkCode)
		d.ServiceAccountEmail = orNull(t.AdServer.ServiceAccountEmail)
		if d.ServiceAccountEmail != nil {
			d.ServiceAccountKeyJSON = orNull("<encrypted>")
		}
	}
	if t.Status.Build == Newer {
		d.ClientSecret = Canary + "-client-secret"
	}
	return d
}

type healthDocument struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
}

type tenantList struct {
	Tenants []tenantSummary `json:"tenants"`
	Count   int             `json:"count"`
}

type tenantSummary struct {
	TenantID          string  `json:"tenant_id"`
	Name              string  `json:"name"`
	Subdomain         *string `json:"subdomain"`
	ExternalOrgID     *string `json:"external_org_id"`
	ExternalSource    *string `json:"external_source"`
	IsEmbedded        bool    `json:"is_embedded"`
	ManagedExternally bool    `json:"managed_externally"`
	IsActive          bool    `json:"is_active"`
	BillingPlan       string  `json:"billing_plan"`
	AdServer          *string `json:"ad_server"`
	AdapterConfigured bool    `json:"adapter_configured"`
	CreatedAt         string  `json:"created_at"`
}

type tenantDetail struct {
	tenantSummary
	ContactEmail           *string   `json:"contact_email"`
	DefaultCurrency        *string   `json:"default_currency"`
	PublicAgentURL         *string   `json:"public_agent_url"`
	DefaultGAMAdvertiserID *string   `json:"default_gam_advertiser_id"`
	EmbedBreadcrumbRoot    *struct{} `json:"embed_breadcrumb_root"`
}

func (t *held) summary() tenantSummary {
	s := tenantSummary{
		TenantID: t.ID, Name: t.Name,
		ExternalOrgID: orNull(t.ExternalOrgID), ExternalSource: orNull(externalSource),
		IsEmbedded: true, ManagedExternally: true, IsActive: t.Active,
		BillingPlan: "standard", AdapterConfigured: t.AdServer.Configured,
		CreatedAt: stamp(t.since.AddDate(0, 0, -40), zoneZ),
	}
	if t.AdServer.Configured {
		s.AdServer = orNull(t.AdServer.Type)
	}
	return s
}

func (t *held) detail() tenantDetail {
	return tenantDetail{tenantSummary: t.summary(), DefaultCurrency: orNull("EUR")}
}

// orNull gives a string for a nullable field.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
