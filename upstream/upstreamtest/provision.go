package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxOrgID is how long an external_org_id can be, in code points: a subdomain is made of it.
const maxOrgID = 91

// provisionSchema is the body of POST /tenants/provision (published schema).
var provisionSchema = []field{
	{name: "name", required: true, min: 1, max: 255},
	{name: "external_org_id", required: true, min: 1, max: 255},
	{name: "external_source", required: true, min: 1, max: 64},
	{name: "contact_email", required: true, rule: mail},
	{name: "adapter", kind: object, required: true},
	{name: "billing_plan", max: 64},
	{name: "creative_approval", oneOf: []string{"auto", "manual", "ai"}},
	{name: "default_currency", min: 3, max: 3},
	{name: "default_gam_advertiser_id", nullable: true, max: 64},
	{name: "embed_breadcrumb_root", kind: object, nullable: true},
	{name: "media_buy_approval", oneOf: []string{"auto", "manual"}},
	{name: "provision_default_resources", kind: flag},
	{name: "public_agent_url", min: 1, max: 500, rule: overTLS},
}

type provisionRequest struct {
	Name            string          `json:"name"`
	ExternalOrgID   string          `json:"external_org_id"`
	ExternalSource  string          `json:"external_source"`
	ContactEmail    string          `json:"contact_email"`
	Adapter         json.RawMessage `json:"adapter"`
	DefaultCurrency string          `json:"default_currency"`
	PublicAgentURL  string          `json:"public_agent_url"`
}

// mail is the little of an address that is looked at. Domains set aside for tests
// are refused, as the agent's own library does.
func mail(s string) string {
	name, domain, _ := strings.Cut(s, "@")
	top := domain[strings.LastIndex(domain, ".")+1:]
	switch {
	case name == "" || !strings.Contains(strings.Trim(domain, "."), ".") || strings.ContainsAny(s, " \t\r\n"):
		return "value is not a valid email address"
	case top == "test" || top == "invalid" || top == "localhost" || top == "local":
		return "The part after the @-sign is a special-use or reserved name"
	}
	return ""
}

func overTLS(s string) string {
	if !strings.HasPrefix(strings.TrimSpace(s), "https://") {
		return "public_agent_url must start with 'https://'"
	}
	return ""
}

type provisionDocument struct {
	TenantID          string             `json:"tenant_id"`
	Name              string             `json:"name"`
	ExternalOrgID     string             `json:"external_org_id"`
	ExternalSource    string             `json:"external_source"`
	IsEmbedded        bool               `json:"is_embedded"`
	ManagedExternally bool               `json:"managed_externally"`
	MCPURL            string             `json:"mcp_url"`
	A2AURL            string             `json:"a2a_url"`
	AdminURLPath      string             `json:"admin_url_path"`
	Adapter           provisionedAdapter `json:"adapter"`
	InitialPrincipal  *struct{}          `json:"initial_principal"` // no request asks for one
	CreatedAt         string             `json:"created_at"`
}

type provisionedAdapter struct {
	Type                 string  `json:"type"`
	Configured           bool    `json:"configured"`
	ConnectionTestPassed bool    `json:"connection_test_passed"`
	ConnectionTestError  *string `json:"connection_test_error"`
}

// conflictDetails name the tenant that has the external id already.
type conflictDetails struct {
	TenantID string `json:"tenant_id"`
}

// provision makes a tenant, or leaves nothing behind. Whether there is one of that
// external id already is looked up before the probe, but not again when the tenant
// is written: two calls at once make two tenants.
func (a *Agent) provision(c call, l conn) answer {
	req, config, found := a.opts.readProvision(c.body)
	if found != nil {
		return invalid(found)
	}
	a.mu.Lock()
	existing := a.newestFirst(func(t *tenantState) bool {
		return t.ExternalOrgID == req.ExternalOrgID && t.ExternalSource == req.ExternalSource
	})
	a.mu.Unlock()
	if len(existing) > 0 {
		id := existing[len(existing)-1].ID
		return problem(http.StatusConflict, "external_org_id_conflict",
			fmt.Sprintf("external_org_id '%s' belongs to tenant '%s' already", req.ExternalOrgID, id), conflictDetails{id})
	}
	if !a.opts.serves(req.PublicAgentURL) {
		return unfit("public_agent_url_mismatch", "The host of public_agent_url is none that this agent serves: "+req.PublicAgentURL)
	}
	if p := a.probe(config, l); p.fails() {
		return p.refusal(config.Type)
	}
	if utf8.RuneCountInString(req.ExternalOrgID) > maxOrgID {
		return crash(http.StatusInternalServerError, "internal_error")
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.opts.Now()
	t := &tenantState{
		Tenant: Tenant{
			ID: a.newID("tenant_"), Name: req.Name, ExternalOrgID: req.ExternalOrgID, ExternalSource: req.ExternalSource,
			ContactEmail: req.ContactEmail, PublicAgentURL: req.PublicAgentURL, Active: true, Status: Provisioned(),
		},
		own: true, tenantType: config.Type, currency: req.DefaultCurrency, since: now, cache: make([]cached, a.opts.Processes),
	}
	t.subdomain = strings.ReplaceAll(strings.ToLower(t.ExternalOrgID), "_", "-") + "-" + t.ID[len(t.ID)-8:]
	t.configure(config, now)
	a.tenants[t.ID] = t
	a.made++
	a.advance()
	a.refresh(t)
	if strings.ContainsAny(req.ExternalOrgID, " :") { // it has no place in an address
		return crash(http.StatusInternalServerError, "internal_error")
	}
	at := a.speaksAt(t)
	return says(http.StatusCreated, provisionDocument{
		TenantID: t.ID, Name: t.Name, ExternalOrgID: t.ExternalOrgID, ExternalSource: t.ExternalSource,
		IsEmbedded: true, ManagedExternally: true,
		MCPURL: at + "/mcp/", A2AURL: at + "/a2a", AdminURLPath: "/tenant/" + t.ID,
		Adapter:   provisionedAdapter{Type: t.config.Type, Configured: true, ConnectionTestPassed: true},
		CreatedAt: stamp(t.since, t.zone()),
	})
}

// serves reports whether a tenant's public_agent_url may be this one.
func (o Options) serves(raw string) bool {
	u, err := url.Parse(raw)
	return o.AgentHosts == nil || err == nil && slices.Contains(o.AgentHosts, strings.ToLower(u.Hostname()))
}

// unfit is what becomes of a 422 that the agent means to give as a problem: it holds its own
// answers against its schema, where a 422 is a list, and says what does not fit.
func unfit(code, message string) answer {
	return says(http.StatusInternalServerError, []validationError{{
		Type: "list_type", Loc: []string{}, Msg: "Input should be a valid list",
		Input: encode(problemDocument{Error: code, Message: message}), URL: typesURL + "list_type",
	}})
}

// readProvision checks the body of a provisioning call and reads it.
func (o Options) readProvision(raw json.RawMessage) (provisionRequest, AdapterConfig, []validationError) {
	known, found := o.check(nil, raw, provisionSchema)
	var config AdapterConfig
	if adapter := known["adapter"]; adapter != nil {
		var inside []validationError
		config, inside = o.readAdapter([]string{"adapter"}, adapter)
		found = append(found, inside...)
	}
	if found != nil {
		return provisionRequest{}, AdapterConfig{}, found
	}
	req := provisionRequest{DefaultCurrency: "USD", PublicAgentURL: "https://interchange.io"}
	fill(&req, known)
	return req, config, nil
}
