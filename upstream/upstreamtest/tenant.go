package upstreamtest

import (
	"encoding/json"
	"time"

	"esagate/internal/adserver"
)

// storefront is the external source of tenants that name no other.
const storefront = "storefront"

// Tenant is one publisher of the agent.
type Tenant struct {
	ID             string
	Name           string // "": the id
	ExternalOrgID  string // "": null
	ExternalSource string // "": storefront
	ContactEmail   string // "": null
	PublicAgentURL string // "": null
	Active         bool
	AdServer       AdServer
	Status         Status

	// DefaultAdvertiserID is where the orders of unmapped buyers go; with one the setup task defaultAdvertiser
	// is complete. "": none.
	DefaultAdvertiserID string

	// Stocked tenants have made-up products, signals, media buys and the like to begin with; others have
	// what their ad server and publisher have alone.
	Stocked bool
}

// AdServer is a tenant's saved ad-server config. While it is not configured the
// agent says "none" in its place.
type AdServer struct {
	Type                string // as package adserver names it, or another
	NetworkCode         string // shown of a type with a service account only, as upstream does
	ServiceAccountEmail string // likewise
	Configured          bool
}

// The fields of a config that the agent shows.
const (
	networkCode  = "network_code"
	accountEmail = "service_account_email"
)

// tenantState is a tenant, with all that belongs to it.
type tenantState struct {
	Tenant
	own          bool          // provisioned: AdServer.Type and all below come from the request
	tenantType   string        // the type it was made with; a new config does not change it
	config       AdapterConfig // in force while AdServer.Configured
	configuredAt time.Time     // when it was written
	currency     string
	subdomain    string    // of one that was provisioned
	since        time.Time // when it was set or made: the "ago" of its Status counts from here
	calls        int
	cache        []cached // one a process
	runs         []*run   // oldest first, at most runsKept
	hooks        []*subscription
	catalog      *catalog // nil: it was not asked for yet
}

// cached is a status document kept by one process.
type cached struct {
	body []byte
	at   time.Time
}

// SetTenant adds a tenant or replaces the one of that id, its runs and its
// subscriptions with it. No process has the new one in its cache yet.
func (a *Agent) SetTenant(t Tenant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tenants[t.ID] = a.newTenant(t)
}

// newTenant is a tenant that is set now.
func (a *Agent) newTenant(t Tenant) *tenantState {
	if t.Name == "" {
		t.Name = t.ID
	}
	if t.ExternalSource == "" {
		t.ExternalSource = storefront
	}
	t.Status = t.Status.clone()
	now := a.opts.Now()
	held := &tenantState{
		Tenant: t, tenantType: t.AdServer.Type, currency: "EUR", since: now, cache: make([]cached, a.opts.Processes),
		configuredAt: now.Add(-t.Status.TestedAgo),
	}
	held.config = AdapterConfig{Type: t.AdServer.Type, Values: Values{}}
	if kind := adserver.Find(t.AdServer.Type); kind != nil {
		held.config.Values = defaultsOf(kind, 0)
	}
	held.config.Values[networkCode] = encode(t.AdServer.NetworkCode)
	held.config.Values[accountEmail] = encode(t.AdServer.ServiceAccountEmail)
	return held
}

// configure puts a config in force. The ad server has just been asked, so the
// status document shows it connected.
func (t *tenantState) configure(c AdapterConfig, now time.Time) {
	t.config, t.configuredAt = c, now
	t.AdServer = AdServer{
		Type: c.Type, NetworkCode: c.Values.Text(networkCode), ServiceAccountEmail: c.Values.Text(accountEmail), Configured: true,
	}
	t.Status.Refused = ""
	t.Status.complete("ad_server_connected")
}

// SetActive switches a tenant off or on, as someone does in the agent's own pages; false where there
// is none.
func (a *Agent) SetActive(id string, active bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[id]
	if t != nil {
		t.setActive(active)
	}
	return t != nil
}

// setActive deactivates or reactivates a tenant. Doing it twice is doing it once.
func (t *tenantState) setActive(active bool) answer {
	if t.Active != active {
		t.Active = active
		t.uncache()
	}
	return ok(t.detail())
}

