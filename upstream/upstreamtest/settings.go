package upstreamtest

import (
	"fmt"
	"net/http"
)

// settingsSchemas are the runtime settings by type of ad server (published
// schema, …Settings). mock has none.
var settingsSchemas = map[string][]field{
	"google_ad_manager": {
		{name: "type", oneOf: []string{"google_ad_manager"}},
		{name: "order_name_template", nullable: true, max: 500},
		{name: "line_item_name_template", nullable: true, max: 500},
		{name: "auto_naming_enabled", kind: flag},
		{name: "manual_approval_required", kind: flag},
	},
	"freewheel": {
		{name: "type", oneOf: []string{"freewheel"}},
		{name: "default_advertiser_id", nullable: true, max: 64},
	},
	"springserve": {
		{name: "type", oneOf: []string{"springserve"}},
		{name: "default_demand_partner_id", kind: integer, nullable: true},
		{name: "demand_class", oneOf: []string{"line_item", "tag"}},
		{name: "enable_key_value_targeting", kind: flag},
		{name: "rate_currency", min: 3, max: 3, pattern: currency},
	},
	"broadstreet": {
		{name: "type", oneOf: []string{"broadstreet"}},
		{name: "default_advertiser_id", nullable: true, max: 64},
		{name: "campaign_name_template", max: 500},
	},
}

type gamSettings struct {
	Type                   string  `json:"type"`
	OrderNameTemplate      *string `json:"order_name_template"`
	LineItemNameTemplate   *string `json:"line_item_name_template"`
	AutoNamingEnabled      bool    `json:"auto_naming_enabled"`
	ManualApprovalRequired bool    `json:"manual_approval_required"`
}

type freewheelSettings struct {
	Type                string  `json:"type"`
	DefaultAdvertiserID *string `json:"default_advertiser_id"`
}

type springserveSettings struct {
	Type                    string `json:"type"`
	DefaultDemandPartnerID  *int64 `json:"default_demand_partner_id"`
	DemandClass             string `json:"demand_class"`
	EnableKeyValueTargeting bool   `json:"enable_key_value_targeting"`
	RateCurrency            string `json:"rate_currency"`
}

type broadstreetSettings struct {
	Type                 string  `json:"type"`
	DefaultAdvertiserID  *string `json:"default_advertiser_id"`
	CampaignNameTemplate string  `json:"campaign_name_template"`
}

// document gives the settings that a type of ad server has.
func (s Settings) document(adapterType string) any {
	switch adapterType {
	case "freewheel":
		return freewheelSettings{adapterType, orNull(s.DefaultAdvertiserID)}
	case "springserve":
		return springserveSettings{adapterType, s.DefaultDemandPartnerID, s.DemandClass, s.EnableKeyValueTargeting, s.RateCurrency}
	case "broadstreet":
		return broadstreetSettings{adapterType, orNull(s.DefaultAdvertiserID), s.CampaignNameTemplate}
	}
	return gamSettings{
		adapterType, orNull(s.OrderNameTemplate), orNull(s.LineItemNameTemplate), s.AutoNamingEnabled, s.ManualApprovalRequired,
	}
}

// hasSettings finds the type that a path names, and what is said where the tenant
// has no config of it.
func (t *held) hasSettings(part string) (string, *answer) {
	if part == "gam" {
		part = "google_ad_manager"
	}
	var no answer
	switch {
	case settingsSchemas[part] == nil:
		no = htmlPage(http.StatusNotFound)
	case !t.AdServer.Configured || t.config.Type != part:
		no = problem(http.StatusNotFound, "adapter_config_not_found",
			fmt.Sprintf("Tenant '%s' has no config of the type '%s'.", t.ID, part), nil)
	default:
		return part, nil
	}
	return "", &no
}

func (t *held) settings(part string) answer {
	adapterType, no := t.hasSettings(part)
	if no != nil {
		return *no
	}
	return ok(t.config.Settings.document(adapterType))
}

// putSettings replaces the settings: what is left out has its default again.
func (t *held) putSettings(c call, opts Options) answer {
	adapterType, no := t.hasSettings(c.part)
	if no != nil {
		return *no
	}
	known, found := check(nil, c.body, settingsSchemas[adapterType], opts.Production)
	if found != nil {
		return invalid(found)
	}
	s := DefaultSettings()
	fill(&s, known)
	t.config.Settings = s
	return ok(s.document(adapterType))
}

// Settings gives the runtime settings of a tenant's config.
func (a *Agent) Settings(tenantID string) Settings {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tenants[tenantID]; t != nil {
		return t.config.Settings
	}
	return Settings{}
}

// SetSettings changes the settings of a tenant's config, as someone does in the
// agent's own pages. A tenant that is not known has none to change.
func (a *Agent) SetSettings(tenantID string, s Settings) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tenants[tenantID]; t != nil {
		t.config.Settings = s
	}
}