// uncache forgets the status document that the process has whose turn it is: the
// others go on with theirs, as upstream's do.
func (t *tenantState) uncache() { t.cache[t.calls%len(t.cache)] = cached{} }

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
func (t *tenantState) status(opts Options, fetchedAt time.Time) []byte {
	now := opts.Now()
	process := &t.cache[t.calls%len(t.cache)]
	t.calls++
	if !fetchedAt.IsZero() {
		return t.document(now, fetchedAt)
	}
	age := now.Sub(process.at)
	if process.body == nil || age < 0 || age >= opts.CacheFor {
		*process = cached{body: t.document(now, now), at: now}
	}
	return process.body
}

// Document gives the /status document of a tenant that was set at an instant
// and is asked at the same one, for those who want the bytes without a server.
func Document(t Tenant, at time.Time) []byte {
	return (&tenantState{Tenant: t, since: at, configuredAt: at.Add(-t.Status.TestedAgo)}).document(at, at)
}

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

func (t *tenantState) adapterConfig() adapterConfigDocument {
	d := adapterConfigDocument{Type: t.adapterType(), Configured: t.AdServer.Configured}
	if kind := adserver.Find(d.Type); kind != nil && kind.NeedsAccount() {
		d.NetworkCode = orNull(t.AdServer.NetworkCode)
		d.ServiceAccountEmail = orNull(t.AdServer.ServiceAccountEmail)
		if d.ServiceAccountEmail != nil {
			d.ServiceAccountKeyJSON = orNull("<encrypted>")
		}
		if t.config.Values.Text("refresh_token") != "" {
			d.RefreshToken = orNull("<redacted>")
		}
	}
	if t.Status.Build == Newer {
		d.ClientSecret = Canary + "-client-secret"
	}
	return d
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

func (t *tenantState) summary() tenantSummary {
	s := tenantSummary{
		TenantID: t.ID, Name: t.Name, Subdomain: orNull(t.subdomain),
		ExternalOrgID: orNull(t.ExternalOrgID), ExternalSource: orNull(t.ExternalSource),
		IsEmbedded: true, ManagedExternally: true, IsActive: t.Active,
		BillingPlan: "standard", AdapterConfigured: t.AdServer.Configured,
		CreatedAt: stamp(t.madeAt(), t.zone()),
	}
	if t.AdServer.Configured {
		s.AdServer = orNull(t.tenantType)
	}
	return s
}

// madeAt is when the tenant was made; one that was set is older than that.
func (t *tenantState) madeAt() time.Time {
	if t.own {
		return t.since
	}
	return t.since.AddDate(0, 0, -40)
}

// zone is how the tenant's build writes timestamps.
func (t *tenantState) zone() zone {
	switch t.Status.Build {
	case Older:
		return zoneNone
	case Newer:
		return zoneOffset
	}
	return zoneZ
}

func (t *tenantState) detail() tenantDetail {
	return tenantDetail{
		tenantSummary: t.summary(), DefaultCurrency: orNull(t.currency),
		ContactEmail: orNull(t.ContactEmail), PublicAgentURL: orNull(t.PublicAgentURL),
		DefaultGAMAdvertiserID: orNull(t.DefaultAdvertiserID),
	}
}

// tenantFields is the body of PATCH tenants/{id} (published schema, UpdateTenantRequest).
var tenantFields = []field{
	{name: "name", nullable: true, min: 1, max: 255},
	{name: "contact_email", nullable: true, rule: mail},
	{name: "default_gam_advertiser_id", nullable: true, min: 1, max: 64},
	{name: "public_agent_url", nullable: true, min: 1, max: 500, rule: overTLS},
	{name: "billing_plan", nullable: true, max: 64},
	{name: "creative_approval", oneOf: []string{"auto", "manual", "ai"}},
	{name: "media_buy_approval", oneOf: []string{"auto", "manual"}},
	{name: "embed_breadcrumb_root", kind: object, nullable: true},
}

// patchTenant changes what is not null, and answers the tenant as it is then. It takes any advertiser, and
// of what no document here shows it keeps nothing.
func patchTenant(q *inquiry) answer {
	patch := struct {
		Name         *string `json:"name"`
		Email        *string `json:"contact_email"`
		AdvertiserID *string `json:"default_gam_advertiser_id"`
		URL          *string `json:"public_agent_url"`
	}{&q.owner.Name, &q.owner.ContactEmail, &q.owner.DefaultAdvertiserID, &q.owner.PublicAgentURL}
	var known map[string]json.RawMessage
	mustRead(q.body, &known)
	fill(&patch, known)
	q.owner.uncache()
	return ok(q.owner.detail())
}

// orNull gives a string for a nullable field.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
